"""Taxes as countries have them: rates side by side, cut off, withheld, split."""

from __future__ import annotations

from tests.cases.more.building import Worked, items, rate
from tests.cases.more.taxes import EACH, NET, TAX, TOTAL, gross, of
from tests.cases.more.taxes_documents import GOBL, NOTES, OPEN, each
from tests.cases.more.taxes_due_on import PAYABLE, due, under

CASES: tuple[Worked, ...] = (
    Worked(
        "tax.countries.1",
        "Australia: GST is an eleventh of the price",
        items(gross("110"), gross("59.95"), currency="AUD", taxes={"rates": [rate("10", name="GST")]}),
        {TAX: "15.45", NET: "154.50"},
    ),
    Worked(
        "tax.countries.2",
        "Japan, qualified invoice: cut off once per rate, 8 and 10 %",
        items(
            of("124", "food"),
            of("124", "food"),
            of("333", "s"),
            of("555", "s"),
            currency="JPY",
            taxes={"rates": [rate("8", "food"), rate("10", "s")], "mode": "down"},
        ),
        {EACH: ["19", "88"], TOTAL: "1243"},
        option="mode down",
    ),
    Worked(
        "tax.countries.3",
        "Japan: cut off line by line, as before 2023",
        items(
            of("124", "food"),
            of("124", "food"),
            currency="JPY",
            taxes={"rates": [rate("8", "food")], "mode": "down", "rounding": "line"},
        ),
        {TAX: "18"},
        option="mode down, rounding line",
    ),
    Worked(
        "tax.countries.4",
        "Odoo: rounding up, JPY, 13 at 10 %",
        items("13", currency="JPY", taxes={"rates": [rate("10")], "mode": "up"}),
        {TAX: "2"},
        option="mode up",
    ),
    Worked(
        "tax.countries.5",
        "any: halves towards zero",
        items("0.50", taxes={"rates": [rate("25")], "mode": "half_down"}),
        {TAX: "0.12"},
        option="mode half_down",
    ),
    Worked(
        "tax.countries.6",
        GOBL + ": Spain, freelance with IRPF",
        items(each("81", "20"), **under(due("IVA", "21"), due("IRPF", "15", collection="withheld"))),
        {EACH: ["340.20", "243"], TOTAL: "1960.20", PAYABLE: "1717.20"},
    ),
    Worked(
        "tax.countries.7",
        GOBL + ": Spain, recargo de equivalencia",
        items(each("5", "100"), **under(due("IVA", "21"), due("recargo", "5.2"))),
        {EACH: ["105", "26"], TOTAL: "631"},
    ),
    Worked(
        "tax.countries.8",
        GOBL + ": India, CGST and SGST",
        items(each("85.50", "20"), currency="INR", **under(due("CGST", "9"), due("SGST", "9"))),
        {EACH: ["153.90", "153.90"], TOTAL: "2017.80"},
    ),
    Worked(
        "tax.countries.9",
        "India: compensation cess beside IGST, both on the value",
        items("1000", currency="INR", **under(due("IGST", "28"), due("cess", "12"))),
        {EACH: ["280", "120"], TOTAL: "1400"},
    ),
    Worked(
        "tax.countries.10",
        GOBL + ": Norway, three rates",
        items(
            of("15000", "a"),
            of("5000", "b"),
            of("4800", "c"),
            currency="NOK",
            taxes={"rates": [rate("25", "a"), rate("15", "b"), rate("12", "c")]},
        ),
        {EACH: ["3750", "750", "576"], TOTAL: "29876"},
    ),
    Worked(
        "tax.countries.11",
        "British Columbia: GST 5 % and PST 7 %",
        items("49.99", currency="CAD", **under(due("GST", "5"), due("PST", "7"))),
        {EACH: ["2.50", "3.50"], TOTAL: "55.99"},
    ),
    Worked(
        "tax.countries.12",
        "Saskatchewan and Manitoba: services without PST",
        items(
            of("100", "goods"),
            of("200", "service"),
            currency="CAD",
            taxes={
                "rates": [{**rate("5", name="GST"), "categories": ["goods", "service"]}, rate("6", "goods", name="PST")]
            },
        ),
        {EACH: ["15", "6"]},
    ),
    Worked(
        "tax.countries.13",
        "Italy: split payment and a line outside it",
        items(
            of("1000", "pa"),
            of("100", "other"),
            taxes={"rates": [rate("22", "pa", collection="split"), rate("22", "other", name="IVA")]},
        ),
        {TOTAL: "1342", PAYABLE: "1122"},
    ),
    Worked(
        "tax.countries.14",
        "Spain: 19 % withheld of a rent, and a credit note gives it back",
        items(
            "800",
            **under(due("IVA", "21"), due("IRPF", "19", collection="withheld")),
            receivables={"credit_notes": [{"on": "2026-02-01", "amount": "200"}, {"on": "2026-02-02"}]},
        ),
        {PAYABLE: "816", NOTES + ".*.payable": ["-204", "-612"], OPEN: "0"},
    ),
    Worked(
        "tax.countries.15",
        "OSS: a consumer in each state at its own rate",
        items(
            "100",
            seller={"country": "DE", "tax_registrations": ["DE", "EU"]},
            account={"country": "HU", "tax_status": "consumer"},
            taxes={"use_shipped_rates": True},
        ),
        {TAX: "27", "invoices.0.taxes.0.jurisdiction": "HU"},
    ),
    Worked(
        "tax.countries.16",
        "Colorado: state, county, city and district stacked",
        items(
            "123.45",
            currency="USD",
            **under(due("state", "2.9"), due("county", "0.985"), due("city", "4.31"), due("RTD", "1.1")),
        ),
        {EACH: ["3.58", "1.22", "5.32", "1.36"], TAX: "11.48"},
    ),
    Worked(
        "tax.countries.17",
        "… by one rounding of their sum",
        items(
            "123.45",
            currency="USD",
            **under(
                due("state", "2.9"), due("county", "0.985"), due("city", "4.31"), due("RTD", "1.1"), rounding="total"
            ),
        ),
        {TAX: "11.47"},
        option="rounding total",
    ),
    Worked(
        "tax.countries.18",
        "Kuwait, Bahrain: three digits, 10 % VAT",
        items("12.345", currency="BHD", taxes={"rates": [rate("10")]}),
        {TAX: "1.235", TOTAL: "13.580"},
    ),
)
