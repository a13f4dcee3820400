"""Whatever arrives whenever: every event is billed once, carried or waiting, and the parts make up the whole."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.catalog.model import Graduated, Package, PerUnit, PriceModel, Tier, Volume
from saldo.kernel.periods import Period
from saldo.rating.model import Ask
from saldo.rating.rules.registry import price_ask, price_difference
from saldo.usage.model import Aggregation, LatePolicy, Meter, Repeats, UsageEvent, UsageKey
from saldo.usage.model_windows import Closings, LateUsage, Terms, Window
from saldo.usage.records import Batch, pack, part_from, part_item
from saldo.usage.records import MonthKey as Month
from saldo.usage.rules import counted, events_of, needs_of
from saldo.usage.rules_limits import Bucket, Limit, take
from saldo.usage.rules_reconciliation import report_of
from saldo.usage.rules_windows import closed, count, late_in, settled, windows_to_look_at
from tests.contexts.sellers import account

ZONE = "Europe/Berlin"
BUYER = account("acct", time_zone=ZONE)
WINDOWS = [Period(date(2026, m, 1), date(2026, m + 1, 1)) for m in (9, 10, 11)]
START = datetime(2026, 8, 31, 22, tzinfo=UTC)

aggregations = st.sampled_from(list(Aggregation))
prices: st.SearchStrategy[PriceModel] = st.sampled_from(
    [
        PerUnit(Decimal("0.25")),
        Graduated((Tier(Decimal(20), Decimal(1), Decimal(5)), Tier(None, Decimal("0.5")))),
        Volume((Tier(Decimal(20), Decimal(1)), Tier(None, Decimal("0.5")))),
        Package(Decimal(7), Decimal(2), Decimal(3)),
    ]
)


@st.composite
def meters(draw: st.DrawFn) -> Meter:
    aggregation = draw(aggregations)
    return Meter(
        "m",
        "ent_eu_x",
        aggregation,
        {"en": "M"},
        {},
        unique_by="user" if aggregation is Aggregation.UNIQUE else "",
        counts="e",
        filters=draw(st.sampled_from([{}, {"kind": ("a", "b")}])),
        carries=aggregation in (Aggregation.WEIGHTED, Aggregation.LATEST, Aggregation.MAX) and draw(st.booleans()),
        late=draw(st.sampled_from([LatePolicy.CARRY, LatePolicy.CORRECT])),
        repeats=draw(st.sampled_from(list(Repeats))),
    )


@st.composite
def events(draw: st.DrawFn) -> UsageEvent:
    at = START + timedelta(hours=draw(st.integers(0, 91 * 24 - 1)))
    properties = {"user": draw(st.sampled_from("xyz")), "kind": draw(st.sampled_from("abc"))}
    return UsageEvent(
        "s", f"i{draw(st.integers(0, 30))}", "acct", "e", at, Decimal(draw(st.integers(0, 40))), properties
    )


class Arrivals:
    """Arrivals and billings in any order, as ingest and runs have them."""

    def __init__(self, meter: Meter, price: PriceModel) -> None:
        self.meter, self.price = meter, price
        self.months: dict[str, list[UsageEvent]] = defaultdict(list)
        self.windows: dict[Period, Window] = {}
        self.asked: dict[Period, Decimal] = {}

    def arrive(self, event: UsageEvent) -> None:
        """As ingest takes it: once, or corrected within its month."""
        month = f"{event.at:%Y%m}"
        same = [(m, e) for m, some in self.months.items() for e in some if e.id == event.id]
        if any(e == event for _, e in same):
            return
        if same and (self.meter.repeats is Repeats.FIRST or any(m != month for m, _ in same)):
            return
        self.months[month].append(event)

    def bill(self) -> None:
        """Close the next window, and ask for what came late for the others."""
        for window in list(self.windows.values()):
            late = late_in(window, self.meter, self._months(window.period))
            if late is not None:
                self.asked[window.period] += self._difference(late)
                self.windows[window.period] = settled(late, on=date(2027, 1, 1), invoice_id="inv_late")
        following = WINDOWS[len(self.windows)] if len(self.windows) < len(WINDOWS) else None
        if following is not None:
            found = count(self._months(following), self.meter, following, ZONE)
            key = UsageKey("sub", "m", following)
            terms = Terms("v1", "c")
            self.windows[following] = closed(
                BUYER, key, terms, found, on=following.end, invoice_id=f"inv_{following.start}"
            )
            self.asked[following] = price_ask(self.price, Ask(found[0].quantity)).amount

    def _difference(self, late: LateUsage) -> Decimal:
        return price_difference(self.price, Ask(late.now.quantity), Ask(late.billed.quantity)).amount

    def _months(self, period: Period) -> dict[str, list[UsageEvent]]:
        """What a run reads: the months of the window, and all before it for a level that goes on."""
        start, end = period.instants(ZONE)
        first, last = f"{start:%Y%m}", f"{end - timedelta(seconds=1):%Y%m}"
        return {m: e for m, e in self.months.items() if m <= last and (self.meter.carries or m >= first)}


@settings(max_examples=300, deadline=None)
@given(meters(), prices, st.lists(st.one_of(events(), st.just("bill")), max_size=60))
def test_whatever_arrives_when_in_the_end_each_window_costs_what_all_its_events_cost(
    meter: Meter, price: PriceModel, happenings: list[UsageEvent | str]
) -> None:
    if meter.aggregation is Aggregation.WEIGHTED:
        price = PerUnit(Decimal(1))
    ledger = Arrivals(meter, price)
    for happening in happenings:
        if isinstance(happening, UsageEvent):
            ledger.arrive(happening)
        else:
            ledger.bill()
        report = report_of("acct", meter, ledger.windows.values(), ledger.months, [])
        assert report.balanced, report
    for _ in range(len(WINDOWS) + 1):
        ledger.bill()
    report = report_of("acct", meter, ledger.windows.values(), ledger.months, [])
    assert report.balanced
    assert all(w.waiting == 0 for w in report.windows)
    everything = [e for month in sorted(ledger.months) for e in ledger.months[month]]
    for period in WINDOWS:
        quantity = counted(everything, meter, period, ZONE).quantity
        assert ledger.windows[period].billed[-1].quantity == quantity
        assert ledger.asked[period] == price_ask(price, Ask(quantity)).amount


@given(st.lists(events(), max_size=40), st.integers(1, 39), st.integers(200, 2000))
def test_parts_keep_events_and_batches_in_their_places_however_they_are_split(
    some: list[UsageEvent], keep: int, most_bytes: int
) -> None:
    keep = min(keep, len(some))
    batches = [Batch(START, "first", keep), Batch(START + timedelta(hours=1), "then", len(some) - keep)]
    batches = [b for b in batches if b.count]
    packed = pack(some, batches, keep=keep, most_bytes=most_bytes)
    parts = [part_from(part_item(Month("acct", "e", "202609"), i, *p)) for i, p in enumerate(packed)]
    assert [e for part in parts for e in part.events] == some
    assert len(parts[0].events) >= keep
    for part in parts:
        assert sum(b.count for b in part.batches) == len(part.events)
    assert sum(b.count for part in parts for b in part.batches if b.origin == "first") == keep


@given(meters(), st.lists(events(), max_size=40))
def test_the_order_in_which_events_of_their_own_name_come_does_not_matter(meter: Meter, some: list[UsageEvent]) -> None:
    once = list({e.id: e for e in some}.values())
    for period in WINDOWS:
        there, back = (counted(order, meter, period, ZONE) for order in (once, once[::-1]))
        if not meter.carries or len({e.at for e in once}) == len(once):
            assert there.quantity == back.quantity


@given(meters(), st.lists(events(), max_size=40))
def test_windows_told_of_are_looked_at(meter: Meter, some: list[UsageEvent]) -> None:
    ledger = Arrivals(meter, PerUnit(Decimal(1)))
    for _ in WINDOWS:
        ledger.bill()
    before = {p: w.known for p, w in ledger.windows.items()}
    for event in some:
        ledger.arrive(event)
    told = tuple(sorted({("e", m) for m, found in ledger.months.items() if found}))
    closings = Closings((ledger.windows[WINDOWS[-1]],), told, 1)
    looked = {w.period for w in windows_to_look_at(closings, ledger.windows.values(), {"m": meter})}
    late = {p for p, w in ledger.windows.items() if late_in(w, meter, ledger._months(p)) is not None}
    assert late <= looked, (late, looked, before)


@given(meters(), st.lists(events(), max_size=30))
def test_an_event_counts_once_per_meter(meter: Meter, some: list[UsageEvent]) -> None:
    found = events_of(some, meter)
    assert len({(e.source, e.id) for e in found}) == len(found)


def test_needs_follow_the_price_through_what_wraps_it() -> None:
    assert needs_of(PerUnit(Decimal(1))) == ((), False)


@given(
    st.integers(1, 50),
    st.integers(1, 100),
    st.lists(st.tuples(st.integers(0, 120_000), st.integers(1, 60)), min_size=1, max_size=40),
)
def test_a_bucket_never_lets_through_more_than_its_burst_and_its_rate(
    per_s: int, burst: int, asked: list[tuple[int, int]]
) -> None:
    limit, bucket, at, through = Limit(per_s, burst), Bucket(burst * 1000, START), START, 0
    for wait_ms, wish in asked:
        events_ = min(wish, burst)
        at += timedelta(milliseconds=wait_ms)
        taken = take(limit, bucket, events_, at)
        if taken.retry_after_s == 0:
            assert taken.bucket is not None
            bucket = taken.bucket
            through += events_
        else:
            later = take(limit, bucket, events_, at + timedelta(seconds=taken.retry_after_s))
            assert later.retry_after_s == 0, "after the time told it goes through"
    gone_ms = sum(wait for wait, _ in asked)
    assert through <= burst + per_s * gone_ms / 1000
