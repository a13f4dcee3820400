"""Events in the table and events in files give the same numbers, whatever comes, in whatever order, however often."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saldo.catalog.model import Matrix, Percentage, PerUnit, PriceModel
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Period, local_midnight
from saldo.kernel.rounding import Rounding
from saldo.storage.units import Unit
from saldo.usage import partitions_sql as sql
from saldo.usage.ingest import Ingest
from saldo.usage.ingest_rows import UsageRow
from saldo.usage.model import Aggregation, Counted, CountWindow, Meter, OfWindows, Repeats, UsageKey
from saldo.usage.model_windows import AccountUsage, Terms
from saldo.usage.partitions import Partitions
from saldo.usage.partitions_engine import Engine
from saldo.usage.partitions_ingest import UsageIntoFiles
from saldo.usage.partitions_remote import CountedElsewhere, answered
from saldo.usage.ports import Ask
from saldo.usage.records import subscription_key
from saldo.usage.records_windows import closings_from, closings_key, write_windows
from saldo.usage.rules import needs_of
from saldo.usage.rules_windows import closed
from saldo.usage.totals import UsageTotals
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, account
from tests.contexts.usage.scenes import MemoryFiles, World
from tests.property.examples import examples

IN_FILES = "acct_eu_second"
NAMES = {"en": "x"}
ENGINE = Engine(threads=1, memory_mb=256)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
PLAIN = PerUnit(Decimal(1))
BY_REGION = Matrix(("region", "size"), (), PLAIN)
BY_EVENT = Percentage(Decimal("0.01"), per_event=Decimal(1))


def meter(id_: str, aggregation: Aggregation, **more: object) -> Meter:
    return Meter(id_, ENTITY, aggregation, NAMES, {}, **more)  # type: ignore[arg-type]  # fields of several types by name


FIVE, TOP = CountWindow.FIVE_MINUTES, Decimal("99.999")  # more is empty of a month by five minutes than falls above it
FILTER = {"region": ("eu", "us")}
METERS = [
    meter("sum", Aggregation.SUM, counts="work"),
    meter("sum.eu", Aggregation.SUM, counts="work", filters=FILTER),
    meter("count", Aggregation.COUNT, counts="work"),
    meter("regions", Aggregation.UNIQUE, counts="work", unique_by="region", filters={"region": ("eu", "us", "é'\"\\")}),
    meter("max", Aggregation.MAX, counts="work"),
    meter("latest", Aggregation.LATEST, counts="work", filters=FILTER),
    meter("weighted", Aggregation.WEIGHTED, counts="work"),
    meter("seats", Aggregation.WEIGHTED, counts="level", carries=True),
    meter("seats.eu", Aggregation.LATEST, counts="level", carries=True, filters=FILTER),
    meter("peak", Aggregation.LATEST, counts="level"),
    meter("fixed", Aggregation.SUM, counts="fix", repeats=Repeats.LAST),
    meter("fixed.first", Aggregation.MAX, counts="fix", carries=True),
    meter("fixed.count", Aggregation.COUNT, counts="fix", repeats=Repeats.LAST, filters=FILTER),
    meter("least", Aggregation.MIN, counts="work"),
    meter("mean", Aggregation.AVERAGE, counts="work"),
    meter("mean.level", Aggregation.AVERAGE, counts="level", filters=FILTER),
    meter("hourly.max", Aggregation.MAX, counts="level", per=CountWindow.HOUR),
    meter("hourly.mean", Aggregation.AVERAGE, counts="level", per=CountWindow.HOUR, rounding=Rounding.UP, digits=1),
    meter("daily.regions", Aggregation.UNIQUE, counts="level", unique_by="size", per=CountWindow.DAY),
    meter("daily.latest", Aggregation.LATEST, counts="level", per=CountWindow.DAY, filters=FILTER),
    meter("monthly.least", Aggregation.MIN, counts="level", per=CountWindow.MONTH),
    meter("hours.used", Aggregation.COUNT, counts="work", per=CountWindow.HOUR, factor=Decimal("0.25")),
    meter("gigabytes", Aggregation.SUM, counts="work", factor=Decimal("0.1"), rounding=Rounding.HALF_EVEN),
    meter("seat.days", Aggregation.WEIGHTED, counts="level", whole_days=True),
    meter("seat.days.on", Aggregation.WEIGHTED, counts="level", carries=True, whole_days=True, factor=Decimal(30)),
    meter("sold", Aggregation.SUM, by_subscription=True),
    meter("sold.peak", Aggregation.MAX, counts="sold", by_subscription=True, filters=FILTER, per=CountWindow.DAY),
    meter("sold.seats", Aggregation.WEIGHTED, counts="seats.sold", by_subscription=True, carries=True),
    meter("sold.fixed", Aggregation.SUM, counts="resold", by_subscription=True, repeats=Repeats.LAST),
    meter("p95", Aggregation.PERCENTILE, counts="work", percentile=Decimal(95)),
    meter("p50.fixed", Aggregation.PERCENTILE, counts="fix", repeats=Repeats.LAST, percentile=Decimal("50.5")),
    meter("hourly.p", Aggregation.PERCENTILE, counts="level", percentile=Decimal(30), per=CountWindow.HOUR),
    meter("p.five", Aggregation.SUM, counts="level", per=FIVE, of_windows=OfWindows.PERCENTILE, percentile=TOP),
    meter("top.day", Aggregation.SUM, counts="work", per=CountWindow.DAY, of_windows=OfWindows.MAX),
    meter("low.month", Aggregation.SUM, counts="level", per=CountWindow.MONTH, of_windows=OfWindows.MIN),
    meter("mean.hour", Aggregation.AVERAGE, counts="level", per=CountWindow.HOUR, of_windows=OfWindows.AVERAGE),
    meter("minutes", Aggregation.SUM, counts="work", increment=Decimal(60), factor=Decimal("0.5")),
    meter("carrier", Aggregation.SUM, counts="work", least=Decimal("30.5"), increment=Decimal(6)),
    meter("machine", Aggregation.MAX, counts="fix", least=Decimal(60), repeats=Repeats.LAST),
    meter("steps", Aggregation.SUM, counts="level", increment=Decimal("0.000000000003"), per=CountWindow.DAY),
    meter("fixed.mean", Aggregation.AVERAGE, counts="fix", repeats=Repeats.LAST, rounding=Rounding.DOWN, digits=3),
]
SOLD, SUBSCRIPTIONS = ("sold", "seats.sold", "resold"), ("sub_0", "sub_1")
ASKED: list[tuple[str, PriceModel]] = [
    *((m.id, price) for m in METERS for price in (PLAIN, BY_REGION)),
    ("sum", BY_EVENT),
    ("fixed", BY_EVENT),
    ("gigabytes", BY_EVENT),
    ("minutes", BY_EVENT),
]

digits = st.integers(-(10**15), 10**15)
values = st.one_of(
    st.builds(lambda n, e: Decimal(n).scaleb(-e), digits, st.integers(0, 12)),
    st.sampled_from([Decimal("99999999999999.999999999999"), Decimal("0.000000000001"), Decimal(0), Decimal(7)]),
)


PERIODS = [
    Period(date(2026, 10, 1), date(2026, 11, 1)),
    Period(date(2026, 10, 25), date(2026, 10, 26)),  # clocks go back in Berlin
    Period(date(2026, 8, 1), date(2026, 11, 1)),
    Period(date(2026, 10, 31), date(2026, 11, 2)),  # clocks go back in New York; months meet
    Period(date(2026, 7, 31), date(2026, 10, 31)),
]


@dataclass(frozen=True)
class Scene:
    """What is asked, and what was told, batch by batch."""

    zone: str
    period: Period
    asked: list[tuple[str, PriceModel]]
    batches: list[list[dict[str, str]]]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Events around what goes wrong: bounds of the period in the zone, ends of months (UTC), and months apart."""
    zone, period = draw(st.sampled_from(ZONES)), draw(st.sampled_from(PERIODS))
    start, end = period.instants(zone)
    middles = [start + (end - start) / 2, local_midnight(date(2026, 10, 25), zone) + timedelta(hours=2)]
    months = [datetime(2026, m, 1, tzinfo=UTC) for m in (8, 9, 10, 11)]
    near = st.sampled_from([-1, 0, 0, 1, -3_600_000_000, 86_399_999_999])
    instants = st.builds(
        lambda at, us: at + timedelta(microseconds=us), st.sampled_from([start, end, *middles, *months]), near
    )
    events = st.lists(told(instants), min_size=1, max_size=10)
    batches = draw(st.lists(events, min_size=1, max_size=3))
    asked = draw(st.lists(st.sampled_from(range(len(ASKED))), min_size=4, max_size=8, unique=True))
    return Scene(zone, period, [ASKED[i] for i in asked], batches)


