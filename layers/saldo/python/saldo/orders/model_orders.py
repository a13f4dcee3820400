"""Orders: what a party asked for, what it was matched with, and how far it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from saldo.catalog.model import BillingTrigger
from saldo.kernel.states import moved

MOST_LINES = 500


class Channel(StrEnum):
    """How an order came in."""

    API = "api"
    FILE = "file"
    EDI = "edi"
    PORTAL = "portal"


class ReferenceKind(StrEnum):
    """What a buyer may be known by. ACCOUNT is an account id of ours and needs no registration."""

    ACCOUNT = "account"
    CUSTOMER = "customer"
    DUNS = "duns"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Reference:
    """One way in which an order names its customer."""

    kind: ReferenceKind
    value: str


@dataclass(frozen=True, slots=True)
class RequestedLine:
    """One line as it was asked for. `number` is the buyer's. `sku`: a plan or product of ours; `buyer_sku` their part
    number.

    unit_price: major units of the order's currency, per unit and (for what recurs) per cycle; None takes ours.
    start_on: when it should start or be delivered. changes: the subscription that is to have this plan and quantity
    from then on, "" for a new one.
    """

    number: str
    sku: str
    quantity: Decimal
    unit_price: Decimal | None = None
    start_on: date | None = None
    buyer_sku: str = ""
    changes: str = ""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as its party sent it. `party` names who sent it, stable for ever (`api:…`, `edi:ZZ/BUYER01`,
    `portal:…`).

    currency "" means the account's. contract_id: the contract it is placed under, "" for whichever holds.
    """

    party: str
    channel: Channel
    purchase_order: str
    order_on: date
    references: tuple[Reference, ...]
    lines: tuple[RequestedLine, ...]
    currency: str = ""
    cost_centre: str = ""
    contract_id: str = ""
    ship_to_country: str = ""


class Code(StrEnum):
    """What may be wrong with an order. Those in FATAL must be corrected or refused; the others a person may accept."""

    UNKNOWN_CUSTOMER = "unknown_customer"
    AMBIGUOUS_CUSTOMER = "ambiguous_customer"
    ACCOUNT_NOT_ACTIVE = "account_not_active"
    UNKNOWN_PRODUCT = "unknown_product"
    CHANGE_NOT_POSSIBLE = "change_not_possible"
    METER_CLAIMED_TWICE = "meter_claimed_twice"
    PRICE_DIFFERS = "price_differs"
    CURRENCY_DIFFERS = "currency_differs"
    QUANTITY_OVER_CONTRACT = "quantity_over_contract"
    VALUE_OVER_CONTRACT = "value_over_contract"
    UNKNOWN_CONTRACT = "unknown_contract"
    CONTRACT_EXPIRED = "contract_expired"
    DUPLICATE_ORDER = "duplicate_order"
    SUSPECTED_DUPLICATE = "suspected_duplicate"
    OVER_CREDIT_LIMIT = "over_credit_limit"
    NEW_PARTY = "new_party"
    UNUSUAL_QUANTITY = "unusual_quantity"
    SHIP_TO_DIFFERS = "ship_to_differs"


