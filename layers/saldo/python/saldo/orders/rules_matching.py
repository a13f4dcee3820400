"""An order held against customer, contract, price and history. Values in, values out; no order of the facts matters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from saldo.accounts.model import Account, AccountStatus
from saldo.catalog.model import BillingTrigger, Plan, PlanVersion, Product
from saldo.catalog.rules import version_in_force
from saldo.kernel.exact import ZERO, minus, plain, plus
from saldo.kernel.ids import fingerprint
from saldo.kernel.money import Money
from saldo.orders.model_contracts import Contract, ContractPrice, MilestoneStatus, Terms
from saldo.orders.model_orders import (
    Agreed,
    Channel,
    Code,
    Discrepancy,
    Ordering,
    OrderLine,
    OrderRequest,
    RecentOrder,
    RequestedLine,
)
from saldo.orders.rules_contracts import milestone_amounts
from saldo.orders.rules_prices import asked_minor, is_recurring, list_minor
from saldo.orders.rules_running import Running, ordered_change, version_on, why_not
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.rules_meters import Held, changed_so, clashes_of, problems_of_clashes

_ORDERS_OF_A_HABIT = 3
_MOST_RECENT = 200


@dataclass(frozen=True, slots=True)
class Assortment:
    """What a seller offers."""

    products: Mapping[str, Product]
    plans: Mapping[str, Plan]
    versions: Sequence[PlanVersion]


@dataclass(frozen=True, slots=True)
class Facts:
    """What an order is held against. accounts: every account that its references name.

    owed_minor: open balance and waiting items, where there is a credit limit. changed_lines: numbers of lines that this
    purchase order had before with other contents. running: the account's subscriptions that the order changes.
    held: all of them, where plans bill meters.
    """

    accounts: Sequence[Account]
    assortment: Assortment
    contracts: Sequence[Contract] = ()
    ordering: Ordering | None = None
    owed_minor: int = 0
    changed_lines: frozenset[str] = frozenset()
    running: Mapping[str, Running] = field(default_factory=dict)
    held: Held = field(default_factory=Held)


@dataclass(frozen=True, slots=True)
class Matching:
    """What came of it: the account ("" when there is not exactly one), per line what it was matched with, and all that
    does not agree, in a fixed order."""

    account_id: str
    currency: str
    agreed: tuple[Agreed | None, ...]
    discrepancies: tuple[Discrepancy, ...]


@dataclass(slots=True)
class _Case:
    """One order being matched. `sold`: the account's subscriptions, where plans bill meters, as its lines make them."""

    request: OrderRequest
    facts: Facts
    account: Account
    currency: str
    found: list[Discrepancy] = field(default_factory=list)
    sold: dict[str, Subscription] = field(init=False)

    def __post_init__(self) -> None:
        self.sold = {one.id: one for one in self.facts.held.sold}

    def add(self, code: Code, message: str, line: str = "", asked: int | None = None, due: int | None = None) -> None:
        self.found.append(Discrepancy(line, code, message, asked, due))


def match(request: OrderRequest, facts: Facts) -> Matching:
    """Match every line, and name everything that does not agree at once."""
    if len(facts.accounts) != 1:
        return _without_customer(request, facts)
    account = facts.accounts[0]
    case = _Case(request, facts, account, request.currency or account.currency)
    _check_account(case)
    _check_named_contract(case)
    agreed = tuple(_agree(case, line) for line in request.lines)
    _check_contract_room(case, agreed)
    _check_copies(case)
    _check_signs_of_fraud(case, agreed)
    _check_credit(case, agreed)
    return Matching(account.id, case.currency, agreed, tuple(sorted(set(case.found))))


def contents_of(lines: Sequence[RequestedLine]) -> str:
    """The same for two orders of the same things, in whatever order their lines are."""
    return fingerprint(*sorted(f"{line.sku or line.buyer_sku} {plain(line.quantity)}" for line in lines))


def _without_customer(request: OrderRequest, facts: Facts) -> Matching:
    named = ", ".join(sorted(r.kind for r in request.references)) or "nothing"
    if facts.accounts:
        message = f"its references ({named}) name {len(facts.accounts)} different accounts"
        found = Discrepancy("", Code.AMBIGUOUS_CUSTOMER, message)
    else:
        found = Discrepancy("", Code.UNKNOWN_CUSTOMER, f"no account is known by its references ({named})")
    return Matching("", request.currency, tuple(None for _ in request.lines), (found,))


