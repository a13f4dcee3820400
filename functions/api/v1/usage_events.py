"""What customers used, as it happens."""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any  # parsed JSON is of any shape until it is read

from functions.api import services
from functions.api.call import Call
from functions.api.endpoint import Routes, Rule
from functions.api.operation import Operation
from functions.api.v1.models import ProblemOut, RejectedOut, UsageEventIn, UsageReceipt
from functions.http.answers import JSON, Answer
from saldo.access.model_api_keys import Scope
from saldo.kernel.errors import Refusal
from saldo.usage.ingest_files import read_rows
from saldo.usage.ingest_rows import UsageRow

routes = Routes("api_usage")
ONE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
MOST_BYTES = 2_000_000
MOST_EVENTS = 1_000

TAKE_IN = Operation(
    id="createUsageEvents",
    tag="Usage",
    summary="Take in one CloudEvent, or a batch of them",
    description="Each event is stored once, or set aside with every problem it has; one never holds up the others.",
    takes={ONE: UsageEventIn, BATCH: "UsageBatch"},
    answers=UsageReceipt,
    status=202,
    refusals={"invalid_request": "the body is no event, or a batch of none or too many", "not_json": "it is not JSON"},
)


@routes.post("/api/v1/usage-events", Rule(TAKE_IN, scope=Scope.USAGE_WRITE, most_bytes=MOST_BYTES))
def create_usage_events(call: Call) -> Answer:
    rows = _rows(_events(call))
    origin = f"api_{sha256(call.raw_body).hexdigest()[:24]}"
    report = services.usage().ingest(call.entity_id, rows, origin=origin)
    rejected = [
        RejectedOut(index=r.number - 1, problems=[ProblemOut(**p.as_dict()) for p in r.problems])
        for r in report.rejected
    ]
    receipt = UsageReceipt(
        events=report.rows, accepted=report.accepted, duplicates=report.duplicates, rejected=rejected
    )
    return Answer(receipt.model_dump_json(), 202, JSON)


def _events(call: Call) -> list[Any]:
    """The events of the body; numbers stay exact."""
    try:
        body = json.loads(call.text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Refusal("not_json", f"the body is not JSON: {error}") from error
    is_batch = BATCH in call.headers.get("content-type", "").lower()
    if is_batch != isinstance(body, list):
        raise Refusal("invalid_request", f"one event is sent as {ONE}, a list of events as {BATCH}")
    events = body if is_batch else [body]
    if not 1 <= len(events) <= MOST_EVENTS:
        raise Refusal("invalid_request", f"a batch has 1 to {MOST_EVENTS:,} events, not {len(events):,}")
    return events


def _rows(events: list[Any]) -> list[UsageRow]:
    """Events as lines of a file are read: the same checks, the same words. A decimal becomes its own text."""
    return list(read_rows((json.dumps(event, default=str).encode() + b"\n" for event in events), "ndjson"))
