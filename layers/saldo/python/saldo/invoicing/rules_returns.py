"""What gives back an earlier charge: at what was charged for it, with the discount and the taxes of then.

A credit of days paid ahead, a charge that a late change takes back, what a minimum asked for too much, and a credit
that is taken back in turn are all a part of a line of an earlier document. They bear that line's taxes as they were,
the same part of its discounts, and return the same part of the prepaid credit that was drawn on it. No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from saldo.catalog.model import Timing
from saldo.invoicing.model import (
    AppliedCredit,
    BillingCase,
    CreditSource,
    DueSubscription,
    InvoiceBody,
    Line,
    LineKind,
)
from saldo.invoicing.rules_conversion import at_rate, rounded_part, with_net
from saldo.kernel.exact import ONE
from saldo.kernel.money import Money, split_by_weights
from saldo.kernel.rounding import rounded_ratio
from saldo.rating.model import Share, Step
from saldo.subscriptions.model import Charge

_DAY = timedelta(days=1)
_CHARGED = frozenset({LineKind.CHARGE, LineKind.CHANGE})
_CREDITED = frozenset({LineKind.CREDIT})
_LATE = frozenset({LineKind.LATE})


@dataclass(frozen=True, slots=True)
class Origin:
    """A line of an earlier document, with late usage that was billed for it since, as credit notes have left it.

    `net_minor`: before what was taken off it; `price_minor`: the same in the currency that it is priced in. `off`:
    those lines (discounts, prepaid credit drawn before tax) with what of each is left, below zero for a charge.
    """

    body: InvoiceBody
    line: Line
    net_minor: int
    price_minor: int
    off: tuple[tuple[Line, int], ...]

    @property
    def reference(self) -> str:
        return f"{self.body.id}/{self.line.id}"

    @property
    def supplied_on(self) -> date:
        return self.line.supplied_on or (
            self.line.period.end - _DAY if self.line.timing is Timing.ARREARS else self.body.issued_on
        )

    def tied(self, line: Line) -> Line:
        """A line that gives a part of it back, with its day of supply and its taxes; mere estimates are not repeated,
        but asked for again, as of then."""
        taxes = () if self.body.tax_estimated else self.line.taxes
        return line._replace(gives_back=self.reference, supplied_on=self.supplied_on, taxes=taxes)

    def tied_at_its_rate(self, line: Line, currency: str) -> Line:
        """The same, and in the invoice's currency at the rate of then, where prices are converted."""
        tied, priced = self.tied(line), self.line.priced_in
        return at_rate(tied, currency, priced.rate) if tied.priced_in and priced else tied


def sought_of(charge: Charge) -> Charge:
    """Which charge a charge that `reverses` gives back, in part or whole: itself, where it is taken back."""
    return charge.gives_back if charge.gives_back is not None and charge.sign < 0 else charge


def begins_earlier(charges: Iterable[Charge] | None) -> date | None:
    """Since when documents may hold what these charges give back; None where they give nothing back."""
    return min((sought_of(c).period.boundary for c in charges or () if c.reverses), default=None)


def as_charged(case: BillingCase, item: DueSubscription, change: Charge, line: Line, like: Line) -> Line:
    """A line that gives something back, tied to the line that was billed: its taxes, its day of supply, and no more
    than credit notes have left of it.

    like: the line that is sought, priced anew. What is charged on this very document only now is not given back but
    nets with it. What is on no document of Saldo's (it was billed elsewhere) is a supply of its boundary. Taxes that
    were a mere estimate are not repeated but asked for again, as of then.
    """
    sought = sought_of(change)
    if sought is not change and any(_name(c) == _name(sought) for c in item.charges or () if not c.reverses):
        return line
    found = _find(case.earlier, like, _CREDITED if sought.gives_back is not None else _CHARGED)
    if found is None and line.timing is Timing.ARREARS:
        found = _find(case.earlier[::-1], like, _LATE)  # it was nothing when it was billed
    if found is None:
        arrears = line.timing is Timing.ARREARS
        return line._replace(supplied_on=line.period.end - _DAY if arrears else sought.period.boundary)
    origin = _origin(case.earlier, *found)
    line = origin.tied_at_its_rate(line, case.account.currency)
    if origin.line.kind is LineKind.CHANGE:
        return line  # netted: what was charged for these days alone is not told
    net = -origin.net_minor if sought is change else max(line.net_minor, -max(origin.net_minor, 0))
    return with_net(line, net, origin.net_minor, origin.price_minor)


