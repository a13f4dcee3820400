"""Who looked at which invoice: from what sessions asked for (`access`: Looked) to the trail of the account.

A page puts on record what it is asked for by the call that reads its session, before it reads the document. The stream
tells of that, and here it becomes a record of the account, once, by the same rules as the page: the session was alive,
had a seat there, and the invoice was in its sight.
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
from saldo.kernel.periods import local_date
from saldo.storage.items import Item
from saldo.storage.store import Store


class Viewings:
    """Of one region. Repeating it writes the same records again."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, sessions: Iterable[Item]) -> int:
        """Put on the accounts' trails what these sessions looked at, each as it was when it asked; how many that is."""
        asked = [(session_from(item), looked) for item in sessions if (looked := looked_from(item))]
        keys = [header_key(looked.account_id, looked.subject_id) for _, looked in asked]
        headers = self._store.get_many(keys, consistent=True) if keys else {}
        shown = [
            record_of(session, looked)
            for (session, looked), key in zip(asked, keys, strict=True)
            if was_shown(session, looked, headers.get(key))
        ]
        self._store.put_many(list({(i["pk"], i["sk"]): i for i in map(audit_item, shown)}.values()))
        return len(shown)


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
