"""The chain of audit records: linked from the stream, anchored each night."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from functions.services import audit_anchors
from saldo.access.model import Looked, Origin, Role, Seat, Session
from saldo.access.records import looked_value, session_item
from saldo.audit.model import AuditRecord, job
from saldo.audit.records import audit_item, audit_record
from saldo.storage.looks import parts_of
from saldo.storage.units import Unit
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, small_parts, whole, workflow
from tests.simulation.workflows.papers import stream_of
from tests.simulation.workflows.scenes import account_id, billed

LINKS = {"chain": "its hash covers the instant of linking; what it must hold is proven by the work itself"}


def _news(region: Region) -> list[dict[str, Any]]:
    """The stream's word of every audit record, a dozen of them at once."""
    told = [one for one in stream_of(region) if one["dynamodb"]["NewImage"]["kind"]["S"] == "audit"]
    return [{"eventName": "INSERT", **one} for one in told]


def _proven(region: Region) -> None:
    with region.undisturbed():
        assert not audit_anchors().prove().breaks


@workflow("audit: link", prepare=billed, apart=LINKS)
def link(region: Region) -> None:
    news = _news(region)
    for start in range(0, len(news), 12):
        invoke("audit.link", {"Records": news[start : start + 12]})
    _proven(region)


def linked(region: Region) -> None:
    """All but the last lot, which the stream lost."""
    billed(region)
    invoke("audit.link", {"Records": _news(region)[:-5]})
    region.now += timedelta(hours=20)


@workflow("audit: anchor", prepare=linked, apart=LINKS)
def anchor(region: Region) -> None:
    invoke("audit.anchor", {})
    _proven(region)


def anchored(region: Region) -> None:
    """A day before, by a look of other parts."""
    linked(region)
    invoke("audit.anchor", {})
    region.now += timedelta(hours=20)
    audits(region)
    region.now += timedelta(hours=2)


def audits(region: Region) -> None:
    for n in range(3):
        record = AuditRecord(account_id(n), region.now, job("test"), "account.changed", account_id(n))
        region.store.write_one(Unit(f"act {n}").put(audit_item(record)))


@workflow("audit: anchor in parts", prepare=anchored, apart=LINKS)
@small_parts()
def anchor_in_parts(region: Region) -> None:
    with region.undisturbed():
        assert 2 < parts_of(region.store) < 9, parts_of(region.store)
    whole(region, "audit.anchor")
    _proven(region)
    with region.undisturbed():
        assert len(audit_anchors().prove().days) == 2


def looking(region: Region) -> None:
    """Somebody asked for an invoice a moment ago, and for one that is not there."""
    billed(region)
    account, now = account_id(1), region.now
    (invoice,) = region.store.query(account, prefix="invoice#", limit=1).items
    seat = Seat(account, Role.VIEWER, "Customer 1", "EUR", ENTITY_ID, "Europe/Berlin")
    for n, subject in enumerate((invoice["invoice_id"], "inv_20260101none")):
        session = Session(f"{n}" * 64, "user_eu_1", "org_eu_1", (seat,), "en", False, now, now, None, Origin())
        looked = Looked(account, "invoice.viewed", subject, now, f"click {n}", "192.0.2.0")
        region.store.write_one(Unit("s").insert(session_item(session) | {"looked": looked_value(looked)}))


@workflow("audit: who looked", prepare=looking)
def viewed(region: Region) -> None:
    news = [one for one in stream_of(region) if one["dynamodb"]["Keys"]["sk"]["S"] == "session"]
    invoke("audit.link", {"Records": [{"eventName": "MODIFY", **one} for one in news]})
    with region.undisturbed():
        trail = [audit_record(item) for item in region.store.query_all(account_id(1), prefix="audit#")]
        found = [record for record in trail if record.action == "invoice.viewed"]
        assert [(r.actor.id, r.actor.correlation_id) for r in found] == [("user_eu_1", "click 0")]
