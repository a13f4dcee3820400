"""What is taken off an invoice's lines before tax: coupons; and how a sum is spread over lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from saldo.invoicing.model import (
    BillingCase,
    Coupon,
    CouponDuration,
    CouponUse,
    Line,
    LineKind,
)
from saldo.invoicing.rules_conversion import price_rate
from saldo.kernel.errors import Problem, Problems
from saldo.kernel.exact import ONE, ZERO, minor_of_share
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import Money, is_currency, rounded_to_sum
from saldo.rating.model import Share, Step
from saldo.tax.rules import percent_of


def usable(coupon: Coupon, on: date) -> bool:
    """Whether a coupon takes anything off an invoice of this day."""
    if (coupon.from_on is not None and on < coupon.from_on) or (coupon.until_on is not None and on >= coupon.until_on):
        return False
    most = {CouponDuration.ONCE: 1, CouponDuration.REPEATING: coupon.times}.get(coupon.duration)
    if coupon.carries and coupon.duration is CouponDuration.ONCE:
        most = None  # until it is used up
    return most is None or coupon.used < most


def after_use(coupon: Coupon, use: CouponUse) -> Coupon:
    """The coupon once an invoice has used it."""
    taken = use.minor if use.coupon_minor is None else use.coupon_minor
    return replace(coupon, used=coupon.used + 1, taken_minor=coupon.taken_minor + taken)


def problems_of_coupon(coupon: Coupon) -> tuple[Problem, ...]:
    """Everything wrong with a coupon by itself."""
    problems = Problems()
    if (coupon.percent is None) == (coupon.amount is None):
        problems.add("percent", "one_of_two", "a coupon has either a `percent` or an `amount`")
    if coupon.percent is not None and not 0 <= coupon.percent <= 100:
        problems.add("percent", "not_a_share", "must be from 0 to 100")
    for name in ("amount", "minimum", "maximum"):
        value = getattr(coupon, name)
        if value is not None and value < 0:
            problems.add(name, "negative", "must be zero or more")
    if coupon.carries and coupon.amount is None:
        problems.add("carries", "no_amount", "only what is left of an `amount` can go on")
    if coupon.currency and not is_currency(coupon.currency):
        problems.add("currency", "invalid_currency", "must be an ISO 4217 code such as EUR")
    if coupon.from_on and coupon.until_on and coupon.until_on <= coupon.from_on:
        problems.add("until_on", "empty_period", "must be after `from_on`")
    if coupon.times < 1:
        problems.add("times", "below_one", "must be one or more")
    if not coupon.names:
        problems.add("names", "missing", "a coupon has a name: it stands on invoices")
    return problems.found


def discounted(case: BillingCase, lines: Sequence[Line]) -> tuple[list[Line], tuple[CouponUse, ...]]:
    """The lines with what coupons take off them as lines of their own, and what that used up.

    Coupons one after the other, each of what those before it left; never below zero. A sum is spread over the lines
    it is off, credits among them (`spread`). Coupons leave alone what gives back an earlier charge: that goes by the
    discounts of then.
    """
    found, uses = list(lines), []
    for coupon in case.wallet.coupons:
        if usable(coupon, case.as_of):
            use = _take_coupon(case, coupon, found)
            uses += [use] if use else []
    return found, tuple(uses)


def _take_coupon(case: BillingCase, coupon: Coupon, lines: list[Line]) -> CouponUse | None:
    parents = _concerned(coupon, lines)
    base = sum(left_of(lines, parents))
    if not parents or base <= 0:
        return None
    said = _Said(coupon, case.account.currency, price_rate(case, coupon.currency, case.as_of))
    if coupon.minimum is not None and base < said.invoiced(coupon.minimum):
        return None
    wanted = said.worth(base)
    off = min(wanted, base)
    if off <= 0:
        return None
    take(case, lines, off, parents, (LineKind.DISCOUNT, coupon.id, coupon.names))
    unused = 0 if coupon.carries else wanted - off
    return CouponUse(coupon.id, off, unused, said.used(off, wanted), said.rate)


@dataclass(frozen=True, slots=True)
class _Said:
    """A coupon's amounts on an invoice in a currency; rate: where they are in another."""

    coupon: Coupon
    currency: str
    rate: ExchangeRate | None

    def invoiced(self, amount: Decimal) -> int:
        """An amount of the coupon in minor units of the invoice, rounded half up."""
        return minor_of_share(amount, self.rate.ratio(self.coupon.currency) if self.rate else (1, 1), self.currency)

    def worth(self, base: int) -> int:
        """What it takes off lines that come to so much, or more."""
        if self.coupon.percent is None:
            left = self._left()
            return self.rate.convert(Money(left, self.coupon.currency)).minor if self.rate else left
        worth = percent_of(base, self.coupon.percent)
        return worth if self.coupon.maximum is None else min(worth, self.invoiced(self.coupon.maximum))

    def used(self, off: int, wanted: int) -> int | None:
        """What taking this off used up of a coupon in another currency: all that is left, where all of it was taken."""
        if self.rate is None:
            return None
        if self.coupon.percent is None and off == wanted:
            return self._left()
        part = self.rate.convert(Money(off, self.currency)).minor
        return part if self.coupon.percent is not None else min(part, self._left())

    def _left(self) -> int:
        """What there is of a fixed amount, in minor units of the coupon's own currency."""
        coupon, own = self.coupon, self.coupon.currency or self.currency
        most = [a for a in (coupon.amount or ZERO, coupon.maximum) if a is not None]
        minor = min(minor_of_share(amount, (1, 1), own) for amount in most)
        return minor - coupon.taken_minor if coupon.carries else minor


