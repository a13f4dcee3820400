"""Minimums with a period of their own: one pool over many invoices, however it changes and whenever usage comes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from saldo.kernel.errors import Refusal
from saldo.quotes.service import quote_document

YEAR = {"unit": "year"}
USED = {"id": "used", "kind": "usage", "meter_id": "units", "price": {"kind": "per_unit", "unit_price": "1"}}
BASE = {"id": "base", "price": {"kind": "flat", "amount": "100"}}


def plan(name: str, minimum: dict[str, Any] | None, *more: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "components": [BASE, USED, *more]} | ({"minimum": minimum} if minimum is not None else {})


def billed(
    minimum: dict[str, Any],
    used: dict[str, str],
    *changes: dict[str, Any],
    dates: tuple[str, ...] = (),
    plans: tuple[dict[str, Any], ...] = (),
    components: tuple[dict[str, Any], ...] = (),
    **sold: Any,
) -> list[tuple[str, str, str]]:
    """(day, component, amount) of every line but the monthly fee."""
    document = {
        "billing": {"dates": list(dates)} if dates else {"from": "2026-01-01", "through": "2029-01-01"},
        "plans": [plan("plan", minimum, *components), *plans],
        "subscriptions": [{"plan": "plan", "started_on": "2026-01-01", "changes": list(changes), **sold}],
        "usage": {
            "meters": [{"id": "units"}],
            "events": [{"meter_id": "units", "at": f"{on}T10:00:00Z", "value": value} for on, value in used.items()],
        },
    }
    return [
        (invoice["issued_on"], line["component"], line["amount"])
        for invoice in quote_document(document)["invoices"]
        for line in invoice["lines"]
        if line["component"] != "base"
    ]


def asked(lines: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(day, amount) for day, component, amount in lines if component == "minimum"]


def total(lines: list[tuple[str, str, str]]) -> Decimal:
    return sum((Decimal(amount) for _, _, amount in lines), Decimal(0))


def test_a_years_commitment_is_drawn_down_by_fees_and_usage_and_made_up_when_the_year_ends() -> None:
    lines = billed({"amount": "5000", "every": YEAR}, {"2026-03-05": "1500", "2026-11-05": "900"})
    assert asked(lines)[0] == ("2027-01-01", "1400.00")  # 5,000 - 12 × 100 - 2,400
    assert asked(lines)[1:] == [("2028-01-01", "3800.00"), ("2029-01-01", "3800.00")]


def test_what_is_more_in_one_month_makes_up_for_what_is_less_in_another() -> None:
    assert asked(billed({"amount": "2000", "every": YEAR}, {"2026-03-05": "800"}))[0][0] == "2028-01-01"


def test_steps_are_those_of_the_years_and_the_last_holds_from_then_on() -> None:
    lines = billed({"amounts": ["5000", "6000"], "every": YEAR}, {})
    assert asked(lines) == [("2027-01-01", "3800.00"), ("2028-01-01", "4800.00"), ("2029-01-01", "4800.00")]


def test_a_quarter_of_monthly_invoices_and_a_half_year_of_them() -> None:
    lines = billed({"amount": "500", "every": {"unit": "quarter"}}, {"2026-05-05": "250"})
    assert asked(lines)[:3] == [("2026-04-01", "200.00"), ("2026-10-01", "200.00"), ("2027-01-01", "200.00")]
    lines = billed({"amount": "500", "every": {"unit": "month", "count": 6}}, {})
    assert asked(lines) == []


def test_month_ends_do_not_drift() -> None:
    lines = billed({"amount": "2000", "every": {"unit": "quarter"}}, {}, started_on="2026-08-31")
    assert [day for day, _ in asked(lines)[:4]] == ["2026-11-30", "2027-02-28", "2027-05-31", "2027-08-31"]


def test_only_chosen_components_count() -> None:
    minimum = {"amount": "1000", "every": YEAR, "components": ["used"]}
    assert asked(billed(minimum, {"2026-03-05": "300"}))[0] == ("2027-01-01", "700.00")


def test_what_is_charged_once_counts_where_it_is_named() -> None:
    setup = {"id": "setup", "kind": "one_time", "price": {"kind": "flat", "amount": "400"}}
    minimum = {"amount": "1000", "every": YEAR, "components": ["setup", "used"]}
    assert asked(billed(minimum, {}, components=(setup,)))[0] == ("2027-01-01", "600.00")
    assert asked(billed({"amount": "2000", "every": YEAR}, {}, components=(setup,)))[0] == ("2027-01-01", "800.00")


def test_what_goes_beyond_costs_its_factor_when_the_year_ends() -> None:
    minimum = {"amount": "1500", "every": YEAR, "overage_factor": "1.25"}
    assert asked(billed(minimum, {"2026-03-05": "500"}))[0] == ("2027-01-01", "50.00")  # a quarter of 1,700 - 1,500
    rebate = {"amount": "1500", "every": YEAR, "overage_factor": "0.9"}
    assert asked(billed(rebate, {"2026-03-05": "500"}))[0] == ("2027-01-01", "-20.00")


@pytest.mark.parametrize(("cut_short", "owed"), [("part", "1400.00"), ("whole", "4400.00")])
def test_an_early_end_owes_the_part_or_the_whole_of_the_year(cut_short: str, owed: str) -> None:
    """Cancelled after half the year but one day of its leap: 182 of 364 days would be half; here 181 of 365."""
    minimum = {"amount": "5000", "every": YEAR, "cut_short": cut_short}
    lines = billed(minimum, {}, {"kind": "cancel", "effective_on": "2026-07-01"})
    part = (Decimal(5000) * 181 / 365).quantize(Decimal("0.01")) - 600
    assert asked(lines) == [("2026-07-01", owed if cut_short == "whole" else str(part))]


def test_the_whole_is_owed_too_where_the_plan_after_it_has_no_minimum() -> None:
    minimum = {"amount": "5000", "every": YEAR, "cut_short": "whole"}
    free = plan("free", None)
    lines = billed(minimum, {}, {"kind": "plan", "plan": "free", "effective_on": "2026-07-01"}, plans=(free,))
    assert asked(lines) == [("2027-01-01", "4400.00")]


def test_a_commitment_that_is_owed_whole_goes_on_while_paused() -> None:
    pause = {"kind": "pause", "effective_on": "2026-03-01"}
    minimum = {"amount": "5000", "every": YEAR, "cut_short": "whole"}
    assert asked(billed(minimum, {}, pause))[:2] == [("2027-01-01", "4800.00"), ("2028-01-01", "5000.00")]
    resumed = {"kind": "resume", "effective_on": "2026-05-01"}
    assert asked(billed(minimum, {}, pause, resumed))[0] == ("2027-01-01", "4000.00")


def test_a_pause_lessens_another_commitment_by_its_days() -> None:
    pause, resume = {"kind": "pause", "effective_on": "2026-03-01"}, {"kind": "resume", "effective_on": "2026-05-01"}
    lines = billed({"amount": "3650", "every": YEAR}, {}, pause, resume)
    assert asked(lines)[0] == ("2027-01-01", "2040.00")  # 304 days at 10, less ten fees


def test_a_pause_to_the_end_is_settled_when_the_year_ends() -> None:
    lines = billed({"amount": "3650", "every": YEAR}, {}, {"kind": "pause", "effective_on": "2026-03-01"})
    assert asked(lines) == [("2027-01-01", "390.00")]  # 59 days at 10, less two fees


def test_raised_within_a_year_it_stays_one_pool() -> None:
    """181 days of 3,650 and 184 of 7,300 are 5,490; what was used before it was raised counts too."""
    larger = plan("larger", {"amount": "7300", "every": YEAR})
    raised = {"kind": "plan", "plan": "larger", "effective_on": "2026-07-01"}
    lines = billed({"amount": "3650", "every": YEAR}, {"2026-02-05": "4000"}, raised, plans=(larger,))
    assert asked(lines)[0] == ("2027-01-01", "290.00")  # 5,490 - 1,200 - 4,000
    assert asked(lines)[1] == ("2028-01-01", "6100.00")


def test_raised_within_a_month_usage_runs_on() -> None:
    larger = plan("larger", {"amount": "7300", "every": YEAR})
    raised = {"kind": "plan", "plan": "larger", "effective_on": "2026-07-15"}
    lines = billed({"amount": "3650", "every": YEAR}, {"2026-07-05": "5", "2026-07-25": "7"}, raised, plans=(larger,))
    assert [line for line in lines if line[1] == "used" and line[2] != "0.00"] == [("2026-08-01", "used", "12.00")]


def test_a_commitment_begins_with_the_month_in_which_the_plan_that_has_it_does() -> None:
    commits = plan("commits", {"amount": "5000", "every": YEAR})
    moved = {"kind": "plan", "plan": "commits", "effective_on": "2026-04-01"}
    lines = billed(None, {"2026-02-05": "4000"}, moved, plans=(commits,))  # type: ignore[arg-type]
    assert asked(lines)[0] == ("2027-04-01", "3800.00"), "what was used before it began does not count"


def test_a_change_that_begins_a_new_cycle_ends_the_year_and_begins_another() -> None:
    larger = plan("larger", {"amount": "7300", "every": YEAR})
    anew = {"kind": "plan", "plan": "larger", "effective_on": "2026-07-01", "reset_cycle": True}
    lines = billed({"amount": "3650", "every": YEAR}, {}, anew, plans=(larger,))
    assert asked(lines)[:2] == [("2026-07-01", "1210.00"), ("2027-07-01", "6100.00")]


MONTHS = tuple(f"{year}-{month:02}-01" for year in (2026, 2027, 2028) for month in range(1, 13))
CHANGES = (
    {"kind": "plan", "plan": "larger", "effective_on": "2026-07-15"},
    {"kind": "pause", "effective_on": "2026-09-10"},
    {"kind": "resume", "effective_on": "2026-10-20"},
    {"kind": "plan", "plan": "plan", "effective_on": "2027-05-04"},
    {"kind": "cancel", "effective_on": "2028-02-03"},
)


@pytest.mark.parametrize("cut_short", ["part", "whole"])
@pytest.mark.parametrize("runs", [MONTHS[-1:], MONTHS[10::9], MONTHS[::2], MONTHS[12:]])
def test_runs_that_come_late_ask_for_what_runs_in_time_ask_for(runs: tuple[str, ...], cut_short: str) -> None:
    minimum = {"amount": "3650", "every": YEAR, "cut_short": cut_short, "overage_factor": "1.5"}
    larger = plan("larger", {**minimum, "amount": "7300"})
    used = {"2026-02-05": "4000", "2026-07-20": "30", "2027-12-31": "17000", "2028-01-20": "5"}
    ends = "2028-12-01" if "2028-12-01" not in runs else runs[-1]
    in_time = billed(minimum, used, *CHANGES, plans=(larger,), dates=MONTHS)
    assert total(in_time) == total(billed(minimum, used, *CHANGES, plans=(larger,), dates=(*runs[:-1], ends)))


@pytest.mark.parametrize(
    ("minimum", "where", "code"),
    [
        ({"amount": "1", "every": {"unit": "day", "count": 90}}, "minimum.every", "not_whole_cycles"),
        ({"amount": "1", "every": {"unit": "month", "count": 0}}, "minimum.every.count", "not_a_length"),
        ({"amount": "1", "components": ["other"]}, "minimum.components[0]", "unknown_component"),
        ({"amount": "1", "amounts": ["1", "2"]}, "minimum.amount", "not_expected"),
        ({"every": YEAR}, "minimum.amount", "missing"),
        ({"amount": "-1"}, "minimum", "negative"),
        ({"amounts": ["1", "-1"]}, "minimum.amounts[1]", "negative"),
        ({"amount": "1", "overage_factor": "-1"}, "minimum.overage_factor", "negative"),
        ({"amount": "1", "cut_short": "some"}, "minimum.cut_short", "unknown_choice"),
        ({"amount": "1", "after": "2"}, "minimum.after", "unknown_field"),
    ],
)
def test_a_commitment_that_cannot_be_is_refused_by_field(minimum: dict[str, Any], where: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        billed(minimum, {})
    assert (f"plans[0].{where}", code) in {(p.field, p.code) for p in refused.value.problems}
