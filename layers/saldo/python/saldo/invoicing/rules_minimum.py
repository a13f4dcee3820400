"""Plans' minimums: what counts towards them, and the lines that make up for what misses. No clock, no I/O.

A minimum is for the days on which it holds: a period, or the part of it before or after it changes; one with a period
of its own is one pool for that, whatever changed in it. All that the subscription is charged for these days counts,
whenever it is billed; when they are over, what misses is asked for, or what goes beyond at the factor agreed for that.
What comes later for the same days (late usage, a change told late) is set off against that first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from saldo.catalog.model import MINIMUM, PlanVersion, Timing
from saldo.invoicing.model import DueSubscription, Line, LineKind
from saldo.invoicing.model_minimum import MinimumKey, MinimumPart
from saldo.invoicing.rules_charged import Charged
from saldo.kernel.exact import ONE, minus
from saldo.kernel.money import Money
from saldo.kernel.periods import Period
from saldo.rating.model import Share, Step
from saldo.rating.rules.proration import share_of
from saldo.rating.rules.registry import rate
from saldo.subscriptions.model import Charge
from saldo.usage.model_windows import Window

_BEYOND = {
    "en": "Beyond the agreed minimum",
    "de": "Über den vereinbarten Mindestbetrag hinaus",
    "fr": "Au-delà du minimum convenu",
    "es": "Por encima del mínimo acordado",
}
_NAMES = {
    "en": "Up to the agreed minimum",
    "de": "Bis zum vereinbarten Mindestbetrag",
    "fr": "Complément jusqu’au minimum convenu",
    "es": "Hasta el mínimo acordado",
}


def key_of(item: DueSubscription, charged: Charged) -> MinimumKey:
    """The minimum that a charge counts towards (`part` "" for none)."""
    return MinimumKey(item.subscription.account_id, item.subscription.id, charged.part)


def key_of_window(window: Window) -> MinimumKey:
    """The same of usage that was billed."""
    return MinimumKey(window.account_id, window.subscription_id, window.terms.part)


class Minimums:
    """Where minimums stand while the lines of an invoice are made."""

    def __init__(self, known: Mapping[MinimumKey, MinimumPart]) -> None:
        self._known, self._now = known, dict(known)
        self._touched: dict[MinimumKey, None] = {}

    def count(self, key: MinimumKey, net_minor: int) -> None:
        """Count a line's net amount (below zero: a credit), unless it counts for no minimum (`part` "").

        Minimums are in the currency of their plan: what is invoiced in another counts as what it is priced at."""
        if key.part:
            before = self._of(key)
            self._move(replace(before, counted_minor=before.counted_minor + net_minor))

    def end(self, key: MinimumKey, over: Charged, least_minor: int, since: date) -> None:
        """Days of a minimum are over, which cost so much at least; it did not hold on them after all where `over`, the
        minimum as a charge, is taken back. since: the first day of those that it is for."""
        like, version, part = over.component, over.version, self._of(key)
        factor = version.minimum.overage_factor if version.minimum else ONE
        self._move(
            replace(
                part,
                least_minor=max(part.least_minor + (-least_minor if over.taken_back else least_minor), 0),
                days=Period(since, over.period.period.end),
                overage_factor=factor,
                plan_version_id=version.id,
                tax_category=like.tax_category,
                revenue_tag=like.revenue_tag,
                inclusive=like.tax_inclusive,
                rounding=version.rounding,
                currency=version.currency,
            )
        )

    def true_ups(self) -> Iterator[tuple[Line, str]]:
        """Lines, without ids, for what is owed now by minimums that were touched since this was asked, less what was
        asked for before; below zero where that was more. Each with the currency of its plan, which it is in."""
        for key in self._touched:
            part = self._now[key]
            more = part.owed_minor - part.trued_up_minor
            if more and part.days is not None:
                self._now[key] = replace(part, trued_up_minor=part.owed_minor)
                yield _true_up(part, part.days, more), part.currency
        self._touched = {}

    def moved(self) -> tuple[MinimumPart, ...]:
        """Those that stand otherwise than they were known to."""
        return tuple(part for key, part in self._now.items() if part != self._known.get(key))

    def _of(self, key: MinimumKey) -> MinimumPart:
        return self._now.get(key) or MinimumPart(key)

    def _move(self, part: MinimumPart) -> None:
        self._now[part.key] = part
        self._touched[part.key] = None


def least_minor(charge: Charge, versions: Mapping[str, PlanVersion], zone: str) -> int:
    """What a minimum comes to for the days of its charge."""
    version, period = versions[charge.plan_version_id], charge.period
    assert version.least is not None
    share = Share(*charge.seconds) if charge.seconds else share_of(period.period, period.full, version.day_count, zone)
    return rate(version.least.price, ONE, version.currency, share, version.rounding, charge.cycle).net_minor


def _true_up(part: MinimumPart, days: Period, minor: int) -> Line:
    amount = Money(minor, part.currency).as_decimal()
    beyond = part.beyond_minor > 0 and part.overage_factor != ONE
    return Line(
        "",
        part.key.subscription_id,
        part.plan_version_id,
        MINIMUM,
        Timing.ARREARS,
        days,
        _BEYOND if beyond else _NAMES,
        {},
        ONE,
        amount,
        Share(),
        part.rounding,
        minor,
        tuple(_steps(part)),
        part.tax_category,
        part.revenue_tag,
        (),
        LineKind.TRUE_UP,
        inclusive=part.inclusive,
    )


def _steps(part: MinimumPart) -> Iterator[Step]:
    """What is due at least less what counts towards it; or what goes beyond it, by how much more that costs; either
    less what was asked for before."""
    owed, beyond, least = (
        Money(minor, part.currency).as_decimal() for minor in (part.owed_minor, part.beyond_minor, part.least_minor)
    )
    if part.beyond_minor < 0:
        counted = Money(part.counted_minor, part.currency).as_decimal()
        yield Step("due_at_least", ONE, least, least)
        yield Step("counted", ONE, -counted, -counted)
    elif owed:
        yield Step("overage", beyond, minus(part.overage_factor, ONE), owed, above=least)
    if part.trued_up_minor:
        before = Money(-part.trued_up_minor, part.currency).as_decimal()
        yield Step("asked_before", ONE, before, before)
