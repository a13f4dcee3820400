"""Minimums over several cycles, as others work them out."""

from __future__ import annotations

from typing import Any

from tests.cases.more.building import Json, Worked, fee, plan

LAGO = "Lago: spec/scenarios/commitments/minimum"
YEAR: Json = {"unit": "year"}
UNITS = fee({"kind": "per_unit", "unit_price": "1"}, "used", meter_id="units")


def committed(minimum: Json | str, used: dict[str, str], *more: Json, start: str, through: str, **sold: Any) -> Json:
    """Usage at 1 a unit by day, and what more is charged, under a minimum."""
    return {
        "billing": {"from": start, "through": through},
        "plans": [plan("p", UNITS, *more, minimum=minimum)],
        "subscriptions": [{"plan": "p", "started_on": start, **sold}],
        "usage": {
            "meters": [{"id": "units"}],
            "events": [{"meter_id": "units", "at": f"{on}T11:00:00Z", "value": value} for on, value in used.items()],
        },
    }


CASES: tuple[Worked, ...] = (
    Worked(
        "commitment.year.1",
        LAGO + "/in_arrears/anniversary/yearly_spec.rb, charges billed monthly (its yearly fee as one charge)",
        committed(
            {"amount": "10000", "every": YEAR, "components": ["used", "fee"]},
            {"2024-03-01": "33", "2024-08-01": "55", "2025-02-01": "1"},
            fee("100", "fee", kind="one_time", timing="arrears"),
            start="2024-03-01",
            through="2025-03-01",
        ),
        {"invoices.*.net": ["133", "55", "9812"], "invoices.2.lines.*.amount": ["1", "9811"]},
    ),
    Worked(
        "commitment.month.1",
        "Lago: minimum spend for subscriptions (python client 231)",
        committed("100", {"2024-03-05": "30"}, fee("50", timing="arrears"), start="2024-03-01", through="2024-04-01"),
        {"invoices.0.lines.*.amount": ["30", "50", "20"]},
    ),
    Worked(
        "commitment.month.2",
        "MonetizeNow: minimum commitment products, arrears mode",
        committed("1000", {"2024-03-05": "900"}, start="2024-03-01", through="2024-04-01"),
        {"invoices.0.lines.*.amount": ["900", "100"], "invoices.0.net": "1000"},
    ),
    Worked(
        "commitment.overage.1",
        "Flexprice: commitment and overage factor, over a quarter instead of a month",
        committed(
            {"amount": "1000", "every": {"unit": "quarter"}, "overage_factor": "1.5"},
            {"2024-01-05": "700", "2024-03-05": "500"},
            start="2024-01-01",
            through="2024-04-01",
        ),
        {"invoices.*.net": ["700", "600"]},
    ),
    Worked(
        "commitment.steps.1",
        "worked out by hand: 60,000 in the first year and 80,000 in the second",
        committed(
            {"amounts": ["60000", "80000"], "every": YEAR},
            {"2024-06-05": "45000", "2025-06-05": "90000"},
            start="2024-01-01",
            through="2026-01-01",
        ),
        {"invoices.*.net": ["45000", "15000", "90000"]},
    ),
    Worked(
        "commitment.begun_earlier.1",
        "any: it was resumed a month before anybody told; what counts towards the minimum moves to where that begins,"
        " what does not is left alone",
        {
            "billing": {"from": "2026-01-01", "through": "2026-03-05"},
            "plans": [
                plan("a", fee("10", "base")),
                plan(
                    "b",
                    fee("100", "base"),
                    fee("50", "licence"),
                    minimum={"amount": "600", "every": {"unit": "quarter"}, "components": ["base"]},
                ),
            ],
            "subscriptions": [
                {
                    "plan": "a",
                    "started_on": "2026-01-01",
                    "changes": [
                        {"kind": "pause", "effective_on": "2026-02-01"},
                        {"kind": "plan", "plan": "b", "effective_on": "2026-02-01"},
                        {"kind": "resume", "effective_on": "2026-03-01"},
                        {"kind": "resume", "effective_on": "2026-02-01", "came_on": "2026-03-05"},
                    ],
                }
            ],
        },
        {
            "invoices.*.net": ["10", "150", "150"],
            "invoices.2.lines.*.component": ["base", "licence", "base", "base"],
            "invoices.2.lines.*.amount": ["100", "50", "-100", "100"],
        },
    ),
)
