"""Producers send within their limits; what is accepted waits on the queue and is taken in once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from saldo.kernel.errors import Refusal, Unavailable
from saldo.usage.accept import MOST_EVENTS, AcceptUsage, TooManyEvents, limit_producer, take_in
from saldo.usage.batch_queue import SqsBatches
from saldo.usage.ingest import Ingest
from saldo.usage.rules_limits import Limit
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY
from tests.contexts.usage.scenes import World
from tests.contexts.usage.test_ingest import total
from tests.in_process_aws import in_process_aws


def event(number: int, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "specversion": "1.0",
        "type": "llm.request",
        "source": "gateway-1",
        "id": f"req-{number}",
        "subject": ACCOUNT,
        "time": "2026-11-05T10:00:00Z",
        "data": {"meter": "tokens", "value": "10"},
    }
    return found | changes


def body(*numbers: int) -> str:
    return json.dumps([event(n) for n in numbers])


class ListedQueue:
    """A queue in memory, which can be down."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.down = False

    def put(self, message: str) -> None:
        if self.down:
            raise Unavailable("the queue is down")
        self.messages.append(message)


class Door:
    def __init__(self) -> None:
        self.world, self.queue = World(), ListedQueue()
        self.accept = AcceptUsage(self.world.store, self.queue, self.world.clock)

    def take_all_in(self) -> int:
        ingest = Ingest(self.world.store, self.world.clock)
        return sum(take_in(ingest, json.loads(m)).accepted for m in self.queue.messages)


def test_a_batch_waits_on_the_queue_and_is_taken_in_once_however_often_it_comes() -> None:
    door = Door()
    first, again = (
        door.accept.accept_batch(ENTITY, "gw", body(1, 2)),
        door.accept.accept_batch(ENTITY, "gw", body(1, 2)),
    )
    assert (first.batch_id, first.events) == (again.batch_id, 2)
    assert total(door.world) == 0
    assert (door.take_all_in(), door.take_all_in()) == (2, 0)
    assert total(door.world) == 20


def test_rows_that_are_wrong_wait_in_the_quarantine_under_the_batch() -> None:
    door = Door()
    bad = json.dumps([event(1), event(2, data={"meter": "steps"}), event(3, specversion="0.3")])
    accepted = door.accept.accept_batch(ENTITY, "gw", bad)
    assert door.take_all_in() == 1
    assert [i["sk"].split("#")[1] for i in door.world.items("quarantine")] == [accepted.batch_id] * 2


def test_a_producer_that_sends_too_fast_is_told_when_to_come_again() -> None:
    door = Door()
    limit_producer(door.world.store, door.world.clock, ENTITY, "gw", Limit(per_s=2, burst=4), CLERK)
    assert door.accept.accept_batch(ENTITY, "gw", body(1, 2, 3)).left == 1
    with pytest.raises(TooManyEvents) as refused:
        door.accept.accept_batch(ENTITY, "gw", body(4, 5, 6))
    assert (refused.value.code, refused.value.retry_after_s) == ("too_many_events", 1)
    assert door.accept.accept_batch(ENTITY, "other", body(4, 5, 6)).events == 3, "limits are each producer's own"
    door.world.clock.advance(seconds=1)
    assert door.accept.accept_batch(ENTITY, "gw", body(4, 5, 6)).left == 0
    with pytest.raises(Refusal, match="batch_too_large"):
        door.accept.accept_batch(ENTITY, "gw", body(1, 2, 3, 4, 5))


def test_two_doors_share_one_bucket() -> None:
    door = Door()
    other = AcceptUsage(door.world.store, door.queue, door.world.clock)
    limit_producer(door.world.store, door.world.clock, ENTITY, "gw", Limit(per_s=1, burst=4), CLERK)
    door.accept.accept_batch(ENTITY, "gw", body(1))
    other.accept_batch(ENTITY, "gw", body(2))
    door.accept.accept_batch(ENTITY, "gw", body(3, 4))
    for one in (door.accept, other):
        with pytest.raises(TooManyEvents):
            one.accept_batch(ENTITY, "gw", body(5))


def test_a_batch_costs_one_write_and_one_message() -> None:
    door = Door()
    door.accept.accept_batch(ENTITY, "gw", body(1))
    door.world.table.bill.calls.clear()
    door.accept.accept_batch(ENTITY, "gw", body(2, 3))
    assert dict(door.world.table.bill.calls) == {"TransactWriteItems": 1}


