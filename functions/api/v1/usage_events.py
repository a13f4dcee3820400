"""What customers used, as it happens. A key's name is the producer whose limits hold."""

from __future__ import annotations

from functions.api import services
from functions.api.call import Call
from functions.api.endpoint import Routes, Rule
from functions.api.operation import Operation
from functions.api.v1.models import EventIn, EventOut, ProblemOut, RejectedOut, RejectedRows, UsageReceipt
from functions.http.answers import JSON, Answer
from saldo.access.model_api_keys import Scope
from saldo.kernel.errors import Problem, Refusal

routes = Routes("api_usage")
ONE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
MOST_BYTES = 240_000  # a message of the queue holds 256 KiB

TAKE_IN = Operation(
    id="createUsageEvents",
    tag="Usage",
    summary="Take in one CloudEvent, or a batch of them",
    description="One event is taken in at once. A batch is queued; its bad events wait in quarantine under its id.",
    takes={ONE: EventIn, BATCH: "UsageBatch"},
    answers=UsageReceipt,
    status=202,
    refusals={
        "invalid_batch": "the body is no event, or no list of them",
        "batch_too_large": "the batch has too many events or bytes",
        "too_many_events": "this producer sends faster than it may",
    },
)
REJECTED = Operation(
    id="listRejectedEvents",
    tag="Usage",
    summary="The events of a batch that were not accepted",
    description="A batch is taken in within seconds; until then, and when all went well, the list is empty.",
    answers=RejectedRows,
)


@routes.post("/api/v1/usage-events", Rule(TAKE_IN, scope=Scope.USAGE_WRITE, most_bytes=MOST_BYTES))
def create_usage_events(call: Call) -> Answer:
    is_batch = BATCH in call.headers.get("content-type", "").lower()
    if is_batch != call.text.lstrip().startswith("["):
        raise Refusal("invalid_batch", f"one event is sent as {ONE}, a list of events as {BATCH}")
    receipt = _queued(call) if is_batch else _taken_in(call)
    return Answer(receipt.model_dump_json(), 202, JSON)


@routes.get("/api/v1/usage-batches/{batch_id}/rejected", Rule(REJECTED, scope=Scope.USAGE_WRITE))
def list_rejected_events(call: Call) -> Answer:
    batch_id = call.params["batch_id"]
    held = services.quarantine().rows(call.entity_id, origin=batch_id) if batch_id.startswith("batch_") else []
    rows = [RejectedOut(index=h.row.number - 1, problems=_told(h.problems)) for h in held]
    return Answer(RejectedRows(batch_id=batch_id, rejected=rows).model_dump_json(), kind=JSON)


def _queued(call: Call) -> UsageReceipt:
    accepted = services.usage_acceptance().accept_batch(call.entity_id, call.key.name, call.text, call.correlation_id)
    return UsageReceipt(batch_id=accepted.batch_id, events=accepted.events, event=None)


def _taken_in(call: Call) -> UsageReceipt:
    taken = services.usage_acceptance().accept_one(call.entity_id, call.key.name, call.text, call.correlation_id)
    event = EventOut.model_validate({"status": taken.status, "problems": _told(taken.problems)})
    return UsageReceipt(batch_id=taken.batch_id, events=1, event=event)


def _told(problems: tuple[Problem, ...]) -> list[ProblemOut]:
    return [ProblemOut(**p.as_dict()) for p in problems]
