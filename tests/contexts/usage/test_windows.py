"""A window of usage is billed once; what comes late goes where its meter's policy sends it, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from saldo.catalog.model import Cell, Graduated, Included, Matrix, Minimum, Percentage, PerUnit, Rollover, Tier
from saldo.kernel.periods import Length, Period
from saldo.kernel.periods import Unit as CycleUnit
from saldo.kernel.rounding import Rounding
from saldo.storage.items import weight
from saldo.subscriptions.model import Change, ChangeKind
from saldo.subscriptions.rules_changes import with_change
from saldo.usage import records_windows
from saldo.usage.live import LiveUsage
from saldo.usage.model import Aggregation, CountWindow, LatePolicy, Meter, Repeats, UsageKey
from saldo.usage.model_windows import Reason
from saldo.usage.reconciliation import Reconciliation
from saldo.usage.records_windows import accounts_with_late_usage, windows_of
from saldo.usage.rules_forecast import Method
from saldo.usage.rules_reconciliation import MeterReport
from saldo.usage.service import Usage
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, account
from tests.contexts.usage.billing import Customer, amounts, usage_plan
from tests.contexts.usage.scenes import TOKENS, World, row

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
JANUARY = date(2027, 1, 1)
OCTOBERS_DAYS = Period(OCTOBER, NOVEMBER)
TIERS = Graduated((Tier(Decimal(100), Decimal("0.10")), Tier(None, Decimal("0.05"))))


@pytest.fixture(params=["windows together", "each put away at once"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    """Wherever an account's windows lie, the same holds."""
    if request.param == "each put away at once":
        monkeypatch.setattr(records_windows, "PACKED_BYTES", 0)
    found = World()
    found.clock.now = datetime(2026, 10, 20, tzinfo=UTC)
    return found


def customer(world: World, *prices: object, meter: Meter = TOKENS) -> Customer:
    world.usage.define_meter(meter, CLERK)
    return Customer.of(world, usage_plan((meter.id, prices[0] if prices else TIERS)), OCTOBER)  # type: ignore[arg-type]


def use(world: World, number: int, day: str, value: str, **fields: str) -> list[str]:
    """Problems of one event on a day (at noon) that comes in now."""
    at = fields.pop("at", f"{day}T12:00:00Z")
    world.clock.now = max(world.clock.now, datetime.fromisoformat(at))
    report = world.usage.ingest(ENTITY, [row(number, at=at, value=value, **fields)], origin=f"b{number}-{value}")
    return [p.code for r in report.rejected for p in r.problems]


def reported(world: World, meter_id: str = "tokens") -> MeterReport:
    (found,) = [r for r in Reconciliation(world.store).of_account(ACCOUNT) if r.meter_id == meter_id]
    assert found.balanced, found
    return found


def counts(report: MeterReport) -> list[tuple[int, int, int, int]]:
    return [(w.accepted, w.billed, w.carried, w.waiting) for w in report.windows]


def test_late_usage_is_asked_for_with_the_next_invoice_as_the_difference(world: World) -> None:
    buyer = customer(world)
    use(world, 1, "2026-10-05", "90")
    assert amounts(buyer.bill(NOVEMBER)) == [("charge", "2026-10-01", 900)]
    world.clock.now = datetime(2026, 11, 3, tzinfo=UTC)
    assert use(world, 2, "2026-10-31", "30") == []
    assert use(world, 3, "2026-11-10", "1") == []
    assert counts(reported(world)) == [(2, 1, 0, 1)]
    assert accounts_with_late_usage(world.store, ENTITY) == [ACCOUNT]
    # 120 in all cost 10 × 10 + 20 × 5 cents more than nothing; 9.00 are billed.
    assert amounts(buyer.bill(DECEMBER)) == [("charge", "2026-11-01", 10), ("late", "2026-10-01", 200)]
    assert counts(reported(world)) == [(2, 1, 1, 0), (1, 1, 0, 0)]
    assert accounts_with_late_usage(world.store, ENTITY) == []
    assert buyer.bill(JANUARY) is None
    assert reported(world).open == 0