@st.composite
def told(draw: st.DrawFn, instants: st.SearchStrategy[datetime]) -> dict[str, str]:
    name = draw(st.sampled_from(["work", "level", "fix", *SOLD]))
    value = draw(values)
    fields = {
        "source": draw(st.sampled_from(["a", "a", "b"])),
        "id": draw(st.sampled_from("123")),
        "meter": name,
        "at": draw(instants).astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "value": format(value if name in ("level", "seats.sold") else abs(value), "f"),
    }
    sold = draw(st.sampled_from([*SUBSCRIPTIONS, *SUBSCRIPTIONS, "sub_nobodys", ""])) if name in SOLD else ""
    properties = {
        "region": draw(st.sampled_from(["eu", "eu", "us", "", "é'\"\\"])),
        "size": draw(st.sampled_from(["l", ""])),
        "subscription": sold,
    }
    return fields | {f"property.{k}": v for k, v in properties.items() if v}


class TwoPaths:
    """One seller; two customers who use the same, one in the table, the other in files."""

    def __init__(self) -> None:
        self.world = World()
        for one in METERS:
            self.world.usage.define_meter(one, CLERK)
        self.world.usage.keep_in_files(ENTITY, IN_FILES, CLERK)
        keys = [subscription_key(a, sold) for a in (ACCOUNT, IN_FILES) for sold in SUBSCRIPTIONS]
        self.world.store.put_many([{"pk": pk, "sk": sk, "kind": "subscription"} for pk, sk in keys])
        self.files = MemoryFiles({})
        in_files = UsageIntoFiles(self.world.store, self.files, self.world.clock, ENGINE)
        self.ingest = Ingest(self.world.store, self.world.clock, in_files)
        self.totals = UsageTotals(self.world.store, Partitions(self.world.store, self.files, ENGINE))

    def take(self, rows: Sequence[Mapping[str, str]]) -> None:
        self.world.clock.advance(seconds=1)
        for account_id in (ACCOUNT, IN_FILES):
            numbered = [UsageRow(n, "", {**fields, "account_id": account_id}) for n, fields in enumerate(rows, 1)]
            self.ingest.ingest(ENTITY, numbered, origin=f"batch-{self.world.clock()}")

    def bill(self, scene: Scene) -> None:
        """Close each meter's window for both, as a run does."""
        once = replace(scene, asked=list({meter_id: (meter_id, price) for meter_id, price in scene.asked}.values()))
        for account_id, usage in zip((ACCOUNT, IN_FILES), self.read(once), strict=True):
            windows = [
                closed(
                    account(account_id, time_zone=scene.zone),
                    key,
                    Terms("plan", "part", needs=needs_of(price)),
                    (Counted(usage.totals[key], usage.details[key]), usage.cutoffs[key]),
                    on=scene.period.end,
                    invoice_id="inv_1",
                )
                for key, (_, price) in zip(usage.totals, once.asked, strict=True)
            ]
            closings = closings_from(account_id, self.world.store.get(*closings_key(account_id)))
            unit = write_windows(Unit(f"bill {account_id}"), account_id, ENTITY, closings, windows)
            assert self.world.store.write_one(unit) is None

    def read(self, scene: Scene) -> tuple[AccountUsage, AccountUsage]:
        """What a run would know of each; it asks for both in one go."""
        asked = [
            (UsageKey(SUBSCRIPTIONS[place % 2], meter_id, scene.period), price)
            for place, (meter_id, price) in enumerate(scene.asked)
        ]
        found = self.totals.read({account(a, time_zone=scene.zone): asked for a in (ACCOUNT, IN_FILES)})
        return found[ACCOUNT], found[IN_FILES]


