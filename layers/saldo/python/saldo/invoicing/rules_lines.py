"""From what is due on an account to the lines of its invoice, before tax. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from saldo.accounts.model import Account
from saldo.catalog.model import BY_MONTHS, ChargeKind, PercentOf, Timing
from saldo.invoicing.model import (
    BillingCase,
    ChangeLegs,
    Charged,
    DueItem,
    DueSubscription,
    Line,
    LineKind,
    NetRounding,
)
from saldo.invoicing.rules_charged import tallies_due
from saldo.invoicing.rules_conversion import converted, price_rate
from saldo.invoicing.rules_history import TakenOver, taken_over, usage_ask
from saldo.invoicing.rules_returns import as_asked, as_charged, sought_of
from saldo.invoicing.rules_tallies import Tallies, place_of
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ONE, ZERO, minor_of_share, plus
from saldo.kernel.money import minor_digits, round_exact
from saldo.kernel.periods import MONTHS, Cycle, Length, Period, Unit
from saldo.kernel.rounding import Rounding
from saldo.rating.model import RatedCharge, Share, Step
from saldo.rating.rules.proration import MONTHS_OF_30, WHOLE, counted, share_of, share_of_units
from saldo.rating.rules.registry import NESTED_RULES, rate, rate_ask, rate_more
from saldo.subscriptions.rules import cycle_number
from saldo.usage.model import NO_DETAIL, Counted
from saldo.usage.model_windows import Window

_DAY = timedelta(days=1)


def charge_lines(case: BillingCase, tallies: Tallies | None = None) -> list[Line]:
    """Every due charge rated, before tax, in the order of subscriptions, periods and components, then items.

    tallies: where they stand (None: as the case says), which is moved on by what is charged.
    """
    tallies = tallies or Tallies(case.tallies)
    lines: list[Line] = []
    for item in case.due:
        lines += _lines_of(case, item, len(lines), tallies)
    if case.options.change_legs is ChangeLegs.NET:
        lines = net_legs(lines, case.account.currency, {line.id for line in lines if line.gives_back})
    lines += [_item_line(str(len(lines) + n), case, sold) for n, sold in enumerate(case.items, 1)]
    return (
        rounded_together(lines, case.account.currency) if case.options.net_rounding is NetRounding.DOCUMENT else lines
    )


def _lines_of(case: BillingCase, item: DueSubscription, before: int, tallies: Tallies) -> list[Line]:
    """The lines of one subscription, numbered on from those `before`."""
    lines: list[Line] = []
    for charged in item.charged:
        lines.append(_line(str(before + len(lines) + 1), case, item, charged))
        if charged.version.tallies:
            tallies.count(place_of(item, charged), lines[-1].price_minor)
    for over in tallies_due(item):
        place, bound = place_of(item, over), rated_charge(case, item, over).net_minor
        tallies.end(place, over, bound, place.key_of(over.component).since(_zone_of(case, item)))
    for missing, currency in tallies.true_ups():
        line = as_asked(case, _as_invoiced(case, missing, currency, missing.period.start, item.member))
        lines.append(line._replace(id=str(before + len(lines) + 1)))
    return lines if item.member is None else [line._replace(account_id=item.member.id) for line in lines]


def _zone_of(case: BillingCase, item: DueSubscription) -> str:
    return (item.member or case.account).time_zone


def rounded_together(lines: Sequence[Line], currency: str) -> list[Line]:
    """The lines so rounded that they make up the rounded sum of their exact amounts: each is what the sum grows by.

    What gives back an earlier charge stays as it is: that was rounded then.
    """
    found, exact, done = [], Fraction(0), 0
    for line in lines:
        if line.gives_back:
            found.append(line)
            continue
        exact += exact_minor(line, currency)
        upto = round_exact(exact, line.rounding)
        alone = round_exact(exact_minor(line, currency), line.rounding)
        found.append(line._replace(net_minor=upto - done, residual_minor=upto - done - alone))
        done = upto
    return found


def exact_minor(line: Line, currency: str) -> Fraction:
    """A line's amount before rounding, in minor units of the invoice's currency."""
    numerator, denominator = line.part
    return Fraction(line.exact) * Fraction(numerator * 10 ** minor_digits(currency), denominator)


def _item_line(line_id: str, case: BillingCase, due: DueItem) -> Line:
    item, day = due.item, due.item.supplied_on or case.as_of
    amount = item.amount
    return Line(
        line_id,
        "",
        "",
        item.id,
        Timing.ARREARS,
        Period(day, day + _DAY),
        item.names,
        {},
        item.quantity,
        amount,
        Share(),
        Rounding.HALF_UP,
        minor_of_share(amount, (1, 1), case.account.currency),
        (Step("per_unit", item.quantity, item.price_of_one, amount),),
        item.tax_category,
        item.revenue_tag,
        (),
        LineKind.ITEM,
        inclusive=item.inclusive,
        account_id=due.member.id if due.member else "",
    )


def _line(line_id: str, case: BillingCase, item: DueSubscription, charged: Charged) -> Line:
    line, change = _priced(line_id, case, item, charged), charged.change
    if change is None or not change.reverses:
        return line
    signed, sought = (credited(line) if change.sign < 0 else line), sought_of(change)
    if sought is change:
        return as_charged(case, item, change, signed, line)
    version = item.versions[sought.plan_version_id]
    component = next(c for c in version.components if c.id == sought.component_id)
    like = _priced("", case, item, Charged(sought.period, component, version, sought))
    return as_charged(case, item, change, signed, like)


def _priced(line_id: str, case: BillingCase, item: DueSubscription, charged: Charged) -> Line:
    """The line of a charge, whichever sign it has."""
    due, component, version, _ = charged
    rated = rated_charge(case, item, charged)
    line = Line(
        line_id,
        item.subscription.id,
        version.id,
        component.id,
        due.timing,
        due.period,
        component.names,
        component.unit_names,
        rated.quantity,
        rated.exact,
        rated.share,
        rated.rounding,
        rated.net_minor,
        rated.steps,
        component.tax_category,
        component.revenue_tag,
        (),
        inclusive=component.tax_inclusive,
    )
    return _as_invoiced(case, line, version.currency, due.full.start, item.member)


def _as_invoiced(case: BillingCase, line: Line, currency: str, period_from: date, member: Account | None) -> Line:
    """A line in the currency of its price as it is invoiced."""
    invoiced_in = case.account.currency
    return converted(line, currency, invoiced_in, price_rate(case, currency, period_from, member))


def rated_charge(case: BillingCase, item: DueSubscription, charged: Charged) -> RatedCharge:
    """What a charge comes to. The price of a FIXED one is prorated; of usage, what bounds its price is."""
    component, version, quantity = charged.component, charged.version, _quantity(case, item, charged)
    if component.kind is not ChargeKind.USAGE:
        part, cycle = _part(case, item, charged), _cycle(item, charged)
        return rate(component.price, quantity, version.currency, part, version.rounding, cycle)
    cycle, part, over = usage_terms(case, item, charged)
    detail = NO_DETAIL
    if case.details:
        detail = case.details.get(charged.usage_key, NO_DETAIL)
    ask = usage_ask(Counted(quantity, detail), part, cycle, over.rolled)
    if detail.before or over.before is not None:
        before = plus(detail.before, over.before or ZERO)
        return rate_more(component.price, ask, before, version.currency, version.rounding)
    return rate_ask(component.price, ask, version.currency, WHOLE, version.rounding)


def usage_terms(case: BillingCase, item: DueSubscription, charged: Charged) -> tuple[int, Share, TakenOver]:
    """The cycle that a usage charge falls in, the part of the full period over which it is priced, and what it takes
    over from the cycles before; what is taken back took over what its window says."""
    if stood := _stood(case, charged):
        over = TakenOver(stood.terms.before, stood.terms.rolled)
    else:
        over = taken_over(case, item, charged, _zone_of(case, item))
    return _cycle(item, charged), _part(case, item, charged), over


def _stood(case: BillingCase, charged: Charged) -> Window | None:
    """What a charge that is taken back was billed by: a price in its stead may count the same usage otherwise."""
    return case.stood.get(charged.usage_key) if charged.taken_back else None


def _part(case: BillingCase, item: DueSubscription, charged: Charged) -> Share:
    """The part of the full period that a charge is priced for; all of it where it is not prorated."""
    due, component = charged.period, charged.component
    short = due.period != due.full or component.priced_per is not None or charged.change is not None
    prorated = component.prorate and component.cumulates is None and component.kind is not ChargeKind.ONE_TIME
    return share_of_charge(case, item, charged) if short and prorated else WHOLE


def _cycle(item: DueSubscription, charged: Charged) -> int:
    if type(charged.component.price) not in NESTED_RULES:  # only these can hold a ramp
        return 0
    change = charged.change
    return change.cycle if change else cycle_number(item.subscription, charged.version, charged.period)


def share_of_charge(case: BillingCase, item: DueSubscription, charged: Charged) -> Share:
    """The part of the full period that a charge is for, as its plan counts."""
    due, zone, day_count = charged.period, _zone_of(case, item), charged.version.day_count
    known = charged.change.share if charged.change else None
    if charged.component.priced_per is not None:
        return _share_of_price(item, charged, charged.component.priced_per, zone)
    if known:
        return WHOLE if known[0] == known[1] else Share(*known)
    return share_of(due.period, due.full, day_count, zone)


def _share_of_price(item: DueSubscription, charged: Charged, priced_per: Unit, zone: str) -> Share:
    """How many of the units of time that a price is for."""
    due, day_count = charged.period, charged.version.day_count
    known, cycles = charged.change.share if charged.change else None, charged.version.cycles_of(Length(priced_per))
    if day_count in BY_MONTHS:
        months = known or (counted(due.period, due.full, day_count).days,)
        return Share(months[0], Length(priced_per).holds(Length(Unit.MONTH)), MONTHS)
    if day_count in MONTHS_OF_30 and cycles:  # they are equal parts, on whichever day they begin
        of_cycle = counted(due.period, due.full, day_count, zone)
        return Share(of_cycle.days, of_cycle.of * cycles)
    units = Cycle(priced_per, 1, due.full.start)
    if units.boundary(1) > due.full.end:  # longer than the cycle: counted from where the subscription is
        units = replace(units, anchor=item.subscription.anchor_on)
    return share_of_units(due.period, units, day_count, zone, known[0] if known else None)


def credited(line: Line) -> Line:
    """The same line with its signs turned round."""
    return line._replace(
        kind=LineKind.CREDIT,
        exact=-line.exact,
        net_minor=-line.net_minor,
        priced_in=line.priced_in and replace(line.priced_in, minor=-line.priced_in.minor),
        steps=tuple(s._replace(price=-s.price, flat=-s.flat, amount=-s.amount) for s in line.steps),
    )


def net_legs(lines: Sequence[Line], currency: str, apart: Container[str]) -> list[Line]:
    """The credit and the charge of one change on one line: the difference of their prices, rounded once.

    They belong together when they are of one subscription, of the same days out of the same period, taxed alike, and
    converted, if at all, at the same rate.
    apart: ids of lines that stay by themselves; what gives back an earlier charge until `bill` knows all taxes.
    """
    found: list[Line] = []
    for line in lines:
        twins = (n for n, other in enumerate(found) if other.id not in apart and _legs_of_one_change(other, line))
        twin = None if line.id in apart else next(twins, None)
        if twin is None:
            found.append(line)
        else:
            found[twin] = _netted(found[twin], line, currency)
    return [line._replace(id=str(n)) for n, line in enumerate(found, 1)]


def _legs_of_one_change(a: Line, b: Line) -> bool:
    opposite = {a.kind, b.kind} == {LineKind.CREDIT, LineKind.CHARGE} and a.share != WHOLE
    return opposite and _shared_by_legs(a) == _shared_by_legs(b)


def _shared_by_legs(line: Line) -> tuple[object, ...]:
    rate = line.priced_in and (line.priced_in.currency, line.priced_in.rate)
    taxed = line.tax_category, line.timing, line.taxes
    return line.subscription_id, line.period, line.share, line.rounding, *taxed, rate


def _netted(a: Line, b: Line, currency: str) -> Line:
    charge, other = (a, b) if a.kind is LineKind.CHARGE else (b, a)
    exact = plus(charge.exact, other.exact)
    net = minor_of_share(exact, charge.part, currency, charge.rounding)
    priced = charge.priced_in
    if priced is not None:
        share = charge.share.days, charge.share.of
        priced = replace(priced, minor=minor_of_share(exact, share, priced.currency, charge.rounding))
    steps = (*other.steps, *charge.steps)
    return charge._replace(kind=LineKind.CHANGE, exact=exact, net_minor=net, priced_in=priced, steps=steps)


def _quantity(case: BillingCase, item: DueSubscription, charged: Charged) -> Decimal:
    due, component = charged.period, charged.component
    if component.kind is not ChargeKind.USAGE:
        if isinstance(component.price, PercentOf):
            return ZERO  # what it is a percent of is counted by its tally: here it is the least that it comes to
        change = charged.change
        if change is not None and change.quantity is not None:
            return change.quantity
        return item.subscription.quantities.get(component.id, ONE)
    stood = _stood(case, charged)
    used = stood.billed[-1].quantity if stood else case.usage.get(charged.usage_key)
    if used is None:
        raise Refusal("usage_total_missing", f"no total of {component.meter_id} for {due.period.as_text()}")
    if used < 0:
        raise Refusal("negative_usage", f"{component.meter_id} counted {used} in {due.period.as_text()}")
    return used
