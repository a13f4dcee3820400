"""Signing in without a password: a link by mail, once, in the browser that asked for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from saldo.access import records, rules
from saldo.access.attempts import Attempts
from saldo.access.beginning import Arrival, Beginning
from saldo.access.links import Link, LinkPurpose, is_ours, link_from, new_link_id
from saldo.access.model import Failures, Origin, Proof, SignedIn, User, UserStatus
from saldo.access.notes import Note, NoteKind, add_note, new_note_id
from saldo.access.ports import IdentityProvider
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.errors import Refusal
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit


def link_key(user_id: str, link_id: str) -> Key:
    return user_id, records.SIGN_IN_LINKS + link_id


class SignInLinks:
    """Links of one region. `user_id_of`: the user of a provider's subject."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        identity: IdentityProvider,
        attempts: Attempts,
        clock: Clock,
        user_id_of: Callable[[str], str],
    ) -> None:
        self._store, self._sealer, self._identity = store, sealer, identity
        self._attempts, self._clock, self._user_id_of = attempts, clock, user_id_of
        self._beginning = Beginning(store, sealer, clock)

    def ask(self, email: str, origin: Origin) -> None:
        """Have a link mailed if the address is a user's; takes the same time and says the same either way.

        Users with one-time codes get a mail that says to sign in with them: a link must not go round a second factor.
        Refusal `too_many_attempts`.
        """
        email = rules.normal_email(email)
        with self._attempts.rationed("link", email, origin):
            subject = self._identity.find(email)
            if subject:
                self.send(self._user_id_of(subject), origin)

    def send(self, user_id: str, origin: Origin) -> None:
        """Write the link and its mail in one unit; nothing for a user who may not sign in."""
        item = self._store.get(*records.user_key(user_id))
        granted = [g for g in records.grants_from(item) if not g.suspended] if item else []
        account = self._store.get(granted[0].account_id, "account") if granted else None
        if item is None or account is None or item["status"] != UserStatus.ACTIVE or not origin.browser:
            return
        user, now, link_id = records.user_from(item, self._sealer), self._clock(), new_link_id()
        unit = Unit(f"link {link_id}")
        if not user.has_totp:
            unit.insert(_link_item(user, link_id, origin, now))
        self._store.write_one(add_note(unit, _note(user, account, link_id, now), self._sealer))

    def holds(self, token: str, origin: Origin) -> bool:
        """Whether the link would open a session here; for the page that asks before it is used up."""
        link = link_from(token)
        return link is not None and self._standing(link, origin) is not None

    def open(self, token: str, origin: Origin, old_token: str = "") -> SignedIn:
        """Use the link. Refusal `link_invalid` (unknown, used, late, of another browser), `sign_in_failed`."""
        link = link_from(token)
        with self._attempts.limited(token, origin):
            found = self._standing(link, origin) if link else None
            if link is None or found is None:
                raise Refusal("link_invalid", "this link has been used or has expired")
            key = link_key(link.owner_id, link.id)

            def use(unit: Unit) -> Unit:
                return unit.delete(key, when={"until": found["until"]})

            arrival = Arrival(link.owner_id, origin, Proof.MAIL, Failures(0, 0), old_token, use)
            return self._beginning.begin(arrival)

    def _standing(self, link: Link, origin: Origin) -> Item | None:
        if not link.owner_id.startswith("user_"):
            return None
        item = self._store.get(*link_key(link.owner_id, link.id))
        if item is None or self._clock() >= instant_from(item["until"]):
            return None
        if not origin.browser or item["browser"] != origin.browser[:32]:
            return None
        return item if is_ours(self._sealer, item["organisation_id"], LinkPurpose.SIGN_IN, link) else None


def _link_item(user: User, link_id: str, origin: Origin, now: datetime) -> Item:
    """Nothing in it opens a session: the signature is made when the letter is written."""
    pk, sk = link_key(user.id, link_id)
    until = now + rules.LINK_HOLDS
    return {
        "pk": pk,
        "sk": sk,
        "kind": "sign_in_link",
        "organisation_id": user.organisation_id,
        "browser": origin.browser[:32],
        "until": instant_text(until),
        "expires_at_s": int(until.timestamp()),
    }


def _note(user: User, account: Item, link_id: str, now: datetime) -> Note:
    return Note(
        account_id=account["pk"],
        id=new_note_id(now),
        kind=NoteKind.SIGN_IN_WITH_CODE if user.has_totp else NoteKind.SIGN_IN_LINK,
        organisation_id=user.organisation_id,
        entity_id=account["entity_id"],
        language=user.language,
        email=user.email,
        written_at=now,
        until=now + rules.LINK_HOLDS,
        link=None if user.has_totp else (LinkPurpose.SIGN_IN, user.id, link_id),
        path="/sign-in",
    )
