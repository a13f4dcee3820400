"""One click, as records and log lines tell of it: everything that carries its correlation id, in order.

The id is made by API Gateway with the request and kept by what that writes: audit record, payment, invoice or credit
note, entry. It is handed on to whatever the gateway's news change (payment, entries, audit records), to the domain
event and the delivery, to messages that wait on a queue and to functions that are called, and written into every log
line and the annotation of every X-Ray trace on the way. What a day's run does carries the run's id in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from saldo.kernel.clock import instant_text
from saldo.storage.items import Item

# In which order things that happened on one day are told, where they know no more than their day.
_RANKS = ("audit", "payment", "invoice", "entry", "log")


@dataclass(frozen=True, slots=True)
class Moment:
    """at: an instant, or a day (entries). kind: of the record, or `log`. what: in a few words. where: its key, or the
    function that wrote the line. facts: ids and amounts."""

    at: str
    kind: str
    what: str
    where: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def story_of(correlation_id: str, items: Iterable[Item], lines: Iterable[Mapping[str, Any]] = ()) -> list[Moment]:
    """From any records and any JSON log lines, those of this click."""
    found = [m for item in items for m in _of_record(item, correlation_id)]
    found += [m for line in lines for m in _of_line(line, correlation_id)]
    return sorted(found, key=lambda m: (m.at[:10], _RANKS.index(m.kind), m.at, m.where))


def _of_record(item: Item, wanted: str) -> Iterator[Moment]:
    where = f"{item['pk']} {item['sk']}"
    if item["kind"] == "audit" and item["actor"].get("correlation_id") == wanted:
        facts = {"subject": item["subject_id"], "by": item["actor"]["id"], **item["after"]}
        yield Moment(item["at"], "audit", item["action"], where, facts)
    if item.get("correlation_id") != wanted:
        return
    if item["kind"] == "entry":
        legs = {leg["account"]: leg["minor"] for leg in item["postings"]}
        yield Moment(item["sk"].split("#")[1], "entry", item["entry_kind"], where, legs)
    if item["kind"] == "invoice":
        facts = {"document": item["document"], "number": item["number"], "total_minor": item["total_minor"]}
        yield Moment(item["history"][0]["at"], "invoice", item["status"], where, facts)
    if item["kind"] == "payment":
        yield Moment(item["started_at"], "payment", item["status"], where, {"amount_minor": item["amount_minor"]})


def _of_line(line: Mapping[str, Any], wanted: str) -> Iterator[Moment]:
    if wanted != line.get("correlation_id") and wanted not in line.get("correlation_ids", ()):
        return
    shown = ("route", "method", "status", "took_ms", "payment_id", "outcome", "document_id")
    facts = {name: line[name] for name in shown if name in line}
    at_ms = line.get("_aws", {}).get("Timestamp")
    at = instant_text(datetime.fromtimestamp(at_ms / 1000, UTC)) if at_ms else str(line.get("timestamp", ""))
    where = str(line.get("function") or line.get("service", ""))
    yield Moment(at, "log", str(line.get("message", "")), where, facts)
