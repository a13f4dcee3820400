"""Late interest that compounds, counts months, waits and is bounded; fees that come again; other laws."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked
from tests.cases.more.receivables import DAY, LATE, after, late

INTEREST, FEES = LATE + ".interest", LATE + ".fees"
CALCULATOR = "codingace.net, freelance late payment"


def from_day(debt: str, issued_on: str, as_of: str, rule: Json, **more: object) -> Json:
    return after(debt, {"as_of": as_of, "late_interest": rule, **more}, billing={"on": issued_on})


MONTHLY = {"percent": "1.5", "per": "month"}

CASES: tuple[Worked, ...] = (
    Worked(
        "dunning.compound.1",
        "InvoiceGrid: 1.5 % a month compounded, six months of 5,000",
        late("5000", "2026-07-31", {**MONTHLY, "compounds": "month"}),
        {INTEREST: "467.22"},
        option="compounds",
    ),
    Worked("dunning.compound.2", "… and simple", late("5000", "2026-07-31", MONTHLY), {INTEREST: "450"}),
    Worked(
        "dunning.compound.3",
        "SuiteCRM forum: 20 % a year compounded monthly, four months of 100",
        late("100", "2026-05-31", {"percent": "20", "compounds": "month"}),
        {INTEREST: "6.84"},
        option="compounds",
    ),
    Worked(
        "dunning.compound.4",
        CALCULATOR + ": daily at 18 %, 49 days of 3,400",
        from_day("3400", "2026-01-30", "2026-03-20", {"percent": "18", "compounds": "day"}),
        {INTEREST: "83.14"},
        option="compounds",
    ),
    Worked(
        "dunning.compound.5",
        "US Prompt Payment Act: monthly, two months and ten days of 360",
        from_day("10000", "2026-01-10", "2026-03-20", {"percent": "5", "compounds": "month", "year_days": 360}),
        {INTEREST: "97.51"},
        option="compounds",
    ),
    Worked(
        "dunning.compound.6",
        "any: quarterly, a year",
        from_day("1000", "2025-01-31", "2026-01-31", {"percent": "8", "compounds": "quarter"}),
        {INTEREST: "82.43"},
        option="compounds",
    ),
    Worked(
        "dunning.compound.7",
        "any: yearly, two years",
        from_day("1000", "2024-01-31", "2026-01-31", {"percent": "10", "compounds": "year"}),
        {INTEREST: "210"},
        option="compounds",
    ),
    Worked(
        "dunning.compound.8",
        "any: half is paid after a month",
        late("1000", "2026-03-31", {**MONTHLY, "compounds": "month"}, payments=[{"on": "2026-02-28", "amount": "500"}]),
        {INTEREST: "22.73"},
        option="compounds",
    ),
    Worked(
        "dunning.months.1",
        "US: 1.5 % a month or part of one",
        late("1000", "2026-03-15", {**MONTHLY, "months": "begun"}),
        {INTEREST: "30"},
        option="months begun",
    ),
    Worked(
        "dunning.months.2",
        "any: for whole months alone",
        late("1000", "2026-03-15", {**MONTHLY, "months": "full"}),
        {INTEREST: "15"},
        option="months full",
    ),
    Worked(
        "dunning.year.3",
        "30E/360: February has 30 days",
        late("1000", "2026-03-15", {"percent": "9", "thirty_days": True}),
        {INTEREST: "11.25"},
        option="thirty_days",
    ),
    Worked(
        "dunning.year.4",
        "any: over 366",
        late("1000", "2026-03-02", {"percent": "7.32", "year_days": 366}),
        {INTEREST: "6.00"},
        option="year_days",
    ),
    Worked(
        "dunning.grace.1",
        "any: paid on the tenth day of ten",
        late(
            "1000", "2026-03-31", {"percent": "9", "grace_days": 10}, payments=[{"on": "2026-02-10", "amount": "1000"}]
        ),
        {LATE + ".total": "0"},
    ),
    Worked(
        "dunning.grace.2",
        "any: a day later it counts from the due date",
        late(
            "1000", "2026-03-31", {"percent": "9", "grace_days": 10}, payments=[{"on": "2026-02-11", "amount": "1000"}]
        ),
        {INTEREST: "2.71", LATE + ".days": "11"},
    ),
    Worked(
        "dunning.grace.3",
        CALCULATOR + ": 25 chargeable days of 2,000 at 18 %",
        from_day("2000", "2026-02-18", "2026-03-20", {"percent": "18", "grace_days": 5, "from_grace": True}),
        {INTEREST: "24.66", LATE + ".days": "25"},
        option="from_grace",
    ),
    Worked(
        "dunning.cap.1",
        CALCULATOR + ": at most 4 % of the debt",
        late(
            "2000", "2026-06-30", {"percent": "0", "most_percent": "4", "fees": [{"percent": "1.5", "every_days": 30}]}
        ),
        {FEES: "80"},
    ),
    Worked(
        "dunning.cap.2",
        "any: interest comes before fees",
        late("1000", "2027-01-31", {"percent": "12", "most_percent": "10", "fees": [{"amount": "25"}]}),
        {INTEREST: "100", FEES: "0"},
    ),
    Worked(
        "dunning.fee.4",
        "US: the greater of 5 dollars and 5 %",
        late("60", "2026-02-10", {"percent": "0", "fees": [{"percent": "5", "least": "5"}]}),
        {FEES: "5"},
    ),
    Worked(
        "dunning.fee.5",
        "… 5 % of 400",
        late("400", "2026-02-10", {"percent": "0", "fees": [{"percent": "5", "least": "5"}]}),
        {FEES: "20"},
    ),
    Worked(
        "dunning.fee.6",
        "any: 5 %, at most 50",
        late("4000", "2026-02-10", {"percent": "0", "fees": [{"percent": "5", "most": "50"}]}),
        {FEES: "50"},
    ),
    Worked(
        "dunning.fee.7",
        "any: 15 every thirty days, three times",
        late("500", "2026-12-31", {"percent": "0", "fees": [{"amount": "15", "every_days": 30, "times": 3}]}),
        {FEES: "45"},
    ),
    Worked(
        "dunning.fee.8",
        "any: each on what is then open",
        late(
            "1000",
            "2026-03-10",
            {"percent": "0", "fees": [{"percent": "1", "every_days": 30}]},
            payments=[{"on": "2026-02-20", "amount": "600"}],
        ),
        {FEES: "14"},
    ),
    Worked(
        "dunning.at.1",
        "Austria, UGB § 456: base 1.53 + 9.2",
        late("1000", "2026-03-02", {"law": "AT", "base_percent": "1.53"}),
        {INTEREST: "8.82", LATE + ".compensation": "40"},
    ),
    Worked(
        "dunning.es.1",
        "Spain, Ley 3/2004: 2.15 + 8, sixty days",
        late("3000", "2026-04-01", {"law": "ES", "base_percent": "2.15"}),
        {INTEREST: "50.05", LATE + ".compensation": "40"},
    ),
    Worked(
        "dunning.uk.3",
        "UK: the base rate of the first late day holds until it is paid",
        from_day(
            "10000",
            "2026-06-20",
            "2026-07-31",
            {"law": "UK", "base_percent": "4.25", "later": [{"from_on": "2026-07-01", "base_percent": "3.75"}]},
        ),
        {INTEREST: "137.60", LATE + ".compensation": "100"},
    ),
    Worked(
        "dunning.eu.2",
        "Directive 2011/7/EU: with the half-year the rate changes",
        from_day(
            "10000",
            "2026-06-20",
            "2026-07-31",
            {"law": "EU", "base_percent": "2.15", "later": [{"from_on": "2026-07-01", "base_percent": "3.15"}]},
        ),
        {INTEREST: "122.51"},
    ),
    Worked(
        "dunning.instalments.1",
        "any: paid in two halves, each late by its own days",
        late(
            "1000",
            "2026-04-30",
            {"percent": "7.3"},
            payments=[{"on": "2026-02-10", "amount": "500"}, {"on": "2026-03-02", "amount": "500"}],
        ),
        {INTEREST: "4.00"},
    ),
    Worked(
        "dunning.se.1",
        "Sweden, räntelag § 6: 2 + 8 % of 10,000 kronor, thirty days, and 450",
        after("10000", {"as_of": "2026-03-02", "late_interest": {"law": "SE", "base_percent": "2"}}, currency="SEK"),
        {INTEREST: "82.19", LATE + ".compensation": "450"},
    ),
    Worked(
        "dunning.dk.1",
        "Denmark, rentelov § 5: 1.75 + 8 %, and 310",
        after("10000", {"as_of": "2026-03-02", "late_interest": {"law": "DK", "base_percent": "1.75"}}, currency="DKK"),
        {INTEREST: "80.14", LATE + ".compensation": "310"},
    ),
    Worked(
        "dunning.compound.9",
        "any: thirty days a month do not compound",
        late("1", "2026-03-02", {"percent": "1", "thirty_days": True, "compounds": "month"}),
        {"refused": "invalid_input"},
    ),
)

assert DAY == "2026-01-31"
