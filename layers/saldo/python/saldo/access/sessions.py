"""Living sessions: what every page asks for, and what users do with their own. Needs no identity provider."""

from __future__ import annotations

from dataclasses import replace

from saldo.access import records, rules
from saldo.access.model import Looked, Proof, Session, SessionSummary
from saldo.access.records_passkeys import PASSKEYS
from saldo.access.records_sso import require_standing
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

_A_UNIT = 40


class Sessions:
    """Sessions of one region. `store` is the region's, not narrowed to a customer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def of_token(self, token: str, *, touch: bool = True, looked: Looked | None = None) -> Session | None:
        """The living session of a cookie's token, None otherwise. One call; every few minutes one write more.

        touch: whether this counts as use; the page that warns of the end does not. looked: what the session asks for,
        put on record by the very call that reads it.
        """
        if not token or len(token) > 100:
            return None
        key = records.session_key(rules.digest_of(token))
        if looked is None:
            item = self._store.get(*key)
        else:
            item = self._store.change(key, set={"looked": records.looked_value(looked)}, when={})
        if item is None:
            return None
        session, now = records.session_from(item), self._clock()
        if not rules.is_alive(session, now):
            return None
        return self._touched(session) if touch and rules.is_due_for_touch(session, now) else session

    def extend(self, session: Session) -> Session:
        """Begin the time without use anew; the absolute end stays. Refusal `not_signed_in` when it is over."""
        touched = self._touched(session)
        if touched is None:
            raise Refusal("not_signed_in", "sign in first")
        return touched

    def _touched(self, session: Session) -> Session | None:
        """None once the organisation lets nobody in that way any more: its provider is gone, or the only way in."""
        now = self._clock()
        unit = Unit("touch").update(
            records.session_key(session.digest), set={"seen_at": instant_text(now)}, exists=True
        )
        if session.acting is None:
            require_standing(unit, session.organisation_id, session.proof is Proof.SSO)
        return None if self._store.write_one(unit) else replace(session, seen_at=now)

    def own(self, session: Session) -> tuple[Item, list[SessionSummary], list[Item]]:
        """The user's record, living sessions, newest first, and passkeys: one range of one partition, one call."""
        last = records.user_key(session.user_id)[1]
        items = list(self._store.query_all(session.user_id, first=PASSKEYS, last=last, consistent=True))
        user = next((item for item in items if item["sk"] == last), None)
        if user is None:
            raise NotFound("no such user")
        found = [records.summary_from(item) for item in items if item["sk"].startswith(records.OWN_SESSIONS)]
        alive = [s for s in found if self._clock() - s.began_at < rules.ABSOLUTE]
        passkeys = [item for item in items if item["kind"] == "passkey"]
        return user, sorted(alive, key=lambda s: s.began_at, reverse=True), passkeys

    def end(self, session: Session, digest: str = "") -> None:
        """End this session, or another one of the same user's; NotFound for anybody else's."""
        digest = digest or session.digest
        if digest != session.digest and not self._store.get(*records.own_session_key(session.user_id, digest)):
            raise NotFound("no such session")
        unit = records.end_session(Unit(f"end {digest}"), session.user_id, digest)
        actor = Actor(session.user_id, "user", address=session.origin.address)
        unit.put(audit_item(AuditRecord(session.user_id, self._clock(), actor, "session.ended", digest[:16])))
        self._store.write_one(unit)

    def end_others(self, session: Session) -> int:
        """End every other session of the same user; how many there were."""
        _, sessions, _ = self.own(session)
        others = [s.digest for s in sessions if s.digest != session.digest]
        actor = Actor(session.user_id, "user", address=session.origin.address)
        for start in range(0, len(others), _A_UNIT):
            unit = Unit(f"end others {start}")
            for digest in others[start : start + _A_UNIT]:
                records.end_session(unit, session.user_id, digest)
            after = {"ended": len(others[start : start + _A_UNIT])}
            told = AuditRecord(session.user_id, self._clock(), actor, "sessions.ended", others[start][:16], after=after)
            self._store.write_one(unit.put(audit_item(told)))
        return len(others)

    def count_download(self, session: Session) -> int:
        """Count one document or list taken; how many this session took in the running quarter of an hour."""
        name = f"taken_{int(self._clock().timestamp() // rules.WINDOW.total_seconds())}"
        found = self._store.change(records.session_key(session.digest), add={name: 1}, when={})
        return int(found[name]) if found else 0

    def choose_language(self, session: Session, language: str) -> None:
        """The user's language from now on, in this session too."""
        unit = Unit(f"language of {session.user_id}")
        unit.update(records.user_key(session.user_id), set={"language": language}, exists=True)
        unit.update(records.session_key(session.digest), set={"language": language}, exists=True)
        self._store.write_one(unit)
