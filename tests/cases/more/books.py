"""Books in another currency at the rate of each day, across a third one, and figures of what is owed."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, rate
from tests.cases.more.receivables import DAY, FIRST, after, booked, months, paid

JDE, NETSUITE = "Oracle JD Edwards", "NetSuite"
FX, AGING = "receivables.fx", "receivables.aging"


def ecb(*rates: tuple[str, str, str], ledger: str = "EUR", **more: object) -> Json:
    listed = [{"currency": currency, "on": on, "rate": value} for currency, on, value in rates]
    return {"ledger_currency": ledger, "source": "ECB", "rates": listed, **more}


def in_march(amount: str, **aging: int) -> Json:
    """Paid at the end of March, and the figures of that day."""
    return paid(amount, on="2026-03-31", as_of="2026-03-31", aging=aging)


DOLLARS = ecb(
    ("USD", "2026-01-30", "1.25"),
    ("USD", "2026-02-27", "1.20"),
    ("USD", "2026-03-31", "1.10"),
    ("USD", "2026-04-10", "1.00"),
)
AT_ONCE = {"account": {"payment_terms_days": 0}}
BENJI = "benjipays: count-back method, 212,000 after 70, 80 and 100 thousand"

CASES: tuple[Worked, ...] = (
    # exchange
    Worked(
        "fx.realised.5",
        JDE + ": 500 USD, 0.6072 and 0.6081",
        after(
            "500",
            {"payments": [{"on": DAY, "amount": "500", "rate": "0.6081"}]},
            currency="USD",
            exchange=booked("0.6072", "GBP"),
        ),
        {FX + ".settled.*.booked": ["303.60"], FX + ".difference": "-0.45", FX + ".gains": "0.45"},
    ),
    Worked(
        "fx.alternate.1",
        JDE + ": 500 CAD paid by 38,850 yen",
        after(
            "500",
            {"payments": [{"on": DAY, "amount": "38850", "currency": "JPY", "at": "0.01287", "worth": "355.98"}]},
            currency="CAD",
            exchange=booked("0.71268", "EUR"),
        ),
        {FIRST + ".open": "0", FX + ".difference": "0.36"},
    ),
    Worked(
        "fx.alternate.2",
        "any: three digits paid in two",
        after(
            "100", {"payments": [{"on": DAY, "amount": "30.755", "currency": "KWD", "at": "3.2515"}]}, currency="USD"
        ),
        {FIRST + ".open": "0"},
    ),
    Worked(
        "fx.alternate.3",
        "any: how much it is taken for is not told",
        after("100", {"payments": [{"on": DAY, "amount": "30", "currency": "KWD"}]}),
        {"refused": "invalid_input"},
    ),
    Worked(
        "fx.parts.2",
        NETSUITE + ": 40 and 60 of 100 pounds at 2, 2.5 and 3",
        after(
            "100",
            {
                "payments": [
                    {"on": DAY, "amount": "40", "rate": "2.5"},
                    {"on": "2026-02-15", "amount": "60", "rate": "3"},
                ]
            },
            currency="GBP",
            exchange=booked("2"),
        ),
        {FX + ".settled.*.difference": ["-20", "-60"], FX + ".gains": "80", FX + ".losses": "0"},
    ),
    Worked(
        "fx.unrealised.2",
        NETSUITE + ": 60 pounds are left at the end of the month",
        after(
            "100",
            {"payments": [{"on": DAY, "amount": "40", "rate": "2.5"}], "closing_rate": "2.5"},
            currency="GBP",
            exchange=booked("2"),
        ),
        {FX + ".unrealised.difference": "-30"},
    ),
    Worked(
        "fx.parts.3",
        "any: ten parts of 10, worth 10.83 each, clear 108.31",
        after("100", {"payments": [{"on": DAY, "amount": "10", "rate": "1.0831"}] * 10}, exchange=booked("1.0831")),
        {FX + ".difference": "0.01", FIRST + ".open": "0"},
    ),
    Worked(
        "fx.days.1",
        "any: each invoice is booked at the rate of its day",
        months(
            {"payments": [{"on": "2026-04-10", "amount": "200", "rate": "0.80"}]},
            "100",
            "100",
            "100",
            currency="USD",
            exchange=DOLLARS,
        ),
        {"invoices.*.ledger.total": ["80.00", "83.33", "90.91"]},
    ),
    Worked(
        "fx.days.2",
        "any: payments without a rate are worth that of their day",
        months(
            {"payments": [{"on": "2026-04-10", "amount": "200"}]},
            "100",
            "100",
            "100",
            currency="USD",
            exchange=DOLLARS,
        ),
        {FX + ".settled.*.paid": ["100", "100"], FX + ".gains": "36.67"},
    ),
    Worked(
        "fx.cross.1",
        "ECB: kronor in pounds, across the euro",
        months(
            {},
            "1000",
            days=[DAY],
            currency="SEK",
            exchange=ecb(("SEK", "2026-01-30", "11.4425"), ("GBP", "2026-01-30", "0.8567"), ledger="GBP"),
        ),
        {"invoices.0.ledger.total": "74.87"},
    ),
    Worked(
        "fx.cross.2",
        "any: dinars in yen, three digits into none",
        months(
            {},
            "12.345",
            days=[DAY],
            currency="KWD",
            exchange=ecb(("KWD", "2026-01-30", "0.3320"), ("JPY", "2026-01-30", "162.45"), ledger="JPY"),
        ),
        {"invoices.0.ledger.total": "6040"},
    ),
    Worked(
        "fx.cross.3",
        "any: no rate of that day",
        months({}, "1", days=[DAY], currency="SEK", exchange=ecb(("SEK", "2026-01-10", "11"))),
        {"refused": "no_exchange_rate"},
    ),
    Worked(
        "fx.tax.1",
        "Directive 2006/112/EC, article 230: tax in the ledger's currency",
        after(
            "625743.54",
            {},
            currency="DKK",
            taxes={"rates": [rate("25")]},
            exchange=ecb(("DKK", "2026-01-30", "7.4604")),
        ),
        {"invoices.0.ledger.tax": "20968.83"},
    ),
    Worked(
        "fx.cross.4",
        "any: rates, and nobody says into what",
        months({}, "1", days=[DAY], exchange={"rates": [{"currency": "USD", "on": DAY, "rate": "1.1"}]}),
        {"refused": "invalid_input"},
    ),
    # figures
    Worked(
        "kpi.dso.3",
        BENJI + ", months of thirty days",
        months(
            in_march("38000", sales_days=90, month_days=30),
            "70000",
            "80000",
            "100000",
            **AT_ONCE,
        ),
        {AGING + ".days_counted_back": "73.71"},
    ),
    Worked(
        "kpi.dso.4",
        "… months of the calendar",
        months(
            in_march("38000", sales_days=90),
            "70000",
            "80000",
            "100000",
            **AT_ONCE,
        ),
        {AGING + ".days_counted_back": "73.17", AGING + ".days_sales_outstanding": "76.32"},
    ),
    Worked(
        "kpi.dso.5",
        "CRF: best possible days and average days delinquent",
        months(
            in_march("38000", sales_days=90),
            "70000",
            "80000",
            "100000",
            account={"payment_terms_days": 30},
        ),
        {AGING + ".best_possible_days": "36", AGING + ".average_days_delinquent": "40.32"},
    ),
    Worked(
        "kpi.cei.1",
        "CRF: collection effectiveness, 700 of 1,000 that could be collected",
        months(
            in_march("700", sales_days=60),
            "600",
            "400",
            "500",
            account={"payment_terms_days": 20},
        ),
        {AGING + ".collection_effectiveness": "70"},
    ),
    Worked(
        "kpi.turnover.1",
        "any: sales over what was owed on average",
        months(
            in_march("700", sales_days=31),
            "600",
            "400",
            "500",
            **AT_ONCE,
        ),
        {AGING + ".turnover": "0.56"},
    ),
    Worked(
        "kpi.aging.2",
        "any: by date of invoice",
        months({"as_of": "2026-04-15", "aging": {"by": "issued"}}, "100", "200", "300"),
        {
            AGING + ".buckets": {
                "issued_that_day": "0.00",
                "1_30": "300.00",
                "31_60": "200.00",
                "61_90": "100.00",
                "over_90": "0.00",
            }
        },
        option="by issued",
    ),
    Worked(
        "kpi.aging.3",
        "any: buckets of 15, 45 and 120 days",
        months({"as_of": "2026-04-15", "aging": {"bounds": [15, 45, 120]}}, "100", "200", "300", **AT_ONCE),
        {
            AGING + ".buckets": {
                "not_due": "0.00",
                "1_15": "300.00",
                "16_45": "0.00",
                "46_120": "300.00",
                "over_120": "0.00",
            }
        },
        option="bounds",
    ),
    Worked(
        "kpi.aging.4",
        "IFRS 9 B5.5.35: a provision matrix of 0.3, 1.6, 3.6, 6.6 and 10.6 %",
        months(
            {"as_of": "2026-07-01", "aging": {"loss_percents": ["0.3", "1.6", "3.6", "6.6", "10.6"]}},
            "1000000",
            "2500000",
            "4000000",
            "7500000",
            "15000000",
            days=["2026-03-20", "2026-04-10", "2026-05-10", "2026-06-10", "2026-07-01"],
            **AT_ONCE,
        ),
        {AGING + ".allowance": "580000", AGING + ".losses.not_due": "45000"},
    ),
    Worked(
        "kpi.aging.5",
        "any: a percent for each bucket",
        months({"as_of": "2026-04-15", "aging": {"bounds": [30], "loss_percents": ["1", "2"]}}, "1", days=[DAY]),
        {"refused": "invalid_input"},
    ),
)
