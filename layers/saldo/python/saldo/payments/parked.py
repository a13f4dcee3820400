"""Events of a gateway that fit nothing of ours: tried again, ever more rarely; looked at, and dropped, by people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.payments import news, records
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

_LEAST_WAIT, _MOST_WAIT = timedelta(minutes=5), timedelta(hours=6)
_FACTS = ("news", "subject_id", "account_id", "amount_minor", "currency", "reason", "occurred_at", "parked_at")


@dataclass(frozen=True, slots=True)
class ParkedEvents:
    """Of one region and gateway."""

    store: Store
    clock: Clock
    gateway: str

    def retry(self, most: int) -> int:
        """Try so many of those whose turn it is, the longest overdue first; how many fitted, and are parked no more.

        The others come again once they have waited as long again, at least every six hours: none holds another up.
        """
        now = self.clock()
        due = self.store.query(records.parked_agenda(self.gateway), last=instant_text(now), agenda=True, limit=most)
        found = self.store.get_many([(item["pk"], item["sk"]) for item in due.items], consistent=True)
        units = [self._tried(item, now) for item in found.values() if _is_parked(item)]
        self.store.write([unit for unit, _ in units])
        return sum(fitted for _, fitted in units)

    def _tried(self, item: Item, now: datetime) -> tuple[Unit, bool]:
        key, name = (item["pk"], item["sk"]), f"again {item['sk']}"
        try:
            _, misfits = news.tried(self.store, self.clock, records.parked_event(item))
        except Unavailable:
            return Unit(name).update(key, set={"agenda_on": instant_text(now)}, when={"kind": item["kind"]}), False
        if not misfits:
            return Unit(name).delete(key), True
        again = now + min(max(now - instant_from(item["parked_at"]), _LEAST_WAIT), _MOST_WAIT)
        said = {"reason": misfits[0].reason, "agenda_on": instant_text(again)}
        return Unit(name).update(key, set=said, when={"kind": item["kind"]}), False

    def all(self) -> list[Item]:
        """As they lie in the table (`records.parked_item`), whoever waits longest first."""
        owned = self.store.query_all(records.parked_owner(self.gateway), prefix=records.PARKED, consistent=True)
        return sorted(filter(_is_parked, owned), key=lambda item: (item["parked_at"], item["sk"]))

    def drop(self, event_id: str, actor: Actor, reason: str) -> list[Item]:
        """Try an event no more, whatever of it is parked: it is kept, with who ended it and why, and parked no more,
        however often the gateway tells it. Refusal `reason_required`; NotFound."""
        if not reason.strip():
            raise Refusal("reason_required", "say why, for those who look at it later")
        owned = self.store.query_all(
            records.parked_owner(self.gateway), prefix=f"{records.PARKED}{event_id}#", consistent=True
        )
        parked = [item for item in owned if _is_parked(item)]
        if not parked:
            raise NotFound("no such event is parked")
        for item in parked:  # one that conflicts fits by now, or is dropped
            self.store.write_one(self._dropped(item, actor, reason.strip()))
        return parked

    def _dropped(self, item: Item, actor: Actor, reason: str) -> Unit:
        """On record with the customer, where it is one of ours."""
        at, key = self.clock(), (item["pk"], item["sk"])
        said = {"kind": "dropped_event", "dropped_at": instant_text(at), "dropped_by": actor.id, "dropped_for": reason}
        unit = Unit(f"drop {item['sk']}")
        unit.update(key, set=said, remove=("agenda_pk", "agenda_on"), when={"kind": item["kind"]})
        owner_id = item["account_id"] if item["entity_id"] else item["pk"]
        facts = {name: item[name] for name in _FACTS if name in item}
        subject = item["sk"].removeprefix(records.PARKED)
        return unit.put(
            audit_item(AuditRecord(owner_id, at, actor, "gateway_event.dropped", subject, facts, {}, reason))
        )


def _is_parked(item: Item) -> bool:
    return bool(item["kind"] == "parked_event")
