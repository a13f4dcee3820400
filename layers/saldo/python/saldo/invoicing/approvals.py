"""Drafts that are looked at before they are issued: proposed by a run, approved or held by staff, then billed.

`<account>` / `approval`: what the last run proposed (frozen bodies and their fingerprint) and what staff said of it; on
the agenda `review#<entity>` under the day it was proposed for. Staff change a proposal through what it is made of
(waiting items, the wallet's coupons, the subscriptions); the next run then proposes anew, for an approval holds for
what was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from saldo.accounts.model import Account
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.model import InvoiceBody, Line, LineKind
from saldo.invoicing.run.model import Attempt, SetAside
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.exact import plain
from saldo.kernel.ids import fingerprint
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

# What is proposed lies in one record, with all of its invoices.
_MOST_BYTES = 380_000


class ApprovalState(StrEnum):
    """PROPOSED: to be looked at. APPROVED: the next run bills it if it still comes out the same. HELD: it does not."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a run would issue to an account. `print`: the fingerprint of its lines. `said_by`: who judged it."""

    account_id: str
    as_of: date
    print: str
    bodies: tuple[InvoiceBody, ...]
    state: ApprovalState
    said_by: str = ""
    reason: str = ""


def approval_key(account_id: str) -> Key:
    return account_id, "approval"


def review_agenda(entity_id: str) -> str:
    """The agenda partition of a seller's proposals that wait for staff, by day."""
    return f"review#{entity_id}"


def print_of(bodies: Sequence[InvoiceBody]) -> str:
    """The same for two proposals that charge the same, whatever day they are issued on."""
    parts: list[str] = []
    for body in bodies:
        parts += [body.kind.value, body.currency, str(body.buyer_profile), str(body.tax_minor), str(body.payable_minor)]
        parts += (text for line in body.lines for text in _told(line))
    return fingerprint(*parts)


def _told(line: Line) -> list[str]:
    """What a line charges for. One of a single item is dated with the day of billing, which is left out."""
    period = "" if line.kind is LineKind.ITEM else line.period.as_text()
    names = [line.names[language] for language in sorted(line.names)]
    ids = [line.subscription_id, line.plan_version_id, line.component_id, line.kind.value, period]
    return [*ids, *names, plain(line.quantity), str(line.net_minor), line.tax_category]


def decision(store: Store, attempt: Attempt, account: Account, bodies: Sequence[InvoiceBody]) -> SetAside | None:
    """Whether an account under review may be billed now; a run asks for each it has drafts for.

    None: its terms ask for no review, or this very proposal was approved. Else it is set aside as `awaiting_approval`
    (with the proposal put on record, unless this is a dry run), `on_hold`, or `too_long_to_review` for one record.
    """
    if not account.terms.review or not bodies:
        return None
    item = store.get(*approval_key(account.id))
    now = print_of(bodies)
    if item is not None and item["print"] == now:
        if item["state"] == ApprovalState.APPROVED.value:
            return None
        if item["state"] == ApprovalState.HELD.value:
            return SetAside(account.id, "on_hold", f"held by staff: {item['reason']}"[:300])
    elif sum(len(body_to_bytes(body)) for body in bodies) > _MOST_BYTES:
        message = "its invoices are more than can be looked at in one; let fewer accounts share them"
        return SetAside(account.id, "too_long_to_review", message)
    elif not attempt.dry_run:
        fresh = _proposed_item(account, attempt.as_of, now, bodies)
        unit = Unit(f"propose {account.id}").put(fresh, when={"print": item["print"] if item else None})
        store.write_one(unit)  # a conflict means that another run proposed at the same moment: staff see the latter
    return SetAside(account.id, "awaiting_approval", "staff look at this account's invoices before they are issued")


def consume(unit: Unit, account: Account, bodies: Sequence[InvoiceBody]) -> None:
    """Use up an approval in the unit that bills it, which holds only while it is approved as it was seen."""
    if account.terms.review and bodies:
        approved = {"print": print_of(bodies), "state": ApprovalState.APPROVED.value}
        unit.delete(approval_key(account.id), when=approved)


class Approvals:
    """What staff says of proposals."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def waiting(self, entity_id: str) -> list[str]:
        """Accounts of a seller with a proposal that nobody has said anything about, the oldest first."""
        return [item["pk"] for item in self._store.query_all(review_agenda(entity_id), agenda=True)]

    def proposal(self, account_id: str) -> Proposal:
        item = self._store.get(*approval_key(account_id))
        if item is None:
            raise NotFound("nothing is proposed for this account")
        return _proposal_from(item)

    def approve(self, account_id: str, seen: str, actor: Actor) -> Proposal:
        """Let the next run issue this proposal. `seen`: its fingerprint. Refusal `changed_meanwhile` for another."""
        return self._say(account_id, seen, ApprovalState.APPROVED, actor, "")

    def hold(self, account_id: str, seen: str, actor: Actor, reason: str) -> Proposal:
        """Keep this proposal from being issued. Refusal `reason_required`, `changed_meanwhile`."""
        if not reason.strip():
            raise Refusal("reason_required", "say why the invoice is held")
        return self._say(account_id, seen, ApprovalState.HELD, actor, reason.strip()[:200])

    def _say(self, account_id: str, seen: str, state: ApprovalState, actor: Actor, reason: str) -> Proposal:
        before = self.proposal(account_id)
        unit = Unit(f"{state} {account_id}")
        said = {"state": state.value, "said_by": actor.id, "said_at": instant_text(self._clock()), "reason": reason}
        unit.update(approval_key(account_id), set=said, remove=("agenda_pk", "agenda_on"), when={"print": seen})
        was, after = {"state": before.state.value}, {"state": state.value, "print": seen}
        record = AuditRecord(account_id, self._clock(), actor, f"draft.{state.value}", seen, was, after, reason)
        if self._store.write_one(unit.put(audit_item(record))):
            raise Refusal("changed_meanwhile", "the proposal is not the one you saw; look at it again")
        return self.proposal(account_id)


def _proposed_item(account: Account, as_of: date, now: str, bodies: Sequence[InvoiceBody]) -> Item:
    pk, sk = approval_key(account.id)
    agenda = {"agenda_pk": review_agenda(account.entity_id), "agenda_on": as_of.isoformat()}
    said = {"state": ApprovalState.PROPOSED.value, "said_by": "", "reason": ""}
    frozen = [body_to_bytes(body) for body in bodies]
    return (
        {"pk": pk, "sk": sk, "kind": "approval", "as_of": as_of.isoformat(), "print": now, "bodies": frozen}
        | said
        | agenda
    )


def _proposal_from(item: Item) -> Proposal:
    bodies = tuple(body_from_bytes(body) for body in item["bodies"])
    as_of, state = date.fromisoformat(item["as_of"]), ApprovalState(item["state"])
    return Proposal(item["pk"], as_of, item["print"], bodies, state, item["said_by"], item["reason"])
