"""What follows from the records in the months: the stream tells all of it, and what is missing at rest is seen."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from saldo.kernel.errors import Unavailable
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit
from tests.simulation import following, streaming
from tests.simulation.dynamodb import Change
from tests.simulation.following import left_to_follow
from tests.simulation.prepared import _State
from tests.simulation.region import Region, quiet
from tests.simulation.simulator import Broken, Simulation
from tests.simulation.streaming import LATE, Lane, Reader, Stream, readers

LONG = 4  # entries: so that three months are enough for sums
Damage = Callable[[Region], object]


@pytest.fixture(scope="module")
def lived() -> Iterator[Region]:
    """Three months and rest."""
    with pytest.MonkeyPatch.context() as patch, quiet():
        patch.setattr(following, "LONG", LONG)
        simulation = Simulation(3, 6)
        simulation.run(3)
        with simulation.region.serving():
            yield simulation.region


def _of_kind(region: Region, kind: str) -> list[Item]:
    with region.undisturbed():
        return [item for item in region.store.scan() if item["kind"] == kind]


def _put(region: Region, kind: str, **changes: Any) -> None:
    region.store.write_one(Unit("damage").put(_of_kind(region, kind)[0] | changes))


def _take_away(region: Region, kind: str, **like: str) -> None:
    item = next(one for one in _of_kind(region, kind) if one.items() >= like.items())
    key: Key = item["pk"], item["sk"]
    region.store.write_one(Unit("damage").delete(key))


def _twice_mailed(region: Region) -> None:
    assert region.mail.taken
    region.mail.taken += region.mail.taken[:1] * 2


def _said_otherwise(region: Region) -> None:
    entry = region.bus.taken[0]
    detail = json.loads(entry["Detail"]) | {"account_id": "acct_eu_other"}
    region.bus.taken.append(entry | {"Detail": json.dumps(detail)})


def _of_nothing(region: Region) -> None:
    entry = next(one for one in region.bus.taken if one["DetailType"] == "invoice.issued")
    detail = json.loads(entry["Detail"]) | {"id": "evt_other", "invoice_id": "inv_other"}
    region.bus.taken.append(entry | {"Detail": json.dumps(detail)})


def _untold(region: Region) -> None:
    lost = json.loads(region.bus.taken[0]["Detail"])["id"]
    region.bus.taken[:] = [one for one in region.bus.taken if json.loads(one["Detail"])["id"] != lost]


DAMAGE: dict[str, tuple[Damage, tuple[int, str]]] = {
    "an event was lost": (_untold, (25, "was not told")),
    "an event of nothing": (_of_nothing, (25, "did not happen so often")),
    "an event that says something else": (_said_otherwise, (25, "says something else")),
    "a chain is gone": (lambda r: _take_away(r, "chain"), (24, "chain")),
    "sums of days are behind": (lambda r: _take_away(r, "day_sums"), (3, "sums of its days")),
    "sums of what is open are behind": (lambda r: _put(r, "open_sums", entries=1), (18, "what is open")),
    "payments are behind": (lambda r: _put(r, "payments", folded=0), (25, "behind")),
    "queues were not counted": (lambda r: _put(r, "work", numbers={"tickets": 7}), (25, "other numbers")),
    "a letter went three times": (_twice_mailed, (22, "mailed 3 times")),
    "a letter without a record": (lambda r: _take_away(r, "delivery", status="sent"), (22, "nobody wrote it down")),
}


def test_at_rest_all_has_followed(lived: Region) -> None:
    kinds = {"chain", "day_sums", "open_sums", "payments", "work"}
    assert all(_of_kind(lived, kind) for kind in kinds) and lived.mail.taken
    told = {entry["DetailType"] for entry in lived.bus.taken}
    assert told >= {"invoice.issued", "credit_note.issued", "invoice.paid", "payment.settled", "reminder.issued"}
    assert left_to_follow(lived) == []


@pytest.mark.parametrize("name", list(DAMAGE))
def test_what_has_not_followed_is_seen(lived: Region, name: str) -> None:
    damage, (invariant, words) = DAMAGE[name]
    before, changed = _State.of(lived), lived.records.stream
    try:
        damage(lived)
        found = left_to_follow(lived)
    finally:
        before.put_back(lived)
        lived.records.stream = changed
    assert [(v.invariant, words in v.message) for v in found] == [(invariant, True)], found


def test_a_month_whose_stream_is_not_told_does_not_come_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stream, "hand_out", lambda *_, **__: None)
    with quiet(), pytest.raises(Broken, match=r"rest: 24 .* in no link"):
        Simulation(3, 3).run(1)


# -- how it tells ----------------------------------------------------------------------------------------------------


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The batches that functions were handed: sort keys."""
    batches: list[list[str]] = []

    def run(function: str, event: dict[str, Any]) -> dict[str, Any]:
        batches.append([record["dynamodb"]["Keys"]["sk"]["S"] for record in event["Records"]])
        return {"batchItemFailures": []}

    monkeypatch.setattr(streaming, "run_hosted", run)
    return batches


