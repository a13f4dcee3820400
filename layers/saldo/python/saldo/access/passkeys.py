"""Use cases of passkeys: sign in, prove it again, add, rename, remove. Challenges work once, for who asked for them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from saldo.access import records, webauthn
from saldo.access import records_passkeys as passkey_records
from saldo.access.attempts import Attempts
from saldo.access.beginning import Arrival, Beginning
from saldo.access.model import Origin, Proof, Session, SignedIn
from saldo.access.model_passkeys import Passkey, PasskeyPurpose, Signed
from saldo.access.notes import Note, NoteKind, add_note, new_note_id
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.periods import zone_named
from saldo.storage.items import Item
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

CHALLENGE_HOLDS = timedelta(minutes=5)
MOST_PASSKEYS = 10
_TOLD_FOR = timedelta(days=2)


class Passkeys:
    """Passkeys of one region's users, at one portal."""

    def __init__(self, store: Store, sealer: Sealer, attempts: Attempts, origin: str, clock: Clock) -> None:
        self._store, self._sealer, self._attempts, self._clock = store, sealer, attempts, clock
        self._party = webauthn.RelyingParty(origin)
        self._beginning = Beginning(store, sealer, clock)

    # -- signing in --------------------------------------------------------------------------------------------------

    def ask_to_sign_in(self, holder: str) -> dict[str, Any]:
        """What the browser is to have signed by any passkey of ours. `holder`: digest of the browser's cookie."""
        return self._party.asks(self._challenge(PasskeyPurpose.SIGN_IN, holder))

    def sign_in(self, text: str, holder: str, origin: Origin, old_token: str = "") -> SignedIn:
        """Refusal `passkey_invalid` for every kind of no, no faster than others; `too_many_attempts`."""
        with self._attempts.limited(f"passkey {holder}", origin) as failures:
            answer = webauthn.read(text)
            challenge, spent = self._spent(answer, PasskeyPurpose.SIGN_IN, holder)
            user_id = webauthn.user_in(answer)
            passkey = self._passkey(user_id, answer) if user_id.startswith("user_") else None
            if passkey is None:
                raise _invalid()
            signed = self._checked(answer, challenge, passkey)

            def also(unit: Unit) -> Unit:
                return self._used(spent(unit), passkey, signed)

            try:
                return self._beginning.begin(Arrival(user_id, origin, Proof.PASSKEY, failures, old_token, also))
            except Refusal as refusal:
                raise _invalid() if refusal.code == "sign_in_failed" else refusal from refusal

    # -- proving it again --------------------------------------------------------------------------------------------

    def ask_to_prove(self, session: Session) -> dict[str, Any]:
        """What the browser is to have signed by a passkey of this user's. Refusal `passkey_invalid`: there is none."""
        own = self.of(session.user_id)
        if not own:
            raise _invalid()
        return self._party.asks(self._challenge(PasskeyPurpose.PROVE, session.digest), own)

    def prove(self, session: Session, text: str) -> SignedIn:
        """As good as password and one-time code: the session goes on under another token. Refusal `passkey_invalid`,
        `too_many_attempts`."""
        with self._attempts.limited(f"passkey {session.user_id}", session.origin):
            answer = webauthn.read(text)
            challenge, spent = self._spent(answer, PasskeyPurpose.PROVE, session.digest)
            passkey = self._passkey(session.user_id, answer)
            if passkey is None:
                raise _invalid()
            signed = self._checked(answer, challenge, passkey)
            return self._renewed(session, lambda unit: self._used(spent(unit), passkey, signed))

    # -- one's own ---------------------------------------------------------------------------------------------------

    def of(self, user_id: str) -> list[Passkey]:
        """The oldest first."""
        items = self._store.query_all(user_id, prefix=passkey_records.PASSKEYS, consistent=True)
        return sorted((passkey_records.passkey_from(i, self._sealer) for i in items), key=lambda p: p.added_at)

    def ask_to_add(self, session: Session, email: str) -> dict[str, Any]:
        """What the browser is to have made. Who asks has proven who they are. Refusal `too_many_passkeys`."""
        own = self.of(session.user_id)
        if len(own) >= MOST_PASSKEYS:
            raise Refusal("too_many_passkeys", "remove a passkey first")
        challenge = self._challenge(PasskeyPurpose.ADD, session.digest)
        return self._party.asks_for_new(challenge, session.user_id, email, own)

    def add(self, session: Session, text: str, name: str) -> SignedIn:
        """Put the key on record that the browser had made; the session goes on under another token. Refusal
        `passkey_invalid`."""
        answer = webauthn.read(text)
        challenge, spent = self._spent(answer, PasskeyPurpose.ADD, session.digest)
        made, now = self._party.made(answer, challenge), self._clock()
        if webauthn.credential_id_in(answer) != made.credential_id:
            raise _invalid()
        facts = (session.organisation_id, _name(name, session), made.credential, made.sign_count, made.backed_up, now)
        passkey = Passkey(session.user_id, _id_of(made.credential_id), *facts)
        told = self._told(session, "passkey.added", passkey.id, {"backed_up": made.backed_up})

        def also(unit: Unit) -> Unit:
            spent(unit).insert(passkey_records.passkey_item(passkey, self._sealer)).put(told)
            self._tell(unit, session, NoteKind.PASSKEY_ADDED)
            return unit

        return self._renewed(session, also, has_passkey=True)

    def rename(self, session: Session, passkey_id: str, name: str) -> None:
        passkey = self._own(session, passkey_id)
        sealed = passkey_records.sealed_name(passkey, _name(name, session), self._sealer)
        unit = Unit(f"rename passkey {passkey_id}")
        unit.update(passkey_records.passkey_key(session.user_id, passkey_id), set={"sealed": sealed}, exists=True)
        unit.put(self._told(session, "passkey.renamed", passkey_id, {}))
        if self._store.write_one(unit):
            raise NotFound("no such passkey")

    def remove(self, session: Session, passkey_id: str) -> None:
        """It signs nobody in any more; whoever asks has proven who they are. NotFound."""
        self._own(session, passkey_id)
        left = len(self.of(session.user_id)) - 1
        unit = Unit(f"remove passkey {passkey_id}")
        unit.delete(passkey_records.passkey_key(session.user_id, passkey_id))
        unit.update(records.user_key(session.user_id), set={"has_passkey": left > 0}, exists=True)
        unit.update(records.session_key(session.digest), set={"has_passkey": left > 0}, exists=True)
        self._tell(unit, session, NoteKind.PASSKEY_REMOVED)
        unit.put(self._told(session, "passkey.removed", passkey_id, {"left": left}))
        self._store.write_one(unit)

    def own(self, session: Session, passkey_id: str) -> Passkey:
        return self._own(session, passkey_id)

    def _own(self, session: Session, passkey_id: str) -> Passkey:
        item = self._store.get(*passkey_records.passkey_key(session.user_id, passkey_id))
        if item is None:
            raise NotFound("no such passkey")
        return passkey_records.passkey_from(item, self._sealer)

    def _renewed(self, session: Session, also: Callable[[Unit], Unit], **learned: bool) -> SignedIn:
        try:
            return self._beginning.renew(session, also, **learned)
        except Refusal as refusal:
            raise _invalid() if refusal.code == "not_signed_in" else refusal from refusal

    # -- challenges and what they are answered by --------------------------------------------------------------------

    def _challenge(self, purpose: PasskeyPurpose, holder: str) -> bytes:
        challenge = secrets.token_bytes(32)
        until = self._clock() + CHALLENGE_HOLDS
        item = passkey_records.challenge_item(sha256(challenge).hexdigest(), purpose, holder, until)
        self._store.write_one(Unit("ask for a passkey").insert(item))
        return challenge

    def _spent(self, answer: Mapping[str, Any], purpose: PasskeyPurpose, holder: str) -> tuple[bytes, Any]:
        """The challenge that is answered, and how a unit uses it up; Refusal unless it was made for this."""
        challenge = webauthn.challenge_in(answer)
        key = passkey_records.challenge_key(sha256(challenge).hexdigest())
        item = self._store.get(*key)
        if item is None or (item["purpose"], item["holder"]) != (purpose.value, holder):
            raise _invalid()
        if self._clock() >= instant_from(item["until"]):
            raise _invalid()

        def spent(unit: Unit) -> Unit:
            return unit.delete(key, when={"holder": holder})

        return challenge, spent

    def _passkey(self, user_id: str, answer: Mapping[str, Any]) -> Passkey | None:
        key = passkey_records.passkey_key(user_id, _id_of(webauthn.credential_id_in(answer)))
        item: Item | None = self._store.get(*key)
        return passkey_records.passkey_from(item, self._sealer) if item else None

    def _checked(self, answer: Mapping[str, Any], challenge: bytes, passkey: Passkey) -> Signed:
        return self._party.signed(answer, challenge, passkey)

    def _used(self, unit: Unit, passkey: Passkey, signed: Signed) -> Unit:
        """The count as it is now; holds only while nobody else used the same count."""
        key = passkey_records.passkey_key(passkey.user_id, passkey.id)
        used = {"sign_count": signed.sign_count, "backed_up": signed.backed_up, "used_at": instant_text(self._clock())}
        return unit.update(key, set=used, when={"sign_count": passkey.sign_count}, exists=True)

    def _told(self, session: Session, action: str, passkey_id: str, after: Mapping[str, Any]) -> Item:
        actor = Actor(session.user_id, "user", address=session.origin.address)
        return audit_item(AuditRecord(session.user_id, self._clock(), actor, action, passkey_id, {}, after))

    def _tell(self, unit: Unit, session: Session, kind: NoteKind) -> None:
        """Mail, so that whose keys changed without them hears of it."""
        item = self._store.get(*records.user_key(session.user_id))
        if item is None or not session.seats:
            return
        seat, now = session.seats[0], self._clock()
        at = now.astimezone(zone_named(seat.time_zone))
        note = Note(
            account_id=seat.account_id,
            id=new_note_id(now),
            kind=kind,
            organisation_id=session.organisation_id,
            entity_id=seat.entity_id,
            language=session.language,
            email=records.user_from(item, self._sealer).email,
            written_at=now,
            until=now + _TOLD_FOR,
            values={"device": session.origin.device, "at": f"{at:%Y-%m-%d %H:%M %Z}"},
            user_id=session.user_id,
        )
        add_note(unit, note, self._sealer)


def _id_of(credential_id: bytes) -> str:
    return sha256(credential_id).hexdigest()[:32]


def _name(name: str, session: Session) -> str:
    return name.strip()[:60] or session.origin.device or "Passkey"


def _invalid() -> Refusal:
    return Refusal("passkey_invalid", "this passkey did not work")
