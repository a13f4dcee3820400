"""Invariants of exchange differences: what is owed stands at its document's rate, money at the rate of its day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from saldo.insight.model import Owner, Violation
from saldo.kernel.exchange import rate_from_row
from saldo.kernel.money import Money
from saldo.ledger.model import EntryKind, LedgerAccount
from saldo.ledger.rules import base_amounts

_OF_PAYMENTS = (EntryKind.PAYMENT_APPLIED, EntryKind.PAYMENT_VALUED)


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


def differences_are_what_the_rates_make_of_them(owner: Owner) -> Iterator[Violation]:
    """Per payment: lost is what its invoices were booked at less what it is worth at its own rate; before it has one,
    nothing is booked and a sweep looks for the rate. No other entry wins or loses."""
    lost: Counter[str] = Counter()
    receivables: Counter[str] = Counter()
    for entry in owner.entries:
        payment_id = entry.source_id.partition("/")[0] if entry.kind in _OF_PAYMENTS else entry.id
        for leg, base in zip(entry.postings, base_amounts(entry), strict=True):
            if leg.account is LedgerAccount.FX_DIFFERENCE:
                lost[payment_id] += base
            elif leg.account is LedgerAccount.RECEIVABLES:
                receivables[payment_id] -= base
    for item in owner.of("payment"):
        found = lost.pop(item["payment_id"], 0)
        if "exchange" in item:
            applied = Money(sum(a["minor"] for a in item["applied"]), item["currency"])
            worth = rate_from_row(item["exchange"]).convert(applied).minor
            expected = receivables[item["payment_id"]] - worth
        else:
            expected = 0
            if item.get("own_currency") and "agenda_pk" not in item:
                yield Violation(20, owner.id, f"{item['payment_id']} has no rate, and nobody looks for one")
        if found != expected:
            yield Violation(20, owner.id, f"{item['payment_id']} lost {expected} by exchange, {found} is booked")
    for source, minor in lost.items():
        if minor:
            yield Violation(20, owner.id, f"{source} books {minor} lost by exchange, and is of no payment")
