"""Living sessions: what every page asks for, and what users do with their own. Needs no identity provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from saldo.access import records, rules
from saldo.access.model import Looked, Proof, Session, SessionSummary
from saldo.access.records_passkeys import PASSKEYS
from saldo.access.records_sso import require_standing
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

_A_UNIT = 40
Unread = Callable[[Session], int]


class Sessions:
    """Sessions of one region. `store` is the region's, not narrowed to a customer.

    unread: counts what a user has not read. It is asked when a session is kept alive, so that no page pays for it.
    """

    def __init__(self, store: Store, clock: Clock, unread: Unread = lambda _session: 0) -> None:
        self._store, self._clock, self._unread = store, clock, unread

    def of_token(
        self, token: str, ahead: Sequence[Key] = (), *, touch: bool = True, looked: Looked | None = None
    ) -> tuple[Session | None, dict[Key, Item | None]]:
        """The living session of a cookie's token, None otherwise; and records that were read by the same call, None for
        what is not there, none without a session. One call; every few minutes one write more.

        touch: whether this counts as use; the page that warns of the end does not. looked: what the session asks for,
        put on record by the very call that reads it. ahead: whoever asked for them looks at them only where the session
        turns out to reach them.
        """
        if not token or len(token) > 100:
            return None, {}
        key = records.session_key(rules.digest_of(token))
        if looked is not None:
            found = {key: self._store.change(key, set={"looked": records.looked_value(looked)}, when={})}
        elif ahead:
            found = {**dict.fromkeys(ahead), **self._store.get_many([key, *ahead], consistent=True)}
        else:
            found = {key: self._store.get(*key)}
        session = self._living(found.pop(key, None), token, touch)
        return session, found if session else {}

    def _living(self, item: Item | None, token: str, touch: bool) -> Session | None:
        if item is None:
            return None
        session, now = records.session_from(item), self._clock()
        session = session if session.form_key else replace(session, form_key=rules.form_key(token))
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
        now, unread = self._clock(), self._counted(session)
        fields = {"seen_at": instant_text(now), "unread": unread}
        unit = Unit("touch").update(records.session_key(session.digest), set=fields, exists=True)
        if session.acting is None:
            require_standing(unit, session.organisation_id, session.proof is Proof.SSO)
        return None if self._store.write_one(unit) else replace(session, seen_at=now, unread=unread)

    def _counted(self, session: Session) -> int:
        return 0 if session.acting else self._unread(session)

    def recount(self, session: Session) -> None:
        """Count what is unread now: the session has just begun, or its user has just read."""
        unit = Unit(f"unread of {session.digest}")
        unit.update(records.session_key(session.digest), set={"unread": self._counted(session)}, exists=True)
        self._store.write_one(unit)

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
        name = f"{records.TAKEN}{int(self._clock().timestamp() // rules.WINDOW.total_seconds())}"
        found = self._store.change(records.session_key(session.digest), add={name: 1}, when={})
        return int(found[name]) if found else 0

    def choose_language(self, session: Session, language: str) -> None:
        """The user's language from now on, in this session too."""
        self._remember(session, "language", language)

    def end_tour(self, session: Session) -> None:
        """The user has seen enough of the walk through the portal; it does not come by itself any more."""
        self._remember(session, "toured", True)

    def _remember(self, session: Session, name: str, value: str | bool) -> None:
        unit = Unit(f"{name} of {session.user_id}")
        unit.update(records.user_key(session.user_id), set={name: value}, exists=True)
        unit.update(records.session_key(session.digest), set={name: value}, exists=True)
        self._store.write_one(unit)
