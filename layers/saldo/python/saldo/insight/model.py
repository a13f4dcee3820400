"""What an auditor looks at, and what it says: the records of one owner, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.model_tally import Tally
from saldo.invoicing.records import BODY_PREFIX
from saldo.invoicing.tally_records import KINDS, tally_from
from saldo.kernel.errors import Refusal
from saldo.ledger import records as ledger_records
from saldo.ledger.model import Entry
from saldo.storage.items import Item
from saldo.usage.model import Meter

# Records that say which documents billed them, in the unit that did.
BILLED = ("subscription", "item", "wallet")


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken invariant: its number in the list below, whose record, and what is wrong."""

    invariant: int
    owner_id: str
    message: str


@dataclass
class Owner:
    """All records of one owner, by kind. meters: those of the seller that an account buys from. now: when it is looked
    at; without it, nothing is said of how long something takes."""

    id: str
    by_kind: dict[str, list[Item]]
    meters: Sequence[Meter] = field(default=())
    now: datetime | None = None

    def of(self, kind: str) -> list[Item]:
        return self.by_kind.get(kind, [])

    @cached_property
    def entries(self) -> list[Entry]:
        """Its journal, read once. What is no balanced entry is told under invariant 1 and left out here."""
        return [entry for item in self.of("entry") if not isinstance(entry := entry_or_fault(item), Refusal)]

    @cached_property
    def bodies(self) -> list[InvoiceBody]:
        """Its frozen invoices and credit notes, read once."""
        return [body_from_bytes(item["body"]) for item in self.frozen]

    @property
    def frozen(self) -> list[Item]:
        """Their records: of all bodies those that are named.

        A run puts bodies before the unit that says what was billed. One that neither a header nor anything billed names
        was overtaken, or its run stopped there: it means nothing.
        """
        issued = {item["invoice_id"] for item in self.of("invoice")}
        named = issued.union(*(item.get("invoice_ids", ()) for kind in BILLED for item in self.of(kind)))
        return [item for item in self.of("body") if item["sk"].removeprefix(BODY_PREFIX) in named]

    @property
    def tallies(self) -> list[Tally]:
        """Of minimums, maximums and percents of other charges."""
        return [tally_from(item) for kind in KINDS for item in self.of(kind)]

    @cached_property
    def drafts(self) -> frozenset[str]:
        """Ids of frozen invoices that are not issued: a run's have no header yet."""
        issued = {item["invoice_id"] for item in self.of("invoice") if item["status"] not in ("draft", "void")}
        return frozenset(body.id for body in self.bodies if body.id not in issued)

    @cached_property
    def audited(self) -> frozenset[tuple[str, str]]:
        """(action, subject) of each of its audit records; a subject that is several things by each of them."""
        return frozenset((item["action"], one) for item in self.of("audit") for one in item["subject_id"].split())


def entry_or_fault(item: Item) -> Entry | Refusal:
    """The entry of a record, or why it is none."""
    try:
        return ledger_records.entry_from(item)
    except Refusal as refusal:
        return refusal
