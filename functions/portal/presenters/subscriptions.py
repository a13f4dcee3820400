"""Subscriptions with their terms, and what a change of them costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from functions.portal import formats
from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
from saldo.kernel.periods import Length
from saldo.subscriptions.model import Change, ChangeKind, SubscriptionStatus
from saldo.subscriptions.rules_terms import last_day_to_cancel

if TYPE_CHECKING:
    from saldo.catalog.model import Component, Plan, PlanVersion
    from saldo.invoicing.model import Line
    from saldo.invoicing.model_forecast import NextInvoice
    from saldo.invoicing.self_service import Choice, CommitmentStands, Standing
    from saldo.subscriptions.rules_timeline import Terms

_TONES = {
    SubscriptionStatus.TRIALING: "wait",
    SubscriptionStatus.ACTIVE: "done",
    SubscriptionStatus.PAUSED: "part",
    SubscriptionStatus.CANCELLING: "over",
    SubscriptionStatus.ENDED: "over",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A change with what is needed to say it: components by id, and the plan that it leads to."""

    change: Change
    components: Mapping[str, Component]
    plan: Plan | None


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    subscription_id: str
    name: str
    price: str
    next_on: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """`quantities`: (component id, name, quantity as text); `charges`: (name, quantity, amount of a whole period);
    `ahead`: (day, what is agreed from then on). `plans`: those it may be moved to, (version, name with its price, what
    to know); `refused`: (name, why it may not). `when`, `ends`: from when a change, or a cancellation, may hold."""

    subscription_id: str
    name: str
    tag: Tag
    facts: tuple[tuple[str, str], ...]
    currency: str
    charges: tuple[tuple[str, str, str], ...]
    quantities: tuple[tuple[str, str, str], ...]
    ahead: tuple[tuple[str, str], ...]
    plans: tuple[tuple[str, str, str], ...]
    refused: tuple[tuple[str, str], ...]
    when: tuple[tuple[str, str, str], ...]
    ends: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class ChangeView:
    """`lines`: (name, period, quantity, amount). `seen`: a print of what is shown, to be sent with the confirmation."""

    what: tuple[tuple[str, str], ...]
    currency: str
    lines: tuple[tuple[str, str, str, str], ...]
    net: str
    sentence: str
    seen: str


def subscription_rows(found: Sequence[Standing], today: date, words: Words) -> tuple[SubscriptionRow, ...]:
    return tuple(
        SubscriptionRow(
            s.subscription.id, _name(s, today, words), _price(s.at(today), words), _next_on(s, words), _tag(s, words)
        )
        for s in found
    )


def subscription_view(
    standing: Standing,
    choices: Sequence[Choice],
    today: date,
    words: Words,
    commitment: CommitmentStands | None = None,
) -> SubscriptionView:
    """choices: the plans that are sold to the account."""
    now, last = standing.at(today), standing.terms[-1]
    facts = (
        (words("subscription.since"), words.day(standing.subscription.started_on)),
        (words("subscription.cycle"), _cycle(now, words)),
        (words("subscription.next"), _next_on(standing, words)),
        *_minimum(now, words),
        *_maximum(now, words),
        *_commitment(commitment, now.version.currency, words),
        *_renewal(standing, today, words),
        (words("subscription.purchase_order"), standing.subscription.purchase_order),
    )
    return SubscriptionView(
        standing.subscription.id,
        _name(standing, today, words),
        _tag(standing, words),
        facts,
        now.version.currency,
        tuple(_charge(c, now, words) for c in now.version.components),
        tuple((c.id, words.of(c.names), words.number(_quantity(c, last))) for c in standing.counted),
        tuple((words.day(t.start), _said(standing, t, words)) for t in standing.ahead(today)),
        tuple(_plan(c, standing, today, words) for c in choices if c.free_from),
        tuple((words.of(c.plan.names), words("subscription.counted_twice")) for c in choices if not c.free_from),
        _when(standing, today, words),
        _ends(standing, today, words),
    )


