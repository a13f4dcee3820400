"""Mail to one person: written in the unit of what it tells of, carried by `delivery` when its event comes.

`<account>` / `note#<id>`: address and texts sealed, 30 days. It holds no token: the letter's writer makes that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from saldo.access.links import LinkPurpose
from saldo.access.model_notices import NoticeKind
from saldo.access.records_people import member_from, member_key
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.ids import new_id
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

PREFIX = "note#"
FIELDS = "note/1"
KEPT = timedelta(days=30)


class NoteKind(StrEnum):
    INVITATION = "invitation"
    SIGN_IN_LINK = "sign_in_link"
    SIGN_IN_WITH_CODE = "sign_in_with_code"
    NEW_DEVICE = "new_device"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    APPROVAL_ASKED = "approval_asked"
    METHOD_EXPIRING = "method_expiring"
    DEBIT_ANNOUNCED = "debit_announced"
    DEBIT_FAILED = "debit_failed"
    DISPUTE_NEWS = "dispute_news"
    TICKET_ANSWERED = "ticket_answered"
    PROMISE_DECIDED = "promise_decided"
    PROMISE_BROKEN = "promise_broken"
    INSTALMENT_DUE = "instalment_due"
    INSTALMENT_CHARGED = "instalment_charged"
    INSTALMENT_MISSED = "instalment_missed"
    TERMS_DECIDED = "terms_decided"
    RENEWAL_ANNOUNCED = "renewal_announced"
    BUNDLE_READY = "bundle_ready"
    CERTIFICATE_DECIDED = "certificate_decided"

    @property
    def notice(self) -> NoticeKind | None:
        """What the person chooses about it; None for mail that they asked for themselves."""
        return _NOTICES.get(self)


_NOTICES = {
    NoteKind.NEW_DEVICE: NoticeKind.SECURITY,
    NoteKind.PASSKEY_ADDED: NoticeKind.SECURITY,
    NoteKind.PASSKEY_REMOVED: NoticeKind.SECURITY,
    NoteKind.APPROVAL_ASKED: NoticeKind.APPROVAL_ASKED,
    NoteKind.METHOD_EXPIRING: NoticeKind.METHOD_EXPIRING,
    NoteKind.DEBIT_ANNOUNCED: NoticeKind.DEBIT_ANNOUNCED,
    NoteKind.DEBIT_FAILED: NoticeKind.PAYMENT_FAILED,
    NoteKind.DISPUTE_NEWS: NoticeKind.DISPUTE_MOVED,
    NoteKind.PROMISE_DECIDED: NoticeKind.PROMISE_MOVED,
    NoteKind.PROMISE_BROKEN: NoticeKind.PROMISE_MOVED,
    NoteKind.INSTALMENT_DUE: NoticeKind.PROMISE_MOVED,
    NoteKind.INSTALMENT_CHARGED: NoticeKind.DEBIT_ANNOUNCED,
    NoteKind.INSTALMENT_MISSED: NoticeKind.PROMISE_MOVED,
    NoteKind.TERMS_DECIDED: NoticeKind.TERMS_DECIDED,
    NoteKind.RENEWAL_ANNOUNCED: NoticeKind.RENEWAL_ANNOUNCED,
    NoteKind.CERTIFICATE_DECIDED: NoticeKind.CERTIFICATE_DECIDED,
    NoteKind.TICKET_ANSWERED: NoticeKind.TICKET_ANSWERED,
}


@dataclass(frozen=True, slots=True)
class Note:
    """`email` and `values` are personal. `until`: after that it says nothing true any more and is not sent.

    `link`: purpose, owner and id of the link that goes with it. `path`: where its button leads without one.
    `user_id`: whose choice of mail it obeys, "" for somebody who is no user (yet) or asked for it themselves.
    """

    account_id: str
    id: str
    kind: NoteKind
    organisation_id: str
    entity_id: str
    language: str
    email: str
    written_at: datetime
    until: datetime
    values: Mapping[str, str] = field(default_factory=dict)
    link: tuple[LinkPurpose, str, str] | None = None
    path: str = "/profile"
    user_id: str = ""


def new_note_id(at: datetime) -> str:
    return new_id("note", at)


def note_key(account_id: str, note_id: str) -> Key:
    return account_id, PREFIX + note_id


def add_note(unit: Unit, note: Note, sealer: Sealer) -> Unit:
    """Have the unit write the note; its event brings it to the mailer."""
    return unit.insert(note_item(note, sealer))


@dataclass(frozen=True, slots=True)
class News:
    """What somebody who asked for something is told when it moves: that there is news, and where, not which."""

    id: str
    kind: NoteKind
    path: str
    written_at: datetime
    until: datetime


def add_news(unit: Unit, account_id: str, user_id: str, news: News, store: Store, sealer: Sealer) -> Unit:
    """Have the unit write a note to one of an account's people; nothing to who is not there any more or suspended."""
    keys = member_key(account_id, user_id), (account_id, "account")
    found = store.get_many(keys, consistent=True)
    item, account = (found.get(key) for key in keys)
    if item is None or account is None or item["suspended"]:
        return unit
    member = member_from(item, sealer)
    if not member.email:
        return unit
    note = Note(
        account_id=account_id,
        id=news.id,
        kind=news.kind,
        organisation_id=account["organisation_id"],
        entity_id=account["entity_id"],
        language=member.language,
        email=member.email,
        written_at=news.written_at,
        until=news.until,
        values={"account": account["name"]},
        path=news.path,
        user_id=user_id,
    )
    return add_note(unit, note, sealer)


def note_item(note: Note, sealer: Sealer) -> Item:
    pk, sk = note_key(note.account_id, note.id)
    sealed = {"email": note.email, "values": dict(note.values)}
    return {
        "pk": pk,
        "sk": sk,
        "kind": "note",
        "note_id": note.id,
        "note_kind": note.kind.value,
        "user_id": note.user_id,
        "organisation_id": note.organisation_id,
        "entity_id": note.entity_id,
        "language": note.language,
        "written_at": instant_text(note.written_at),
        "until": instant_text(note.until),
        "link": [str(part) for part in note.link or ()],
        "path": note.path,
        "expires_at_s": int((note.written_at + KEPT).timestamp()),
        "sealed": sealer.seal(note.organisation_id, (pk, sk), FIELDS, sealed),
    }


def note_from(item: Item, sealer: Sealer) -> Note:
    """The note; Erased once the organisation's key is shredded."""
    opened = sealer.open(item["organisation_id"], (item["pk"], item["sk"]), FIELDS, item["sealed"])
    link = item["link"]
    return Note(
        account_id=item["pk"],
        id=item["note_id"],
        kind=NoteKind(item["note_kind"]),
        organisation_id=item["organisation_id"],
        entity_id=item["entity_id"],
        language=item["language"],
        email=opened["email"],
        written_at=instant_from(item["written_at"]),
        until=instant_from(item["until"]),
        values=opened["values"],
        link=(LinkPurpose(link[0]), link[1], link[2]) if link else None,
        path=item["path"],
        user_id=item.get("user_id", ""),
    )