def _check_account(case: _Case) -> None:
    account = case.account
    if account.status is not AccountStatus.ACTIVE:
        case.add(Code.ACCOUNT_NOT_ACTIVE, f"{account.id} is {account.status}")
    if case.currency != account.currency:
        case.add(Code.CURRENCY_DIFFERS, f"ordered in {case.currency}, {account.id} is billed in {account.currency}")


def _check_named_contract(case: _Case) -> None:
    wanted, day = case.request.contract_id, case.request.order_on
    if not wanted:
        return
    contract = next((c for c in case.facts.contracts if c.id == wanted), None)
    if contract is None:
        case.add(Code.UNKNOWN_CONTRACT, f"{case.account.id} has no contract {wanted}")
    elif contract.terms_on(day) is None:
        case.add(Code.CONTRACT_EXPIRED, f"{wanted} does not hold on {day}")


def _agree(case: _Case, line: RequestedLine) -> Agreed | None:
    """The plan and price of a line; None when there is none to be had."""
    if line.changes:
        return _agree_on_change(case, line)
    agreed_price = _contract_price(case, line)
    contract, price = agreed_price or (None, None)
    plan = case.facts.assortment.plans.get(price.plan_id) if price else _plan_named(case, line)
    account, day = case.account, case.request.order_on
    currency, country = account.currency, account.country
    version = version_in_force(case.facts.assortment.versions, plan.id, currency, country, day) if plan else None
    if plan is None or version is None:
        name = line.sku or line.buyer_sku
        case.add(Code.UNKNOWN_PRODUCT, f"{name!r} is not sold in {case.account.currency} on that day", line.number)
        return None
    if is_recurring(version):
        named, began = f"line {line.number} of this order", line.start_on or day
        begun = Subscription(named, account.id, account.entity_id, version.id, began, began)
        _check_meters(case, line, begun)
    unit = price.unit_price if price else None
    due = list_minor(version, line.quantity) if unit is None else asked_minor(unit, line.quantity, currency)
    _check_price(case, line, due)
    return Agreed(
        plan_id=plan.id,
        plan_version_id=(price.plan_version_id if price else "") or version.id,
        recurring=is_recurring(version),
        unit_price=unit,
        amount_minor=due,
        trigger=(price and price.trigger) or _trigger_of(case, plan),
        contract_id=contract.id if contract else "",
    )


def _check_price(case: _Case, line: RequestedLine, due: int) -> None:
    currency = case.account.currency
    asked = due if line.unit_price is None else asked_minor(line.unit_price, line.quantity, case.currency)
    if case.currency == currency and asked != due:
        message = f"asked {Money(asked, currency)}, our price {Money(due, currency)}"
        case.add(Code.PRICE_DIFFERS, message, line.number, asked, due)


def _agree_on_change(case: _Case, line: RequestedLine) -> Agreed | None:
    """A change of a subscription: on the version it is on where its plan stays, so that its price stays too."""
    running, plan = case.facts.running.get(line.changes), _plan_named(case, line)
    on = line.start_on or case.request.order_on
    held = version_on(running, on) if running else None
    if running is None or held is None:
        case.add(Code.CHANGE_NOT_POSSIBLE, f"{line.changes} does not run on {on}", line.number)
        return None
    version: PlanVersion | None = held
    if plan is None or plan.id != held.plan_id:
        versions, account, day = case.facts.assortment.versions, case.account, case.request.order_on
        version = version_in_force(versions, plan.id, account.currency, account.country, day) if plan else None
    if plan is None or version is None or not is_recurring(version):
        case.add(Code.UNKNOWN_PRODUCT, f"{line.sku!r} is no plan that {line.changes} can be moved to", line.number)
        return None
    change = ordered_change("", version, running, line.quantity, on)
    reason = why_not(change, running)
    if reason:
        case.add(Code.CHANGE_NOT_POSSIBLE, reason, line.number)
        return None
    _check_meters(case, line, changed_so(running.subscription, change), running)
    due = list_minor(version, line.quantity)
    _check_price(case, line, due)
    return Agreed(plan.id, version.id, True, None, due, _trigger_of(case, plan))


def _check_meters(case: _Case, line: RequestedLine, after: Subscription, running: Running | None = None) -> None:
    """No meter is billed by two subscriptions for the same days, as they are after the lines of this order so far."""
    held, before = case.facts.held, running.subscription if running else None
    offered = {version.id: version for version in case.facts.assortment.versions}
    versions = {**held.versions, **(running.versions if running else {}), **offered}
    clashes = clashes_of(after, before, case.sold.values(), versions)
    case.sold[after.id] = after
    for problem in problems_of_clashes(clashes, held.apart, ""):
        case.add(Code.METER_CLAIMED_TWICE, problem.message, line.number)


