"""A day's work in parts: one call does what fits, a queue carries the rest, and the work is done once either way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from unittest.mock import patch

import pytest

from functions import daily, tracing
from functions.collections import issue_reminders
from functions.observed import logger
from functions.payments import collect
from saldo.collections.service import Reminders
from saldo.kernel.errors import Unavailable
from saldo.storage.items import Key
from tests.simulation.matrix import difference, essence
from tests.simulation.region import ENTITY_ID, PARTS, Region, quiet
from tests.simulation.workflows import Workflow, messages, workflows
from tests.simulation.workflows.scenes import billed, until

DAY = {"entity_id": ENTITY_ID, "as_of": "2026-02-09T08:00:00Z"}


@pytest.fixture
def region() -> Iterator[Region]:
    region = Region()
    with region.serving():
        billed(region)
        until(region, date(2026, 2, 9), hour=8)
        yield region


def sent(region: Region) -> list[str]:
    return [body for queue, body in region.queues.waiting if queue == PARTS]


def keys(*accounts: str) -> list[Key]:
    return [(account, sk) for account in accounts for sk in ("one", "other")]


def part(region: Region, due: list[Key], at_once: int) -> daily.Part:
    return daily.part_of(DAY, lambda _entity, _on: due, at_once)


def test_what_fits_is_done_by_the_call_that_lists_it(region: Region) -> None:
    assert part(region, keys("a", "b"), 4) == daily.Part(ENTITY_ID, "2026-02-09", tuple(keys("a", "b")))
    assert part(region, [], 4) == daily.Part(ENTITY_ID, "2026-02-09")
    assert sent(region) == []


def test_what_does_not_fit_is_sent_whole_and_an_account_is_never_cut(region: Region) -> None:
    due = keys(*(f"acct_eu_{n:02d}" for n in range(25)))
    assert part(region, due, 3).sent == 25 and part(region, due, 3).keys == ()
    parts = [daily.part_of(messages(body), lambda *_: [], 3) for body in sent(region)[:25]]
    assert [key for one in parts for key in one.keys] == due
    assert {one.as_of for one in parts} == {"2026-02-09"} and {len(one.keys) for one in parts} == {2}


def test_parts_carry_what_caused_them_and_are_done_in_its_name(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5;Sampled=1")
    tracing.follow("the day")
    part(region, keys("a", "b"), 2)
    assert [a["AWSTraceHeader"]["StringValue"] for a in region.queues.attributes] == ["Root=1-5;Sampled=1"] * 2
    tracing.follow("another")
    for body in sent(region):
        daily.part_of(messages(body), lambda *_: [], 2)
        assert tracing.carried() == {"correlation_id": "the day"} and logger().get_current_keys()["correlation_id"]
    tracing.follow("another")
    daily.part_of(messages(json.dumps({**DAY, "records": []})), lambda *_: [], 2)
    assert tracing.carried() == {"correlation_id": "another"}, "a message from before there were ids"


def test_an_account_with_more_than_a_part_is_a_part(region: Region) -> None:
    due = [*keys("a"), *(("b", str(n)) for n in range(9)), *keys("c")]
    part(region, due, 4)
    assert [len(daily.part_of(messages(body), lambda *_: [], 4).keys) for body in sent(region)] == [2, 9, 2]


def test_parts_of_large_accounts_go_in_calls_that_the_queue_takes(region: Region) -> None:
    accounts = [f"acct_eu_{n:02d}" for n in range(12)]
    due = [(account, f"term#sub_eu_{n:018d}") for account in accounts for n in range(1500)]
    assert part(region, due, 200).sent == 12
    assert [json.loads(body)["records"][0][0] for body in sent(region)] == accounts


def test_a_queue_that_takes_some_only_has_the_day_asked_for_again(region: Region) -> None:
    region.wire.fault = lambda _n, operation, when: "part" if (operation, when) == ("SendMessageBatch", "before") else 0
    with patch("tests.simulation.region.PART", "part"), pytest.raises(Unavailable):
        part(region, keys("a", "b", "c"), 2)


def test_letters_of_a_day_in_parts_are_those_of_a_day_in_one(region: Region) -> None:
    with patch.object(issue_reminders, "AT_ONCE", 1):
        assert issue_reminders.handler(DAY, None) == {"parts": 3, "letters": 0, "notices": 0, "changed": 0}
        assert issue_reminders.handler(DAY, None)["parts"] == 3, "asked for again after a crash"
    bodies = sent(region)
    assert len(bodies) == 6 and len({json.dumps(json.loads(body)) for body in bodies}) == 3
    letters = [issue_reminders.handler(messages(body), None)["letters"] for body in bodies]
    assert sum(letters) == 3 and letters == [1, 1, 1, 0, 0, 0]
    assert Reminders(region.store, region.clock).remind(ENTITY_ID).reminders == []


@pytest.mark.parametrize(
    "flow", [f for f in workflows() if f.name.startswith(("pay: a d", "pay: its", "promise: a day"))]
)
def test_a_day_of_payments_in_parts_is_a_day_in_one(flow: Workflow) -> None:
    """An account's promises, scheduled payments and rule are in one part, and in their order."""
    left = []
    for at_once in (100, 1):
        region = Region()
        with region.serving(), quiet(), patch.object(collect, "AT_ONCE", at_once):
            flow.prepare(region)
            flow.work(region)
            left.append(essence(region, flow))
    assert difference(*left) == ""


def test_an_accounts_payments_are_listed_together(region: Region) -> None:
    lists = (f"scheduled#{ENTITY_ID}", f"promises#{ENTITY_ID}", f"autopay#{ENTITY_ID}#2")
    for agenda, sk in zip(lists, ("paying#scheduled#1", "promise#1", "paying#rule"), strict=True):
        for account in ("acct_eu_000001", "acct_eu_000000"):
            item = {"pk": account, "sk": sk, "kind": "x", "agenda_pk": agenda, "agenda_on": "2026-02-01"}
            region.store.put_many([item])
    listed = [pk for pk, _ in collect._due(ENTITY_ID, date(2026, 2, 9))]
    assert listed == ["acct_eu_000000"] * 3 + ["acct_eu_000001"] * 3
