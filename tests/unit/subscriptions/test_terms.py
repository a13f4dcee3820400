"""Subscriptions sold for a term that renew themselves: ends, notice, prices at a renewal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from saldo.catalog.codec import plan_version_from_json, plan_version_to_json
from saldo.catalog.model import PriceModel
from saldo.catalog.rules_uplift import higher
from saldo.kernel.errors import Refusal
from saldo.quotes.service import quote_document
from saldo.rating.rules.registry import price
from tests.property.test_engine_properties import models, quantities

YEAR = {"unit": "month", "count": 12}


def fee(name: str, amount: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "components": [{"id": "fee", "price": {"kind": "flat", "amount": amount}}], **more}


def billed(
    term: dict[str, Any], *changes: dict[str, Any], plans: tuple[dict[str, Any], ...] = (), **sold: Any
) -> list[tuple[str, str]]:
    """(day, net) of each invoice of a plan of 100 a month from 1 January 2026 on."""
    document = {
        "billing": {"from": "2026-01-01", "through": "2028-06-01"},
        "plans": [fee("plan", "100"), *plans],
        "subscriptions": [{"plan": "plan", "started_on": "2026-01-01", "term": term, "changes": list(changes), **sold}],
    }
    return [(invoice["issued_on"], invoice["net"]) for invoice in quote_document(document)["invoices"]]


def cancelled(on: str, **more: Any) -> dict[str, Any]:
    return {"kind": "cancel", "effective_on": on, "credit": "none", **more}


def test_a_term_renews_itself_at_the_same_price() -> None:
    assert len(billed(YEAR)) == 30 and {net for _, net in billed(YEAR)} == {"100.00"}


def test_a_cancellation_is_for_the_end_of_the_term() -> None:
    assert billed(YEAR, cancelled("2026-02-10"))[-1] == ("2026-12-01", "100.00")
    assert billed(YEAR, cancelled("2026-12-31"))[-1][0] == "2026-12-01", "without notice the last day will do"


def test_a_cancellation_that_comes_too_late_is_for_the_end_of_the_next_term() -> None:
    notice = {**YEAR, "notice_days": 60}
    assert billed(notice, cancelled("2026-11-02"))[-1][0] == "2026-12-01"
    assert billed(notice, cancelled("2026-11-03"))[-1][0] == "2027-12-01"


def test_a_trial_is_no_part_of_the_term() -> None:
    tried = billed(YEAR, cancelled("2026-02-10"), trial_days=31)
    assert (tried[0][0], tried[-1][0], len(tried)) == ("2026-02-01", "2027-01-01", 12)


def test_a_notice_longer_than_a_term_skips_as_many_terms_as_it_takes() -> None:
    monthly = {"unit": "month", "notice_days": 60}
    assert billed(monthly, cancelled("2026-10-11"))[-1][0] == "2026-12-01", "from 1 January on: 81 days"


def test_staff_may_end_it_at_once_and_what_is_left_of_a_commitment_falls_due() -> None:
    minimum = {"amount": "1200", "every": {"unit": "year"}, "cut_short": "whole"}
    at_once = {"kind": "cancel", "effective_on": "2026-03-01"}
    assert billed(YEAR, at_once, plans=(fee("committed", "100", minimum=minimum),), plan="committed") == [
        ("2026-01-01", "100.00"),
        ("2026-02-01", "100.00"),
        ("2026-03-01", "1000.00"),
    ]


def test_what_was_cancelled_may_go_on_after_all() -> None:
    assert len(billed(YEAR, cancelled("2026-02-10"), {"kind": "renew", "effective_on": "2026-10-01"})) == 30


def test_prices_rise_at_each_renewal() -> None:
    amounts = dict(billed({**YEAR, "uplift_percent": "3"}))
    assert [amounts[f"{year}-{month}-01"] for year, month in ((2026, 12), (2027, "01"), (2027, 12), (2028, "01"))] == [
        "100.00",
        "103.00",
        "103.00",
        "106.09",
    ]


def test_a_commitment_rises_with_the_prices() -> None:
    minimum = {"amount": "2400", "every": {"unit": "year"}}
    amounts = dict(billed({**YEAR, "uplift_percent": "10"}, plans=(fee("m", "100", minimum=minimum),), plan="m"))
    assert amounts["2027-01-01"] == "1310.00"  # 1,200 for the year before, 110 for the month ahead
    assert amounts["2028-01-01"] == "1441.00"  # 1,320, and 121


NEWER = fee("newer", "120", plan_id="plan", effective_on="2026-05-01", version=2)


def test_a_renewal_moves_to_the_newest_price_of_its_plan_or_keeps_the_old() -> None:
    assert dict(billed(YEAR, plans=(NEWER,)))["2027-01-01"] == "100.00"
    amounts = dict(billed({**YEAR, "newest_price": True}, plans=(NEWER,)))
    assert (amounts["2026-12-01"], amounts["2027-01-01"]) == ("100.00", "120.00")


def test_who_moves_to_another_plan_before_the_renewal_has_its_price_raised() -> None:
    moved = {"kind": "plan", "plan": "large", "effective_on": "2026-06-01"}
    amounts = dict(billed({**YEAR, "uplift_percent": "3"}, moved, plans=(fee("large", "200"),)))
    assert (amounts["2026-12-01"], amounts["2027-01-01"]) == ("200.00", "206.00")


def test_who_moves_to_another_plan_on_the_day_of_the_renewal_has_that_plans_price() -> None:
    moved = {"kind": "plan", "plan": "large", "effective_on": "2027-01-01"}
    amounts = dict(billed({**YEAR, "uplift_percent": "3"}, moved, plans=(fee("large", "200"),)))
    assert (amounts["2027-01-01"], amounts["2028-01-01"]) == ("200.00", "206.00")


def test_with_calendar_billing_the_first_short_month_is_a_month_of_the_term() -> None:
    days = [day for day, _ in billed(YEAR, cancelled("2026-02-01"), started_on="2026-01-15", alignment="calendar")]
    assert days[-1] == "2026-12-01"


@pytest.mark.parametrize(
    ("term", "field", "code"),
    [
        ({"unit": "week", "count": 5}, "term.count", "not_whole_cycles"),
        ({"unit": "month", "count": 0}, "term.count", "not_a_length"),
        ({**YEAR, "notice_days": 400}, "term.notice_days", "not_in_a_year"),
        ({**YEAR, "notice_days": 30, "announce_days": 30}, "term.announce_days", "told_too_late"),
        ({**YEAR, "uplift_percent": "-1"}, "term.uplift_percent", "not_a_percentage"),
        ({**YEAR, "uplift_percent": "1", "newest_price": True}, "term.newest_price", "uplift_or_newest"),
    ],
)
def test_a_term_that_cannot_be_is_refused_by_field(term: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        billed(term)
    assert (f"subscriptions[0].{field}", code) in {(p.field, p.code) for p in refused.value.problems}


def test_an_agreed_end_and_a_term_exclude_each_other() -> None:
    with pytest.raises(Refusal) as refused:
        billed(YEAR, cancelled_on="2026-06-01")
    assert ("subscriptions[0].term", "ends_as_agreed") in {(p.field, p.code) for p in refused.value.problems}


@given(models, quantities, st.integers(0, 300))
def test_a_higher_price_makes_any_use_so_much_dearer(model: PriceModel, quantity: Decimal, percent: int) -> None:
    factor = 1 + Decimal(percent) / 100
    dearer = higher(model, factor)
    assume("rate=Decimal('1')" not in repr(dearer))  # no percentage is above the whole
    before, after = price(model, quantity).amount, price(dearer, quantity).amount
    off = abs(after - before * factor)
    assert off <= (quantity + 10) * Decimal("1e-11")


def test_a_higher_version_is_read_back_as_it_was() -> None:
    from saldo.catalog.rules_uplift import uplifted

    minimum = {"amounts": ["100", "200.50"], "every": {"unit": "year"}}
    version = plan_version_from_json({"currency": "EUR", **fee("plan", "9.99", minimum=minimum)})
    after = uplifted(version, Decimal("3.5"))
    assert plan_version_from_json(plan_version_to_json(after)) == after
    assert after.minimum is not None and after.minimum.amounts == (Decimal("103.5"), Decimal("207.5175"))
    assert uplifted(version, Decimal("3.50")).id == after.id != uplifted(version, Decimal(4)).id
