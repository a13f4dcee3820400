"""Invariants of disputes: what is frozen is open, no cent is disputed twice, what is credited has its notes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from saldo.disputes.model import Dispute, DisputeState, InDispute
from saldo.disputes.records import dispute_from, in_dispute_from
from saldo.disputes.rules import taken, with_standing
from saldo.insight.model import Owner, Violation


def disputes_freeze_what_is_open(owner: Owner) -> Iterator[Violation]:
    """Each invoice says how much of it is in dispute: what its disputes come to, as far as it is open."""
    frozen: Counter[str] = Counter()
    for dispute in _disputes(owner):
        frozen[dispute.invoice_id] += dispute.disputed_minor
    for item in owner.of("invoice"):
        minor, said = min(frozen[item["invoice_id"]], item["open_minor"]), item.get("disputed_minor", 0)
        if said != minor:
            yield Violation(14, owner.id, f"{item['invoice_id']} has {said} frozen, its disputes come to {minor}")


def disputed_cents_are_in_one_dispute(owner: Owner) -> Iterator[Violation]:
    """The guard of an invoice knows every dispute as it is, and none of its lines is disputed beyond what it is."""
    by_invoice: dict[str, list[Dispute]] = defaultdict(list)
    for dispute in _disputes(owner):
        by_invoice[dispute.invoice_id].append(dispute)
    guards = {i["invoice_id"]: in_dispute_from(i["invoice_id"], i) for i in owner.of("disputed")}
    for invoice_id in by_invoice.keys() | guards.keys():
        guard = guards.get(invoice_id, InDispute(invoice_id))
        expected = InDispute(invoice_id)
        for dispute in by_invoice[invoice_id]:
            expected = with_standing(expected, dispute)
        if {one.dispute_id: one for one in guard.disputes} != {one.dispute_id: one for one in expected.disputes}:
            yield Violation(14, owner.id, f"the guard of {invoice_id} and its disputes differ")
    lines = {body.id: {line.id: line.net_minor for line in body.lines} for body in owner.bodies}
    for invoice_id, guard in guards.items():
        for line_id, minor in taken(guard).items():
            if minor > lines.get(invoice_id, {}).get(line_id, 0):
                yield Violation(
                    14, owner.id, f"{minor} of line {line_id} of {invoice_id} are in dispute: more than it is"
                )


def credited_disputes_have_their_credit_notes(owner: Owner) -> Iterator[Violation]:
    given = {i["invoice_id"]: -i["total_minor"] for i in owner.of("invoice") if i["document"] == "credit_note"}
    for dispute in _disputes(owner):
        minor = sum(given.get(note_id, 0) for note_id in dispute.credit_notes)
        if minor != dispute.credited_minor:
            yield Violation(14, owner.id, f"{dispute.id}: {dispute.credited_minor} credited, its notes gave {minor}")
        if dispute.state is DisputeState.CREDITED and not dispute.credit_notes:
            yield Violation(14, owner.id, f"{dispute.id} is credited without a credit note")
        if dispute.credited_minor > dispute.claim.gross_minor:
            yield Violation(14, owner.id, f"{dispute.id} is credited beyond what was disputed")


def _disputes(owner: Owner) -> list[Dispute]:
    return [dispute_from(item) for item in owner.of("dispute")]
