"""Usage is stored once, whatever comes twice, late in the month, broken or at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from saldo.kernel.errors import Refusal, Unavailable
from saldo.kernel.ids import fingerprint
from saldo.kernel.periods import Period
from saldo.storage.items import Item
from saldo.usage.model import Aggregation, Meter, UsageKey
from saldo.usage.records import PART_BYTES, events_of_chunk
from saldo.usage.service import UsageTotals
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, account
from tests.contexts.usage.scenes import OTHER_SELLERS, TOKENS, World, row
from tests.simulation.dynamodb import Crash

NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))


@pytest.fixture
def world() -> World:
    return World()


def total(world: World, meter: str = "tokens", period: Period = NOVEMBER, account_id: str = ACCOUNT) -> Decimal:
    key = UsageKey("sub_1", meter, period)
    return UsageTotals(world.store).totals([(account(account_id), key)])[account_id][key]


def codes(world: World, *rows: object) -> list[list[str]]:
    report = world.usage.ingest(ENTITY, list(rows), origin="batch")  # type: ignore[arg-type]  # rows of the scenes
    return [[p.code for p in rejected.problems] for rejected in report.rejected]


def test_events_are_counted_in_the_customers_own_month(world: World) -> None:
    rows = [
        row(1, at="2026-10-31T22:59:59.999999Z", value="1"),
        row(2, at="2026-10-31T23:00:00Z", value="10"),
        row(3, at="2026-11-23T12:04:00+00:00", value="100.5"),
    ]
    report = world.usage.ingest(ENTITY, rows, origin="batch")
    assert (report.rows, report.accepted, report.duplicates, report.meters) == (3, 3, 0, {"tokens": 3})
    assert total(world) == Decimal("110.5")
    assert total(world, period=Period(date(2026, 10, 1), date(2026, 11, 1))) == 1


def test_an_event_names_a_subscription_of_its_own_account(world: World) -> None:
    apart = Meter("apart", ENTITY, Aggregation.SUM, {"en": "Apart"}, {}, by_subscription=True)
    world.usage.define_meter(apart, CLERK)
    pairs = [(ACCOUNT, "sub_own"), ("acct_eu_second", "sub_others")]
    world.store.put_many([{"pk": a, "sk": f"subscription#{sold}", "kind": "subscription"} for a, sold in pairs])
    told = {1: {"property__subscription": "sub_own"}, 2: {"property__subscription": "sub_others"}, 3: {}}
    told |= {
        4: {"property__subscription": "x" * 101},
        5: {"property__subscription": "sub_others", "account_id": pairs[1][0]},
    }
    rows = [row(number, meter="apart", **fields) for number, fields in told.items()]
    assert codes(world, *rows) == [["unknown_subscription"], ["missing_subscription"], ["invalid_properties"]]
    with pytest.raises(Refusal, match="apart by itself"):
        world.usage.define_meter(replace(apart, id="odd", filters={"subscription": ("sub_own",)}), CLERK)


def test_a_repeat_that_says_the_same_changes_nothing(world: World) -> None:
    rows = [row(i) for i in range(1, 5)]
    world.usage.ingest(ENTITY, [*rows, row(1)], origin="batch")
    before = list(world.store.scan())
    report = world.usage.ingest(ENTITY, rows, origin="other")
    assert (report.accepted, report.duplicates, report.rejected) == (0, 4, [])
    assert list(world.store.scan()) == before
    assert total(world) == 400


def test_a_repeat_that_says_something_else_is_rejected_and_the_first_one_counts(world: World) -> None:
    assert codes(world, row(1), replace(row(1, value="999"), number=2)) == [["differs_from_first"]]
    assert codes(world, replace(row(1, at="2026-11-05T10:00:01Z"), number=3)) == [["differs_from_first"]]
    assert total(world) == 100
    assert [item["row"] for item in world.items("quarantine")] == [2, 3]


def test_a_repeat_with_a_time_in_the_month_next_door_is_found(world: World) -> None:
    world.usage.ingest(ENTITY, [row(1, at="2026-10-31T10:00:00Z")], origin="batch")
    assert codes(world, row(1, at="2026-11-01T10:00:00Z")) == [["differs_from_first"]]
    both = [row(2, at="2026-10-31T10:00:00Z"), replace(row(2, at="2026-11-01T10:00:00Z"), number=3)]
    assert codes(world, *both) == [["differs_from_first"]]


def test_meters_and_accounts_count_apart(world: World) -> None:
    rows = [row(1), row(1, meter="calls", value=""), row(1, account_id="acct_eu_second", value="7")]
    assert world.usage.ingest(ENTITY, rows, origin="batch").accepted == 3
    assert (total(world), total(world, "calls"), total(world, account_id="acct_eu_second")) == (100, 1, 7)


def test_distinct_people_are_counted_by_their_property(world: World) -> None:
    people = [row(i, meter="people", value="", property__person=f"p{i % 3}") for i in range(1, 8)]
    assert codes(world, *people, row(8, meter="people", value="")) == [["missing_property"]]
    assert total(world, "people") == 3


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"id": ""}, ["invalid_id"]),
        ({"source": "a b"}, ["invalid_id"]),
        ({"account_id": "Kontor"}, ["invalid_account_id"]),
        ({"account_id": "acct_eu_gone"}, ["unknown_account"]),
        ({"account_id": OTHER_SELLERS}, ["unknown_account"]),
        ({"account_id": "acct_us_there"}, ["other_region"]),
        ({"meter": "steps"}, ["unknown_meter"]),
        ({"at": "yesterday"}, ["invalid_time"]),
        ({"at": "2026-11-05 10:00:00"}, ["invalid_time"]),
        ({"at": "1970-01-01T00:00:00Z"}, ["invalid_time"]),
        ({"at": "2026-11-23T12:06:00Z"}, ["in_the_future"]),
        ({"value": "-1"}, ["negative_value"]),
        ({"value": "many"}, ["invalid_value"]),
        ({"value": "NaN"}, ["invalid_value"]),
        ({"value": "1_000"}, ["invalid_value"]),
        ({"value": "\uff11\uff12"}, ["invalid_value"]),
        ({"value": ""}, ["invalid_value"]),
        ({"value": "1e50"}, ["invalid_value"]),
        ({"property__x": "y" * 101}, ["invalid_properties"]),
        (
            {"id": "", "account_id": "acct_eu_gone", "at": "x", "value": "-2"},
            ["invalid_id", "invalid_time", "negative_value", "unknown_account"],
        ),
    ],
)
def test_everything_wrong_with_a_row_is_named(world: World, fields: dict[str, str], expected: list[str]) -> None:
    assert codes(world, row(1, **fields), row(2)) == [expected]
    assert total(world) == 100
    (held,) = world.items("quarantine")
    assert [p["code"] for p in held["problems"]] == expected
    assert (held["pk"], held["row"], held["text"]) == (ENTITY, 1, "row 1")


def test_a_level_may_fall_below_zero(world: World) -> None:
    world.usage.ingest(ENTITY, [row(1, meter="level", value="-4")], origin="batch")
    assert total(world, "level") == -4


def test_large_months_are_split_into_parts_and_read_whole(world: World) -> None:
    rows = [row(i, id=fingerprint(str(i))) for i in range(1, 6001)]
    assert world.usage.ingest(ENTITY, rows, origin="batch").accepted == 6000
    report = world.usage.ingest(ENTITY, rows[::7], origin="again")
    assert (report.accepted, report.duplicates) == (0, 858)
    parts = world.items("usage")
    assert len(parts) > 1
    assert all(len(part["events"]) <= PART_BYTES for part in parts)
    assert sum(part["count"] for part in parts) == sum(len(events_of_chunk(part)) for part in parts) == 6000
    assert total(world) == 600_000


def test_a_months_usage_of_fifty_accounts_is_read_in_a_few_calls(world: World) -> None:
    names = [f"acct_eu_{i:03d}" for i in range(50)]
    world.table.bill.calls.clear()
    wanted = [(account(name), UsageKey("sub", meter, NOVEMBER)) for name in names for meter in ("tokens", "calls")]
    totals = UsageTotals(world.store).totals(wanted)
    assert all(value == 0 for one in totals.values() for value in one.values())
    assert world.table.bill.total_calls <= 3


def test_a_key_of_an_unknown_meter_is_left_out(world: World) -> None:
    key = UsageKey("sub", "steps", NOVEMBER)
    assert UsageTotals(world.store).totals([(account(), key)]) == {ACCOUNT: {}}


class Meddler:
    """Stores usage of its own just before the n-th transaction of someone else."""

    def __init__(self, world: World, act: Callable[[], object], times: int = 1) -> None:
        self._world, self._act, self._left = world, act, times

    def __call__(self, _number: int, operation: str, when: str) -> None:
        if operation == "TransactWriteItems" and when == "before" and self._left:
            self._left -= 1
            fault, self._world.table.fault = self._world.table.fault, None
            self._act()
            self._world.table.fault = fault


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("at", ["2026-11-05T10:00:00Z", "2026-12-01T00:00:00Z"])
def test_the_same_event_stored_by_two_at_the_same_moment_counts_once(world: World, at: str, before: int) -> None:
    """In one month or in two next to each other; whether or not there was usage before."""
    world.clock.advance(days=30)
    world.usage.ingest(ENTITY, [row(9)] * before, origin="before")
    world.table.fault = Meddler(world, lambda: world.usage.ingest(ENTITY, [row(1)], origin="other"))
    report = world.usage.ingest(ENTITY, [row(1, at=at), row(2)], origin="batch")
    world.table.fault = None
    assert report.accepted == 1
    assert report.duplicates + len(report.rejected) == 1
    assert total(world) == 200 + 100 * before


def test_the_same_event_stored_next_door_at_the_same_moment_counts_once(world: World) -> None:
    """Nothing else of the batch lies in the month next to it, which was there before."""
    world.clock.advance(days=30)
    world.usage.ingest(ENTITY, [row(9)], origin="before")
    world.table.fault = Meddler(world, lambda: world.usage.ingest(ENTITY, [row(1)], origin="other"))
    report = world.usage.ingest(ENTITY, [row(1, at="2026-12-01T00:00:00Z")], origin="batch")
    world.table.fault = None
    assert (report.accepted, report.duplicates + len(report.rejected)) == (0, 1)
    assert total(world) == 200


def test_endless_contention_is_reported_as_an_outage(world: World) -> None:
    numbers = iter(range(100, 200))
    meddle = Meddler(world, lambda: world.usage.ingest(ENTITY, [row(next(numbers))], origin="other"), times=50)
    world.table.fault = meddle
    with pytest.raises(Unavailable):
        world.usage.ingest(ENTITY, [row(1)], origin="batch")


def test_a_crash_at_any_call_and_a_repeat_end_in_the_same_records() -> None:
    rows = [row(i, account_id=a, at=f"2026-{m}-05T10:00:00Z", id=f"e{i}{a}{m}") for i in range(3)
            for a in (ACCOUNT, "acct_eu_second") for m in ("09", "10", "11")]  # fmt: skip
    rows.append(row(99, value="-1"))

    def crash_at(call: int, side: str) -> tuple[bool, list[Item]]:
        world = World()
        first = world.table.calls

        def fault(number: int, _operation: str, when: str) -> None:
            if number - first == call and when == side:
                raise Crash

        world.table.fault = fault
        try:
            world.usage.ingest(ENTITY, rows, origin="batch")
            crashed = False
        except Crash:
            crashed = True
            world.table.fault = None
            world.usage.ingest(ENTITY, rows, origin="batch")
        world.table.fault = None
        return crashed, sorted(world.store.scan(), key=lambda i: (i["pk"], i["sk"]))

    _, undisturbed = crash_at(0, "before")
    for side in ("before", "after"):
        for call in range(1, 100):
            crashed, items = crash_at(call, side)
            assert items == undisturbed
            if not crashed:
                assert call > 5
                break


def test_how_a_meter_counts_is_fixed(world: World) -> None:
    assert world.usage.define_meter(TOKENS, CLERK) is False
    assert world.usage.define_meter(replace(TOKENS, names={"en": "All tokens"}), CLERK) is True
    with pytest.raises(Refusal, match="meter_is_fixed"):
        world.usage.define_meter(replace(TOKENS, aggregation=Aggregation.MAX), CLERK)


def test_every_fault_of_a_meter_is_named() -> None:
    with pytest.raises(Refusal) as refusal:
        World().usage.define_meter(Meter("A B", ENTITY, Aggregation.UNIQUE, {}, {}), CLERK)
    assert {p.code for p in refusal.value.problems} == {"invalid_id", "invalid_unique_by", "missing"}