def as_lowered(case: BillingCase, lines: list[Line]) -> list[Line]:
    """Lines by which late usage lowers a charge (the difference; or the charge taken back, and made anew), tied to the
    line that was billed: its taxes, its day of supply, and the same part of what was off it.

    As they are where it is on no document of Saldo's, or credit notes have left another amount of it than is corrected.
    """
    like = lines[0]
    found = _find(case.earlier, like, _CHARGED) or _find(case.earlier[::-1], like, _LATE)
    if found is None:
        return lines
    origin = _origin(case.earlier, *found)
    if len(lines) > 1 and origin.net_minor != -like.net_minor:
        return lines
    tied = [origin.tied(one) for one in lines]
    if len(tied) > 1:
        return tied
    net = max(like.net_minor, -max(origin.net_minor, 0))
    return [with_net(tied[0], net, origin.net_minor, origin.price_minor)]


def as_asked(case: BillingCase, line: Line) -> Line:
    """What a tally asks for less than before (or gives back less, of a maximum), tied to the line by which it did
    first; as it is where it asks for more, and where it never did so on a document of Saldo's."""
    asked = list(_asked(case.earlier, line))
    origin = _origin(case.earlier, *asked[0]) if asked else None
    if origin is None or origin.net_minor * line.net_minor >= 0:
        return line
    tied = origin.tied_at_its_rate(line, case.account.currency)
    credited = abs(sum(one.net_minor for _, one in asked) - origin.net_minor)
    wanted, left = abs(tied.net_minor), abs(origin.net_minor)
    most = max(wanted - credited, left)  # more than was asked for, where what is beyond a minimum costs less
    if wanted <= most:
        return tied
    return with_net(tied, most if line.net_minor > 0 else -most, origin.net_minor, origin.price_minor)


def _name(charge: Charge) -> tuple[object, ...]:
    period = charge.period
    days = period.timing, period.period, period.full, charge.share
    return charge.plan_version_id, charge.component_id, charge.quantity, *days


def _find(earlier: Sequence[InvoiceBody], like: Line, kinds: frozenset[LineKind]) -> tuple[InvoiceBody, Line] | None:
    """The last line of these kinds that bills the same for the same days; what gives back is no charge."""
    for body in reversed(_standing(earlier)):
        for line in reversed(body.lines):
            plain = line.supplied_on is None or kinds is _CREDITED
            if line.kind in kinds and plain and not line.of and _alike(line, like):
                return body, line
    return None


def _standing(earlier: Sequence[InvoiceBody]) -> list[InvoiceBody]:
    """The invoices among documents; one that was billed again stands no more."""
    replaced = {body.replaces for body in earlier}
    return [body for body in earlier if not body.of_invoice and body.id not in replaced]


def _alike(line: Line, like: Line) -> bool:
    if _place(line) != _place(like):
        return False
    if line.kind is LineKind.CHANGE or like.timing is Timing.ARREARS:
        return True  # netted, or usage, of which more may have come since
    shares = (Fraction(one.share.days, one.share.of) for one in (line, like))
    return len(set(shares)) == 1 and abs(line.exact) == abs(like.exact)


def _place(line: Line) -> tuple[object, ...]:
    if line.kind is LineKind.TRUE_UP:  # of one tally, whatever its plan became and until when it holds
        return line.subscription_id, line.component_id, line.period.start
    return line.subscription_id, line.plan_version_id, line.component_id, line.timing, line.period


def _origin(earlier: Sequence[InvoiceBody], body: InvoiceBody, line: Line) -> Origin:
    lines = [(body, line), *_late(earlier, body, line)]
    notes = [note for note in earlier if note.of_invoice]
    off: dict[tuple[object, ...], tuple[Line, int]] = {}
    for where, one in lines:
        for other in where.lines:
            if other.of == one.id:
                key = other.kind, other.component_id, tuple(sorted(other.names.items()))
                before = off[key][1] if key in off else 0
                off[key] = other, before + _left(where, other, notes)
    left = [_left(where, one, notes) for where, one in lines]
    priced = (rounded_part(one.price_minor, rest, one.net_minor) for (_, one), rest in zip(lines, left, strict=True))
    return Origin(body, line, sum(left), sum(priced), tuple(off.values()))