def test_a_meter_of_hourly_peaks_is_billed_from_the_table_and_late_peaks_follow(world: World) -> None:
    peaks = Meter(
        "peaks", ENTITY, Aggregation.MAX, {"en": "P"}, {}, per=CountWindow.HOUR, factor=Decimal("0.5"), digits=0
    )
    peaks = replace(peaks, rounding=Rounding.UP)
    buyer = customer(world, PerUnit(Decimal(1)), meter=peaks)
    assert Usage(world.store, world.clock).meters_of(ENTITY)["peaks"] == peaks, "it lies there as it was defined"
    for n, (at, value) in enumerate([("05:10", "4"), ("05:50", "7"), ("06:00", "6")]):
        use(world, n, "2026-10-05", value, at=f"2026-10-05T{at}:00Z", meter="peaks")
    (live,) = LiveUsage(world.store).of(account(), [UsageKey("sub_1", "peaks", OCTOBERS_DAYS)], world.clock())
    assert (live.so_far, live.forecast.method) == (7, Method.STRAIGHT_LINE)  # (7 + 6) / 2, a half more is begun
    assert amounts(buyer.bill(NOVEMBER)) == [("charge", "2026-10-01", 700)]
    world.clock.now = datetime(2026, 11, 3, tzinfo=UTC)
    use(world, 9, "2026-10-05", "17", at="2026-10-05T05:30:00Z", meter="peaks")
    assert amounts(buyer.bill(DECEMBER)) == [("late", "2026-10-01", 500)]


def test_late_usage_costs_nothing_until_it_passes_the_minimum_that_was_paid_for(world: World) -> None:
    world.usage.define_meter(TOKENS, CLERK)
    plan = replace(usage_plan(("tokens", PerUnit(Decimal(1)))), minimum=Minimum((Decimal(100),)))
    buyer = Customer.of(world, plan, OCTOBER)
    use(world, 1, "2026-10-05", "30")
    assert amounts(buyer.bill(NOVEMBER)) == [("charge", "2026-10-01", 3000), ("true_up", "2026-10-01", 7000)]
    world.clock.now = datetime(2026, 11, 3, tzinfo=UTC)
    use(world, 2, "2026-10-31", "50")
    use(world, 3, "2026-11-10", "200")
    assert amounts(buyer.bill(DECEMBER)) == [
        ("charge", "2026-11-01", 20000),
        ("late", "2026-10-01", 5000),
        ("true_up", "2026-10-01", -5000),
    ]
    use(world, 4, "2026-10-30", "45")
    assert amounts(buyer.bill(JANUARY)) == [
        ("true_up", "2026-12-01", 10000),
        ("late", "2026-10-01", 4500),
        ("true_up", "2026-10-01", -2000),
    ]
    parts = sorted((i["sk"], i["counted_minor"], i["trued_up_minor"]) for i in world.items("minimum"))
    assert parts[0] == ("minimum#sub_1#2026-10-01", 12500, 0), "no more is left to set off"


def test_a_corrected_charge_is_set_off_against_a_minimum_alike(world: World) -> None:
    world.usage.define_meter(replace(TOKENS, late=LatePolicy.CORRECT), CLERK)
    plan = replace(usage_plan(("tokens", PerUnit(Decimal(1)))), minimum=Minimum((Decimal(100),)))
    buyer = Customer.of(world, plan, OCTOBER)
    use(world, 1, "2026-10-05", "30")
    buyer.bill(NOVEMBER)
    world.clock.now = datetime(2026, 11, 3, tzinfo=UTC)
    use(world, 2, "2026-10-31", "50")
    assert amounts(buyer.bill(DECEMBER))[1:] == [
        ("credit", "2026-10-01", -3000),
        ("late", "2026-10-01", 8000),
        ("true_up", "2026-10-01", -5000),
    ]