def _lane(*keys: str, names_failures: bool = False, halves: bool = True) -> Lane:
    waiting = [(n, Change("acct_a", key, None, {"sk": {"S": key}})) for n, key in enumerate(keys)]
    return Lane(Reader("publish_events", (), 100, halves, names_failures, 1), deque(waiting))


def test_the_two_functions_of_the_template_read_it_by_their_filters() -> None:
    by_name = {reader.function: reader for reader in readers()}
    assert by_name.keys() == {"publish_events", "link_audit"}
    takes = {
        name: [
            (event, sk)
            for event, sk in (
                *(("INSERT", "invoice#1"), ("INSERT", "audit#1"), ("MODIFY", "balance"), ("REMOVE", "balance")),
                *(("INSERT", "chain#open"), ("REMOVE", "chain#open"), ("MODIFY", "chain#0000000001")),
                *(("INSERT", "body#1"), ("INSERT", "discrepancy#1")),
            )
            if any(p.takes(_change(event, sk)) for p in reader.patterns)
        ]
        for name, reader in by_name.items()
    }
    assert takes["publish_events"] == [("INSERT", "invoice#1")]
    assert takes["link_audit"] == [
        *(("INSERT", "audit#1"), ("MODIFY", "balance"), ("REMOVE", "chain#open")),
        *(("MODIFY", "chain#0000000001"), ("INSERT", "discrepancy#1")),
    ]


def _change(event: str, sk: str) -> Change:
    old, new = {"sk": {"S": "old"}}, {"sk": {"S": "new"}}
    return Change("acct_a", sk, None if event == "INSERT" else old, None if event == "REMOVE" else new)


def test_a_batch_that_fails_comes_again_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []

    def run(_function: str, event: dict[str, Any]) -> dict[str, Any]:
        batches.append(len(event["Records"]))
        if len(batches) < 3:
            raise Unavailable("down")
        return {}

    monkeypatch.setattr(streaming, "run_hosted", run)
    lane = _lane(*"abcdefgh")
    for _ in range(2):
        with pytest.raises(Unavailable):
            lane.hand_out()
    while lane.waiting:
        lane.hand_out()
    assert batches == [8, 4, 2, 6]


def test_what_a_batch_names_comes_again_with_all_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["2", ""])

    def run(_function: str, event: dict[str, Any]) -> dict[str, Any]:
        failed = next(answers)
        return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}

    monkeypatch.setattr(streaming, "run_hosted", run)
    lane = _lane(*"abcd", names_failures=True)
    with pytest.raises(Unavailable):
        lane.hand_out()
    assert [change.sk for _, change in lane.waiting] == ["c", "d"]
    lane.hand_out()
    assert not lane.waiting


def test_changes_come_in_the_order_of_the_writes_and_some_twice(told: list[list[str]]) -> None:
    region = Region()
    stream = Stream(region)
    for n in range(200):
        region.store.write_one(Unit("w").put({"pk": "acct_a", "sk": f"audit#{n:03d}", "kind": "audit"}))
        stream.hand_out(Random(n), everything=True)
    heard = [sk for batch in told for sk in batch]
    assert list(dict.fromkeys(heard)) == [f"audit#{n:03d}" for n in range(200)] and 200 < len(heard) < 230


def test_a_write_that_changes_nothing_is_not_told(told: list[list[str]]) -> None:
    region = Region()
    stream = Stream(region)
    for _ in range(2):
        region.store.write_one(Unit("w").put({"pk": "acct_a", "sk": "balance", "kind": "balance", "EUR": 1}))
    stream.hand_out(Random(1), everything=True)
    assert set(map(tuple, told)) == {("balance",)}


def test_what_lies_for_minutes_is_due() -> None:
    region = Region()
    stream = Stream(region)
    region.store.write_one(Unit("w").put({"pk": "acct_a", "sk": "audit#1", "kind": "audit"}))
    assert not stream.is_due()
    region.now += LATE
    assert stream.is_due()
