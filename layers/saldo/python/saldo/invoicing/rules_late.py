"""Windows of usage as an invoice closes them, and the lines of what came late for those billed before.

No clock, no I/O.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal

from saldo.accounts.model import Account
from saldo.catalog.model import Component, PlanVersion, Timing
from saldo.invoicing.model import BillingCase, Charged, DueSubscription, LateCharge, Line, LineKind
from saldo.invoicing.rules_conversion import converted, price_rate
from saldo.invoicing.rules_history import usage_ask
from saldo.invoicing.rules_lines import credited, usage_terms
from saldo.invoicing.rules_returns import as_lowered
from saldo.invoicing.rules_tallies import Tallies, place_of_late
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ZERO, minor_of_share, plus
from saldo.kernel.exchange import ExchangeRate
from saldo.rating.model import Ask, RatedCharge, Share
from saldo.rating.rules.registry import price_ask, rate_ask, rate_difference, rate_more
from saldo.usage.model import Counted, LatePolicy
from saldo.usage.model_windows import AccountUsage, LateUsage, Terms, Window
from saldo.usage.rules import needs_of
from saldo.usage.rules_windows import closed, settled, withdrawn


def late_lines(case: BillingCase, first: int, tallies: Tallies) -> list[Line]:
    """Lines for late usage of windows billed before, ids from `first` on.

    CARRY: one line for the difference between what the whole window costs now and what was billed for it. CORRECT: the
    charge as billed is credited and the whole is charged anew, each on a line. What comes to nothing has no line. What
    was asked for to make up a minimum is given back as far as late usage makes it up; maximums and percents follow
    likewise.
    """
    found: list[Line] = []
    for charge in case.late:
        rate, invoiced_in = _rate(case, charge), case.account.currency
        priced = [*_corrected(charge)] if charge.usage.policy is LatePolicy.CORRECT else [_carried(charge)]
        lines = [converted(line, charge.version.currency, invoiced_in, rate) for line in priced]
        if rate and charge.usage.policy is LatePolicy.CARRY:
            lines = [_carried_at(charge, lines[0], rate, invoiced_in)]
        if sum(line.net_minor for line in lines) < 0:
            lines = as_lowered(case, lines)
        found += [line for line in lines if line.net_minor]
        tallies.count(place_of_late(charge), sum(line.price_minor for line in lines))
        made_up = _made_up(case, charge, tallies)
        found += (_like_what_it_makes_up_for(line, lines[0]) for line in made_up)
    return [line._replace(id=str(n)) for n, line in enumerate(found, first)]


def _rate(case: BillingCase, charge: LateCharge) -> ExchangeRate | None:
    """That which the window was billed at: with what was billed, late usage makes the whole window at one rate."""
    window = charge.usage.window
    return window.terms.rate or price_rate(case, charge.version.currency, window.period.start, charge.member)


def _made_up(case: BillingCase, charge: LateCharge, tallies: Tallies) -> Iterator[Line]:
    for line, currency in tallies.true_ups():
        rate = price_rate(case, currency, line.period.start, charge.member)
        yield converted(line, currency, case.account.currency, rate)._replace(account_id=_member_id(charge))


def _like_what_it_makes_up_for(line: Line, lowered: Line) -> Line:
    """What a minimum asks for in place of a charge that was lowered, where both are taxed alike: discounted and taxed
    as what is given back of that, so that no more is owed than before."""
    alike = (line.tax_category, line.inclusive) == (lowered.tax_category, lowered.inclusive)
    if not lowered.gives_back or line.net_minor < 0 or not alike:
        return line
    return line._replace(gives_back=lowered.gives_back, supplied_on=lowered.supplied_on, taxes=lowered.taxes)


def lowers(charge: LateCharge) -> bool:
    """Whether late usage makes its window cost less than was billed: what comes back is a part of that."""
    component, version = _component(charge), charge.version
    now, billed = (
        _rated(component, version, charge.usage, counted).net_minor
        for counted in (charge.usage.now, charge.usage.billed)
    )
    return now < billed


def _member_id(charge: LateCharge) -> str:
    return charge.member.id if charge.member else ""


def late_identity(late: LateUsage) -> str:
    """Names for ever what an invoice bills of a window's late usage: the window and how often it was billed before."""
    window = late.window
    return f"late:{window.account_id}/{window.meter_id}:{window.period.as_text()}:{len(window.billed)}"


def late_charge(late: LateUsage, version: PlanVersion | None, member: Account | None = None) -> LateCharge:
    """Late usage with the plan version that it was sold by; Refusal `plan_version_missing` without it."""
    if version is None or all(c.id != late.window.terms.component_id for c in version.components):
        raise Refusal("plan_version_missing", f"{late.window.terms.plan_version_id} is not in the catalog")
    return LateCharge(late, version, member)