def test_tiers_go_on_over_a_year_in_runs_and_late_usage_is_priced_from_where_its_month_stood(world: World) -> None:
    buyer = customer(world)
    (component,) = buyer.version.components
    buyer.version = replace(buyer.version, components=(replace(component, cumulates=Length(CycleUnit.YEAR)),))
    use(world, 1, "2026-10-05", "90")
    assert amounts(buyer.bill(NOVEMBER)) == [("charge", "2026-10-01", 900)]
    use(world, 2, "2026-11-05", "20")  # ten at each price
    assert amounts(buyer.bill(DECEMBER)) == [("charge", "2026-11-01", 150)]
    use(world, 3, "2026-12-05", "20")
    assert use(world, 4, "2026-11-30", "2") == []  # late, beyond what November had reached
    assert amounts(buyer.bill(JANUARY)) == [("charge", "2026-12-01", 100), ("late", "2026-11-01", 10)]
    assert use(world, 5, "2026-10-31", "20") == []  # late, from the 90 that October stood at
    assert amounts(buyer.bill(date(2027, 2, 1))) == [("late", "2026-10-01", 150)]
    assert all(w.billed == w.accepted - w.carried for w in reported(world).windows)


def test_looking_back_reads_events_and_no_windows(world: World) -> None:
    buyer = customer(world)
    (component,) = buyer.version.components
    buyer.version = replace(buyer.version, components=(replace(component, cumulates=Length(CycleUnit.YEAR)),))
    for n, (start, end) in enumerate(pairwise((OCTOBER, NOVEMBER, DECEMBER, JANUARY))):
        use(world, n, f"{start:%Y-%m}-05", "10")
        assert amounts(buyer.bill(end)) == [("charge", start.isoformat(), 100)]
    world.table.bill.calls.clear()
    buyer.read(date(2027, 2, 1))
    assert set(world.table.bill.calls) == {"BatchGetItem"}


def test_what_is_left_of_an_allowance_goes_on_in_runs(world: World) -> None:
    buyer = customer(world, Included(Decimal(100), PerUnit(Decimal(1)), Rollover(1)))
    use(world, 1, "2026-10-05", "60")
    assert amounts(buyer.bill(NOVEMBER)) == []
    use(world, 2, "2026-11-05", "145")
    assert amounts(buyer.bill(DECEMBER)) == [("charge", "2026-11-01", 500)]
    use(world, 3, "2026-11-06", "5")  # late: there were 140, and they are used up
    use(world, 4, "2026-12-05", "101")
    assert amounts(buyer.bill(JANUARY)) == [("charge", "2026-12-01", 100), ("late", "2026-11-01", 500)]


def test_what_is_looked_back_at_counts_as_it_was_charged_combination_by_combination(world: World) -> None:
    cells = (Cell(("eu",), PerUnit(Decimal(1))),)
    price = Included(Decimal(100), Matrix(("region",), cells, PerUnit(Decimal(1))), Rollover(1))
    buyer = customer(world, price, meter=replace(TOKENS, id="whole", counts="tokens", rounding=Rounding.DOWN, digits=0))
    for n, region in enumerate(("eu", "us")):
        use(world, n, "2026-10-05", "0.5", **{"property.region": region})
    assert amounts(buyer.bill(NOVEMBER)) == []
    use(world, 3, "2026-11-05", "200", **{"property.region": "eu"})
    assert amounts(buyer.bill(DECEMBER)) == [], "two halves were nothing each, and all 100 were left"


def test_what_was_free_by_an_allowance_left_over_is_taken_back_for_nothing_though_less_is_left_over_now(
    world: World,
) -> None:
    buyer = customer(world, Included(Decimal(100), PerUnit(Decimal(1)), Rollover(1)))
    assert amounts(buyer.bill(NOVEMBER)) == []
    use(world, 1, "2026-11-20", "150")
    assert amounts(buyer.bill(DECEMBER)) == []
    use(world, 2, "2026-10-05", "100")  # late: of October nothing is left over any more
    paused = Change("chg_1", ChangeKind.PAUSE, date(2026, 11, 16))
    buyer.subscription = with_change(buyer.subscription, paused)
    assert amounts(buyer.bill(JANUARY)) == []


def test_late_usage_of_a_window_long_past_is_found(world: World) -> None:
    buyer = customer(world)
    for month in (NOVEMBER, DECEMBER, JANUARY):
        world.clock.now = datetime(month.year, month.month, 2, tzinfo=UTC)
        buyer.bill(month)
    assert use(world, 1, "2026-10-05", "10") == []
    assert amounts(buyer.bill(date(2027, 2, 1))) == [("late", "2026-10-01", 100)]
    assert [b.reason for w in windows_of(world.store, ACCOUNT) for b in w.billed].count(Reason.CARRIED) == 1


