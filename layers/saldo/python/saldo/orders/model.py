"""Items: what is sold once, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from saldo.kernel.exact import part_of, times

_DIGITS = 30  # so that cents, and halves of them, come out right


@dataclass(frozen=True, slots=True)
class Item:
    """Something sold once, outside any plan: `quantity` × `unit_price` (major units; below zero for a deduction).

    `id` names it for ever: it is billed once. `names`: language code → text. `tax_category` and `revenue_tag` as on a
    component. `price_per`: of how many units the price is (EN 16931 BT-149). `purchase_order` and `cost_centre` are
    the buyer's, for accounts whose invoices are split by them. `supplied_on`: the day of delivery or acceptance, whose
    taxes are its taxes; None: that of its invoice.
    """

    id: str
    names: dict[str, str]
    unit_price: Decimal
    quantity: Decimal = Decimal(1)
    tax_category: str = "standard"
    revenue_tag: str = "items"
    inclusive: bool = False
    purchase_order: str = ""
    cost_centre: str = ""
    supplied_on: date | None = None
    price_per: int = 1

    @property
    def amount(self) -> Decimal:
        """What it comes to, in major units, not rounded; to so many digits where its price is of several."""
        amount = times(self.quantity, self.unit_price)
        return amount if self.price_per == 1 else part_of(amount, 1, self.price_per, _DIGITS)

    @property
    def price_of_one(self) -> Decimal:
        return self.unit_price if self.price_per == 1 else part_of(self.unit_price, 1, self.price_per)


BY_STAFF = "staff"  # the origin of what staff asked for by hand


class ItemStatus(StrEnum):
    """WAITING: to be billed by the first run on or after its day."""

    WAITING = "waiting"
    BILLED = "billed"
    WITHDRAWN = "withdrawn"


MOVES: Mapping[ItemStatus, frozenset[ItemStatus]] = {
    ItemStatus.WAITING: frozenset({ItemStatus.BILLED, ItemStatus.WITHDRAWN}),
    ItemStatus.BILLED: frozenset(),
    ItemStatus.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """An item of an account, to be billed from `bill_on` (a day in the account's time zone).

    `origin` says what asked for it (`staff`, `milestone ms_…`, `interest inv_…`). `invoice_id`: by which it was billed.
    """

    account_id: str
    entity_id: str
    item: Item
    bill_on: date
    origin: str
    status: ItemStatus = ItemStatus.WAITING
    invoice_id: str = ""
