"""Use cases of staff: be put on record, sign in with a one-time code, be there, go."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from saldo.access import records_staff as records
from saldo.access import rules, rules_staff
from saldo.access.attempts import Attempts
from saldo.access.model import Challenge, ChallengeKind, Origin, Tokens
from saldo.access.model_staff import Staff, StaffPerson, StaffSession, StaffSignedIn
from saldo.access.ports import IdentityProvider, IdTokenVerifier
from saldo.access.service import Realm
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

_WITH_CODE = {ChallengeKind.TOTP, ChallengeKind.TOTP_SETUP}


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is there, and the other records that were read in the same call."""

    session: StaffSession
    staff: Staff
    found: dict[Key, Item]


class StaffSessions:
    """Living sessions of a region's staff. Needs no identity provider."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def present(self, token: str, *more: Key) -> Presence | None:
        """Who a cookie's token belongs to, as they may act now, None for nobody; and `more`, all in one read."""
        staff_id, _, secret = token.partition(".")
        if not secret or len(token) > 160:
            return None
        keys = records.session_key(rules.digest_of(token)), records.staff_key(staff_id)
        found = self._store.get_many([*keys, *more], consistent=True)
        if any(key not in found for key in keys):
            return None
        session, staff, now = records.session_from(found[keys[0]]), records.staff_from(found[keys[1]]), self._clock()
        if session.staff_id != staff.id or not rules_staff.is_alive(session, now):
            return None
        if rules_staff.is_due_for_touch(session, now):
            seen = {"seen_at": instant_text(now)}
            self._store.write_one(Unit("touch").update(records.session_key(session.digest), set=seen, exists=True))
            session = replace(session, seen_at=now)
        return Presence(session, staff, found)

    def end(self, session: StaffSession) -> None:
        unit = records.end_session(Unit(f"end {session.digest}"), session.staff_id, session.digest)
        actor = Actor(session.staff_id, "staff", address=session.origin.address)
        record = AuditRecord(session.staff_id, self._clock(), actor, "session.ended", session.digest[:16])
        self._store.write_one(unit.put(audit_item(record)))

    def choose_language(self, staff: Staff, language: str) -> None:
        unit = Unit(f"language of {staff.id}")
        self._store.write_one(unit.update(records.staff_key(staff.id), set={"language": language}, exists=True))