def test_years_of_windows_are_kept_in_records_of_one_write_unit_and_all_are_found(world: World) -> None:
    buyer = customer(world, PerUnit(Decimal(1)))
    months = [date(2026 + (9 + n) // 12, (9 + n) % 12 + 1, 1) for n in range(40)]
    for start, end in pairwise(months):
        use(world, start.toordinal(), f"{start:%Y-%m}-05", "10")
        assert amounts(buyer.bill(end)) == [("charge", start.isoformat(), 1000)]
    found = windows_of(world.store, ACCOUNT)
    assert [w.period for w in found] == [Period(*both) for both in pairwise(months)]
    put_away = [item for item in world.items("windows") if item["sk"] != "windows"]
    assert max(weight(item) for item in world.items("windows")) <= 1024
    assert len(put_away) <= len(months) / 10 or records_windows.PACKED_BYTES == 0
    world.clock.now = datetime(2030, 1, 2, tzinfo=UTC)
    for n, day in enumerate(("2026-10-06", "2027-12-31", "2029-12-07")):
        assert use(world, n, day, "1") == []
    assert amounts(buyer.bill(date(2030, 2, 1))) == [
        ("late", f"{m}-01", 100) for m in ("2026-10", "2027-12", "2029-12")
    ]
    assert [len(w.billed) for w in windows_of(world.store, ACCOUNT)].count(2) == 3
    assert reported(world).open == 0
    before = [i for i in world.items("windows") if i in put_away]
    assert before == put_away, "what is put away never changes"


def test_what_comes_while_its_window_is_billed_is_late_and_not_lost(world: World) -> None:
    buyer = customer(world)
    use(world, 1, "2026-10-05", "90")
    read = buyer.read(NOVEMBER)
    use(world, 2, "2026-10-06", "10")
    body, conflict = buyer.write(*read)
    assert (amounts(body), conflict) == ([("charge", "2026-10-01", 900)], None)
    assert counts(reported(world)) == [(2, 1, 0, 1)]
    assert amounts(buyer.bill(DECEMBER)) == [("late", "2026-10-01", 100)]
    assert counts(reported(world))[0] == (2, 1, 1, 0)


def test_a_window_is_closed_once_however_often_it_is_billed(world: World) -> None:
    buyer = customer(world)
    use(world, 1, "2026-10-05", "90")
    read = buyer.read(NOVEMBER)
    assert buyer.write(*read)[1] is None
    assert buyer.write(*read)[1] is not None
    (window,) = windows_of(world.store, ACCOUNT)
    assert [(b.reason, b.quantity, b.arrivals, b.known) for b in window.billed] == [
        (Reason.CLOSED, Decimal(90), 1, {"202610": 1})
    ]


def test_late_usage_told_while_late_usage_is_billed_keeps_the_unit_from_holding(world: World) -> None:
    buyer = customer(world)
    buyer.bill(NOVEMBER)
    use(world, 1, "2026-10-05", "10")
    read = buyer.read(DECEMBER)
    world.clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    use(world, 2, "2026-10-06", "10")
    assert buyer.write(*read)[1] is not None
    assert amounts(buyer.bill(DECEMBER)) == [("late", "2026-10-01", 200)]


def test_a_meter_may_refuse_late_events_which_then_wait_in_the_quarantine(world: World) -> None:
    buyer = customer(world, meter=replace(TOKENS, late=LatePolicy.REJECT))
    use(world, 1, "2026-10-05", "90")
    buyer.bill(NOVEMBER)
    assert use(world, 2, "2026-10-31", "30") == ["late"]
    assert use(world, 1, "2026-10-05", "90") == [], "a repeat of what was accepted is no late event"
    report = reported(world)
    assert (counts(report), report.windows[0].rejected, report.rejected) == ([(1, 1, 0, 0)], 1, 1)
    assert buyer.bill(DECEMBER) is None


def test_a_meter_may_have_the_charge_taken_back_and_made_anew(world: World) -> None:
    buyer = customer(world, meter=replace(TOKENS, late=LatePolicy.CORRECT))
    use(world, 1, "2026-10-05", "90")
    buyer.bill(NOVEMBER)
    use(world, 2, "2026-10-31", "30")
    assert amounts(buyer.bill(DECEMBER)) == [("credit", "2026-10-01", -900), ("late", "2026-10-01", 1100)]
    assert counts(reported(world))[0] == (2, 1, 1, 0)


def test_a_correction_counts_until_its_window_closes_and_is_settled_after(world: World) -> None:
    buyer = customer(world, PerUnit(Decimal(1)), meter=replace(TOKENS, id="seats", repeats=Repeats.LAST))
    assert use(world, 1, "2026-10-05", "90", meter="seats") == []
    assert use(world, 1, "2026-10-05", "70", meter="seats") == []
    assert use(world, 1, "2026-10-05", "90", meter="seats") == [], "an old version delivered again changes nothing"
    assert amounts(buyer.bill(NOVEMBER)) == [("charge", "2026-10-01", 7000)]
    use(world, 2, "2026-11-05", "100", meter="seats")
    assert use(world, 1, "2026-10-05", "60", meter="seats") == []
    assert amounts(buyer.bill(DECEMBER)) == [("charge", "2026-11-01", 10000), ("late", "2026-10-01", -1000)]
    assert counts(reported(world, "seats")) == [(3, 2, 1, 0), (1, 1, 0, 0)]


def test_a_correction_cannot_move_an_event_to_another_month(world: World) -> None:
    customer(world, meter=replace(TOKENS, id="seats", repeats=Repeats.LAST))
    use(world, 1, "2026-10-05", "90", meter="seats")
    assert use(world, 1, "2026-11-05", "90", meter="seats") == ["other_month"]


def test_a_matrix_and_a_price_by_event_get_what_they_need_also_for_late_usage(world: World) -> None:
    meter = Meter(
        "calls_by_region", ENTITY, Aggregation.SUM, {"en": "Calls"}, {}, counts="tokens", group_by=("region",)
    )
    world.usage.define_meter(meter, CLERK)
    world.usage.define_meter(replace(meter, id="fees", group_by=()), CLERK)
    cells = (Cell(("eu",), PerUnit(Decimal(1))), Cell(("us",), PerUnit(Decimal(2))))
    by_event = Percentage(Decimal("0.01"), per_event=Decimal("0.30"))
    version = usage_plan(("calls_by_region", Matrix(("region",), cells)), ("fees", by_event))
    buyer = Customer.of(world, version, OCTOBER)
    use(world, 1, "2026-10-05", "10", property__region="eu")
    use(world, 2, "2026-10-06", "10", property__region="us")
    assert amounts(buyer.bill(NOVEMBER)) == [("charge", "2026-10-01", 3000), ("charge", "2026-10-01", 80)]
    use(world, 3, "2026-10-07", "5", property__region="us")
    assert amounts(buyer.bill(DECEMBER)) == [("late", "2026-10-01", 1000), ("late", "2026-10-01", 35)]
    assert counts(reported(world, "fees"))[0] == (3, 2, 1, 0)


def test_several_meters_count_the_same_events_through_filters(world: World) -> None:
    meter = Meter(
        "errors", ENTITY, Aggregation.COUNT, {"en": "Errors"}, {}, counts="tokens", filters={"code": ("500", "502")}
    )
    buyer = customer(world, PerUnit(Decimal(1)), meter=meter)
    for number, code in enumerate(("200", "500", "502", "404"), 1):
        use(world, number, "2026-10-05", "7", property__code=code)
    assert amounts(buyer.bill(NOVEMBER)) == [("charge", "2026-10-01", 200)]
    assert (reported(world, "errors").accepted, reported(world).accepted) == (2, 4)


def test_a_level_goes_on_and_a_late_change_of_it_alters_every_later_window(world: World) -> None:
    meter = Meter("seats", ENTITY, Aggregation.WEIGHTED, {"en": "Seats"}, {}, carries=True)
    buyer = customer(world, PerUnit(Decimal(31)), meter=meter)
    midnight = "2026-09-30T22:00:00Z"
    use(world, 1, "", "10", meter="seats", at=midnight)
    assert amounts(buyer.bill(NOVEMBER)) == [("charge", "2026-10-01", 31000)]
    world.clock.now = datetime(2026, 12, 2, tzinfo=UTC)
    assert amounts(buyer.bill(DECEMBER)) == [("charge", "2026-11-01", 31000)]
    use(world, 2, "", "5", meter="seats", at=midnight)
    late = [("charge", "2026-12-01", 46500), ("late", "2026-11-01", 15500), ("late", "2026-10-01", 15500)]
    assert sorted(amounts(buyer.bill(JANUARY))) == sorted(late)
    assert counts(reported(world, "seats")) == [(2, 1, 1, 0), (0, 0, 0, 0), (0, 0, 0, 0)]


def test_a_level_in_a_part_of_a_month_is_worth_that_part_and_what_of_it_comes_late_too(world: World) -> None:
    meter = Meter("seats", ENTITY, Aggregation.WEIGHTED, {"en": "Seats"}, {}, carries=True)
    world.usage.define_meter(meter, CLERK)
    buyer = Customer.of(world, usage_plan(("seats", PerUnit(Decimal(31)))), date(2026, 10, 17))
    use(world, 1, "", "10", meter="seats", at="2026-10-01T00:00:00Z")
    assert amounts(buyer.bill(NOVEMBER)) == [("charge", "2026-10-17", 15000)]  # 15 of 31 days
    world.clock.now = datetime(2026, 11, 3, tzinfo=UTC)
    use(world, 2, "", "4", meter="seats", at="2026-10-01T00:00:00Z")
    assert amounts(buyer.bill(DECEMBER)) == [("charge", "2026-11-01", 43400), ("late", "2026-10-17", 6000)]


def test_a_window_waits_for_its_time_of_grace(world: World) -> None:
    buyer = customer(world, meter=replace(TOKENS, grace_s=6 * 3600))
    _, usage = buyer.read(NOVEMBER)
    assert usage.closes_at == datetime(2026, 11, 1, 5, tzinfo=UTC), "midnight in Berlin and six hours"


def test_old_events_may_be_brought_in_until_the_window_closes_with_their_origin_told(world: World) -> None:
    from saldo.usage.records import part_from

    buyer = customer(world)
    rows = [row(1, at="2026-10-01T10:00:00Z", value="5"), row(2, at="2026-10-02T10:00:00Z", value="6")]
    assert world.usage.ingest(ENTITY, rows, origin="file", backfill=True).accepted == 2
    use(world, 3, "2026-10-03", "7")
    (item,) = world.items("usage")
    assert [(b.origin, b.count) for b in part_from(item).batches] == [("backfill/file", 2), ("b3-7", 1)]
    assert amounts(buyer.bill(NOVEMBER)) == [("charge", "2026-10-01", 180)]


def test_reading_fifty_accounts_with_closed_windows_takes_few_calls(world: World) -> None:
    from saldo.kernel.periods import Period
    from saldo.usage.model import UsageKey
    from saldo.usage.service import UsageTotals

    names = [f"acct_eu_{i:03d}" for i in range(50)]
    for name in names:
        other = Customer.of(world, usage_plan(("tokens", TIERS)), OCTOBER)
        other.account = account(name)
        other.subscription = replace(other.subscription, account_id=name)
        other.bill(NOVEMBER)
    world.table.bill.calls.clear()
    key = UsageKey("sub_1", "tokens", Period(NOVEMBER, DECEMBER))
    found = UsageTotals(world.store).read({account(name): [(key, TIERS)] for name in names})
    assert len(found) == 50
    assert world.table.bill.total_calls <= 3


def test_a_file_of_thousands_keeps_every_place_when_parts_are_split(world: World) -> None:
    buyer = customer(world, PerUnit(Decimal(1)))
    rows = [row(i, id=f"{i * 7919 % 100_003:x}-{i}", at="2026-10-05T10:00:00Z", value="1") for i in range(1, 4001)]
    world.usage.ingest(ENTITY, rows[:2500], origin="a")
    buyer.bill(NOVEMBER)
    world.usage.ingest(ENTITY, rows, origin="b")
    assert counts(reported(world)) == [(4000, 2500, 0, 1500)]
    assert amounts(buyer.bill(DECEMBER)) == [("late", "2026-10-01", 150_000)]