FATAL = frozenset(
    {
        Code.UNKNOWN_CUSTOMER,
        Code.AMBIGUOUS_CUSTOMER,
        Code.ACCOUNT_NOT_ACTIVE,
        Code.UNKNOWN_PRODUCT,
        Code.CHANGE_NOT_POSSIBLE,
        Code.METER_CLAIMED_TWICE,
        Code.CURRENCY_DIFFERS,
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Discrepancy:
    """One thing that does not agree. `line`: its number, "" for the whole order. Amounts in minor units of the
    order."""

    line: str
    code: Code
    message: str
    asked_minor: int | None = field(default=None, compare=False)
    expected_minor: int | None = field(default=None, compare=False)

    @property
    def is_below_list(self) -> bool:
        """Whether accepting it gives something away: then two people must agree."""
        if self.code is not Code.PRICE_DIFFERS or self.asked_minor is None or self.expected_minor is None:
            return False
        return self.asked_minor < self.expected_minor


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a line was matched with. amount_minor: net of the line, per cycle where it recurs.

    plan_version_id: whose components are charged. `negotiated`: the unit price differs from that version's, so a
    version of its own is made of it. contract_id "" without one.
    """

    plan_id: str
    plan_version_id: str
    recurring: bool
    unit_price: Decimal | None
    amount_minor: int
    trigger: BillingTrigger
    contract_id: str = ""
    negotiated: bool = False


class LineStatus(StrEnum):
    """HELD waits for a person, ACCEPTED for its trigger; FULFILLED is with the runs, REFUSED was called off."""

    HELD = "held"
    ACCEPTED = "accepted"
    FULFILLED = "fulfilled"
    REFUSED = "refused"


LINE_MOVES: Mapping[LineStatus, frozenset[LineStatus]] = {
    LineStatus.HELD: frozenset({LineStatus.ACCEPTED, LineStatus.REFUSED}),
    LineStatus.ACCEPTED: frozenset({LineStatus.FULFILLED, LineStatus.REFUSED}),
    LineStatus.FULFILLED: frozenset(),
    LineStatus.REFUSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line and how far it came. delivered: how much of the quantity was; item_ids, subscription_id: what bills
    it."""

    asked: RequestedLine
    status: LineStatus = LineStatus.HELD
    agreed: Agreed | None = None
    delivered: Decimal = Decimal(0)
    item_ids: tuple[str, ...] = ()
    subscription_id: str = ""
    documents: tuple[str, ...] = ()


class OrderStatus(StrEnum):
    """HELD: a person must look at it. ACCEPTED: something of it is still to be started or delivered."""

    HELD = "held"
    ACCEPTED = "accepted"
    FULFILLED = "fulfilled"
    REFUSED = "refused"


ORDER_MOVES: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.HELD: frozenset(
        {OrderStatus.HELD, OrderStatus.ACCEPTED, OrderStatus.FULFILLED, OrderStatus.REFUSED},
    ),
    OrderStatus.ACCEPTED: frozenset({OrderStatus.ACCEPTED, OrderStatus.FULFILLED, OrderStatus.REFUSED}),
    OrderStatus.FULFILLED: frozenset(),
    OrderStatus.REFUSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class OrderStatusChange:
    at: datetime
    status: OrderStatus


@dataclass(frozen=True, slots=True)
class Approval:
    """Someone agreed to prices below ours for these lines."""

    actor_id: str
    lines: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Order:
    """One order on record. account_id "" while its customer is not known.

    `discrepancies`: what was found and is not settled yet. `version` counts changes, so that of two at once one stands.
    """

    id: str
    entity_id: str
    account_id: str
    request: OrderRequest
    currency: str
    lines: tuple[OrderLine, ...]
    discrepancies: tuple[Discrepancy, ...]
    received_at: datetime
    origin: str
    history: tuple[OrderStatusChange, ...] = ()
    approvals: tuple[Approval, ...] = ()
    version: int = 1

    @property
    def owner(self) -> str:
        """In whose records it lies: the account's, or the seller's while there is none."""
        return self.account_id or self.entity_id

    @property
    def status(self) -> OrderStatus:
        return status_of(self.lines)

    @property
    def amount_minor(self) -> int:
        """Net of what was agreed on, per cycle where it recurs."""
        return sum(one.agreed.amount_minor for one in self.lines if one.agreed and one.status is not LineStatus.REFUSED)


def status_of(lines: Sequence[OrderLine]) -> OrderStatus:
    """An order's status follows from its lines."""
    found = {line.status for line in lines}
    if LineStatus.HELD in found:
        return OrderStatus.HELD
    if LineStatus.ACCEPTED in found:
        return OrderStatus.ACCEPTED
    return OrderStatus.FULFILLED if LineStatus.FULFILLED in found else OrderStatus.REFUSED


def line_moved(line: OrderLine, status: LineStatus) -> LineStatus:
    """The status, when the line may come into it; else Refusal `move_not_allowed`."""
    return moved(LINE_MOVES, line.status, status)


@dataclass(frozen=True, slots=True)
class RecentOrder:
    """An order of the last weeks, by which a second copy of it is recognised."""

    order_id: str
    purchase_order: str
    contents: str
    order_on: date


@dataclass(frozen=True, slots=True)
class Ordering:
    """What an account's orders are held against: its policy, and what it ordered before.

    parties: who may order for it. most: the largest quantity per plan that was accepted, and how many orders of it
    there
    were. consumed: minor units per contract, `quantities` units per contract and plan ("ct_…/plan_…").
    credit_limit_minor: None when there is none. A quantity is unusual from `unusual_factor` × the most so far on, once
    there were three orders.
    """

    account_id: str
    parties: frozenset[str] = frozenset()
    most: Mapping[str, tuple[Decimal, int]] = field(default_factory=dict)
    consumed: Mapping[str, int] = field(default_factory=dict)
    quantities: Mapping[str, Decimal] = field(default_factory=dict)
    recent: tuple[RecentOrder, ...] = ()
    credit_limit_minor: int | None = None
    duplicate_days: int = 30
    unusual_factor: int = 10
    version: int = 0