def _concerned(coupon: Coupon, lines: Sequence[Line]) -> list[Line]:
    return [
        line
        for line in lines
        if not line.of
        and not line.supplied_on
        and (not coupon.plans or line.plan_version_id in coupon.plans)
        and line.is_for(coupon.components)
    ]


def left_of(lines: Sequence[Line], parents: Sequence[Line]) -> list[int]:
    """What is left of each of these after what was taken off it."""
    off = Counter[str]()
    for line in lines:
        off[line.of] += line.net_minor
    return [parent.net_minor + off[parent.id] for parent in parents]


def spread(off: int, parents: Sequence[Line], left: Sequence[int]) -> list[int]:
    """What of a sum comes off each line: the same part as of what is left of them all, so that a credit (below zero)
    gets its part added. off: from 0 to the sum of `left`, which is above zero.

    Rounded by largest remainder, ties to the earlier, first over the tax categories and then over the lines of each:
    the parts add up, and what is off each rate is right to the cent however many lines bear it.
    """
    base = sum(left)
    exact = [Fraction(off * one, base) for one in left]
    alike: dict[tuple[str, bool], list[int]] = {}
    for n, parent in enumerate(parents):
        alike.setdefault((parent.tax_category, parent.inclusive), []).append(n)
    sums = rounded_to_sum(off, [sum((exact[n] for n in lines), Fraction(0)) for lines in alike.values()])
    found = [0] * len(parents)
    for whole, lines in zip(sums, alike.values(), strict=True):
        for n, part in zip(lines, rounded_to_sum(whole, [exact[n] for n in lines]), strict=True):
            found[n] = part
    return found


def take(
    case: BillingCase, lines: list[Line], off: int, parents: Sequence[Line], what: tuple[LineKind, str, dict[str, str]]
) -> None:
    """Adds a line for each part of what is taken off."""
    for parent, part in zip(parents, spread(off, parents, left_of(lines, parents)), strict=True):
        if part:
            amount = Money(-part, case.account.currency).as_decimal()
            lines.append(_taken_off(parent, str(len(lines) + 1), amount, -part, what))


def _taken_off(
    parent: Line, line_id: str, amount: Decimal, minor: int, what: tuple[LineKind, str, dict[str, str]]
) -> Line:
    kind, source_id, names = what
    rule = "discount" if kind is LineKind.DISCOUNT else "prepaid"
    return parent._replace(
        id=line_id,
        kind=kind,
        of=parent.id,
        component_id=source_id if kind is LineKind.PREPAID or not parent.component_id else parent.component_id,
        names=names,
        quantity=ONE,
        exact=amount,
        share=Share(),
        net_minor=minor,
        steps=(Step(rule, ONE, amount, amount),),
        residual_minor=0,
        priced_in=None,
        bounds=(),
    )