def change_view(found: NextInvoice, asked: Asked, words: Words) -> ChangeView:
    """found: the next invoice with nothing on it but the subscription as changed."""
    from saldo.invoicing.model_forecast import net_of

    currency, net = found.account.currency, net_of(found.so_far)
    lines = tuple(
        (*_line(line, words), words.amount(line.net_minor, currency))
        for body in found.so_far.bodies
        for line in body.lines
    )
    text = "subscription.credited" if net < 0 else "subscription.charged"
    sentence = words(text, total=words.money(abs(net), currency), on=words.day(found.on))
    seen = f"{found.on.isoformat()} {net} {len(lines)}"
    return ChangeView(_what(asked, words), currency, lines, words.amount(net, currency), sentence, seen)


def _line(line: Line, words: Words) -> tuple[str, str, str]:
    return words.of(line.names), words.period(line.period), words.number(line.quantity)


def _what(asked: Asked, words: Words) -> tuple[tuple[str, str], ...]:
    change = asked.change
    on = (words("subscription.from"), words.day(change.effective_on))
    if change.kind is ChangeKind.CANCEL:
        return ((words("subscription.ends"), words.day(change.effective_on)),)
    if change.kind is ChangeKind.PLAN:
        return ((words("subscription.plan"), words.of(asked.plan.names) if asked.plan else ""), on)
    amounts = ((words.of(asked.components[c].names), words.number(q)) for c, q in change.quantities.items())
    return (*amounts, on)


def _name(standing: Standing, today: date, words: Words) -> str:
    version = standing.at(today).version
    plan = standing.plan_of(version.id)
    return words.of(plan.names) if plan else version.plan_id


def _tag(standing: Standing, words: Words) -> Tag:
    status = standing.subscription.status
    if standing.terms[-1].ended and status is not SubscriptionStatus.ENDED:
        status = SubscriptionStatus.CANCELLING
    return Tag(_TONES[status], words(f"subscription.status.{status}"))


def _next_on(standing: Standing, words: Words) -> str:
    on = standing.subscription.next_bill_on
    return words.day(on) if on else ""


def _quantity(component: Component, terms: Terms) -> Decimal:
    return terms.quantities.get(component.id, Decimal(1))


def _charge(component: Component, terms: Terms, words: Words) -> tuple[str, str, str]:
    from saldo.catalog.model import ChargeKind, Flat

    name = words.of(component.names)
    if component.kind is ChargeKind.USAGE:
        return name, "", words("subscription.by_usage")
    if not component.is_bought:
        return name, "", words("subscription.by_percent")
    flat = isinstance(component.price, Flat)
    quantity = "" if flat else words.number(_quantity(component, terms))
    if component.kind is ChargeKind.ONE_TIME:
        return name, quantity, words("subscription.once")
    return name, quantity, words.amount(_minor(component, terms.quantities, terms.version), terms.version.currency)


def _minor(component: Component, quantities: Mapping[str, Decimal], version: PlanVersion) -> int:
    """What a component costs in a whole period, before coupons, in minor units."""
    from saldo.rating.model import Ask
    from saldo.rating.rules.registry import price_ask

    return _in_minor(price_ask(component.price, Ask(quantities.get(component.id, Decimal(1)))).amount, version)


def _in_minor(amount: Decimal, version: PlanVersion) -> int:
    from saldo.kernel.money import Money

    return Money.of_major(amount, version.currency, version.rounding).minor


def _price(terms: Terms, words: Words) -> str:
    return _fixed(terms.version, terms.quantities, words)


def _fixed(version: PlanVersion, quantities: Mapping[str, Decimal], words: Words) -> str:
    """`€49.00 a month`, `€49.00 a month and usage`."""
    from saldo.catalog.model import ChargeKind

    fixed = [c for c in version.components if c.kind is ChargeKind.FIXED and c.is_bought]
    amount = words.money(sum(_minor(c, quantities, version) for c in fixed), version.currency)
    uses = any(c.kind is ChargeKind.USAGE for c in version.components)
    price = words.count(f"cycle.price.{version.cycle_unit}", version.cycle_count, amount=amount)
    if not fixed:
        return words("subscription.usage_only")
    return words("subscription.and_usage", price=price) if uses else price


