"""Mail to one person: an invitation, a link to sign in, news of a sign-in; in their language."""

from __future__ import annotations

from saldo.access.links import LinkPurpose, token_of
from saldo.access.notes import Note, note_from, note_key
from saldo.accounts.model import LegalEntity
from saldo.accounts.service import Accounts
from saldo.delivery.model import Letter
from saldo.documents.wording import wording
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store

_PATHS = {LinkPurpose.INVITATION: "/invitation/", LinkPurpose.SIGN_IN: "/sign-in/link/"}
_FACTS = ("account", "role", "device", "network", "country", "at", "amount", "by", "cancel_by", "uplift")


class NoteLetters:
    """Writes the letter of a note, with the token that nothing at rest holds. `origin`: the portal's own."""

    def __init__(self, store: Store, sealer: Sealer, accounts: Accounts, origin: str, clock: Clock) -> None:
        self._store, self._sealer, self._accounts = store, sealer, accounts
        self._origin, self._clock = origin, clock

    def letter(self, account_id: str, note_id: str) -> Letter | None:
        """None when it comes too late to be true. NotFound; Erased with the customer's key."""
        item = self._store.get(*note_key(account_id, note_id))
        if item is None:
            raise NotFound("no such note")
        note = note_from(item, self._sealer)
        if self._clock() >= note.until:
            return None
        return letter_of(note, self._accounts.entity(note.entity_id), self._url(note))

    def _url(self, note: Note) -> str:
        if note.link is None:
            return self._origin + note.path
        purpose, owner_id, link_id = note.link
        return self._origin + _PATHS[purpose] + token_of(self._sealer, note.organisation_id, purpose, owner_id, link_id)


def letter_of(note: Note, seller: LegalEntity, url: str) -> Letter:
    words = wording(note.language, "")
    country = words.country(note.values.get("country", ""))
    said = {**note.values, "role": words.any(f"mail_role_{note.values.get('role', '')}", ""), "country": country}
    facts = ((words(f"mail_note_fact_{name}"), said[name]) for name in _FACTS if said.get(name))
    return Letter(
        language=words.language,
        sender=seller.name,
        reply_to=seller.email,
        subject=words(f"mail_note_{note.kind}_subject", seller=seller.name),
        greeting=words("mail_greeting"),
        intro=words(f"mail_note_{note.kind}_intro", seller=seller.name),
        facts=tuple(facts),
        button=words(f"mail_note_{note.kind}_button"),
        url=url,
        questions=words(f"mail_note_{note.kind}_beware"),
        closing=words("mail_closing"),
        to=note.email,
        notice=note.kind.notice,
        reader_id=note.user_id,
        stop=words("mail_stop"),
    )
