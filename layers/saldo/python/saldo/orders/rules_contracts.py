"""What a contract's milestones come to, what is kept back of them, and what makes a contract sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from saldo.catalog.model import name_in
from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.exact import plain
from saldo.kernel.money import Money, split_by_weights
from saldo.kernel.states import moved
from saldo.orders.model import Item, WaitingItem
from saldo.orders.model_contracts import (
    MILESTONE_MOVES,
    Acceptance,
    Contract,
    Milestone,
    MilestoneStatus,
    Terms,
)

_WHOLE = Decimal(100)
_RETENTION = {
    "en": "Retention released: {}",
    "de": "Sicherheitseinbehalt: {}",
    "fr": "Retenue de garantie libérée\u202f: {}",
    "es": "Retención de garantía liberada: {}",
}
_LESS_RETENTION = {
    "en": "{}, less {}% retention",
    "de": "{}, abzüglich {} % Sicherheitseinbehalt",
    "fr": "{}, moins {} % de retenue de garantie",
    "es": "{}, menos {} % de retención de garantía",
}
_MOST_PARTS = 60  # what a change of a contract causes is one unit of at most 100 writes


def milestone_amounts(contract: Contract) -> dict[str, int]:
    """What each milestone that was not cancelled comes to in minor units, the part kept back included.

    Shares are split by largest remainder, so that 100 % are the contract's value to the cent. What was billed keeps its
    amount: after an amendment the planned ones share what is left of the value.
    """
    alive = [m for m in contract.milestones if m.status is not MilestoneStatus.CANCELLED]
    amounts = {m.id: m.amount_minor for m in alive if m.amount_minor is not None}
    shared = [m for m in alive if m.percent is not None]
    billed = {m.id: m.billed_minor for m in shared if m.billed_minor is not None}
    whole = _shares(shared, contract.terms[-1].value_minor, contract.currency)
    if any(whole[milestone_id] != minor for milestone_id, minor in billed.items()):
        left = contract.terms[-1].value_minor - sum(billed.values())
        spare = [m for m in shared if m.id not in billed]
        whole = billed | _shares(spare, max(left, 0), contract.currency, _spare_percent(shared))
    return amounts | whole


def _shares(some: Iterable[Milestone], value_minor: int, currency: str, rest: Decimal | None = None) -> dict[str, int]:
    """Percentages of a value; what they leave over of 100 % (`rest`) is nobody's."""
    percents = {m.id: m.percent for m in some if m.percent is not None}
    if not percents:
        return {}
    left = max(_WHOLE - sum(percents.values()), Decimal(0)) if rest is None else rest
    parts = split_by_weights(Money(value_minor, currency), [*percents.values(), left])
    return {milestone_id: part.minor for milestone_id, part in zip(percents, parts, strict=False)}


def _spare_percent(shared: Iterable[Milestone]) -> Decimal:
    return max(_WHOLE - sum((m.percent for m in shared if m.percent is not None), Decimal(0)), Decimal(0))


def retained_minor(contract: Contract, amount_minor: int) -> int:
    """What is kept back of a milestone, rounded half up."""
    return Money(amount_minor, contract.currency).times(contract.retainage_percent / _WHOLE).minor


def retainage_to_release(contract: Contract) -> int:
    """All that was kept back. Refusal `milestones_open` while a milestone is planned, `already_released` after."""
    if contract.released_on is not None:
        raise Refusal("already_released", f"what was kept back was released on {contract.released_on}")
    planned = [m.id for m in contract.milestones if m.status is MilestoneStatus.PLANNED]
    if planned:
        raise Refusal(
            "milestones_open", f"{', '.join(planned)} must be accepted or cancelled before the final acceptance"
        )
    return sum(retained_minor(contract, m.billed_minor or 0) for m in contract.milestones)


def milestone_item(
    contract: Contract, milestone: Milestone, amount_minor: int, bill_on: date, accepted_on: date | None = None
) -> WaitingItem | None:
    """What a milestone is billed as, less what is kept back; None when it comes to nothing.

    Its id follows from contract and milestone, so that accepting it twice bills it once; an acceptance that was taken
    back leaves its id behind.
    """
    payable = amount_minor - retained_minor(contract, amount_minor)
    withdrawn = sum(1 for a in milestone.acceptances if a.withdrawn)
    revision = f"-r{withdrawn}" if withdrawn else ""
    item_id = f"milestone-{contract.id}-{milestone.id}{revision}"
    if not payable:
        return None
    names = milestone.names if payable == amount_minor else _less_retention(contract, milestone)
    waiting = _waiting(contract, item_id, milestone, names, payable, bill_on)
    return replace(waiting, item=replace(waiting.item, supplied_on=accepted_on))


def _less_retention(contract: Contract, milestone: Milestone) -> dict[str, str]:
    percent, names = plain(contract.retainage_percent), milestone.names
    comma = percent.replace(".", ",")
    return names | {
        language: text.format(name_in(names, language), percent if language == "en" else comma)
        for language, text in _LESS_RETENTION.items()
    }


def retainage_item(contract: Contract, minor: int, bill_on: date) -> WaitingItem:
    """What was kept back, billed after the final acceptance. Taxed as the first milestone is."""
    names = {language: text.format(contract.title) for language, text in _RETENTION.items()}
    return _waiting(contract, f"retainage-{contract.id}", contract.milestones[0], names, minor, bill_on)