def windows_of(
    case: BillingCase, usage: Mapping[str, AccountUsage], invoices: Mapping[str, str]
) -> dict[str, list[Window]]:
    """Every window that billing this case closes, bills again or takes back, as it then stands, by account.

    usage: by account; the case's own and its members'. invoices: which invoice bills what, by identity; what comes to
    nothing is in none, and its window is closed all the same.
    """
    found: dict[str, list[Window]] = defaultdict(list)
    for item in case.due:
        account = item.member or case.account
        if account.id in usage:
            found[account.id] += _closed(case, item, account, usage[account.id], invoices)
    for charge in case.late:
        invoice_id = invoices.get(late_identity(charge.usage), "")
        found[charge.usage.window.account_id].append(settled(charge.usage, on=case.as_of, invoice_id=invoice_id))
    return {account_id: windows for account_id, windows in found.items() if windows}


def _closed(
    case: BillingCase, item: DueSubscription, account: Account, usage: AccountUsage, invoices: Mapping[str, str]
) -> Iterator[Window]:
    made = {c.usage_key: c for c in item.metered if not c.taken_back}
    for key, one in made.items():
        if key in usage.cutoffs:
            counted = Counted(usage.totals[key], usage.details[key]), usage.cutoffs[key]
            invoice_id, before = invoices.get(one.period.identity, ""), usage.billed.get(key)
            terms = _terms(case, item, one)
            yield closed(account, key, terms, counted, on=case.as_of, invoice_id=invoice_id, before=before)
    for one in item.metered:
        window = usage.billed.get(one.usage_key)
        if one.usage_key not in made and window is not None and not window.is_withdrawn:
            yield withdrawn(window, on=case.as_of, invoice_id=invoices.get(one.period.identity, ""))


def _terms(case: BillingCase, item: DueSubscription, charged: Charged) -> Terms:
    """By what a usage charge is rated, for rating it again."""
    cycle, part, over = usage_terms(case, item, charged)
    sold = item.subscription
    needs = needs_of(charged.component.price)
    split = sold.purchase_order, sold.cost_centre
    rate = price_rate(case, charged.version.currency, charged.period.full.start, item.member)
    of = charged.version.id, charged.component.id
    return Terms(*of, cycle, part.days, part.of, needs, *split, charged.part, rate, *over, charged.since)


def _carried(charge: LateCharge) -> Line:
    """The difference to the cent: with what was billed it makes the rounded price of the whole window."""
    component, version, late = _component(charge), charge.version, charge.usage
    now, billed = _on_top(late, late.now), _on_top(late, late.billed)
    rated = rate_difference(component.price, now, billed, version.currency, version.rounding)
    due, paid = (_rated(component, version, late, counted).net_minor for counted in (late.now, late.billed))
    line = _line(charge, component, rated)
    return line._replace(net_minor=due - paid, residual_minor=due - paid - rated.net_minor)


def _carried_at(charge: LateCharge, line: Line, rate: ExchangeRate, invoiced_in: str) -> Line:
    """The same in the invoice's currency: what the whole window comes to in it, less what was billed."""
    price = _component(charge).price
    late = charge.usage
    both = [price_ask(price, _on_top(late, counted)) for counted in (late.now, late.billed)]
    ratio = rate.ratio(charge.version.currency)
    due, paid = (minor_of_share(priced.amount, ratio, invoiced_in, charge.version.rounding) for priced in both)
    return line._replace(net_minor=due - paid, residual_minor=due - paid - line.net_minor)


def _corrected(charge: LateCharge) -> Iterator[Line]:
    component, version, late = _component(charge), charge.version, charge.usage
    for counted in (late.billed, late.now):
        line = _line(charge, component, _rated(component, version, late, counted))
        yield credited(line) if counted is late.billed else line


def _ask(late: LateUsage, counted: Counted) -> Ask:
    terms = late.window.terms
    return usage_ask(counted, Share(terms.days, terms.of), terms.cycle, terms.rolled)


def _on_top(late: LateUsage, counted: Counted) -> Ask:
    """The same on top of what was used in earlier cycles of the same price."""
    ask = _ask(late, counted)
    return ask._replace(quantity=plus(late.window.terms.before or ZERO, ask.quantity))


def _rated(component: Component, version: PlanVersion, late: LateUsage, counted: Counted) -> RatedCharge:
    """What a window costs that counted so much, from where its price went on when it was billed."""
    ask, before = _ask(late, counted), late.window.terms.before
    if before is not None:
        return rate_more(component.price, ask, before, version.currency, version.rounding)
    return rate_ask(component.price, ask, version.currency, Share(), version.rounding)


def _component(charge: LateCharge) -> Component:
    return next(c for c in charge.version.components if c.id == charge.usage.window.terms.component_id)


def _line(charge: LateCharge, component: Component, rated: RatedCharge) -> Line:
    """Quantities on a line are above zero; what is given back shows in its amounts."""
    window = charge.usage.window
    return Line(
        "",
        window.subscription_id,
        charge.version.id,
        component.id,
        Timing.ARREARS,
        window.period,
        component.names,
        component.unit_names,
        abs(rated.quantity) if rated.quantity else Decimal(0),
        rated.exact,
        rated.share,
        rated.rounding,
        rated.net_minor,
        rated.steps,
        component.tax_category,
        component.revenue_tag,
        (),
        LineKind.LATE,
        inclusive=component.tax_inclusive,
    )