def _plan_named(case: _Case, line: RequestedLine) -> Plan | None:
    """The plan of that id, or the only one of the product of that id that is sold on the day in the account's
    currency."""
    plans, versions = case.facts.assortment.plans, case.facts.assortment.versions
    if line.sku in plans:
        return plans[line.sku]
    of_product = [p for p in plans.values() if p.product_id == line.sku]
    day, account = case.request.order_on, case.account
    sold = [p for p in of_product if version_in_force(versions, p.id, account.currency, account.country, day)]
    return sold[0] if len(sold) == 1 else None


def _trigger_of(case: _Case, plan: Plan) -> BillingTrigger:
    product = case.facts.assortment.products.get(plan.product_id)
    return product.trigger if product else BillingTrigger.ORDER


def _contract_price(case: _Case, line: RequestedLine) -> tuple[Contract, ContractPrice] | None:
    """The agreed price of a line: of the contract the order names, else of the one that holds and began last."""
    plan = _plan_named(case, line)
    found = [
        (contract, price)
        for contract, terms in _held_contracts(case)
        for price in terms.prices
        if (plan and price.plan_id == plan.id) or (line.buyer_sku and price.buyer_sku == line.buyer_sku)
    ]
    return max(found, key=lambda pair: (pair[0].starts_on, pair[0].id, pair[1].plan_id), default=None)


def _held_contracts(case: _Case) -> list[tuple[Contract, Terms]]:
    wanted, day = case.request.contract_id, case.request.order_on
    chosen = [c for c in case.facts.contracts if not wanted or c.id == wanted]
    held = [(c, c.terms_on(day)) for c in chosen if c.currency == case.account.currency]
    return [(contract, terms) for contract, terms in held if terms is not None]


def _check_contract_room(case: _Case, agreed: Sequence[Agreed | None]) -> None:
    """Quantities and value under each contract, this order and all before it together."""
    held = {contract.id: (contract, terms) for contract, terms in _held_contracts(case)}
    ordering = case.facts.ordering
    units: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    value: dict[str, int] = defaultdict(int)
    for line, one in zip(case.request.lines, agreed, strict=True):
        if one is not None and one.contract_id:
            units[one.contract_id, one.plan_id] = plus(units[one.contract_id, one.plan_id], line.quantity)
            value[one.contract_id] += one.amount_minor
    for (contract_id, plan_id), quantity in units.items():
        most = next(p.most for p in held[contract_id][1].prices if p.plan_id == plan_id)
        before = ordering.quantities.get(f"{contract_id}/{plan_id}", ZERO) if ordering else ZERO
        if most is not None and plus(before, quantity) > most:
            message = (
                f"{plain(quantity)} besides {plain(before)} ordered before is over the {plain(most)} of {contract_id}"
            )
            for line, one in zip(case.request.lines, agreed, strict=True):
                if one is not None and (one.contract_id, one.plan_id) == (contract_id, plan_id):
                    case.add(Code.QUANTITY_OVER_CONTRACT, message, line.number)
    for contract_id, minor in value.items():
        contract, terms = held[contract_id]
        used = _used_minor(contract) + (ordering.consumed.get(contract_id, 0) if ordering else 0)
        if terms.maximum_minor is not None and used + minor > terms.maximum_minor:
            message = f"{contract_id} is worth at most {Money(terms.maximum_minor, contract.currency)}"
            case.add(Code.VALUE_OVER_CONTRACT, message, "", used + minor, terms.maximum_minor)


def _used_minor(contract: Contract) -> int:
    """What a contract's milestones take of its maximum."""
    amounts = milestone_amounts(contract)
    return sum(amounts[m.id] for m in contract.milestones if m.status is not MilestoneStatus.CANCELLED)


def _check_copies(case: _Case) -> None:
    for number in sorted(case.facts.changed_lines):
        message = f"line {number} of {case.request.purchase_order} came before and says otherwise"
        case.add(Code.DUPLICATE_ORDER, message, number)
    ordering = case.facts.ordering
    if ordering is None:
        return
    contents, purchase_order = contents_of(case.request.lines), _plain_number(case.request.purchase_order)
    for recent in ordering.recent:
        near = abs((case.request.order_on - recent.order_on).days) <= ordering.duplicate_days
        if near and recent.contents == contents and _plain_number(recent.purchase_order) == purchase_order:
            case.add(Code.SUSPECTED_DUPLICATE, f"{recent.order_id} has the same number and lines")


