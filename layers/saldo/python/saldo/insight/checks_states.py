"""Invariants of where records stand: states move along listed edges, and records stay with whom they are of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from itertools import pairwise
from typing import Any

from saldo.delivery.model import MOVES as DELIVERY_MOVES
from saldo.delivery.model import DeliveryStatus
from saldo.disputes.model import MOVES as DISPUTE_MOVES
from saldo.disputes.model import DisputeState
from saldo.insight.model import Owner, Violation
from saldo.invoicing.run.model import RunState
from saldo.invoicing.status import CLOSED, InvoiceStatus
from saldo.invoicing.status import MOVES as INVOICE_MOVES
from saldo.ledger.model import EntryKind
from saldo.orders.model_orders import ORDER_MOVES, OrderStatus
from saldo.payments.model import MOVES as PAYMENT_MOVES
from saldo.payments.model import PaymentStatus
from saldo.promises.model import MOVES as PROMISE_MOVES
from saldo.promises.model import PromiseState
from saldo.storage.items import Item

Moves = Mapping[Any, Set[str]]  # by state
# By kind of record with a history: in which states it may begin, and where each state may lead.
_TRACKED: Mapping[str, tuple[Set[str], Moves]] = {
    "invoice": ({InvoiceStatus.DRAFT, InvoiceStatus.ISSUED}, INVOICE_MOVES),
    "payment": ({PaymentStatus.STARTED, PaymentStatus.SETTLED}, PAYMENT_MOVES),
    "delivery": ({DeliveryStatus.QUEUED}, DELIVERY_MOVES),
    "order": (frozenset(OrderStatus), ORDER_MOVES),
    "dispute": ({DisputeState.OPEN}, DISPUTE_MOVES),
    "promise": ({PromiseState.ASKED, PromiseState.CURRENT}, PROMISE_MOVES),
}
# Edges that are no news: a credit note is settled in the moment in which it is issued, and a bank takes money back.
_BESIDES = {
    ("invoice", InvoiceStatus.ISSUED, InvoiceStatus.SETTLED),
    ("payment", PaymentStatus.SETTLED, PaymentStatus.RETURNED),
}
_UNTRACKED = {"attempt": frozenset(RunState)}
# From where an invoice is open again, and where that leads.
_PAID = (InvoiceStatus.PAID, InvoiceStatus.PART_PAID)
_OPEN_AGAIN = {(before, after) for before in _PAID for after in (InvoiceStatus.ISSUED, InvoiceStatus.PART_PAID)}


def states_are_listed(owner: Owner) -> Iterator[Violation]:
    for kind, listed in _UNTRACKED.items():
        for item in owner.of(kind):
            if item["status"] not in listed:
                yield Violation(21, owner.id, f"{item['sk']} is in unknown state {item['status']}")
    for item in owner.of("invoice"):
        paid_up = item["open_minor"] == 0
        if item["status"] != "draft" and paid_up != (item["status"] in CLOSED):
            yield Violation(21, owner.id, f"{item['invoice_id']} is {item['status']} with {item['open_minor']} open")


def histories_follow_listed_edges(owner: Owner) -> Iterator[Violation]:
    """Each history begins where its kind begins, takes listed edges, and ends in the state that the record is in."""
    for kind, (first, moves) in _TRACKED.items():
        for item in owner.of(kind):
            yield from (Violation(21, owner.id, f"{item['sk']} {said}") for said in _problems(kind, item, first, moves))


def _problems(kind: str, item: Item, first: Set[str], moves: Moves) -> Iterator[str]:
    states = [change["status"] for change in item["history"]]
    if item["status"] not in moves:
        yield f"is in unknown state {item['status']}"
    elif states and states[-1] != item["status"]:
        yield f"is {item['status']}, and its history ends with {states[-1]}"
    if states and states[0] not in first:
        yield f"began as {states[0]}"
    for before, after in pairwise(states):
        if after not in moves.get(before, ()) and (kind, before, after) not in _BESIDES:
            yield f"went from {before} to {after}"


def invoices_are_open_again_by_money_taken_back(owner: Owner) -> Iterator[Violation]:
    """No invoice is open again more often than the bank took back a payment of it."""
    again = {item["invoice_id"]: _times_open_again(item) for item in owner.of("invoice")}
    if not any(again.values()):
        return
    taken_back: dict[str, set[str]] = defaultdict(set)
    for item in owner.of("entry"):
        if item["entry_kind"] == EntryKind.PAYMENT_TAKEN_BACK:
            for leg in item["postings"]:
                taken_back[leg.get("invoice_id", "")].add(item["source_id"].partition("/")[0])
    for invoice_id, times in again.items():
        if times > len(taken_back[invoice_id]):
            said = f"{invoice_id} is open again {times} times, {len(taken_back[invoice_id])} payments were taken back"
            yield Violation(21, owner.id, said)


def _times_open_again(invoice: Item) -> int:
    return sum(step in _OPEN_AGAIN for step in pairwise(change["status"] for change in invoice["history"]))


def records_stay_with_their_owner(owner: Owner) -> Iterator[Violation]:
    """What lies with an account and names one names it; so do the documents that lie there frozen."""
    if not owner.of("account"):
        return
    for kind in sorted(owner.by_kind):
        for item in owner.of(kind):
            if item.get("account_id", owner.id) != owner.id:
                yield Violation(23, owner.id, f"{item['sk']} belongs to {item['account_id']}")
    for body in owner.bodies:
        if body.account_id != owner.id:
            yield Violation(23, owner.id, f"{body.id} is a document of {body.account_id}")