def test_what_is_no_event_waits_in_quarantine_and_holds_up_no_other() -> None:
    door = Door()
    door.accept.accept_batch(ENTITY, "gw", json.dumps([event(1), 3, None]))
    report = take_in(Ingest(door.world.store, door.world.clock), json.loads(door.queue.messages[0]))
    assert (report.accepted, [r.number for r in report.rejected]) == (1, [2, 3])


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("{", "invalid_batch"),
        ("[]", "invalid_batch"),
        ("[1]", "invalid_batch"),
        (json.dumps([{}] * (MOST_EVENTS + 1)), "batch_too_large"),
        (json.dumps([event(1, note="x" * 250_000)]), "batch_too_large"),
    ],
)
def test_what_is_no_batch_is_refused(bad: str, code: str) -> None:
    door = Door()
    with pytest.raises(Refusal, match=code):
        door.accept.accept_batch(ENTITY, "gw", bad)
    assert door.queue.messages == []


def test_a_producers_name_is_checked_and_a_queue_that_is_down_is_an_outage() -> None:
    door = Door()
    with pytest.raises(Refusal, match="invalid_producer"):
        door.accept.accept_batch(ENTITY, "a b", body(1))
    door.queue.down = True
    with pytest.raises(Unavailable):
        door.accept.accept_batch(ENTITY, "gw", body(1))


def test_a_single_event_is_answered_at_once() -> None:
    door = Door()
    one = json.dumps(event(1))
    answers = [door.accept.accept_one(ENTITY, "gw", text) for text in (one, one, json.dumps(event(2, id="a b")))]
    assert [a.status for a in answers] == ["accepted", "duplicate", "rejected"]
    assert [p.code for p in answers[2].problems] == ["invalid_id"]
    assert total(door.world) == 10


def test_a_single_event_also_goes_where_thresholds_are_looked_at_and_counts_once() -> None:
    door = Door()
    door.accept.accept_one(ENTITY, "gw", json.dumps(event(1)))
    door.accept.accept_one(ENTITY, "gw", json.dumps(event(2, id="a b")))
    (message,) = door.queue.messages
    report = take_in(Ingest(door.world.store, door.world.clock), json.loads(message))
    assert (report.accounts, report.accepted, report.duplicates) == ({ACCOUNT}, 0, 1)
    assert total(door.world) == 10


def test_numbers_of_a_batch_keep_every_digit() -> None:
    door = Door()
    door.accept.accept_batch(ENTITY, "gw", body(1).replace('"10"', "0.10000000000000000001"))
    door.take_all_in()
    assert str(total(door.world)) == "0.10000000000000000001"


@pytest.fixture
def sqs() -> Iterator[Any]:
    with in_process_aws():
        yield boto3.client("sqs", region_name="eu-central-1")


def test_the_function_takes_messages_in_one_by_one_and_hands_broken_ones_back(
    sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.usage import ingest as function
    from functions.usage import watching
    from saldo.usage.model_thresholds import Alert

    door = Door()
    url = sqs.create_queue(QueueName="usage-batches")["QueueUrl"]
    AcceptUsage(door.world.store, SqsBatches(sqs, url), door.world.clock).accept_batch(ENTITY, "gw", body(1, 2))
    received = sqs.receive_message(QueueUrl=url)["Messages"]
    looked_at: list[set[str]] = []

    class Watch:
        broken = False

        def check(self, accounts: set[str]) -> list[Alert]:
            looked_at.append(accounts)
            if self.broken:
                raise RuntimeError("no thresholds now")
            return []

    monkeypatch.setattr(function, "usage_ingest", lambda: Ingest(door.world.store, door.world.clock))
    monkeypatch.setattr(watching, "thresholds", Watch)
    records = [{"messageId": "good", "body": received[0]["Body"]}, {"messageId": "bad", "body": "{}"}]
    assert function.handler({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert (total(door.world), looked_at) == (20, [{ACCOUNT}])
    Watch.broken = True
    again = function.handler({"Records": records[:1]}, None)
    assert again == {"batchItemFailures": [{"itemIdentifier": "good"}]}, "accounts that were not looked at come again"
    assert total(door.world) == 20


def test_a_queue_that_is_gone_is_an_outage(sqs: Any) -> None:
    with pytest.raises(Unavailable):
        SqsBatches(sqs, "https://sqs.eu-central-1.amazonaws.com/123456789012/gone").put("{}")


def test_the_accepting_function_answers_refusals_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.usage import accept as function

    door = Door()
    limit_producer(door.world.store, door.world.clock, ENTITY, "gw", Limit(1, 1), CLERK)
    monkeypatch.setattr(function, "usage_acceptance", lambda: door.accept)
    sent = {"entity_id": ENTITY, "producer": "gw", "body": body(1)}
    assert function.handler(sent, None)["events"] == 1
    refused = function.handler(sent, None)["refused"]
    assert (refused["code"], refused["retry_after_s"]) == ("too_many_events", 1)
