"""Invariants of exchange differences: what is owed stands at its document's rate, money at the rate of its day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from saldo.insight.model import Owner, Violation
from saldo.kernel.exchange import rate_from_row
from saldo.kernel.money import Money
from saldo.ledger.model import Entry, EntryKind, LedgerAccount
from saldo.ledger.rules import base_amounts, own_currency
from saldo.payments.records import received_from

_OF_PAYMENTS = frozenset(
    {EntryKind.PAYMENT_APPLIED, EntryKind.PAYMENT_VALUED, EntryKind.PAYMENT_RECEIVED, EntryKind.PAYMENT_EXCHANGED}
    | {EntryKind.PAYMENT_TAKEN_BACK}
)
_EXCHANGED = (EntryKind.PAYMENT_RECEIVED, EntryKind.PAYMENT_TAKEN_BACK)


def what_is_open_stands_at_the_rate_of_its_document(owner: Owner) -> Iterator[Violation]:
    """In the seller's own currency an invoice has left what its entries say, and nothing once it is settled."""
    if not any("booked" in item for item in owner.of("invoice")):
        return
    booked: Counter[str] = Counter()
    for entry in owner.entries:
        for leg, base in zip(entry.postings, base_amounts(entry), strict=True):
            if leg.account is LedgerAccount.RECEIVABLES and leg.invoice_id:
                booked[leg.invoice_id] += base
    for item in owner.of("invoice"):
        if "booked" in item and item["status"] != "draft":
            there, minor = booked[item["invoice_id"]], item["booked"]["minor"]
            if there != minor or (minor and not item["open_minor"]):
                yield Violation(20, owner.id, f"{item['invoice_id']} is booked at {there}, and {minor} is left of it")


def is_exchanged(entry: Entry) -> bool:
    return any(leg.account is LedgerAccount.EXCHANGE_CLEARING for leg in entry.postings)


def what_came_meets_what_it_is_taken_for(owner: Owner) -> Iterator[Violation]:
    """Money in another currency than its invoices: its rate makes of it what it is taken for, within what is tolerated;
    both are booked, and nothing is left in exchange clearing in the seller's own currency."""
    clearing: dict[str, list[tuple[Entry, int, int]]] = defaultdict(list)
    for entry in owner.entries:
        for leg, base in zip(entry.postings, base_amounts(entry), strict=True):
            if leg.account is LedgerAccount.EXCHANGE_CLEARING:
                clearing[entry.source_id.partition("/")[0]].append((entry, leg.minor, base))
    for item in owner.of("payment"):
        legs, found = clearing.pop(item["payment_id"], []), item.get("received")
        received = received_from(found) if found else None
        if received and received.rate.convert(received.money).minor + received.tolerated_minor != item["amount_minor"]:
            yield Violation(20, owner.id, f"{item['payment_id']} is taken for other than its rate makes of it")
        came = [] if received is None or received.by_bank else [received.money]
        out = [Money(-minor, entry.currency) for entry, minor, _ in legs if entry.kind is EntryKind.PAYMENT_EXCHANGED]
        if out != came:
            yield Violation(20, owner.id, f"{item['payment_id']} was {came}, and {out} is booked")
        if len({own_currency(entry) for entry, _, _ in legs}) == 1 and sum(base for _, _, base in legs) != 0:
            yield Violation(5, owner.id, f"{item['payment_id']} leaves something in exchange clearing")
    for source in clearing:
        yield Violation(20, owner.id, f"{source} is in exchange clearing, and is of no payment")


def differences_are_what_the_rates_make_of_them(owner: Owner) -> Iterator[Violation]:
    """Per payment: lost is what its invoices were booked at less what it is worth at its own rate, and what it is taken
    for less what came in the bank, where that is another currency; before it has a rate, nothing is booked and a sweep
    looks for it. No other entry wins or loses."""
    lost, missing, receivables = _moved(owner)
    for item in owner.of("payment"):
        found, taken = lost.pop(item["payment_id"], 0), missing[item["payment_id"]]
        if taken != item.get("received", {}).get("lost_minor", 0):
            yield Violation(
                20, owner.id, f"{item['payment_id']} lost {taken} when it was exchanged, and says otherwise"
            )
        if "exchange" in item:
            applied = Money(sum(a["minor"] for a in item["applied"]), item["currency"])
            worth = rate_from_row(item["exchange"]).convert(applied).minor
            expected = receivables[item["payment_id"]] - worth + taken
        else:
            expected = taken
            waits = item.get("own_currency") and item["status"] != "returned"
            if waits and "agenda_pk" not in item:
                yield Violation(20, owner.id, f"{item['payment_id']} has no rate, and nobody looks for one")
        if found != expected:
            yield Violation(20, owner.id, f"{item['payment_id']} lost {expected} by exchange, {found} is booked")
    for source, minor in lost.items():
        if minor:
            yield Violation(20, owner.id, f"{source} books {minor} lost by exchange, and is of no payment")


def _moved(owner: Owner) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """By payment, in the seller's own currency: what is booked as lost, what the customer is credited more than what
    came is worth, and what receivables are lowered by."""
    lost: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    receivables: Counter[str] = Counter()
    for entry in owner.entries:
        payment_id = entry.source_id.partition("/")[0] if entry.kind in _OF_PAYMENTS else entry.id
        for leg, base in zip(entry.postings, base_amounts(entry), strict=True):
            if leg.account is LedgerAccount.FX_DIFFERENCE:
                lost[payment_id] += base
            elif leg.account is LedgerAccount.RECEIVABLES:
                receivables[payment_id] -= base
            elif entry.kind in _EXCHANGED and is_exchanged(entry):
                missing[payment_id] -= base  # what is credited to the customer, less what is debited to clearing
    return lost, missing, receivables
