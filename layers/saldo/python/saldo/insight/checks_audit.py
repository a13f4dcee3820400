"""Invariants of the audit trail: what changed has its record, and no record was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from saldo.audit.model import BreakKind
from saldo.audit.records import PREFIX as AUDIT_PREFIX
from saldo.audit.records_chain import kept_from
from saldo.audit.rules_chain import UNDER_WAY, first_break
from saldo.insight.checks_across import RUN
from saldo.insight.model import Owner, Violation
from saldo.kernel.clock import instant_text
from saldo.kernel.ids import is_double
from saldo.ledger.model import EntryKind

# Of an entry, by its source: (action, subject) of the audit records one of which it goes with.
Audited = Callable[[str], list[tuple[str, str]]]
_CAME = ("payment.settled", "payment.imported", "payment.received")
_MOVED_AS = {
    "started": ("payment.started", "payment.brought_back"),
    "settled": _CAME,
    "returned": ("payment.taken_back",),
}


def _as(*actions: str) -> Audited:
    return lambda source: [(action, source) for action in actions]


def _as_payment(action: str) -> Audited:
    return lambda source: [(action, source.partition("/")[0])]


def _as_last(action: str, sign: str) -> Audited:
    return lambda source: [(action, source.rpartition(sign)[2])]


def _as_part(source: str) -> list[tuple[str, str]]:
    """The first part of a payment is applied as it comes."""
    payment_id, _, part = source.partition("/")
    return [(action, payment_id) for action in _CAME] if part == "0" else [("payment.applied", source)]


AUDITED_AS: Mapping[EntryKind, Audited] = {
    EntryKind.INVOICE_ISSUED: _as("invoice.issued"),
    EntryKind.CREDIT_NOTE_ISSUED: _as("credit_note.issued"),
    EntryKind.INVOICE_IMPORTED: _as("invoice.imported"),
    EntryKind.PAYMENT_SETTLED: _as("payment.settled"),
    EntryKind.PAYMENT_IMPORTED: _as("payment.imported"),
    EntryKind.PAYMENT_RECEIVED: _as("payment.received"),
    EntryKind.PAYMENT_EXCHANGED: _as("payment.received"),
    EntryKind.PAYMENT_APPLIED: _as_part,
    EntryKind.EARLY_DISCOUNT_TAKEN: _as_part,
    EntryKind.DIFFERENCE_WRITTEN_OFF: _as_part,
    EntryKind.PAYMENT_TAKEN_BACK: _as_payment("payment.taken_back"),
    EntryKind.PAYMENT_VALUED: _as("payment.valued"),
    EntryKind.PAYOUT_RECEIVED: _as("payment.paid_out"),
    EntryKind.EARLY_DISCOUNT_GIVEN_BACK: _as("credit_note.issued"),
    EntryKind.DIFFERENCE_GIVEN_BACK: _as("credit_note.issued"),
    EntryKind.TAX_TRUED_UP: _as("tax.trued_up"),
    EntryKind.CREDIT_GRANTED: _as_last("credit.granted", " "),
    EntryKind.CREDIT_EXPIRED: _as_last("credit.expired", " "),
    EntryKind.CREDIT_PAID_BACK: _as_last("credit.paid_back", "/"),
    EntryKind.CREDIT_APPLIED: _as("credit.applied"),
}


def entries_are_audited(owner: Owner) -> Iterator[Violation]:
    """What runs issue is on the seller's records of the numbers they gave: see `checks_across`."""
    by_runs = {item["invoice_id"] for item in owner.of("invoice") if item["run_id"].startswith(RUN)}
    for item in owner.of("entry"):
        audited, source = AUDITED_AS.get(item["entry_kind"]), item["source_id"]
        if audited and source not in by_runs and owner.audited.isdisjoint(audited(source)):
            yield Violation(24, owner.id, f"{item['sk']} has no audit record")


def moves_of_payments_are_audited(owner: Owner) -> Iterator[Violation]:
    """Of each state that a payment came to, as its history says."""
    for item in owner.of("payment"):
        for status in (change["status"] for change in item["history"]):
            actions = _MOVED_AS.get(status, (f"payment.{status}",))
            if owner.audited.isdisjoint((action, item["payment_id"]) for action in actions):
                yield Violation(24, owner.id, f"that {item['payment_id']} is {status} has no audit record")


def chains_hold(owner: Owner) -> Iterator[Violation]:
    """What an owner's chain covers is unchanged, and no record that is old enough is outside it, or without a chain.

    Roots of days are compared each night and by `saldo audit verify`. A double lives in a time of its own, so the age
    of its records tells nothing.
    """
    if not owner.of("chain"):
        yield from _without_chain(owner)
        return
    kept = kept_from(owner.id, [*owner.of("audit"), *owner.of("chain")])
    settled = "" if is_double(owner.id) else AUDIT_PREFIX + instant_text(kept.links[-1].linked_at - UNDER_WAY)
    broken = first_break(kept, (), first="", before=settled)
    if broken:
        yield Violation(24 if broken.kind is BreakKind.UNLINKED else 4, owner.id, f"{broken.kind}: {broken.what}")


def _without_chain(owner: Owner) -> Iterator[Violation]:
    if owner.now is None or is_double(owner.id):
        return
    settled = AUDIT_PREFIX + instant_text(owner.now - UNDER_WAY)
    first = min((item["sk"] for item in owner.of("audit")), default=settled)
    if first < settled:
        yield Violation(24, owner.id, f"there is no chain, and {first} is older than an hour")
