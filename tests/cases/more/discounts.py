"""Coupons, prepaid credit and the balance of credit notes."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, fee, items, rate, subscribed

LAGO = "Lago: spec/scenarios"
FLEXPRICE = "Flexprice: docs/invoices/calculation"
TEN = {"rates": [rate("10")]}


def months(count: int, amount: str = "100", **more: object) -> Json:
    return subscribed(
        fee(amount), {"started_on": "2026-01-01"}, {"from": "2026-01-01", "through": f"2026-{count:02}-01"}, **more
    )


def item(item_id: str, amount: str, **more: object) -> Json:
    return {"id": item_id, "unit_price": amount, **more}


CASES: tuple[Worked, ...] = (
    Worked(
        "coupons.percent.1",
        FLEXPRICE + ", 20 % twice",
        items("100", coupons=[{"percent": "20"}, {"percent": "20"}]),
        {"invoices.0.net": "64"},
    ),
    Worked(
        "coupons.percent.2",
        "Stripe: a percentage of an odd amount",
        items("9.99", coupons=[{"percent": "25"}]),
        {"invoices.0.net": "7.49"},
    ),
    Worked(
        "coupons.percent.3",
        "Stripe: half a cent goes up",
        items("0.50", coupons=[{"percent": "25"}]),
        {"invoices.0.net": "0.37"},
    ),
    Worked(
        "coupons.order.1",
        "Stripe: stacked, 10 off then 10 %",
        items("100", coupons=[{"amount": "10"}, {"percent": "10"}]),
        {"invoices.0.net": "81"},
    ),
    Worked(
        "coupons.order.2",
        "Stripe: stacked, 10 % then 10 off",
        items("100", coupons=[{"percent": "10"}, {"amount": "10"}]),
        {"invoices.0.net": "80"},
    ),
    Worked(
        "coupons.once.1",
        "Stripe: duration once",
        months(3, coupons=[{"percent": "50", "duration": "once"}]),
        {"invoices.*.net": ["50", "100", "100"]},
    ),
    Worked(
        "coupons.repeating.1",
        "Recurly: for two billing periods",
        months(4, coupons=[{"amount": "30", "duration": "repeating", "times": 2}]),
        {"invoices.*.net": ["70", "70", "100", "100"]},
    ),
    Worked(
        "coupons.forever.1",
        "Chargebee: forever",
        months(3, coupons=[{"amount": "30"}]),
        {"invoices.*.net": ["70", "70", "70"]},
    ),
    Worked(
        "coupons.dates.1",
        "Chargebee: valid from and before a day",
        months(4, coupons=[{"percent": "10", "from_on": "2026-02-01", "until_on": "2026-03-01"}]),
        {"invoices.*.net": ["100", "90", "100", "100"]},
    ),
    Worked(
        "coupons.carries.1",
        "Lago: a fixed coupon lasts until it is used up",
        months(3, coupons=[{"amount": "150", "carries": True, "duration": "once"}]),
        {"invoices.*.net": ["0", "50", "100"], "coupons.0.taken": "150"},
    ),
    Worked(
        "coupons.lapses.1",
        "Stripe: what an amount off is more than the invoice lapses",
        months(2, coupons=[{"amount": "150", "duration": "once"}]),
        {"invoices.*.net": ["0", "100"], "invoices.0.coupons.0.unused": "50"},
    ),
    Worked(
        "coupons.maximum.1",
        "Zuora, shops: 20 % up to 50",
        items("400", coupons=[{"percent": "20", "maximum": "50"}]),
        {"invoices.0.net": "350"},
    ),
    Worked(
        "coupons.minimum.1",
        "Stripe: promotion codes with a minimum",
        items("99.99", coupons=[{"percent": "20", "minimum": "100"}]),
        {"invoices.0.net": "99.99"},
    ),
    Worked(
        "coupons.minimum.2",
        "Stripe: promotion codes with a minimum",
        items("100", coupons=[{"percent": "20", "minimum": "100"}]),
        {"invoices.0.net": "80"},
    ),
    Worked(
        "coupons.components.1",
        FLEXPRICE + ", a line's coupon first",
        items(
            item("usage", "80"),
            item("fee", "20"),
            coupons=[{"percent": "25", "components": ["usage"]}, {"amount": "10"}],
            taxes={"rates": [rate("8.25")]},
        ),
        {"invoices.0.net": "70", "invoices.0.tax": "5.78", "invoices.0.total": "75.78"},
    ),
    Worked(
        "coupons.spread.1",
        "Lago: credit_note_spec.rb, 250 off one of two fees with taxes of 10 and 20 %",
        items(
            item("one", "179", tax_category="ten"),
            item("two", "399", tax_category="twenty"),
            coupons=[{"amount": "250", "components": ["two"]}],
            taxes={"rates": [rate("10", "ten"), rate("20", "twenty")]},
        ),
        {"invoices.0.net": "328", "invoices.0.tax": "47.70", "invoices.0.total": "375.70"},
    ),
    Worked(
        "coupons.spread.2",
        LAGO + "/coupons_breakdown_spec.rb, without its limits",
        items(
            item("a", "10", tax_category="ten"),
            item("b", "20", tax_category="twenty"),
            item("c", "30", tax_category="ten"),
            item("d", "40", tax_category="ten"),
            coupons=[{"amount": "20", "components": ["a", "b"]}, {"amount": "5"}],
            taxes={"rates": [rate("10", "ten"), rate("20", "twenty")]},
        ),
        # 20 off 30: a 3.33, b 6.67 are left; 5 off 80 in proportion: b 6.67 - 0.42 = 6.25
        {"invoices.0.net": "75", "invoices.0.taxes.*.base": ["68.75", "6.25"], "invoices.0.tax": "8.13"},
    ),
    Worked(
        "coupons.spread.3",
        "any: a sum spread over thirds loses no cent",
        items(item("a", "10"), item("b", "10"), item("c", "10"), coupons=[{"amount": "10"}]),
        {"invoices.0.net": "20", "invoices.0.lines.*.amount": ["10", "10", "10", "-3.34", "-3.33", "-3.33"]},
    ),
    Worked(
        "coupons.spread.4",
        "any: half of what is charged and of what is credited beside it, rate by rate",
        items(
            item("charge", "100", tax_category="ten"),
            item("credit", "-40", tax_category="twenty"),
            coupons=[{"percent": "50"}],
            taxes={"rates": [rate("10", "ten"), rate("20", "twenty")]},
        ),
        {"invoices.0.taxes.*.base": ["50", "-20"], "invoices.0.net": "30", "invoices.0.tax": "1"},
    ),
    Worked(
        "coupons.spread.5",
        "any: a rate's part is right to the cent, though each of its lines has a remainder",
        items(
            *(item(f"a{n}", "0.10", tax_category="ten") for n in range(4)),
            *(item(f"b{n}", "0.11", tax_category="twenty") for n in range(4)),
            coupons=[{"percent": "25"}],
            taxes={"rates": [rate("10", "ten"), rate("20", "twenty")]},
        ),
        # a quarter of 40 is 10, of 44 is 11; the largest remainders of all eight lines would have made 9 and 12 of it
        {"invoices.0.net": "0.63", "invoices.0.taxes.*.base": ["0.30", "0.33"]},
    ),
    Worked(
        "coupons.tax.1",
        "any: all of it off, no tax",
        items("100", coupons=[{"percent": "100"}], taxes=TEN),
        {"invoices.0.net": "0", "invoices.0.tax": "0"},
    ),
    Worked(
        "coupons.tax.2",
        "OpenMeter: discounts before tax, inclusive",
        items({"unit_price": "119", "tax_inclusive": True}, coupons=[{"percent": "10"}], taxes={"rates": [rate("19")]}),
        {"invoices.0.total": "107.10", "invoices.0.tax": "17.10"},
    ),
    Worked(
        "coupons.plan.1",
        "Chargebee: for one plan",
        months(1, coupons=[{"percent": "10", "plans": ["p"]}], items=[item("extra", "50", on="2026-01-01")]),
        {"invoices.0.net": "140"},
    ),
    # prepaid credit
    Worked(
        "wallet.priority.1",
        "Lago: topup_with_priority_spec.rb; by priority",
        items(
            "100",
            prepaid_credits=[
                {"id": "late", "amount": "60", "priority": 2},
                {"id": "soon", "amount": "70", "priority": 1},
            ],
        ),
        {
            "invoices.0.credits.*.id": ["soon", "late"],
            "invoices.0.credits.*.amount": ["70", "30"],
            "invoices.0.payable": "0",
        },
    ),
    Worked(
        "wallet.expiry.1",
        "Orb: the block that expires first",
        items(
            "100",
            prepaid_credits=[
                {"id": "long", "amount": "60"},
                {"id": "short", "amount": "60", "expires_on": "2026-06-01"},
            ],
        ),
        {"invoices.0.credits.*.id": ["short", "long"], "invoices.0.credits.*.amount": ["60", "40"]},
    ),
    Worked(
        "wallet.expiry.2",
        "Orb: expired credit pays nothing",
        items("100", prepaid_credits=[{"amount": "60", "expires_on": "2026-01-31"}]),
        {"invoices.0.payable": "100"},
    ),
    Worked(
        "wallet.granted.1",
        "Metronome: credit of a later day pays nothing yet",
        items("100", prepaid_credits=[{"amount": "60", "granted_on": "2026-02-01"}]),
        {"invoices.0.payable": "100"},
    ),
    Worked(
        "wallet.free.1",
        "Lago, Stripe: granted credit before paid",
        items(
            "100",
            prepaid_credits=[
                {"id": "paid", "amount": "80", "granted_on": "2025-01-01"},
                {"id": "gift", "amount": "30", "paid": False, "granted_on": "2025-06-01"},
            ],
        ),
        {"invoices.0.credits.*.id": ["gift", "paid"], "invoices.0.credits.*.amount": ["30", "70"]},
    ),
    Worked(
        "wallet.months.1",
        "Lago: invoicing_with_prepaid_credits_spec.rb, over months with tax",
        months(3, "50", taxes={"rates": [rate("20")]}, prepaid_credits=[{"amount": "100"}]),
        {
            "invoices.*.total": ["60", "60", "60"],
            "invoices.*.payable": ["0", "20", "60"],
            "prepaid_credits.0.balance": "0",
        },
    ),
    Worked(
        "wallet.before_tax.1",
        "Lago, older: credit taken off before tax",
        items("100", taxes=TEN, prepaid_credits=[{"amount": "40"}], options={"prepaid": "before_tax"}),
        {"invoices.0.net": "60", "invoices.0.tax": "6", "invoices.0.payable": "66"},
        option="prepaid before_tax",
    ),
    Worked(
        "wallet.order.1",
        "Lago docs: credit notes, then prepaid",
        items("66", credit_note_balance="20", prepaid_credits=[{"amount": "30"}]),
        {"invoices.0.credits.*.source": ["credit_note", "prepaid"], "invoices.0.payable": "16"},
    ),
    Worked(
        "wallet.credit_note.1",
        "Kill Bill: account credit of 20, charge of 100",
        items("100", credit_note_balance="20"),
        {"invoices.0.payable": "80", "credit_note_balance": "0"},
    ),
    Worked(
        "wallet.credit_note.2",
        "Kill Bill: credit that is more than the charge",
        items("30", credit_note_balance="100"),
        {"invoices.0.payable": "0", "credit_note_balance": "70"},
    ),
    Worked(
        "wallet.rate.1",
        "Flexprice: 500 credits at 0.01",
        items("8", prepaid_credits=[{"amount": "5"}]),
        {"invoices.0.payable": "3"},
    ),
)