def _late(earlier: Sequence[InvoiceBody], body: InvoiceBody, line: Line) -> Iterator[tuple[InvoiceBody, Line]]:
    """Late usage billed for the same days on later documents, and what was corrected by it; of what a tally asked for,
    all that it did besides."""
    if line.kind is LineKind.TRUE_UP:
        yield from (one for one in _asked(earlier, line) if (one[0].id, one[1].id) != (body.id, line.id))
        return
    if line.timing is not Timing.ARREARS:
        return
    since = next(n for n, one in enumerate(earlier) if one.id == body.id)
    for other in earlier[since + 1 :]:
        for one in other.lines:
            corrects = one.supplied_on is None or one.gives_back == f"{body.id}/{line.id}"
            late = one.kind is LineKind.LATE or (one.kind is LineKind.CREDIT and corrects)
            if late and not other.of_invoice and not one.of and _place(one) == _place(line):
                yield other, one


def _asked(earlier: Sequence[InvoiceBody], like: Line) -> Iterator[tuple[InvoiceBody, Line]]:
    """All that the tally of a line asked for, the first first."""
    for body in _standing(earlier):
        for one in body.lines:
            if one.kind is LineKind.TRUE_UP and _place(one) == _place(like):
                yield body, one


def _left(body: InvoiceBody, line: Line, notes: Sequence[InvoiceBody]) -> int:
    """What a line was, less what credit notes took back of it."""
    taken = (one.net_minor for note in notes if note.of_invoice == body.id for one in note.lines if one.of == line.id)
    return line.net_minor + sum(taken)


def taken_off(case: BillingCase, lines: Sequence[Line]) -> tuple[list[Line], tuple[AppliedCredit, ...]]:
    """Lines for what was off the charges that these lines give back, ids going on from theirs, and what of prepaid
    credit returns.

    A line's part is as large as the part of the charge that it gives back, rounded once over all that was off it and
    spread over these in proportion: so nothing is given back that was not charged, and what is unwound whole leaves
    nothing. A credit that is taken back takes its discounts back; prepaid credit is then drawn as on any charge.
    """
    found: list[Line] = []
    returned: dict[tuple[str, date], int] = {}
    bodies = {body.id: body for body in case.earlier} if any(line.gives_back for line in lines) else {}
    for line in lines:
        if line.gives_back and not line.of:
            body_id, line_id = line.gives_back.rsplit("/", 1)
            body = bodies[body_id]
            origin = _origin(case.earlier, body, next(one for one in body.lines if one.id == line_id))
            for other, minor in _parts(origin, line, case.account.currency):
                found.append(_off(other, line, str(len(lines) + len(found) + 1), minor, case.account.currency))
                if other.kind is LineKind.PREPAID:
                    drawn = other.component_id, body.issued_on
                    returned[drawn] = returned.get(drawn, 0) + minor
    credits = (AppliedCredit(CreditSource.PREPAID, c, -minor, True, on) for (c, on), minor in returned.items())
    return found, tuple(credits)


def _parts(origin: Origin, line: Line, currency: str) -> Iterator[tuple[Line, int]]:
    """What of each thing that was off a charge belongs to the part of it that is given back, with the sign of now."""
    kinds = {LineKind.DISCOUNT, LineKind.PREPAID} if line.net_minor < 0 else {LineKind.DISCOUNT}
    off = [(one, minor) for one, minor in origin.off if one.kind in kinds and minor * origin.net_minor < 0]
    if not off or not line.net_minor:
        return
    every = sum(minor for _, minor in off)
    part = abs(rounded_ratio(every * line.net_minor, abs(origin.net_minor)))
    split = split_by_weights(Money(part, currency), [abs(minor) for _, minor in off])
    for (one, _), share in zip(off, split, strict=True):
        if share.minor:
            yield one, share.minor if line.net_minor < 0 else -share.minor


def _off(was: Line, line: Line, line_id: str, minor: int, currency: str) -> Line:
    amount = Money(minor, currency).as_decimal()
    return line._replace(
        id=line_id,
        kind=was.kind,
        of=line.id,
        component_id=was.component_id,
        names=was.names,
        quantity=ONE,
        exact=amount,
        share=Share(),
        net_minor=minor,
        steps=(Step(was.steps[0].rule, ONE, amount, amount),),
        residual_minor=0,
        priced_in=None,
    )