class StaffAccess:
    """Staff of one region and their way in. `realm.issuer` is their own pool's: a customer's token is nobody here."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        identity: IdentityProvider,
        tokens: IdTokenVerifier,
        realm: Realm,
        clock: Clock,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._sealer, self._identity, self._tokens = store, sealer, identity, tokens
        self._realm, self._clock = realm, clock
        self._attempts = Attempts(store, clock, pause, realm.issuer)

    def enrol(self, staff: Staff, person: StaffPerson, password: str, actor: Actor) -> Staff:
        """Make one with a password at the provider and put them on record; `staff.id` is replaced by the real one."""
        subject = self._identity.enrol(rules.normal_email(person.email), password)
        staff_id = rules_staff.staff_id_of(self._realm.region_code, self._realm.issuer, subject)
        return self.register(replace(staff, id=staff_id), person, actor)

    def register(self, staff: Staff, person: StaffPerson, actor: Actor) -> Staff:
        """Put one on record, or anew with other roles. Refusal `roles_apart`."""
        rules_staff.check_posts(staff.posts)
        before = self._store.get(*records.staff_key(staff.id))
        version = before["version"] if before else 0
        staff = replace(staff, version=version + 1)
        unit = Unit(f"register {staff.id}")
        unit.put(records.staff_item(staff, person, self._sealer), when={"version": version or None})
        entities = {p.entity_id for p in staff.posts}
        for entity_id in sorted({p["entity_id"] for p in before["posts"]} - entities) if before else ():
            records.strike_off(unit, entity_id, staff.id)
        after = {"status": staff.status.value, "roles": sorted(f"{p.entity_id} {p.role}" for p in staff.posts)}
        for entity_id in sorted(entities):
            records.enlist(unit, entity_id, staff.id)
            record = AuditRecord(entity_id, self._clock(), actor, "staff.registered", staff.id, after=after)
            unit.put(audit_item(record))
        if self._store.write_one(unit):
            raise Refusal("changed_meanwhile", "their access was changed by someone else; look at it and try again")
        return staff

    def sign_in(self, email: str, password: str, origin: Origin) -> Challenge:
        """Begin; there is always a code to give (or to set up) before anyone is in. Refusals as customers'."""
        email = rules.normal_email(email)
        with self._attempts.limited(email, origin):
            answer = self._identity.sign_in(email, password)
            if isinstance(answer, Tokens):
                raise Refusal("sign_in_failed", "e-mail address or password is not right")
            return answer

    def answer(self, challenge: Challenge, reply: str, origin: Origin) -> StaffSignedIn | Challenge:
        """Go on with the reply to a challenge. Refusals `code_wrong`, `password_weak` and those of `sign_in`."""
        steps = {
            ChallengeKind.TOTP: self._identity.answer_totp,
            ChallengeKind.TOTP_SETUP: self._identity.answer_totp_setup,
            ChallengeKind.NEW_PASSWORD: self._identity.answer_new_password,
        }
        with self._attempts.limited(challenge.email, origin):
            answer = steps[challenge.kind](challenge, reply)
            if isinstance(answer, Challenge):
                return answer
            if challenge.kind not in _WITH_CODE:  # never without a code, whatever the provider is set to
                raise Refusal("sign_in_failed", "e-mail address or password is not right")
            return self._begin(answer, origin)

    def _begin(self, tokens: Tokens, origin: Origin) -> StaffSignedIn:
        subject = self._tokens.subject(tokens.id_token)
        staff_id = rules_staff.staff_id_of(self._realm.region_code, self._realm.issuer, subject)
        item, now = self._store.get(*records.staff_key(staff_id)), self._clock()
        staff = records.staff_from(item) if item else None
        if staff is None or rules_staff.is_unused(staff, now) or not rules_staff.entities_of(staff, now):
            raise Refusal("sign_in_failed", "e-mail address or password is not right")
        token = f"{staff_id}.{secrets.token_urlsafe(32)}"
        session = StaffSession(rules.digest_of(token), staff_id, now, now, origin)
        unit = Unit(f"sign in {staff_id}").insert(records.session_item(session))
        unit.insert(records.own_session_item(session))
        unit.update(records.staff_key(staff_id), set={"seen_at": instant_text(now)}, when={"version": staff.version})
        actor = Actor(staff_id, "staff", address=origin.address)
        unit.put(audit_item(AuditRecord(staff_id, now, actor, "session.began", session.digest[:16])))
        if self._store.write_one(unit):
            raise Refusal("sign_in_failed", "e-mail address or password is not right")
        return StaffSignedIn(token, session)


class StaffDirectory:
    """Who a seller's people are, by name."""

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store, self._sealer = store, sealer

    def at(self, entity_id: str) -> list[tuple[Staff, StaffPerson]]:
        """Everyone with a role at a legal entity, by name."""
        return self.of(self._store.get(*records.people_key(entity_id)))

    def of(self, people: Item | None) -> list[tuple[Staff, StaffPerson]]:
        """The same, where the record of its people was read already; one call."""
        found = self._read(records.people_from(people))
        return sorted(found, key=lambda both: both[1].name.casefold())

    def names(self, staff_ids: Sequence[str]) -> dict[str, str]:
        """Names by id; ids that are nobody's are left out."""
        return {staff.id: person.name for staff, person in self._read(staff_ids)}

    def staff(self, staff_id: str) -> Staff:
        item = self._store.get(*records.staff_key(staff_id))
        if item is None:
            raise NotFound("no such member of staff")
        return records.staff_from(item)

    def _read(self, ids: Sequence[str]) -> list[tuple[Staff, StaffPerson]]:
        found = self._store.get_many([records.staff_key(i) for i in ids], consistent=True)
        return [(records.staff_from(item), records.person_from(item, self._sealer)) for item in found.values()]
