"""Days on which periods begin: month ends, leap years, zones, alignment, trials."""

from __future__ import annotations

from typing import Any

from tests.cases.more.building import Json, Worked, fee, subscribed

STRIPE = "Stripe: docs, billing cycle anchor"
KILL_BILL = "Kill Bill: beatrix integration tests"


def begins(case_id: str, source: str, subscription: Json, through: str, dates: list[str], **more: Any) -> Worked:
    """The first days of the periods that are billed."""
    billing = {"from": more.pop("since", dates[0]), "through": through}
    return Worked(
        case_id, source, subscribed(fee("10"), subscription, billing, **more), {"invoices.*.lines.0.from": dates}
    )


CASES: tuple[Worked, ...] = (
    begins(
        "calendar.anchor.1",
        STRIPE,
        {"started_on": "2026-01-30"},
        "2026-04-30",
        ["2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"],
    ),
    begins(
        "calendar.anchor.2",
        STRIPE,
        {"started_on": "2024-01-29"},
        "2024-04-01",
        ["2024-01-29", "2024-02-29", "2024-03-29"],
    ),
    begins(
        "calendar.anchor.3",
        STRIPE + ", a leap day each month",
        {"started_on": "2024-02-29"},
        "2024-06-01",
        ["2024-02-29", "2024-03-29", "2024-04-29", "2024-05-29"],
    ),
    begins(
        "calendar.anchor.4",
        KILL_BILL + ", bill cycle day 31",
        {"started_on": "2026-02-10", "anchor_day": 31},
        "2026-05-31",
        ["2026-02-10", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"],
    ),
    begins(
        "calendar.anchor.5",
        KILL_BILL + ", bill cycle day before the start",
        {"started_on": "2026-02-10", "anchor_day": 5},
        "2026-04-05",
        ["2026-02-10", "2026-03-05", "2026-04-05"],
    ),
    begins(
        "calendar.quarter.1",
        "Lago: billing_boundaries_spec.rb, anniversary by the quarter",
        {"started_on": "2025-11-30"},
        "2026-09-01",
        ["2025-11-30", "2026-02-28", "2026-05-30", "2026-08-30"],
        cycle_unit="quarter",
    ),
    begins(
        "calendar.quarter.2",
        "Lago: billing_boundaries_spec.rb, calendar quarters",
        {"started_on": "2026-02-15", "alignment": "calendar"},
        "2026-07-01",
        ["2026-02-15", "2026-04-01", "2026-07-01"],
        cycle_unit="quarter",
    ),
    begins(
        "calendar.year.1",
        "Lago: calendar years",
        {"started_on": "2025-06-15", "alignment": "calendar"},
        "2027-01-01",
        ["2025-06-15", "2026-01-01", "2027-01-01"],
        cycle_unit="year",
    ),
    begins(
        "calendar.week.1",
        "Lago: calendar weeks begin on Monday",
        {"started_on": "2026-01-15", "alignment": "calendar"},
        "2026-01-26",
        ["2026-01-15", "2026-01-19", "2026-01-26"],
        cycle_unit="week",
    ),
    begins(
        "calendar.half_year.1",
        "Lago: semiannual plans",
        {"started_on": "2025-08-31"},
        "2026-08-31",
        ["2025-08-31", "2026-02-28", "2026-08-31"],
        cycle_count=6,
    ),
    begins(
        "calendar.weeks.1",
        "Kill Bill: biweekly plans",
        {"started_on": "2026-03-20"},
        "2026-04-17",
        ["2026-03-20", "2026-04-03", "2026-04-17"],
        cycle_unit="week",
        cycle_count=2,
        account={"time_zone": "Europe/Berlin"},
    ),
    begins(
        "calendar.days.1",
        "Kill Bill: thirty days over a clock change",
        {"started_on": "2026-03-01"},
        "2026-04-30",
        ["2026-03-01", "2026-03-31", "2026-04-30"],
        cycle_unit="day",
        cycle_count=30,
        account={"time_zone": "America/New_York"},
    ),
    begins(
        "calendar.zone.1",
        "Lago: the day is the customer's",
        {"started_at": "2026-03-31T23:30:00Z"},
        "2026-05-01",
        ["2026-04-01", "2026-05-01"],
        account={"time_zone": "Asia/Tokyo"},
    ),
    begins(
        "calendar.zone.2",
        "Lago: the day is the customer's",
        {"started_at": "2026-04-01T03:30:00Z"},
        "2026-04-30",
        ["2026-03-31", "2026-04-30"],
        account={"time_zone": "America/Los_Angeles"},
    ),
    begins(
        "calendar.zone.3",
        "tz database: Samoa had no 30 December 2011",
        {"started_on": "2011-11-30"},
        "2012-01-30",
        ["2011-11-30", "2011-12-30", "2012-01-30"],
        account={"time_zone": "Pacific/Apia"},
    ),
    begins(
        "calendar.trial.1",
        "Stripe: docs, trials move the anchor",
        {"started_on": "2026-01-31", "trial_days": 14},
        "2026-03-14",
        ["2026-02-14", "2026-03-14"],
        since="2026-01-31",
    ),
    begins(
        "calendar.trial.2",
        "Kill Bill: thirty days of trial from 2012-04-01",
        {"started_on": "2012-04-01", "trial_days": 30},
        "2012-07-01",
        ["2012-05-01", "2012-06-01", "2012-07-01"],
        since="2012-04-01",
    ),
    begins(
        "calendar.trial.3",
        "Chargebee: a trial that ends on a day",
        {"started_on": "2026-01-10", "trial_end_on": "2026-01-31"},
        "2026-03-31",
        ["2026-01-31", "2026-02-28", "2026-03-31"],
        since="2026-01-10",
    ),
    Worked(
        "calendar.arrears.1",
        KILL_BILL + ", in arrears over a year of months",
        subscribed(
            fee("10", timing="arrears"), {"started_on": "2025-12-31"}, {"from": "2025-12-31", "through": "2026-04-30"}
        ),
        {"invoices.*.lines.0.from": ["2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31"]},
    ),
    Worked(
        "calendar.late_run.1",
        "Kill Bill: a late run catches up period by period",
        subscribed(fee("10"), {"started_on": "2026-01-31"}, {"on": "2026-04-15"}),
        {"invoices.0.net": "30", "invoices.0.lines.*.from": ["2026-01-31", "2026-02-28", "2026-03-31"]},
    ),
    Worked(
        "calendar.double_run.1",
        "Lago: pull request 1074, two runs on one day of the customer",
        subscribed(
            fee("10"),
            {"started_on": "2026-03-29"},
            {"at": ["2026-03-28T22:30:00Z", "2026-03-28T23:30:00Z", "2026-03-29T10:00:00Z"]},
            account={"time_zone": "Europe/Berlin"},
        ),
        {"invoices.*.net": ["10"]},
    ),
)
