"""What meters make of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from saldo.kernel.clock import instant_from
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Period
from saldo.usage.model import Aggregation, CountWindow, Meter, UsageEvent
from saldo.usage.rules import by_day, first_of_each, metered, only_quoted, total_of_days, weighted

MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
ZONE = "Europe/Berlin"


def meter(aggregation: Aggregation, unique_by: str = "") -> Meter:
    return Meter("m", "ent_eu_x", aggregation, {"en": "Meter"}, {"en": "units"}, unique_by)


def event(event_id: str, at: str, value: str = "1", **properties: str) -> UsageEvent:
    return UsageEvent("api", event_id, "acct_eu_x", "m", instant_from(at), Decimal(value), properties)


EVENTS = [
    event("1", "2025-03-05T10:00Z", "5", user="a"),
    event("2", "2025-03-04T10:00Z", "7.5", user="b"),
    event("3", "2025-03-06T10:00Z", "2", user="a"),
    event("2", "2025-03-07T10:00Z", "1000", user="c"),
]


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        (Aggregation.SUM, "14.5"),
        (Aggregation.COUNT, "3"),
        (Aggregation.UNIQUE, "2"),
        (Aggregation.MAX, "7.5"),
        (Aggregation.LATEST, "2"),
    ],
)
def test_each_meter_folds_events_once_each(aggregation: Aggregation, expected: str) -> None:
    assert metered(EVENTS, meter(aggregation, "user"), MARCH, ZONE) == Decimal(expected)
    assert metered([], meter(aggregation, "user"), MARCH, ZONE) == 0


def test_the_first_of_two_events_with_one_name_counts() -> None:
    assert [e.value for e in first_of_each(EVENTS)] == [5, Decimal("7.5"), 2]


def test_a_period_begins_and_ends_at_the_customers_midnight() -> None:
    at_edges = [event("1", "2025-02-28T22:59:59Z"), event("2", "2025-02-28T23:00Z"), event("3", "2025-03-31T22:00Z")]
    assert metered(at_edges, meter(Aggregation.COUNT), MARCH, ZONE) == 1


def test_totals_per_day_make_up_the_total_of_the_period() -> None:
    days = by_day(first_of_each(EVENTS), meter(Aggregation.SUM), ZONE)
    assert total_of_days(days, MARCH) == metered(EVENTS, meter(Aggregation.SUM), MARCH, ZONE)
    with pytest.raises(Refusal, match="not_additive"):
        by_day(EVENTS, meter(Aggregation.MAX), ZONE)


def test_a_level_is_averaged_over_time() -> None:
    start = datetime.fromisoformat("2025-01-01T00:00+00:00")
    halfway = start + timedelta(hours=12)
    assert weighted([(halfway, Decimal(10))], start, start + timedelta(days=1), Decimal(2)) == 7
    monthly = [event("1", "2025-03-16T12:00Z", "2")]
    assert Decimal("0.9") < metered(monthly, meter(Aggregation.WEIGHTED), MARCH, ZONE) < Decimal("1.1")


def test_ways_of_counting_that_are_not_stored_are_only_quoted() -> None:
    plain = Meter("m", "ent", Aggregation.SUM, {"en": "m"}, {})
    assert not only_quoted(plain)
    for change in (
        {"aggregation": Aggregation.AVERAGE},
        {"per": CountWindow.HOUR},
        {"factor": Decimal(2)},
        {"digits": 1},
    ):
        assert only_quoted(replace(plain, **change)) == (change != {"digits": 1})
