"""Use cases of acting for a customer: consent given, taken back, and a session of the portal under it.

The session is a viewer's, of the one account: no payment, no profile, no credentials. It dies with the consent: taking
it back deletes the sessions in the same unit, and a session that begins meanwhile makes that unit try again.

`<account>` / `consent`: what was given · `<account>` / `acting#<digest>`: sessions under it.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from saldo.access import records as session_records
from saldo.access import rules
from saldo.access.model import Origin, Role, Seat, Session, SignedIn
from saldo.access.model_acting import Acting, Consent
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

HOURS = (1, 8, 24, 72)
_SESSIONS = "acting#"
_ROUNDS = 5


def consent_key(account_id: str) -> Key:
    return account_id, "consent"


class ActingForCustomers:
    """Consents of one region's accounts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def consent(self, account_id: str) -> Consent | None:
        """The living one, None when there is none."""
        item = self._store.get(*consent_key(account_id))
        found = _consent_from(item) if item else None
        return found if found and self._clock() < found.until else None

    def grant(self, account_id: str, hours: int, actor: Actor) -> Consent:
        """Let the seller's people look, from now on and for so long; anew it runs from now. Refusal `invalid_form`."""
        if hours not in HOURS:
            raise Refusal("invalid_form", "not one of the times offered")
        now = self._clock()
        given = Consent(account_id, actor.id, now, now + timedelta(hours=hours))
        unit = Unit(f"consent {account_id}")
        fields = {"kind": "consent", "granted_by": actor.id, "granted_at": instant_text(now)}
        until = instant_text(given.until)
        unit.update(consent_key(account_id), set={**fields, "until": until}, add={"begun": 0})
        record = AuditRecord(account_id, now, actor, "consent.given", account_id, after={"until": until})
        self._store.write_one(unit.put(audit_item(record)))
        return given

    def revoke(self, account_id: str, actor: Actor) -> None:
        """Take it back: who is looking is out at once. Nothing when there is none."""
        for _ in range(_ROUNDS):
            item = self._store.get(*consent_key(account_id))
            if item is None:
                return
            unit = Unit(f"revoke {account_id}").delete(consent_key(account_id), when={"begun": item["begun"]})
            rows = self._store.query_all(account_id, prefix=_SESSIONS, consistent=True)
            for digest in [row["sk"].removeprefix(_SESSIONS) for row in rows][:40]:
                unit.delete(session_records.session_key(digest)).delete((account_id, _SESSIONS + digest))
            unit.put(audit_item(AuditRecord(account_id, self._clock(), actor, "consent.revoked", account_id)))
            if self._store.write_one(unit) is None:
                return
        raise Unavailable("the consent is being used by others; try again")

    def begin(self, account: Item, entity: Item, language: str, actor: Actor, reason: str, origin: Origin) -> SignedIn:
        """A session for a member of staff. Both trails tell. Refusal `no_consent`, `reason_required`."""
        consent, now, account_id = self.consent(account["pk"]), self._clock(), account["pk"]
        if not reason.strip():
            raise Refusal("reason_required", "say why, for the customer to read")
        if consent is None:
            raise Refusal("no_consent", "the customer has not consented, or no longer")
        token, until = secrets.token_urlsafe(32), min(consent.until, now + rules.ABSOLUTE)
        facts = (account["name"], account["currency"], account["entity_id"], account["time_zone"])
        session = Session(
            digest=rules.digest_of(token),
            user_id=actor.id,
            organisation_id=account["organisation_id"],
            seats=(Seat(account_id, Role.VIEWER, *facts),),
            language=language,
            has_totp=False,
            began_at=now,
            seen_at=now,
            verified_at=None,
            origin=origin,
            acting=Acting(actor.id, consent.granted_by, until),
        )
        unit = Unit(f"act {session.digest}").insert(session_records.session_item(session))
        row = {"pk": account_id, "sk": _SESSIONS + session.digest, "kind": "acting", "staff_id": actor.id}
        unit.insert({**row, "expires_at_s": int(until.timestamp())})
        unit.update(consent_key(account_id), add={"begun": 1}, when={"until": instant_text(consent.until)})
        for owner in (account_id, entity["pk"]):
            said = {"until": instant_text(until), "consent_of": consent.granted_by}
            unit.put(audit_item(_record(owner, session, now, "acting.began", account_id, said, reason.strip()[:300])))
        if self._store.write_one(unit):
            raise Refusal("no_consent", "the customer has not consented, or no longer")
        return SignedIn(token, session)

    def note(self, session: Session, entity_id: str, route: str, correlation_id: str) -> None:
        """What was looked at, on both trails, in one call."""
        account_id = session.seats[0].account_id
        said = {"page": route}
        found = [
            audit_item(_record(owner, session, self._clock(), "acting.viewed", account_id, said, "", correlation_id))
            for owner in (account_id, entity_id)
        ]
        self._store.put_many(found)

    def end(self, session: Session, entity_id: str) -> None:
        """The member of staff is done."""
        account_id = session.seats[0].account_id
        if session.acting is None:
            raise NotFound("not acting for anybody")
        unit = Unit(f"end {session.digest}").delete(session_records.session_key(session.digest))
        unit.delete((account_id, _SESSIONS + session.digest))
        for owner in (account_id, entity_id):
            unit.put(audit_item(_record(owner, session, self._clock(), "acting.ended", account_id, {}, "")))
        self._store.write_one(unit)


def _record(owner: str, session: Session, at: Any, action: str, subject: str, after: dict[str, str], reason: str,
            correlation_id: str = "") -> AuditRecord:  # fmt: skip
    assert session.acting is not None, "only who acts for a customer is put on both trails"
    actor = Actor(session.acting.staff_id, "staff", correlation_id, session.origin.address, session.acting.consent_of)
    return AuditRecord(owner, at, actor, action, subject, after=after, reason=reason)


def _consent_from(item: Item) -> Consent:
    at, until = instant_from(item["granted_at"]), instant_from(item["until"])
    return Consent(item["pk"], item["granted_by"], at, until, item["begun"])
