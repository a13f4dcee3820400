"""Whole documents of tax offices and standards: what is on them, what is kept, and what is to be paid in the end."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, items, rate
from tests.cases.more.taxes import EACH, NET, TAX, TOTAL, of
from tests.cases.more.taxes_due_on import BASES, PAYABLE, due, under

EN = "EN 16931: CEN ubl/examples"
GOBL = "GOBL examples"
SWISS = {"options": {"payable_rounding": {"to": "0.05"}}, "currency": "CHF"}
ROUNDING, TREATMENTS = "invoices.0.rounding", "invoices.0.taxes.*.treatment"
NOTES, OPEN = "receivables.credit_notes", "receivables.invoices.0.open"


def each(price: str, quantity: str, **more: object) -> Json:
    return {"unit_price": price, "quantity": quantity, **more}


def to_coins(amount: str, to: str, currency: str = "SEK", percent: str = "25", **more: object) -> Json:
    options = {"payable_rounding": {"to": to, **more}}
    return items(amount, currency=currency, options=options, **under(due("VAT", percent)))


TWO = {"rates": [rate("25", "s", name="moms"), rate("12", "r", name="moms låg")]}

CASES: tuple[Worked, ...] = (
    # coins
    Worked(
        "tax.payable.1",
        "Switzerland: 5 Rappen, half up",
        items("12.34", **SWISS, **under(due("MWST", "8.1"))),
        {TAX: "1.00", TOTAL: "13.34", PAYABLE: "13.35", ROUNDING: "0.01"},
        option="payable_rounding",
    ),
    Worked(
        "tax.payable.2",
        "Switzerland: 13.32 is paid as 13.30",
        items("12.32", **SWISS, **under(due("MWST", "8.1"))),
        {TOTAL: "13.32", PAYABLE: "13.30", ROUNDING: "-0.02"},
        option="payable_rounding",
    ),
    Worked(
        "tax.payable.3",
        "Sweden: öresavrundning to whole kronor",
        to_coins("99.60", "1"),
        {TAX: "24.90", TOTAL: "124.50", PAYABLE: "125", ROUNDING: "0.50"},
        option="payable_rounding",
    ),
    Worked(
        "tax.payable.4",
        "Denmark: 25 øre down, of 50",
        to_coins("100.20", "0.50", "DKK"),
        {TOTAL: "125.25", PAYABLE: "125.50", ROUNDING: "0.25"},
        option="payable_rounding",
    ),
    Worked(
        "tax.payable.5",
        "New Zealand: Swedish rounding to 10 cents, half down",
        to_coins("8.65", "0.10", "NZD", "0", mode="half_down"),
        {PAYABLE: "8.60", ROUNDING: "-0.05"},
        option="payable_rounding",
    ),
    Worked(
        "tax.payable.6",
        "Odoo: cash rounding of 0.05 down",
        to_coins("9.99", "0.05", "EUR", "0", mode="down"),
        {PAYABLE: "9.95", ROUNDING: "-0.04"},
        option="payable_rounding",
    ),
    Worked(
        "tax.payable.7",
        "EN 16931 BT-114: 1,801.78 less 1,000 is paid as 802",
        items(
            of("1436.50", "s"),
            currency="NOK",
            prepaid_credits=[{"amount": "1000"}],
            options={"payable_rounding": {"to": "1"}},
            taxes={"rates": [{"percent": "0", "once": "365.28", "categories": ["s"], "each": "document"}]},
        ),
        {TOTAL: "1801.78", PAYABLE: "802", ROUNDING: "0.22"},
        option="payable_rounding",
    ),
    Worked(
        "tax.payable.8",
        "Switzerland: credit pays all, and nothing is left to round",
        items("12.34", prepaid_credits=[{"amount": "20"}], **SWISS, **under(due("MWST", "8.1"))),
        {PAYABLE: "0", "prepaid_credits.0.balance": "6.66"},
        option="payable_rounding",
    ),
    Worked(
        "tax.payable.9",
        "any: credit notes over all of it give back what was paid",
        items(
            "12.34",
            "7.77",
            **SWISS,
            **under(due("MWST", "8.1")),
            receivables={"credit_notes": [{"on": "2026-02-01", "lines": {"1": "5"}}, {"on": "2026-02-02"}]},
        ),
        {PAYABLE: "21.75", NOTES + ".*.payable": ["-5.41", "-16.34"], OPEN: "0"},
        option="payable_rounding",
    ),
    Worked("tax.payable.10", "any: no coin of a part of a cent", to_coins("1", "0.001"), {"refused": "invalid_input"}),
    Worked(
        "tax.payable.11",
        "Hungary: 5 forint",
        to_coins("1002", "5", "HUF", "27"),
        {TOTAL: "1272.54", PAYABLE: "1275", ROUNDING: "2.46"},
        option="payable_rounding",
    ),
    # EN 16931 and its users
    Worked(
        "tax.documents.1",
        EN + ", tc434-example3: a charge of its own rate",
        items(
            each("800", "1", tax_category="s"),
            each("100", "1", tax_category="s"),
            each("800", "1", tax_category="l"),
            currency="DKK",
            taxes={"rates": [rate("25", "s"), rate("10", "l")]},
        ),
        {EACH: ["225", "80"], TOTAL: "2005"},
    ),
    Worked(
        "tax.documents.2",
        EN + ", tc434-example4",
        items(
            each("1", "1000", tax_category="s"),
            each("5", "100", tax_category="s"),
            each("5", "500", tax_category="r"),
            currency="DKK",
            taxes=TWO,
        ),
        {EACH: ["375", "300"], TOTAL: "4675"},
    ),
    Worked(
        "tax.documents.3",
        EN + ", tc434-example5: half is prepaid, tax also in euros",
        items(
            each("1", "1000", tax_category="s"),
            each("5", "100", tax_category="s"),
            each("5", "500", tax_category="r"),
            currency="DKK",
            taxes=TWO,
            prepaid_credits=[{"amount": "2337.50"}],
            exchange={"ledger_currency": "EUR", "rate": "0.93129", "source": "ECB", "on": "2013-06-30"},
        ),
        {PAYABLE: "2337.50", "invoices.0.ledger.tax": "628.62"},
    ),
    Worked(
        "tax.documents.4",
        EN + ", tc434-example7: outside the scope",
        items("2500", "700", currency="SEK", taxes={"rates": [rate("0", treatment="outside")]}),
        {TAX: "0", TOTAL: "3200", TREATMENTS: ["outside"]},
    ),
    Worked(
        "tax.documents.5",
        EN + ", tc434-example8: energy, prices of twelve",
        items(
            each("0.00880", "16000"),
            each("0.00101", "16000"),
            each("15.24", "132", price_per=12),
            each("1.53", "58"),
            each("441", "1", price_per=12),
            each("678", "1", price_per=12),
            "83.34",
            "190.31",
            "64.21",
            "64.46",
            taxes={"rates": [rate("21")]},
        ),
        {NET: "908.91", TAX: "190.87", TOTAL: "1099.78"},
    ),
    Worked(
        "tax.documents.6",
        EN + ", guide-example3: 800 for two",
        items(
            each("800", "1", price_per=2),
            each("800", "1", price_per=2),
            "100",
            currency="DKK",
            taxes={"rates": [rate("25")]},
        ),
        {NET: "900", TAX: "225"},
    ),
    Worked(
        "tax.documents.7",
        EN + ", BIS3_Invoice_negativ",
        items("-625743.54", currency="DKK", taxes={"rates": [rate("25")]}),
        {TAX: "-156435.89", TOTAL: "-782179.43", "invoices.0.kind": "credit_note"},
    ),
    Worked(
        "tax.documents.8",
        EN + ", sample-discount-price: a price of four digits",
        items(each("0.1212", "100"), taxes={"rates": [rate("25")]}),
        {NET: "12.12", TAX: "3.03"},
    ),
    Worked(
        "tax.documents.9",
        "EN 16931: S, Z, E, AE, K, G and O side by side",
        items(
            *(of("100", c) for c in ("S", "Z", "E", "AE", "K", "G", "O")),
            taxes={
                "rates": [
                    rate("20", "S"),
                    rate("0", "Z", treatment="zero"),
                    rate("0", "E", treatment="exempt"),
                    rate("0", "AE", treatment="reverse_charge"),
                    rate("0", "K", treatment="intra_community"),
                    rate("0", "G", treatment="export"),
                    rate("0", "O", treatment="outside"),
                ]
            },
        ),
        {
            TAX: "20",
            NET: "700",
            TREATMENTS: ["standard", "zero", "exempt", "reverse_charge", "intra_community", "export", "outside"],
        },
    ),
    Worked(
        "tax.documents.10",
        "EN 16931 BR-AE-5: reverse charge is of 0 %",
        items("100", taxes={"rates": [rate("19", treatment="reverse_charge")]}),
        {"refused": "invalid_input"},
    ),
    Worked(
        "tax.documents.11",
        "Germany, UStG § 14: an allowance spread over 19 and 7 %",
        items(
            of("200", "full"),
            of("100", "reduced"),
            coupons=[{"amount": "30"}],
            taxes={"rates": [rate("19", "full"), rate("7", "reduced")]},
        ),
        {BASES: ["180", "90"], EACH: ["34.20", "6.30"], TOTAL: "310.50"},
    ),
    Worked(
        "tax.documents.12",
        "Germany, UStG § 27: supplied in December 2020, invoiced in January",
        items(
            {"unit_price": "100", "supplied_on": "2020-12-31"},
            "100",
            taxes={"rates": [rate("16", until_on="2021-01-01"), rate("19", from_on="2021-01-01")]},
        ),
        {EACH: ["16", "19"]},
    ),
    Worked(
        "tax.documents.13",
        "any: a credit note after the rate has changed is at the rate of then",
        {
            "billing": {"on": "2020-12-31"},
            "items": [{"unit_price": "100"}],
            "taxes": {"rates": [rate("16", until_on="2021-01-01"), rate("19", from_on="2021-01-01")]},
            "receivables": {"credit_notes": [{"on": "2021-02-01", "amount": "50"}]},
        },
        {NOTES + ".0.tax": "-8", NOTES + ".0.total": "-58"},
    ),
    Worked(
        "tax.documents.14",
        "New York ST-120: a resale certificate covers state, county and city",
        items(
            of("100", "standard"),
            of("50", "food"),
            currency="USD",
            account={
                "country": "US",
                "region": "NY",
                "exemptions": [{"jurisdictions": ["US-NY"], "categories": ["food"]}],
            },
            taxes={
                "rates": [
                    {**rate(p, name=n), "categories": ["standard", "food"], "region": "NY"}
                    for n, p in (("state", "4"), ("city", "4.5"))
                ]
            },
        ),
        {TAX: "8.50", "invoices.0.taxes.2.reason": "exemption_certificate"},
    ),
    Worked(
        "tax.exempt.part.1",
        "New York, ST-121: half of the power is used in production; the odd cent is taxed",
        items(
            "0.05",
            currency="USD",
            account={"country": "US", "region": "NY", "exemptions": [{"jurisdictions": ["US-NY"], "percent": "50"}]},
            taxes={"rates": [rate("8.875", region="NY")]},
        ),
        {"invoices.0.taxes.*.base": ["0.03", "0.02"], TREATMENTS: ["standard", "exempt"], EACH: ["0", "0"]},
    ),
    Worked(
        "tax.exempt.part.2",
        "Quebec: a buyer exempt from QST alone, and one from half of it on top of GST",
        items(
            "100",
            currency="CAD",
            account={"country": "CA", "exemptions": [{"jurisdictions": ["CA"], "taxes": ["QST"], "percent": "50"}]},
            taxes={"rates": [due("GST", "5"), due("QST", "10", compound=True)]},
        ),
        {EACH: ["5", "5.25", "0"], "invoices.0.taxes.*.base": ["100", "52.50", "52.50"], TOTAL: "110.25"},
    ),
)