def _cycle(terms: Terms, words: Words) -> str:
    return words.count(f"cycle.{terms.version.cycle_unit}", terms.version.cycle_count)


def _minimum(terms: Terms, words: Words) -> tuple[tuple[str, str], ...]:
    """What is due at least in one period after the other."""
    version = terms.version
    if version.minimum is None:
        return ()
    every = version.minimum.every or Length(version.cycle_unit, version.cycle_count)
    first, *later = (words.money(_in_minor(amount, version), version.currency) for amount in version.minimum.amounts)
    for amount in later:
        first = words("subscription.steps", before=first, amount=amount)
    value = words.count(f"cycle.price.{every.unit}", every.count, amount=first)
    return ((words("subscription.at_least"), value),)


def _maximum(terms: Terms, words: Words) -> tuple[tuple[str, str], ...]:
    """What is due at most in a cycle."""
    version = terms.version
    if version.maximum is None:
        return ()
    amount = words.money(_in_minor(version.maximum.amount, version), version.currency)
    value = words.count(f"cycle.price.{version.cycle_unit}", version.cycle_count, amount=amount)
    return ((words("subscription.at_most"), value),)


def _commitment(found: CommitmentStands | None, currency: str, words: Words) -> tuple[tuple[str, str], ...]:
    if found is None:
        return ()
    label = words("subscription.counted", start=words.day(found.period.start))
    least, counted = (words.money(minor, currency) for minor in (found.least_minor, found.counted_minor))
    return ((label, words("subscription.counted_of", counted=counted, least=least)),)


def _renewal(standing: Standing, today: date, words: Words) -> tuple[tuple[str, str], ...]:
    """When it renews itself, and through which day it can be cancelled for that; nothing once its end is agreed."""
    term, end = standing.subscription.term, standing.term_end(today)
    if term is None or end is None or standing.is_over:
        return ()
    cycle = words.count(f"cycle.{term.length.unit}", term.length.count)
    facts = [
        (words("subscription.renews"), words("subscription.renews_on", on=words.day(end), cycle=cycle)),
        (words("subscription.cancel_by"), words.day(last_day_to_cancel(term, end))),
    ]
    if term.uplift_percent:
        percent = formats.percent(words.language, term.uplift_percent)
        facts.append((words("subscription.price_then"), words("subscription.uplift", percent=percent)))
    if term.newest_price:
        facts.append((words("subscription.price_then"), words("subscription.newest")))
    return tuple(facts)


def _plan(choice: Choice, standing: Standing, today: date, words: Words) -> tuple[str, str, str]:
    """With its price, and from when it may be chosen where that is not at once."""
    at_once, at_end = standing.days_of_change(today)
    note = _fixed(choice.version, standing.terms[-1].quantities, words)
    if choice.free_from != at_once:
        note += f". {words('subscription.counted_until', on=words.day(at_end))}"
    return choice.version.id, words.of(choice.plan.names), note


def _when(standing: Standing, today: date, words: Words) -> tuple[tuple[str, str, str], ...]:
    """From when a change may hold."""
    at_once, at_end = standing.days_of_change(today)
    first = words("subscription.at_start", on=words.day(at_once)) if at_once > today else words("subscription.today")
    return (
        ("period_end", words("subscription.at_end", on=words.day(at_end)), words("subscription.at_end_hint")),
        ("now", first, words("subscription.today_hint")),
    )


def _ends(standing: Standing, today: date, words: Words) -> tuple[tuple[str, str, str], ...]:
    """From when a cancellation may hold: for what is sold for a term, its end alone."""
    term = standing.subscription.term
    if term is None:
        return _when(standing, today, words)
    on = standing.cancelled_from(today)
    hint = words("subscription.at_term_end_hint", by=words.day(last_day_to_cancel(term, on)))
    return (("term_end", words("subscription.at_term_end", on=words.day(on)), hint),)


def _said(standing: Standing, terms: Terms, words: Words) -> str:
    if terms.ended:
        return words("subscription.status.ended")
    if not terms.running:
        return words("subscription.status.paused")
    plan = standing.plan_of(terms.version.id)
    return f"{words.of(plan.names) if plan else terms.version.plan_id}, {_price(terms, words)}"
