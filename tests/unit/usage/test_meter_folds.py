"""What meters make of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from saldo.kernel.clock import instant_from
from saldo.kernel.periods import Period
from saldo.usage.model import Aggregation, CountWindow, Meter, UsageEvent
from saldo.usage.rules import faults_of, first_of_each, metered, weighted

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


def test_a_level_is_averaged_over_time() -> None:
    start = datetime.fromisoformat("2025-01-01T00:00+00:00")
    halfway = start + timedelta(hours=12)
    assert weighted([(halfway, Decimal(10))], start, start + timedelta(days=1), Decimal(2)) == 7
    monthly = [event("1", "2025-03-16T12:00Z", "2")]
    assert Decimal("0.9") < metered(monthly, meter(Aggregation.WEIGHTED), MARCH, ZONE) < Decimal("1.1")


def test_what_does_not_go_together_in_a_meter_is_told_fault_by_fault() -> None:
    plain = Meter("m", "ent", Aggregation.SUM, {"en": "m"}, {})
    assert not list(faults_of(replace(plain, per=CountWindow.HOUR, factor=Decimal("0.5"), digits=3)))
    wrong = replace(plain, carries=True, per=CountWindow.DAY, whole_days=True, digits=13, factor=Decimal(0))
    assert [field for field, _, _ in faults_of(wrong)] == ["carries", "per", "whole_days", "digits", "factor"]
