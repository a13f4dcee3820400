"""The records table's stream → domain events on the bus."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from functions import tracing
from functions.observed import count, logger, observed
from functions.services import bus, clock
from saldo.integration.model import DomainEvent
from saldo.integration.rules import KINDS, events_of
from saldo.storage.items import from_attributes

IN_TIME = timedelta(minutes=5)  # what is promised: infra/slo.toml
MOST_ANNOTATED = 20  # of a batch's causes in its trace; the log line names all
_PREFIXES = tuple(f"{kind}#" for kind in KINDS)


@observed("PublishEvents")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Stream records → batchItemFailures: the first record whose events the bus did not take; the stream goes on there.

    Safe to repeat: the events' ids follow from what happened.
    """
    found = [(record["dynamodb"]["SequenceNumber"], events) for record in event["Records"] if (events := _news(record))]
    published = [e for _, events in found for e in events]
    refused = bus().publish(published)
    count("EventsPublished", len(published) - len(refused))
    count("EventsDue", len(published))
    count("EventsLate", sum(1 for e in published if e.id in refused or clock() - e.occurred_at > IN_TIME))
    about = sorted({e.correlation_id for e in published})
    for correlation_id in about[:MOST_ANNOTATED]:
        tracing.annotate(correlation_id)
    if about:
        logger().info("EventsToBus", extra={"correlation_ids": about})
    count("OrdersHeld", sum(1 for e in published if e.type == "order.discrepancy" and e.id not in refused))
    failed = [number for number, events in found if any(e.id in refused for e in events)]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed[:1]]}


def _news(record: Mapping[str, Any]) -> list[DomainEvent]:
    """The events of one stream record; other kinds of records are not even read."""
    change = record["dynamodb"]
    if not change["Keys"]["sk"]["S"].startswith(_PREFIXES):
        return []
    old, new = change.get("OldImage"), change.get("NewImage")
    return events_of(from_attributes(old) if old else None, from_attributes(new) if new else None)