def _plain_number(purchase_order: str) -> str:
    """A purchase order's number as people would compare it: PO-0017 and po 0017 are one."""
    return "".join(c for c in purchase_order.upper() if c.isalnum())


def _check_signs_of_fraud(case: _Case, agreed: Sequence[Agreed | None]) -> None:
    request, ordering = case.request, case.facts.ordering or Ordering(case.account.id)
    if request.channel is not Channel.PORTAL and request.party not in ordering.parties:
        case.add(Code.NEW_PARTY, f"{request.party} has not ordered for {case.account.id} before")
    if request.ship_to_country and request.ship_to_country != case.account.country:
        case.add(Code.SHIP_TO_DIFFERS, f"to be sent to {request.ship_to_country}, billed in {case.account.country}")
    for line, one in zip(request.lines, agreed, strict=True):
        most, orders = ordering.most.get(one.plan_id, (ZERO, 0)) if one else (ZERO, 0)
        if orders >= _ORDERS_OF_A_HABIT and line.quantity > most * ordering.unusual_factor:
            message = f"{plain(line.quantity)} where the most so far was {plain(most)}"
            case.add(Code.UNUSUAL_QUANTITY, message, line.number)


def _check_credit(case: _Case, agreed: Sequence[Agreed | None]) -> None:
    limit = case.facts.ordering.credit_limit_minor if case.facts.ordering else None
    total = case.facts.owed_minor + sum(one.amount_minor for one in agreed if one)
    if limit is not None and total > limit:
        currency = case.account.currency
        message = f"{Money(total, currency)} owed and ordered is over the limit of {Money(limit, currency)}"
        case.add(Code.OVER_CREDIT_LIMIT, message, "", total, limit)


def learned(ordering: Ordering, request: OrderRequest, agreed: Mapping[str, Agreed]) -> Ordering:
    """The account's history with these lines (by number) accepted: their party is known from now on."""
    most, consumed, quantities = dict(ordering.most), dict(ordering.consumed), dict(ordering.quantities)
    for line in request.lines:
        one = agreed.get(line.number)
        if one is None:
            continue
        before, orders = most.get(one.plan_id, (ZERO, 0))
        most[one.plan_id] = max(before, line.quantity), orders + 1
        if one.contract_id:
            key = f"{one.contract_id}/{one.plan_id}"
            consumed[one.contract_id] = consumed.get(one.contract_id, 0) + one.amount_minor
            quantities[key] = plus(quantities.get(key, ZERO), line.quantity)
    parties = ordering.parties | {request.party} if agreed else ordering.parties
    return replace(ordering, parties=parties, most=most, consumed=consumed, quantities=quantities)


def returned(ordering: Ordering, lines: Sequence[OrderLine]) -> Ordering:
    """The account's history with accepted lines called off: what they took of a contract is free again."""
    consumed, quantities = dict(ordering.consumed), dict(ordering.quantities)
    for line in lines:
        if line.agreed is None or not line.agreed.contract_id:
            continue
        key = f"{line.agreed.contract_id}/{line.agreed.plan_id}"
        consumed[line.agreed.contract_id] -= line.agreed.amount_minor
        quantities[key] = minus(quantities[key], line.asked.quantity)
    return replace(ordering, consumed=consumed, quantities=quantities)


def remembered(ordering: Ordering, order_id: str, request: OrderRequest) -> Ordering:
    """The account's history with this order among its recent ones; those that no copy can be near any more are
    dropped."""
    mine = RecentOrder(order_id, request.purchase_order, contents_of(request.lines), request.order_on)
    found = {r.order_id: r for r in (*ordering.recent, mine)}
    newest = max(r.order_on for r in found.values())
    near = [r for r in found.values() if (newest - r.order_on).days <= 2 * ordering.duplicate_days]
    kept = sorted(near, key=lambda r: (r.order_on, r.order_id))[-_MOST_RECENT:]
    return replace(ordering, recent=tuple(kept))


def forgotten(ordering: Ordering, order_id: str) -> Ordering:
    """The account's history without an order that was refused: ordering it again is no copy."""
    return replace(ordering, recent=tuple(r for r in ordering.recent if r.order_id != order_id))
