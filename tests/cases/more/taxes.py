"""Taxes: on top and within, one on another, rounded one way or another, and where they are due."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, items, rate

GOBL = "GOBL: bill/calculator_test.go, tax/totals_calculator_test.go"
EN = "EN 16931: CEN validation examples"
EU = {"use_shipped_rates": True}
NET, TAX, TOTAL = "invoices.0.net", "invoices.0.tax", "invoices.0.total"
EACH = "invoices.0.taxes.*.tax"


def taxed(*amounts: object, percent: str = "20", **more: object) -> Json:
    """Items under one rate; more: of `taxes`."""
    return items(*amounts, taxes={"rates": [rate(percent)], **more})


def gross(amount: str, category: str = "standard") -> Json:
    return {"unit_price": amount, "tax_inclusive": True, "tax_category": category}


def of(amount: str, category: str) -> Json:
    return {"unit_price": amount, "tax_category": category}


GST_QST = {"rates": [rate("5", name="GST"), rate("9.975", name="QST")]}
OLD_QST = {"rates": [rate("5", name="GST"), rate("9.5", name="QST", compound=True)]}
TWO = {"rates": [rate("19", "full"), rate("7", "reduced")]}

CASES: tuple[Worked, ...] = (
    # rounding over the document or by line
    Worked(
        "tax.rounding.1",
        "EN 16931 BR-CO-17: three lines of 0.33 at 19 %",
        taxed("0.33", "0.33", "0.33", percent="19"),
        {TAX: "0.19"},
    ),
    Worked(
        "tax.rounding.2",
        "Odoo, Stripe: the same by line",
        taxed("0.33", "0.33", "0.33", percent="19", rounding="line"),
        {TAX: "0.18"},
        option="rounding line",
    ),
    Worked(
        "tax.rounding.3",
        "Lago: credit_note_spec.rb, two of 68.33 at 20 %",
        taxed("68.33", "68.33"),
        {TAX: "27.33", TOTAL: "163.99"},
    ),
    Worked(
        "tax.rounding.4",
        "Lago: credit_note_spec.rb, four of 68.33",
        taxed("68.33", "68.33", "68.33", "68.33"),
        {TAX: "54.66", TOTAL: "327.98"},
    ),
    Worked(
        "tax.rounding.5",
        "ERPNext: round tax amount row wise",
        taxed("10.13", "10.13", "10.13", percent="15", rounding="line"),
        {TAX: "4.56"},
        option="rounding line",
    ),
    Worked(
        "tax.rounding.6",
        "any: half to even",
        taxed("0.50", percent="25", mode="half_even"),
        {TAX: "0.12"},
        option="mode half_even",
    ),
    Worked(
        "tax.rounding.7",
        "any: half a cent away from zero, also below",
        taxed("-0.50", "-1.00", percent="3"),
        {TAX: "-0.05"},
    ),
    Worked(
        "tax.rounding.8",
        "Tryton: test_module.py, on unrounded bases",
        taxed({"unit_price": "1.0417", "quantity": "1"}, {"unit_price": "1.0417"}, percent="10", rounding="unrounded"),
        {NET: "2.08", TAX: "0.21"},
        option="rounding unrounded",
    ),
    Worked(
        "tax.rounding.9",
        "Swiss francs: 8.1 % of 12.35",
        items("12.35", currency="CHF", taxes={"rates": [rate("8.1")]}),
        {TAX: "1.00"},
    ),
    # several rates
    Worked(
        "tax.rates.1",
        EN + ", 25, 12 and 0 %",
        items(
            of("1273", "a"),
            of("5.50", "b"),
            of("10", "c"),
            taxes={"rates": [rate("25", "a"), rate("12", "b"), rate("0", "c")]},
        ),
        {EACH: ["318.25", "0.66", "0"], TOTAL: "1607.41"},
    ),
    Worked("tax.rates.2", GOBL + ", two lines, one rate", taxed("100", "150", percent="21"), {TAX: "52.50"}),
    Worked(
        "tax.rates.3",
        GOBL + ", recargo de equivalencia of 5.2 % beside 21 %",
        items(
            of("100", "r"),
            of("100", "r"),
            of("150", "s"),
            taxes={"rates": [rate("21", "r", "IVA"), rate("21", "s", "IVA"), rate("5.2", "r", "recargo")]},
        ),
        {TAX: "83.90", TOTAL: "433.90"},
    ),
    Worked(
        "tax.rates.4",
        "Germany: 19 and 7 %",
        items(of("100", "full"), of("50", "reduced"), taxes=TWO),
        {EACH: ["19", "3.50"], TOTAL: "172.50"},
    ),
    Worked(
        "tax.rates.5",
        "Flexprice: state and federal, side by side",
        items("100", taxes={"rates": [rate("6", name="state"), rate("2", name="federal")]}),
        {TAX: "8"},
    ),
    Worked(
        "tax.rates.6",
        "Canada: GST and QST of 99.99",
        items("99.99", taxes=GST_QST),
        {EACH: ["5.00", "9.97"], TOTAL: "114.96"},
    ),
    Worked(
        "tax.rates.7",
        "Quebec to 2012: QST of 9.5 % on the amount with GST",
        items("1000", taxes=OLD_QST),
        {EACH: ["50", "99.75"], TOTAL: "1149.75"},
    ),
    Worked("tax.rates.8", "Ontario: HST of 13 %", taxed("49.95", percent="13"), {TAX: "6.49"}),
    Worked(
        "tax.rates.9",
        "New York City: 4 + 4.5 + 0.375 % of 100",
        items("100", taxes={"rates": [rate("4", name="state"), rate("4.5", name="city"), rate("0.375", name="MCTD")]}),
        {TAX: "8.88"},
    ),
    Worked(
        "tax.rates.10",
        "the same rounded once",
        items(
            "100",
            taxes={
                "rates": [rate("4", name="state"), rate("4.5", name="city"), rate("0.375", name="MCTD")],
                "rounding": "total",
            },
        ),
        {TAX: "8.88"},
        option="rounding total",
    ),
    Worked(
        "tax.rates.11",
        "Brazil, India: a cess on the tax before it",
        items("1000", taxes={"rates": [rate("18", name="GST"), rate("1", name="cess", compound=True)]}),
        {EACH: ["180", "11.80"]},
    ),
    # within the price
    Worked(
        "tax.included.1",
        GOBL + ", 121 with 21 %",
        items(gross("121"), taxes={"rates": [rate("21")]}),
        {NET: "100", TAX: "21"},
    ),
    Worked(
        "tax.included.2",
        "Lago, Stripe: 100 with 20 %",
        items(gross("100"), taxes={"rates": [rate("20")]}),
        {NET: "83.33", TAX: "16.67", TOTAL: "100"},
    ),
    Worked(
        "tax.included.3",
        "ERPNext: included, two lines at once",
        items(gross("9.99"), gross("9.99"), taxes={"rates": [rate("19")]}),
        {NET: "16.79", TAX: "3.19", TOTAL: "19.98"},
    ),
    Worked(
        "tax.included.4",
        "ERPNext: included, by line",
        items(gross("9.99"), gross("9.99"), taxes={"rates": [rate("19")], "rounding": "line"}),
        {NET: "16.78", TAX: "3.20", TOTAL: "19.98"},
        option="rounding line",
    ),
    Worked(
        "tax.included.5",
        "Canada: GST and QST within 114.98",
        items(gross("114.98"), taxes=GST_QST),
        {NET: "100", EACH: ["5.00", "9.98"]},
    ),
    Worked(
        "tax.included.6",
        "any: one line with, one without",
        items(gross("119"), "100", taxes={"rates": [rate("19")]}),
        {NET: "200", TAX: "38", TOTAL: "238"},
    ),
    Worked(
        "tax.included.7",
        "any: two rates within",
        items(gross("119", "full"), gross("107", "reduced"), taxes=TWO),
        {NET: "200", TAX: "26", TOTAL: "226"},
    ),
    Worked(
        "tax.included.8",
        "Japan: consumption tax of 10 % within 1,000 yen",
        items(gross("1000"), currency="JPY", taxes={"rates": [rate("10")], "mode": "down"}),
        {NET: "910", TAX: "90"},
        option="mode down",
    ),
    # who pays it
    Worked(
        "tax.split.1",
        "Italy: split payment of 22 %",
        items("1000", taxes={"rates": [rate("22", collection="split")]}),
        {TOTAL: "1220", "invoices.0.payable": "1000"},
    ),
    Worked(
        "tax.withheld.1",
        GOBL + ", IVA 21 % and IRPF 15 %",
        items("1000", taxes={"rates": [rate("21", name="IVA"), rate("15", name="IRPF", collection="withheld")]}),
        {TOTAL: "1210", "invoices.0.payable": "1060"},
    ),
    Worked(
        "tax.withheld.2",
        "Italy: ritenuta d'acconto of 20 %",
        items("500", taxes={"rates": [rate("22"), rate("20", name="ritenuta", collection="withheld")]}),
        {"invoices.0.payable": "510"},
    ),
    Worked(
        "tax.withheld.3",
        "India: TDS of 10 % on the amount before GST",
        items("50000", currency="INR", taxes={"rates": [rate("18"), rate("10", name="TDS", collection="withheld")]}),
        {"invoices.0.payable": "54000"},
    ),
    Worked(
        "tax.levy.1",
        "Tryton: an eco-tax of 5 a unit, VAT on both",
        items(
            {"unit_price": "100", "quantity": "2"},
            taxes={"rates": [{"percent": "0", "per_unit": "5", "name": "eco"}, rate("20", compound=True)]},
        ),
        {EACH: ["10", "42"]},
    ),
    # where it is due
    Worked(
        "tax.place.1",
        "EU: reverse charge for a business elsewhere",
        items("100", seller={"country": "DE"}, account={"country": "FR", "has_tax_id": True}, taxes=EU),
        {TAX: "0", "invoices.0.taxes.0.treatment": "reverse_charge"},
    ),
    Worked(
        "tax.place.2",
        "EU: one-stop shop, a consumer in France",
        items(
            "100",
            seller={"country": "DE", "tax_registrations": ["DE", "EU"]},
            account={"country": "FR", "tax_status": "consumer"},
            taxes=EU,
        ),
        {TAX: "20", "invoices.0.taxes.0.jurisdiction": "FR"},
    ),
    Worked(
        "tax.place.3",
        "any: out of the union",
        items("100", seller={"country": "DE", "tax_registrations": ["DE"]}, account={"country": "CH"}, taxes=EU),
        {TAX: "0", "invoices.0.taxes.0.reason": "export"},
    ),
    Worked(
        "tax.place.10",
        "Switzerland: registered from July on, supplies of before bear no tax",
        items(
            {"unit_price": "100", "supplied_on": "2026-06-30"},
            {"unit_price": "100", "supplied_on": "2026-07-01"},
            billing={"on": "2026-08-01"},
            seller={"country": "DE", "tax_registrations": ["DE", {"place": "CH", "from_on": "2026-07-01"}]},
            account={"country": "CH"},
            taxes={"rates": [rate("8.1")]},
        ),
        {TAX: "8.10", "invoices.0.taxes.*.reason": ["export", ""]},
    ),
    Worked(
        "tax.place.4",
        "any: an exempt buyer",
        items("100", account={"tax_status": "exempt"}, taxes={"rates": [rate("19")]}),
        {TAX: "0", "invoices.0.taxes.0.reason": "buyer_exempt"},
    ),
    Worked(
        "tax.dates.1",
        "Germany: 16 % for the second half of 2020",
        items(
            {"unit_price": "100", "on": "2020-12-31"},
            billing={"dates": ["2020-12-31"]},
            taxes={
                "rates": [
                    rate("19", until_on="2020-07-01"),
                    rate("16", from_on="2020-07-01", until_on="2021-01-01"),
                    rate("19", from_on="2021-01-01"),
                ]
            },
        ),
        {TAX: "16"},
    ),
    # deductions
    Worked(
        "tax.advance.1",
        "EN 16931: a prepayment with its tax",
        items("1000", "-250", taxes={"rates": [rate("19")]}),
        {NET: "750", TAX: "142.50"},
    ),
    Worked(
        "tax.advance.2",
        "EN 16931: paid in advance, tax of the whole",
        items("1000", taxes={"rates": [rate("19")]}, prepaid_credits=[{"amount": "300"}]),
        {TOTAL: "1190", "invoices.0.payable": "890"},
    ),
    Worked(
        "tax.partial.1",
        "Texas: a fifth of data processing is exempt",
        items(
            {"unit_price": "80"},
            {"unit_price": "20", "tax_category": "exempt"},
            taxes={"rates": [rate("8.25"), rate("0", "exempt", treatment="exempt")]},
        ),
        {TAX: "6.60", NET: "100"},
    ),
)