def _waiting(
    contract: Contract, item_id: str, like: Milestone, names: dict[str, str], minor: int, bill_on: date
) -> WaitingItem:
    item = Item(
        item_id,
        names,
        Money(minor, contract.currency).as_decimal(),
        tax_category=like.tax_category,
        revenue_tag=like.revenue_tag,
        purchase_order=contract.purchase_order,
        cost_centre=contract.cost_centre,
    )
    return WaitingItem(contract.account_id, contract.entity_id, item, bill_on, origin=f"contract {contract.id}")


def made_billable(contract: Contract, milestone: Milestone, acceptance: Acceptance | None, bill_on: date) -> Milestone:
    """The milestone with its item, which waits from `bill_on`. Refusal `move_not_allowed` unless it is planned."""
    status = moved(MILESTONE_MOVES, milestone.status, MilestoneStatus.BILLABLE)
    amount = milestone_amounts(contract)[milestone.id]
    waiting = milestone_item(contract, milestone, amount, bill_on)
    accepted = (*milestone.acceptances, acceptance) if acceptance else milestone.acceptances
    item_id = waiting.item.id if waiting else ""
    return replace(milestone, status=status, billed_minor=amount, item_id=item_id, acceptances=accepted)


def taken_back(milestone: Milestone, withdrawal: Acceptance) -> Milestone:
    """The milestone as planned again. Refusal `move_not_allowed` unless it is billable."""
    status = moved(MILESTONE_MOVES, milestone.status, MilestoneStatus.PLANNED)
    acceptances = (*milestone.acceptances, withdrawal)
    return replace(milestone, status=status, billed_minor=None, item_id="", acceptances=acceptances)


def with_milestone(contract: Contract, changed: Milestone) -> Contract:
    return replace(contract, milestones=tuple(changed if m.id == changed.id else m for m in contract.milestones))


def check_contract(contract: Contract) -> None:
    """Refusal `invalid_contract` naming everything that is wrong with it by itself."""
    problems = Problems()
    if not contract.title:
        problems.add("title", "missing", "is required")
    if not 0 <= contract.retainage_percent < _WHOLE:
        problems.add("retainage_percent", "out_of_range", "is from 0 to below 100")
    prices = max(len(terms.prices) for terms in contract.terms)
    services = sum(3 if service.term is None else 4 for service in contract.services)
    if len(contract.milestones) + prices + services > _MOST_PARTS:
        problems.add("milestones", "too_many", f"milestones, prices and services are at most {_MOST_PARTS} in all")
    _check_terms(contract.terms, problems)
    _check_milestones(contract, problems)
    for i, service in enumerate(contract.services):
        if contract.milestone(service.milestone_id) is None:
            problems.add(f"services[{i}].milestone_id", "unknown_milestone", f"no milestone {service.milestone_id}")
    problems.refuse_if_any("the contract is not sound", "invalid_contract")


def _check_terms(terms: tuple[Terms, ...], problems: Problems) -> None:
    for i, one in enumerate(terms):
        if one.ends_on is not None and one.ends_on <= one.effective_on:
            problems.add(f"terms[{i}].ends_on", "before_start", "a contract ends after it starts")
        if i and one.effective_on < terms[i - 1].effective_on:
            problems.add(f"terms[{i}].effective_on", "not_rising", "later terms begin on or after those before")
        names = [p.plan_id for p in one.prices]
        for j, price in enumerate(one.prices):
            if price.unit_price < 0:
                problems.add(f"terms[{i}].prices[{j}].unit_price", "negative", "must be zero or more")
            if names.count(price.plan_id) > 1:
                problems.add(f"terms[{i}].prices[{j}].plan_id", "not_unique", f"{price.plan_id} has two prices")


def _check_milestones(contract: Contract, problems: Problems) -> None:
    times = Counter(m.id for m in contract.milestones)
    value = contract.terms[-1].value_minor
    for i, one in enumerate(contract.milestones):
        at = f"milestones[{i}]"
        if times[one.id] > 1:
            problems.add(f"{at}.id", "not_unique", f"{one.id} is there twice")
        if not one.names.get("en"):
            problems.add(f"{at}.names.en", "missing", "a name in English is required")
        if (one.amount_minor is None) == (one.percent is None):
            problems.add(at, "amount_or_percent", "has either an amount or a percentage")
        elif (one.amount_minor or 0) < 0 or (one.percent or 0) < 0:
            problems.add(at, "negative", "must be zero or more")
        elif one.percent is not None and value <= 0:
            problems.add(f"{at}.percent", "percent_of_nothing", "a percentage needs the contract's value")
    alive = [m for m in contract.milestones if m.status is not MilestoneStatus.CANCELLED]
    percent = sum((m.percent for m in alive if m.percent is not None), Decimal(0))
    if percent > _WHOLE:
        problems.add("milestones", "over_whole", f"percentages add up to {plain(percent)}")
    if problems or any(m.percent is not None and m.percent < 0 for m in alive):
        return
    amounts = sum(milestone_amounts(contract).values())
    maximum = contract.terms[-1].maximum_minor
    if value and amounts > value:
        problems.add("milestones", "over_value", f"come to {Money(amounts, contract.currency)}, over the value")
    if maximum is not None and amounts > maximum:
        problems.add("milestones", "over_maximum", f"come to {Money(amounts, contract.currency)}, over the maximum")
