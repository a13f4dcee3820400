"""Who looked at which invoice: from what sessions asked for (`access`: Looked) to the trail of the account.

A page puts on record what it is asked for by the call that reads its session, before it reads the document. The stream
tells of that, and here it becomes a record of the account, once, by the same rules as the page: the session was alive,
had a seat there, and the invoice was in its sight. The first look of the customer's own people is kept with the invoice
(`<account>` / `seen#<invoice>`), for its history.
"""

from __future__ import annotations

from collections.abc import Iterable

from saldo.access.model import Looked, Session
from saldo.access.records import looked_from, session_from
from saldo.access.rules import is_alive
from saldo.access.rules_visibility import sees
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.reading import is_shown
from saldo.invoicing.records import header_key
from saldo.kernel.clock import instant_text
from saldo.kernel.periods import local_date
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit


class Viewings:
    """Of one region. Repeating it writes the same records again."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, sessions: Iterable[Item]) -> int:
        """Put on the accounts' trails what these sessions looked at, each as it was when it asked; how many that is."""
        asked = [(session_from(item), looked) for item in sessions if (looked := looked_from(item))]
        keys = [key for _, looked in asked for key in (header_of(looked), seen_of(looked))]
        found = self._store.get_many(keys, consistent=True)
        shown = [
            (session, looked) for session, looked in asked if was_shown(session, looked, found.get(header_of(looked)))
        ]
        records = [audit_item(record_of(session, looked)) for session, looked in shown]
        self._store.put_many(list({(i["pk"], i["sk"]): i for i in records}.values()))
        self._note_first(looked for session, looked in shown if session.acting is None and seen_of(looked) not in found)
        return len(shown)

    def _note_first(self, looks: Iterable[Looked]) -> None:
        """The earliest look at each. One that was noted meanwhile stands."""
        first: dict[Key, Looked] = {}
        for looked in sorted(looks, key=lambda look: look.at):
            first.setdefault(seen_of(looked), looked)
        self._store.write([Unit(f"first look at {key}").insert(seen_item(look)) for key, look in first.items()])


def seen_key(account_id: str, invoice_id: str) -> Key:
    return account_id, f"seen#{invoice_id}"


def header_of(looked: Looked) -> Key:
    return header_key(looked.account_id, looked.subject_id)


def seen_of(looked: Looked) -> Key:
    return seen_key(looked.account_id, looked.subject_id)


def seen_item(looked: Looked) -> Item:
    pk, sk = seen_of(looked)
    return {"pk": pk, "sk": sk, "kind": "seen", "invoice_id": looked.subject_id, "at": instant_text(looked.at)}


def was_shown(session: Session, looked: Looked, header: Item | None) -> bool:
    """Whether the page was more than word that there is nothing."""
    seat = session.seat(looked.account_id)
    if seat is None or header is None or not is_shown(header) or not is_alive(session, looked.at):
        return False
    in_sight = sees(seat.visibility, local_date(looked.at, seat.time_zone))
    return in_sight is None or in_sight(header)


def record_of(session: Session, looked: Looked) -> AuditRecord:
    """Staff who act for a customer do so on behalf of the one who consented."""
    where, acting = (looked.correlation_id, looked.address), session.acting
    actor = Actor(session.user_id, "user", *where)
    if acting:
        actor = Actor(acting.staff_id, "staff", *where, acting.consent_of)
    return AuditRecord(looked.account_id, looked.at, actor, looked.action, looked.subject_id)
