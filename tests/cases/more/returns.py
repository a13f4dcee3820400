"""What comes back of days paid ahead: at what was charged for them, by the discount and the taxes of then."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, fee, monthly, rate

STRIPE_3103 = "Stripe users: stripe-dotnet 3103, a credit as if the 100 % coupon had been paid"
LAGO_1022 = "Lago: api 1022, the coupon left out of the credit note at termination"
LAGO_1776 = "Lago: api 1776, credited by what was charged"
DIRECTIVE = "Directive 2006/112/EC, article 90: the old rate's tax is reduced"
NETS, TAXES, LEFT = "invoices.*.net", "invoices.*.tax", "prepaid_credits.0.balance"
GERMANY = {"rates": [rate("19", until_on="2026-07-01"), rate("16", from_on="2026-07-01")]}


def cancel(on: str, **more: object) -> Json:
    return {"kind": "cancel", "effective_on": on, **more}


def to(name: str, on: str) -> Json:
    return {"kind": "plan", "plan": name, "effective_on": on}


def june(plans: dict[str, object], *changes: Json, **more: object) -> Json:
    """A month of 30 days, so that half of it is from the 16th."""
    return monthly(plans, "2026-06-01", "2026-06-30", *changes, **more)


def one(amount: str, *changes: Json, **more: object) -> Json:
    return june({"a": amount}, *changes, **more)


def once(**more: str) -> list[Json]:
    return [{"duration": "once", **more}]


CASES: tuple[Worked, ...] = (
    Worked(
        "returns.free.1",
        STRIPE_3103,
        one("72", cancel("2026-06-16"), coupons=once(percent="100")),
        {NETS: ["0", "0"], "credit_note_balance": "0"},
    ),
    Worked(
        "returns.free.2",
        STRIPE_3103 + ", more seats: the second costs what it costs",
        june(
            {"a": fee({"kind": "per_unit", "unit_price": "72"}, "seats")},
            {"kind": "quantity", "effective_on": "2026-06-01", "added": {"seats": "0"}},
            {"kind": "quantity", "effective_on": "2026-06-16", "quantities": {"seats": "2"}},
            coupons=once(percent="100"),
        ),
        {NETS: ["0", "72"]},
    ),
    Worked(
        "returns.percent.1",
        LAGO_1022,
        one("100", cancel("2026-06-16"), coupons=once(percent="20")),
        {NETS: ["80", "-40"], "credit_note_balance": "40"},
    ),
    Worked(
        "returns.percent.2",
        "Stripe: an upgrade with a coupon for ever",
        june({"a": "50", "b": "80"}, to("b", "2026-06-16"), coupons=[{"percent": "10"}]),
        {NETS: ["45", "13.50"]},
    ),
    Worked(
        "returns.percent.3",
        "any: a downgrade after the coupon has ended gives back what was paid",
        june({"a": "100", "b": "40"}, to("b", "2026-06-16"), coupons=once(percent="50")),
        {NETS: ["50", "-5"]},
    ),
    Worked(
        "returns.percent.4",
        "any: a coupon that begins later takes nothing off what is given back",
        june({"a": "100", "b": "40"}, to("b", "2026-06-16"), coupons=[{"percent": "50", "from_on": "2026-06-10"}]),
        {NETS: ["100", "-40"]},
    ),
    Worked(
        "returns.amount.1",
        LAGO_1022 + ", an amount",
        one("100", cancel("2026-06-16"), coupons=once(amount="30")),
        {NETS: ["70", "-35"]},
    ),
    Worked(
        "returns.amount.2",
        "any: an amount spread over two lines, one of them given back",
        monthly(
            {"a": "60"},
            "2026-06-01",
            "2026-06-30",
            cancel("2026-06-16"),
            coupons=once(amount="30"),
            items=[{"id": "setup", "unit_price": "30", "on": "2026-06-01"}],
        ),
        {NETS: ["60", "-20"]},
    ),
    Worked(
        "returns.amount.3",
        "any: 10 % and then 10 off, thirds that do not come out even",
        june({"a": "99.99"}, cancel("2026-06-11"), coupons=[*once(percent="10"), *once(amount="10")]),
        {NETS: ["79.99", "-53.33"]},
    ),
    Worked(
        "returns.pause.1",
        "any: a pause gives back what was paid, a resumption costs what it costs",
        one(
            "90",
            {"kind": "pause", "effective_on": "2026-06-11"},
            {"kind": "resume", "effective_on": "2026-06-21"},
            coupons=once(percent="50"),
        ),
        {NETS: ["45", "-30", "30"]},
    ),
    Worked(
        "returns.whole.1",
        "any: what is unwound whole leaves nothing",
        one("100.01", cancel("2026-06-16", credit="whole"), coupons=[*once(percent="33"), *once(amount="7.77")]),
        {"totals.net": "0", "totals.total": "0", "credit_note_balance": "59.24"},
    ),
    Worked(
        "returns.late.1",
        LAGO_1776 + ", told late",
        {
            **one("100", cancel("2026-06-16"), coupons=once(percent="20")),
            "billing": {"dates": ["2026-06-01", "2026-06-25"]},
        },
        {NETS: ["80", "-40"]},
    ),
    Worked(
        "returns.tax.1",
        DIRECTIVE,
        monthly({"a": "1200"}, "2026-01-01", "2026-12-31", cancel("2026-07-02"), cycle_unit="year", taxes=GERMANY),
        {"invoices.0.tax": "228", "invoices.1.net": "-601.64", "invoices.1.tax": "-114.31"},
    ),
    Worked(
        "returns.tax.2",
        DIRECTIVE + "; both rates on one document",
        monthly(
            {"a": "1200", "b": "2400"},
            "2026-01-01",
            "2026-12-31",
            to("b", "2026-07-02"),
            cycle_unit="year",
            taxes=GERMANY,
        ),
        {
            "invoices.1.taxes.*.percent": ["19", "16"],
            "invoices.1.taxes.*.tax": ["-114.31", "192.53"],
            "invoices.1.net": "601.65",
        },
    ),
    Worked(
        "returns.tax.3",
        "any: legs on one line only where both are taxed alike",
        monthly(
            {"a": "1200", "b": "2400"},
            "2026-01-01",
            "2026-12-31",
            to("b", "2026-07-02"),
            cycle_unit="year",
            taxes=GERMANY,
            options={"change_legs": "net"},
        ),
        {"invoices.1.lines.*.kind": ["credit", "charge"], "invoices.1.taxes.*.tax": ["-114.31", "192.53"]},
        option="change_legs net",
    ),
    Worked(
        "returns.tax.4",
        "any: legs on one line where the rate is as it was",
        june({"a": "50", "b": "80"}, to("b", "2026-06-16"), taxes=GERMANY, options={"change_legs": "net"}),
        {"invoices.1.lines.*.kind": ["change"], NETS: ["50", "15"], TAXES: ["9.50", "2.85"]},
        option="change_legs net",
    ),
    Worked(
        "returns.prepaid.1",
        "any: credit drawn before tax returns to where it came from, untaxed as it was",
        one(
            "100",
            cancel("2026-06-16"),
            taxes=GERMANY,
            prepaid_credits=[{"amount": "100"}],
            options={"prepaid": "before_tax"},
        ),
        {NETS: ["0", "0"], TAXES: ["0", "0"], LEFT: "50", "credit_note_balance": "0"},
        option="prepaid before_tax",
    ),
    Worked(
        "returns.prepaid.2",
        "any: a part was paid by credit, the rest is given back with its tax",
        one(
            "100",
            cancel("2026-06-16"),
            taxes=GERMANY,
            prepaid_credits=[{"amount": "40"}],
            options={"prepaid": "before_tax"},
        ),
        {NETS: ["60", "-30"], TAXES: ["11.40", "-5.70"], LEFT: "20", "credit_note_balance": "35.70"},
        option="prepaid before_tax",
    ),
)
