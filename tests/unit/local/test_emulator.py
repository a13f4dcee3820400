"""What the emulator is given beyond its own: schedules, alarms, metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.emulator.replace import swap
from local.emulator.schedules import last_due
from local.emulator.workers import emf


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "after", "until", "due"),
    [
        ("Europe/Berlin", "2026-01-10T00:00", "2026-01-10T12:00", "2026-01-10T03:00"),
        ("Europe/Berlin", "2026-07-10T00:00", "2026-07-10T12:00", "2026-07-10T02:00"),
        ("America/New_York", "2026-01-10T00:00", "2026-01-10T12:00", "2026-01-10T09:00"),
        ("Europe/Berlin", "2026-01-10T03:00", "2026-01-11T02:59", None),
        ("Europe/Berlin", "2026-01-08T00:00", "2026-01-10T12:00", "2026-01-10T03:00"),
        # The clocks go forward on 29 March 2026 in Berlin: four o'clock comes an hour sooner in UTC.
        ("Europe/Berlin", "2026-03-28T12:00", "2026-03-29T12:00", "2026-03-29T02:00"),
    ],
)
def test_a_daily_cycle_keeps_to_the_clock_of_its_zone(zone: str, after: str, until: str, due: str | None) -> None:
    found = last_due("cron(0 4 * * ? *)", zone, _utc(after), _utc(until))
    assert found == (_utc(due) if due else None)


def test_metrics_are_read_out_of_log_lines_and_other_lines_are_left_alone() -> None:
    assert emf('INFO {"_aws": {"CloudWatchMetrics": []}, "n": 1}') == {"_aws": {"CloudWatchMetrics": []}, "n": 1}
    assert emf('{"message": "about _aws"}') is None
    assert emf('broken {"_aws": ') is None


def test_another_version_of_the_emulator_is_refused_at_start() -> None:
    assert swap("one two", "two", "three") == "one three"
    with pytest.raises(SystemExit, match="the emulator changed"):
        swap("one two", "four", "five")


def test_a_schedule_by_rate_is_due_when_its_time_is_over() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert last_due("rate(5 minutes)", "UTC", start, start + timedelta(minutes=4)) is None
    assert last_due("rate(5 minutes)", "UTC", start, start + timedelta(minutes=6)) is not None