def every_kind() -> Scene:
    """Everything that is asked of meters, of events over days on which clocks change, some of them sent twice."""
    period, zone = Period(date(2026, 10, 1), date(2026, 11, 2)), "America/New_York"
    start, end = period.instants(zone)
    minutes = [0, 1, 17, 59, 60, 24 * 60 - 1, 5 * 24 * 60 + 30, 24 * 60 * 31 + 70, 24 * 60 * 31 + 130, -1]
    instants = [*(start + timedelta(minutes=m) for m in minutes), end, end - timedelta(microseconds=1)]
    rows = [
        {
            "source": "a",
            "id": f"{name}-{n}",
            "meter": name,
            "at": at.isoformat().replace("+00:00", "Z"),
            "value": f"{(n * 7919 % 101) * (-1 if name in ('level', 'seats.sold') and n % 3 == 0 else 1)}.{n:02d}7",
            "property.region": ("eu", "us", "é'\"\\")[n % 3],
        }
        | ({"property.size": "lm"[n % 2]} if n % 4 else {})
        | ({"property.subscription": SUBSCRIPTIONS[n // 2 % 2]} if name in SOLD else {})
        for name in ("work", "level", "fix", *SOLD)
        for n, at in enumerate(instants)
    ]
    changed = [row | {"value": "5"} for row in rows if row["meter"] == "fix"][:4]
    return Scene(zone, period, ASKED, [rows, [*rows[:5], *changed]])


def agree(table: AccountUsage, files: AccountUsage) -> None:
    """Exactly the same numbers; what is known of months differs, as it says how much lies there."""
    assert files.totals == table.totals
    assert files.details == table.details
    assert {k: c.arrivals for k, c in files.cutoffs.items()} == {k: c.arrivals for k, c in table.cutoffs.items()}


def test_every_kind_of_meter_counts_alike_in_both_paths_now_and_late() -> None:
    assert {m.aggregation for m in METERS} == set(Aggregation)
    assert {m.per for m in METERS} == {None, *CountWindow}
    assert {m.of_windows for m in METERS} == set(OfWindows)
    scene, paths = every_kind(), TwoPaths()
    paths.take(scene.batches[0][::2])
    paths.bill(scene)
    paths.take(scene.batches[0])
    paths.take(scene.batches[1])
    table, files = paths.read(replace(scene, asked=[]))
    assert len(table.late) == len(METERS) and all(late.now.quantity for late in table.late), "something came of each"
    assert [(w.window.meter_id, w.now, w.billed) for w in files.late] == [
        (w.window.meter_id, w.now, w.billed) for w in table.late
    ]
    agree(*paths.read(scene))


@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes())
def test_both_paths_count_the_same(scene: Scene) -> None:
    paths = TwoPaths()
    for some in scene.batches:
        paths.take(some)
    agree(*paths.read(scene))


@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes())
def test_both_paths_tell_the_same_of_what_came_after_a_window_was_billed(scene: Scene) -> None:
    paths = TwoPaths()
    paths.take(scene.batches[0])
    paths.bill(scene)
    for some in scene.batches[1:]:
        paths.take(some)
    table, files = paths.read(replace(scene, asked=[]))
    assert [(w.window.meter_id, w.policy, w.now, w.billed, w.cutoff.arrivals) for w in files.late] == [
        (w.window.meter_id, w.policy, w.now, w.billed, w.cutoff.arrivals) for w in table.late
    ]
    agree(*paths.read(scene))


def test_events_that_only_share_a_hash_are_as_many_events(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALIKE", "TWICE"):
        monkeypatch.setattr(sql, name, getattr(sql, name).replace("hash(source, id)", "hash(source, id) % 2"))
    paths = TwoPaths()
    told_ = {"meter": "work", "at": "2026-10-05T00:00:00Z", "value": "1"}
    paths.take([told_ | {"source": source, "id": str(n)} for source in "ab" for n in range(20)])
    paths.take([told_ | {"source": "a", "id": "7", "value": "5"}])
    scene = Scene("UTC", Period(date(2026, 10, 1), date(2026, 11, 1)), [("sum", PLAIN)], [])
    table, files = paths.read(scene)
    assert list(files.totals.values()) == [Decimal(40)]
    agree(table, files)


def test_what_a_function_says_of_files_is_what_was_counted() -> None:
    """The call that carries a question to the function that counts, and its answer back, change nothing."""
    paths = TwoPaths()
    properties = {"property.region": "é'\"\\", "property.size": "l"}
    told_ = {"source": "a", "id": "1", "meter": "work", "at": "2026-10-05T00:00:00Z", "value": "0.000000000001"}
    paths.take([told_ | properties, told_ | {"id": "2", "value": "3"}])
    period = Period(date(2026, 10, 1), date(2026, 11, 1))
    needs = [needs_of(price) for price in (PLAIN, BY_REGION, BY_EVENT)]
    asks = [
        Ask(IN_FILES, "UTC", one, period, needs[n % len(needs)], known)
        for n, one in enumerate(METERS)
        for known in (None, {})
    ]
    large = Partitions(paths.world.store, paths.files, ENGINE)
    remote = CountedElsewhere(AFunction(large), "count_usage")  # type: ignore[arg-type]  # the one method that is used
    assert remote.count(asks) == large.count(asks)
    assert remote.known(asks) == large.known(asks)


class AFunction:
    """Invokes the handler's own words, through JSON."""

    def __init__(self, large: Partitions) -> None:
        self._large = large

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, io.BytesIO]:  # noqa: N803 - AWS's names
        return {"Payload": io.BytesIO(json.dumps(answered(self._large, json.loads(Payload))).encode())}


def test_a_total_that_is_too_large_is_refused_and_none_is_rounded() -> None:
    paths = TwoPaths()
    most = "9" * 26 + "." + "9" * 12
    told_ = {"source": "a", "id": "1", "meter": "work", "at": "2026-10-05T00:00:00Z", "value": most}
    paths.take([told_, told_ | {"id": "2", "value": "1" + "0" * 26}, told_ | {"id": "3", "value": "0.0000000000001"}])
    scene = Scene("UTC", Period(date(2026, 10, 1), date(2026, 11, 1)), [("sum", PLAIN)], [])
    (key,) = paths.read(scene)[1].totals
    assert paths.read(scene)[1].totals[key] == Decimal(most)
    codes = [p["code"] for item in paths.world.items("quarantine") for p in item["problems"]]
    assert codes == ["unsupported_value"] * 2  # of the files; the table holds both
    paths.take([told_ | {"id": "4", "value": "0.000000000001"}])
    with pytest.raises(Refusal, match="total_too_large"):
        paths.read(scene)
