"""Which periods fall due, and how the cursor moves past them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from saldo.catalog.model import PlanVersion, Timing
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Unit
from saldo.subscriptions.codec import subscription_from_json, subscription_to_json
from saldo.subscriptions.model import Alignment, Subscription, SubscriptionStatus
from saldo.subscriptions.rules import billed, billing_due, cancel
from tests.unit.invoicing.scenes import BASE, FULL, SETUP, TOKENS, plan, sold

MONTHLY = plan(BASE, TOKENS)


def due(subscription: Subscription, as_of: date, plan_version: PlanVersion = MONTHLY) -> list[tuple[str, str]]:
    return [(p.timing.value, p.period.as_text()) for p in billing_due(subscription, plan_version, as_of)]


def test_at_a_boundary_the_past_period_comes_before_the_next() -> None:
    subscription = sold(MONTHLY, date(2025, 1, 31))
    assert due(subscription, date(2025, 3, 1)) == [
        ("advance", "2025-01-31/2025-02-28"),
        ("arrears", "2025-01-31/2025-02-28"),
        ("advance", "2025-02-28/2025-03-31"),
    ]


def test_nothing_is_due_before_the_first_day() -> None:
    assert due(sold(MONTHLY, date(2025, 1, 31)), date(2025, 1, 30)) == []


def test_a_trial_costs_nothing_and_moves_the_anchor() -> None:
    subscription = sold(MONTHLY, date(2025, 1, 1), trial_days=30)
    assert subscription.status is SubscriptionStatus.TRIALING
    assert due(subscription, date(2025, 1, 30)) == []
    assert due(subscription, date(2025, 1, 31)) == [("advance", "2025-01-31/2025-02-28")]
    assert billed(subscription, MONTHLY, date(2025, 1, 31)).status is SubscriptionStatus.ACTIVE


@pytest.mark.parametrize(
    ("unit", "first", "second"),
    [
        (Unit.WEEK, "2025-05-15/2025-05-19", "2025-05-19/2025-05-26"),
        (Unit.MONTH, "2025-05-15/2025-06-01", "2025-06-01/2025-07-01"),
        (Unit.QUARTER, "2025-05-15/2025-07-01", "2025-07-01/2025-10-01"),
        (Unit.YEAR, "2025-05-15/2026-01-01", "2026-01-01/2027-01-01"),
    ],
)
def test_calendar_cycles_begin_with_a_short_period(unit: Unit, first: str, second: str) -> None:
    version = plan(BASE, unit=unit)
    subscription = sold(version, date(2025, 5, 15), alignment=Alignment.CALENDAR)
    assert [text for _, text in due(subscription, date(2026, 1, 1), version)[:2]] == [first, second]


def test_an_own_billing_day_makes_the_first_period_short() -> None:
    subscription = sold(MONTHLY, date(2023, 5, 15), anchor_on=date(2023, 5, 23))
    periods = billing_due(subscription, MONTHLY, date(2023, 5, 23))
    assert [p.period.as_text() for p in periods] == ["2023-05-15/2023-05-23"] * 2 + ["2023-05-23/2023-06-23"]
    assert periods[0].full.as_text() == "2023-04-23/2023-05-23"


def test_running_late_or_daily_bills_the_same_periods() -> None:
    late = sold(MONTHLY, date(2024, 1, 31))
    daily, found = late, []
    for n in range(500):
        day = date(2024, 1, 31) + timedelta(days=n)
        found += billing_due(daily, MONTHLY, day)
        daily = billed(daily, MONTHLY, day)
    last = date(2024, 1, 31) + timedelta(days=499)
    assert found == billing_due(late, MONTHLY, last)
    assert billed(late, MONTHLY, last) == daily


def test_one_time_charges_fall_due_with_the_first_period_only() -> None:
    version = plan(SETUP)
    subscription = sold(version, date(2025, 1, 1))
    assert len(billing_due(subscription, version, date(2025, 12, 31))) == 1


def test_cancelling_ahead_cuts_the_last_period_and_ends_the_subscription() -> None:
    subscription = cancel(sold(MONTHLY, date(2025, 1, 1)), MONTHLY, date(2025, 2, 15))
    assert due(subscription, date(2025, 12, 31)) == [
        ("advance", "2025-01-01/2025-02-01"),
        ("arrears", "2025-01-01/2025-02-01"),
        ("advance", "2025-02-01/2025-02-15"),
        ("arrears", "2025-02-01/2025-02-15"),
    ]
    ended = billed(subscription, MONTHLY, date(2025, 12, 31))
    assert (ended.status, ended.next_bill_on) == (SubscriptionStatus.ENDED, None)
    assert billing_due(ended, MONTHLY, date(2030, 1, 1)) == []


def test_cancelling_in_the_trial_bills_nothing() -> None:
    subscription = cancel(sold(FULL, date(2025, 1, 1), trial_days=14), FULL, date(2025, 1, 10))
    assert billing_due(subscription, FULL, date(2025, 6, 1)) == []
    assert billed(subscription, FULL, date(2025, 6, 1)).status is SubscriptionStatus.ENDED


def test_days_on_an_invoice_cannot_be_cancelled_away() -> None:
    running = billed(sold(MONTHLY, date(2025, 1, 1)), MONTHLY, date(2025, 1, 1))
    with pytest.raises(Refusal, match="already_billed"):
        cancel(running, MONTHLY, date(2025, 1, 20))
    assert cancel(running, MONTHLY, date(2025, 2, 1)).cancelled_on == date(2025, 2, 1)
    usage_only = plan(TOKENS)
    metered = billed(sold(usage_only, date(2025, 1, 1)), usage_only, date(2025, 1, 1))
    assert due(cancel(metered, usage_only, date(2025, 1, 20)), date(2025, 2, 1), usage_only) == [
        ("arrears", "2025-01-01/2025-01-20")
    ]


def test_a_subscription_moves_along_its_table_only() -> None:
    ended = replace(sold(MONTHLY, date(2025, 1, 1)), status=SubscriptionStatus.ENDED)
    with pytest.raises(Refusal, match="move_not_allowed"):
        cancel(ended, MONTHLY, date(2026, 1, 1))


def test_quantities_are_checked_against_the_plan() -> None:
    with pytest.raises(Refusal, match="unknown_component"):
        sold(MONTHLY, date(2025, 1, 1), quantities={"nothing": Decimal(1)})
    with pytest.raises(Refusal, match="negative_quantity"):
        sold(MONTHLY, date(2025, 1, 1), quantities={"base": Decimal(-1)})
    with pytest.raises(Refusal, match="negative_trial"):
        sold(MONTHLY, date(2025, 1, 1), trial_days=-1)


def test_a_period_is_named_by_subscription_and_boundary() -> None:
    first, second, _ = billing_due(sold(MONTHLY, date(2025, 1, 1)), MONTHLY, date(2025, 2, 1))
    assert first.identity == "sub_1@2025-01-01"
    assert (second.identity, second.timing) == ("sub_1@2025-02-01", Timing.ARREARS)


def test_a_subscription_survives_its_codec_and_bad_fields_are_all_named() -> None:
    subscription = cancel(sold(FULL, date(2025, 1, 1), quantities={"seats": Decimal("2.5")}), FULL, date(2025, 3, 1))
    assert subscription_from_json(subscription_to_json(subscription)) == subscription
    broken = subscription_to_json(subscription) | {"started_on": "soon", "alignment": "lunar", "colour": "red"}
    with pytest.raises(Refusal) as refusal:
        subscription_from_json(broken)
    assert {p.field for p in refusal.value.problems} == {"started_on", "alignment", "colour"}
