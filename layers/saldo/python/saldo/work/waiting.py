"""How much waits in each of a seller's queues, in one record, counted when the stream tells of a change.

`<entity>` / `work`: the numbers by queue, when they were counted, and until when proposals wait, which run out by
themselves. An index follows its table a moment later, so what was counted may lack what came just then; a round every
quarter of an hour counts whatever was missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from saldo.access.records_proposals import waiting_agenda
from saldo.accounts.agenda import requests_agenda
from saldo.disputes.records import queue_agenda
from saldo.invoicing.approvals import review_agenda
from saldo.invoicing.run.records import attempt_from
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.errors import Unavailable
from saldo.orders.records_orders import DISCREPANCY_PREFIX
from saldo.reconciliation.records import differences_agenda
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.support.records import tickets_agenda
from saldo.usage.records_quarantine import PREFIX as QUARANTINE

WORK = "work"
# So many of a queue are counted at most.
MOST = 100
QUEUES = ("proposals", "disputes", "promises", "orders", "drafts", "runs", "tickets", "usage", "differences")
_MOST_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Counted:
    """How many wait, by queue in their order, `MOST` at most of each but of what a run set aside; and as of when."""

    numbers: Mapping[str, int]
    at: datetime


class Waiting:
    """Of the sellers of one region. May be repeated at any point."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def count(self, entity_id: str) -> Counted:
        """Count every queue and write it down. Unavailable where others keep counting at the same time."""
        key = work_key(entity_id)
        for _ in range(_MOST_ATTEMPTS):
            version = (self._store.get(*key) or {}).get("version")
            made = self._item(entity_id) | {"version": (version or 0) + 1}
            unit = Unit(f"work of {entity_id}").put(made, when={"version": version})
            if self._store.write_one(unit) is None:
                return counted_from(made, self._clock())
        raise Unavailable("the queues are being counted by others")

    def _item(self, entity_id: str) -> Item:
        now = self._clock()
        latest = self._store.query(entity_id, prefix="run#", newest_first=True, limit=1).items
        numbers = {
            "disputes": self._number(queue_agenda(entity_id), agenda=True),
            "promises": self._number(requests_agenda(entity_id), agenda=True),
            "orders": self._number(entity_id, DISCREPANCY_PREFIX),
            "drafts": self._number(review_agenda(entity_id), agenda=True),
            "runs": attempt_from(latest[0]).set_aside if latest else 0,
            "tickets": self._number(tickets_agenda(entity_id), agenda=True),
            "usage": self._number(entity_id, QUARANTINE),
            "differences": self._number(differences_agenda(entity_id), agenda=True),
        }
        waiting = self._store.query(
            waiting_agenda(entity_id), agenda=True, first=instant_text(now), limit=MOST, fields=("agenda_on",)
        )
        until = [str(item["agenda_on"]).partition("#")[0] for item in waiting.items]
        pk, sk = work_key(entity_id)
        facts = {"counted_at": instant_text(now), "numbers": numbers, "proposals_until": until}
        return {"pk": pk, "sk": sk, "kind": WORK, **facts}

    def _number(self, pk: str, prefix: str = "", agenda: bool = False) -> int:
        return len(self._store.query(pk, prefix=prefix, agenda=agenda, limit=MOST, fields=("pk",)).items)


def work_key(entity_id: str) -> Key:
    return entity_id, WORK


def counted(store: Store, clock: Clock, entity_id: str) -> Counted:
    """What was counted last, by one call; the first who asks of a seller counts."""
    item = store.get(*work_key(entity_id))
    return counted_from(item, clock()) if item else Waiting(store, clock).count(entity_id)


def counted_from(item: Item, now: datetime) -> Counted:
    """now: what has run out by then is left out."""
    waiting = sum(instant_from(until) >= now for until in item["proposals_until"])
    numbers = {"proposals": waiting, **item["numbers"]}
    return Counted({queue: numbers.get(queue, 0) for queue in QUEUES}, instant_from(item["counted_at"]))
