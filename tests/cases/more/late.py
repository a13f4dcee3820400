"""After the due date and in other currencies: interest, fees, exchange, aging."""

from __future__ import annotations

from tests.cases.more.building import Worked, rate
from tests.cases.more.receivables import DAY, LATE, TRYTON, after, booked, late, paid

CASES: tuple[Worked, ...] = (
    # interest, compensation, fees
    Worked(
        "dunning.uk.1",
        "gov.uk: 1,000 at 8 % and a base of 0.5 %, fifty days",
        late("1000", "2026-03-22", {"law": "UK", "base_percent": "0.5"}),
        {LATE + ".interest": "11.64", LATE + ".compensation": "70"},
    ),
    Worked(
        "dunning.uk.2",
        "gov.uk: the same by a rounded day",
        late("1000", "2026-03-22", {"law": "UK", "base_percent": "0.5", "daily_rounding": True}),
        {LATE + ".interest": "11.50"},
        option="daily_rounding",
    ),
    Worked(
        "dunning.eu.1",
        "Directive 2011/7/EU: base 2.15 + 8 on 1,000, thirty days",
        late("1000", "2026-03-02", {"law": "EU", "base_percent": "2.15"}),
        {LATE + ".interest": "8.34", LATE + ".compensation": "40", LATE + ".total": "48.34"},
    ),
    Worked(
        "dunning.de.1",
        "BGB 288 (2), (5): base 1.27 + 9 on 5,000, ninety days",
        late("5000", "2026-05-01", {"law": "DE", "base_percent": "1.27"}),
        {LATE + ".interest": "126.62", LATE + ".compensation": "40"},
    ),
    Worked(
        "dunning.de.2",
        "BGB 288 (1): a consumer, 5 points and no fixed sum",
        late("5000", "2026-05-01", {"law": "DE_CONSUMER", "base_percent": "1.27"}),
        {LATE + ".interest": "77.30", LATE + ".total": "77.30"},
    ),
    Worked(
        "dunning.fr.1",
        "Code de commerce L441-10: refinancing rate 2.15 + 10",
        late("2000", "2026-03-02", {"law": "FR", "base_percent": "2.15"}),
        {LATE + ".interest": "19.97", LATE + ".compensation": "40"},
    ),
    Worked(
        "dunning.half_years.1",
        "BGB 247: a base rate that changes on the first of July",
        after(
            "10000",
            {
                "as_of": "2026-07-31",
                "late_interest": {
                    "law": "DE",
                    "base_percent": "1.27",
                    "later": [{"from_on": "2026-07-01", "base_percent": "2.27"}],
                },
            },
            billing={"on": "2026-06-20"},
        ),
        {LATE + ".interest": "123.85", LATE + ".days": "41"},
    ),
    Worked(
        "dunning.us.1",
        "US: 1.5 % a month, two months",
        late("1000", "2026-03-31", {"percent": "1.5", "per": "month"}),
        {LATE + ".interest": "30"},
    ),
    Worked(
        "dunning.us.2",
        "US: 1.5 % a month, a month and fifteen of 31 days",
        after(
            "1000",
            {"as_of": "2026-05-15", "late_interest": {"percent": "1.5", "per": "month"}},
            billing={"on": "2026-03-31"},
        ),
        {LATE + ".interest": "22.26"},
    ),
    Worked(
        "dunning.year.1",
        "banks: actual days over 360",
        late("1000", "2026-03-01", {"percent": "12", "year_days": 360}),
        {LATE + ".interest": "9.67"},
    ),
    Worked(
        "dunning.year.2",
        "ICMA actual/actual: a leap year's days",
        after(
            "36600",
            {"as_of": "2024-01-31", "late_interest": {"percent": "10", "calendar_year": True}},
            billing={"on": "2023-12-31"},
        ),
        {LATE + ".interest": "310"},
    ),
    Worked(
        "dunning.partial.1",
        "any: half is paid on the way",
        late(
            "1000",
            "2026-03-02",
            {"percent": "12.1666666666666666666667"},
            payments=[{"on": "2026-02-15", "amount": "500"}],
        ),
        {LATE + ".interest": "7.50"},
    ),
    Worked(
        "dunning.partial.2",
        "any: paid late, and the compensation stays due",
        late(
            "1000",
            "2026-04-30",
            {"law": "EU", "base_percent": "2.15"},
            payments=[{"on": "2026-03-02", "amount": "1000"}],
        ),
        {LATE + ".interest": "8.34", LATE + ".compensation": "40", LATE + ".days": "30"},
    ),
    Worked(
        "dunning.in_time.1",
        "any: paid on the day it is due",
        late("1000", "2026-04-30", {"law": "EU", "base_percent": "2.15"}, payments=[{"on": DAY, "amount": "1000"}]),
        {LATE + ".total": "0"},
    ),
    Worked(
        "dunning.fee.1",
        "Chargebee: 5 % after a grace of ten days",
        late("1000", "2026-02-11", {"percent": "0", "fees": [{"after_days": 10, "percent": "5"}]}),
        {LATE + ".fees": "50"},
    ),
    Worked(
        "dunning.fee.2",
        "Chargebee: still within the grace",
        late("1000", "2026-02-10", {"percent": "0", "fees": [{"after_days": 10, "percent": "5"}]}),
        {LATE + ".fees": "0"},
    ),
    Worked(
        "dunning.fee.3",
        "reminders: 5 at once, 10 after a fortnight",
        late("1000", "2026-02-20", {"percent": "0", "fees": [{"amount": "5"}, {"after_days": 14, "amount": "10"}]}),
        {LATE + ".fees": "15"},
    ),
    # exchange
    Worked(
        "fx.booked.1",
        "Stripe: 100 EUR at 1.0831",
        after("100", {}, exchange=booked("1.0831")),
        {"invoices.0.ledger.total": "108.31"},
    ),
    Worked(
        "fx.booked.2",
        "EN 16931 BT-111: VAT in the accounting currency",
        after("1000", {}, exchange=booked("11.4425", "SEK"), taxes={"rates": [rate("25")]}),
        {"invoices.0.ledger.tax": "2860.63"},
    ),
    Worked(
        "fx.booked.3",
        "ISO 4217: into yen, no digits",
        after("19.99", {}, exchange=booked("161.755", "JPY")),
        {"invoices.0.ledger.total": "3233"},
    ),
    Worked(
        "fx.booked.4",
        "ISO 4217: into dinars, three digits",
        after("100", {}, exchange=booked("0.33255", "KWD")),
        {"invoices.0.ledger.total": "33.255"},
    ),
    Worked(
        "fx.realised.1",
        "ERPNext: booked at 1.10, paid at 1.15, a gain",
        after("1000", {"payments": [{"on": DAY, "amount": "1000", "rate": "1.15"}]}, exchange=booked("1.10")),
        {"receivables.fx.difference": "-50"},
    ),
    Worked(
        "fx.realised.2",
        "ERPNext: paid at 1.05, a loss",
        after("1000", {"payments": [{"on": DAY, "amount": "1000", "rate": "1.05"}]}, exchange=booked("1.10")),
        {"receivables.fx.difference": "50"},
    ),
    Worked(
        "fx.parts.1",
        TRYTON + ", halves clear what was booked to the cent",
        after(
            "400",
            {
                "payments": [
                    {"on": DAY, "amount": "200", "rate": "1.10"},
                    {"on": "2026-02-28", "amount": "200", "rate": "1.25"},
                ]
            },
            exchange=booked("1.20", quoted="document_per_ledger"),
        ),
        {
            "receivables.fx.settled.*.booked": ["166.67", "166.66"],
            "receivables.fx.settled.*.paid": ["181.82", "160"],
            "receivables.fx.difference": "-8.49",
        },
    ),
    Worked(
        "fx.realised.3",
        "any: what is credited and discounted wins and loses nothing, the rest is paid at another rate",
        after(
            "100",
            {
                "credit_notes": [{"on": "2026-02-01", "invoice": 1, "amount": "33.33"}],
                "payments": [{"on": "2026-02-10", "amount": "66.67", "rate": "1.20"}],
            },
            exchange=booked("1.10", quoted="document_per_ledger"),
        ),
        {
            "receivables.fx.settled.*.booked": ["60.61"],
            "receivables.fx.settled.*.paid": ["55.56"],
            "receivables.fx.difference": "5.05",
        },
    ),
    Worked(
        "fx.realised.4",
        "any: half is given back at another rate than it was paid at",
        after(
            "100",
            {
                "payments": [
                    {"on": "2026-02-08", "amount": "100", "rate": "1.20"},
                    {"on": "2026-02-10", "amount": "-50", "rate": "1.00", "invoice": 1},
                ]
            },
            exchange=booked("1.10", quoted="document_per_ledger"),
        ),
        {"receivables.fx.settled.*.difference": ["7.58", "4.55"], "receivables.fx.difference": "12.13"},
    ),
    Worked(
        "fx.unrealised.1",
        "ERPNext: exchange rate revaluation at the end of a month",
        after(
            "1000",
            {"payments": [{"on": DAY, "amount": "400", "rate": "1.10"}], "closing_rate": "1.08"},
            exchange=booked("1.10"),
        ),
        {
            "receivables.fx.unrealised.booked": "660",
            "receivables.fx.unrealised.now": "648",
            "receivables.fx.unrealised.difference": "12",
        },
    ),
    # aging and figures
    Worked(
        "kpi.aging.1",
        "aging by days past due",
        {
            "billing": {"dates": ["2025-10-01", "2025-11-15", "2025-12-20", DAY]},
            "account": {"payment_terms_days": 0},
            "items": [
                {"unit_price": "100", "on": "2025-10-01"},
                {"unit_price": "200", "on": "2025-11-15"},
                {"unit_price": "300", "on": "2025-12-20"},
                {"unit_price": "400", "on": DAY},
            ],
            "receivables": {"as_of": DAY, "aging": {"loss_percents": ["1", "3", "10", "33", "75"]}},
        },
        {
            "receivables.aging.buckets": {
                "not_due": "400.00",
                "1_30": "0.00",
                "31_60": "300.00",
                "61_90": "200.00",
                "over_90": "100.00",
            },
            "receivables.aging.allowance": "175",
        },
    ),
    Worked(
        "kpi.dso.1",
        "days of sales outstanding: 50,000 of 200,000 in 365 days",
        after("200000", paid("150000", as_of="2026-03-31", aging={"sales_days": 365})),
        {"receivables.aging.days_sales_outstanding": "91.25"},
    ),
    Worked(
        "kpi.dso.2",
        "days of sales outstanding, rounded",
        after("9000000", paid("4000000", as_of="2026-03-31", aging={"sales_days": 91})),
        {"receivables.aging.days_sales_outstanding": "50.56"},
    ),
    # what other rooms do
    Worked(
        "ar.numbering.1",
        "Lago: numbers by entity and customer",
        absent="quotes store nothing and number nothing; the run does",
    ),
    Worked(
        "revenue.ssp.1",
        "IFRS 15: a price allocated by stand-alone prices",
        absent="revenue recognition is the room `revenue`",
    ),
)
