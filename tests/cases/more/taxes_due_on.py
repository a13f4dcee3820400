"""Taxes that are not a percentage of all of the net amount: within it, on each other, on a part, within bounds."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, items, rate
from tests.cases.more.taxes import EACH, NET, TAX, TOTAL, gross, of

ODOO = "Odoo: addons/account/tests/test_tax.py"
PAYABLE, BASES = "invoices.0.payable", "invoices.0.taxes.*.base"


def due(name: str, percent: str, **more: object) -> Json:
    return rate(percent, name=name, **more)


def levy(name: str, amount: str, **more: object) -> Json:
    return {"name": name, "per_unit": amount, **more}


def under(*rates: Json, **more: object) -> Json:
    return {"taxes": {"rates": list(rates), **more}}


BRAZIL = (due("ICMS", "18", within=True), due("PIS", "1.65", within=True), due("COFINS", "7.6", within=True))
IN_SAO_PAULO: Json = {
    "account": {"country": "BR", "region": "SP"},
    "seller": {"country": "BR", "region": "SP", "tax_registrations": ["BR", "BR-SP"]},
}
DIVISION = due("division", "10", within=True)

CASES: tuple[Worked, ...] = (
    # within the amount
    Worked(
        "tax.within.1",
        "Brazil, LC 87/1996 art. 13: ICMS of 18 % of the price with it",
        items("820", currency="BRL", **under(due("ICMS", "18", within=True))),
        {TAX: "180", TOTAL: "1000", BASES: ["1000"]},
    ),
    Worked(
        "tax.within.2",
        "Brazil: ICMS, PIS and COFINS share one price",
        items("1000", currency="BRL", **under(*BRAZIL)),
        {EACH: ["247.42", "22.68", "104.47"], TOTAL: "1374.57", BASES: ["1374.57"] * 3},
    ),
    Worked(
        "tax.within.3",
        ODOO + ", a percentage of the price with tax",
        items("180", **under(DIVISION)),
        {TAX: "20", TOTAL: "200"},
    ),
    Worked("tax.within.4", ODOO + ", the same within the price", items(gross("200"), **under(DIVISION)), {NET: "180"}),
    Worked(
        "tax.within.5",
        ODOO + ", with an amount and a percentage beside it",
        items("200", **under(DIVISION, levy("fixed", "10"), due("percent", "10"))),
        {EACH: ["22.22", "10", "20"], TOTAL: "252.22"},
    ),
    Worked(
        "tax.within.6",
        "any: taxes within the amount leave something of it",
        items("100", **under(due("one", "60", within=True), due("two", "40", within=True))),
        {"refused": "invalid_input"},
    ),
    Worked(
        "tax.within.7",
        "any: those of the country and of a state together leave something of it",
        items(
            "100", **IN_SAO_PAULO, **under(due("one", "60", within=True), due("two", "50", within=True, region="SP"))
        ),
        {"refused": "invalid_input"},
    ),
    Worked(
        "tax.within.8",
        "any: the rate of before and that of after do not meet",
        items(
            "50",
            **under(
                due("one", "60", within=True, until_on="2026-01-01"),
                due("one", "50", within=True, from_on="2026-01-01"),
            ),
        ),
        {TAX: "50", TOTAL: "100"},
    ),
    # on each other
    Worked(
        "tax.on_tax.1",
        "India: education cess of 2 % and 1 % of the service tax",
        items(
            "150000", currency="INR", **under(due("ST", "12"), due("EC", "2", of=["ST"]), due("SHEC", "1", of=["ST"]))
        ),
        {EACH: ["18000", "360", "180"], TOTAL: "168540"},
    ),
    Worked(
        "tax.on_tax.2",
        "ERPNext: on previous row amount",
        items("99.99", **under(due("GST", "18"), due("cess", "2", of=["GST"]))),
        {EACH: ["18.00", "0.36"], BASES: ["99.99", "18.00"]},
    ),
    Worked(
        "tax.on_tax.3",
        "ERPNext: on previous row total",
        items("1000", **under(due("excise", "12"), due("VAT", "5", of=["net", "excise"]), due("local", "1"))),
        {EACH: ["120", "56", "10"]},
    ),
    Worked(
        "tax.on_tax.4",
        "Germany, SolZG: 5.5 % of another tax",
        items("1234.56", **under(due("tax", "20"), due("surcharge", "5.5", of=["tax"]))),
        {EACH: ["246.91", "13.58"]},
    ),
    Worked(
        "tax.on_tax.5",
        "India: TCS of 0.1 % on the amount with GST",
        items("1000000", currency="INR", **under(due("IGST", "18"), due("TCS", "0.1", of=["net", "IGST"]))),
        {EACH: ["180000", "1180"]},
    ),
    Worked(
        "tax.on_tax.6",
        "any: on a tax that is not there",
        items("100", **under(due("cess", "2", of=["GST"]))),
        {"refused": "invalid_input"},
    ),
    Worked(
        "tax.on_tax.7",
        "Italy: cassa previdenziale of 4 % bears VAT and no ritenuta",
        items(
            "1000",
            **under(
                due("cassa", "4"),
                due("IVA", "22", of=["net", "cassa"]),
                due("ritenuta", "20", collection="withheld"),
            ),
        ),
        {EACH: ["40", "228.80", "200"], TOTAL: "1268.80", PAYABLE: "1068.80"},
    ),
    Worked(
        "tax.on_tax.8",
        "Italy: rivalsa INPS of 4 % bears both",
        items(
            "1000",
            **under(
                due("INPS", "4"),
                due("IVA", "22", of=["net", "INPS"]),
                due("ritenuta", "20", of=["net", "INPS"], collection="withheld"),
            ),
        ),
        {EACH: ["40", "228.80", "208"], PAYABLE: "1060.80"},
    ),
    Worked(
        "tax.on_tax.9",
        "Mexico: two thirds of the VAT are withheld, and 10 % of the fee",
        items(
            "1000",
            currency="MXN",
            **under(
                due("IVA", "16"),
                due("IVA retenido", "66.6667", of=["IVA"], collection="withheld"),
                due("ISR", "10", collection="withheld"),
            ),
        ),
        {EACH: ["160", "106.67", "100"], TOTAL: "1160", PAYABLE: "953.33"},
    ),
    Worked(
        "tax.on_tax.10",
        ODOO + ", an ecotax in the base of VAT, within the price",
        items(gross("126"), **under(levy("eco", "5"), due("VAT", "20", of=["net", "eco"]))),
        {NET: "100", EACH: ["5", "21"], TOTAL: "126"},
    ),
    # on a part
    Worked(
        "tax.part.1",
        "Texas Tax Code 151.351: 80 % of data processing is taxed",
        items("100", currency="USD", **under(due("state", "6.25", part="80"), due("local", "2", part="80"))),
        {EACH: ["5", "1.60"], BASES: ["80", "80"]},
    ),
    Worked(
        "tax.part.2",
        "India: abatement, a third of a works contract is the value of the land",
        items("300000", currency="INR", **under(due("CGST", "9", part="66.6667"), due("SGST", "9", part="66.6667"))),
        {EACH: ["18000.01", "18000.01"]},
    ),
    Worked(
        "tax.part.3",
        "Italy: ritenuta of 23 % on half of an agent's commission (enasarco)",
        items("2000", **under(due("IVA", "22"), due("ritenuta", "23", part="50", collection="withheld"))),
        {EACH: ["440", "230"], PAYABLE: "2210"},
    ),
    Worked(
        "tax.part.4",
        "any: none of it, and more than all of it",
        items("1", **under(due("a", "1", part="0"), due("b", "1", part="101"))),
        {"refused": "invalid_input"},
    ),
    # within bounds
    Worked(
        "tax.bounds.1",
        "Tennessee, important notice 20-17: local tax to 1,600 of a single article, state single article rate to 3,200",
        items(
            "2500",
            currency="USD",
            **under(
                due("state", "7"),
                due("local", "2.25", up_to="1600"),
                due("single article", "2.75", above="1600", up_to="3200"),
            ),
        ),
        {EACH: ["175", "36", "24.75"], BASES: ["2500", "1600", "900"]},
    ),
    Worked(
        "tax.bounds.2",
        "Florida DR-15DSS: discretionary surtax on the first 5,000",
        items("20000", currency="USD", **under(due("state", "6"), due("county", "1", up_to="5000"))),
        {EACH: ["1200", "50"]},
    ),
    Worked(
        "tax.bounds.3",
        "Massachusetts 830 CMR 64H.6.4: clothing above 175",
        items("225", "175", currency="USD", **under(due("MA", "6.25", above="175"))),
        {EACH: ["3.13"], BASES: ["50"]},
    ),
    Worked(
        "tax.bounds.4",
        "New York TB-ST-122: clothing from 110 on is taxed in full",
        items("109.99", "110", currency="USD", **under(due("NYC", "8.875", least="110"))),
        {EACH: ["9.76"], BASES: ["110"]},
    ),
    Worked(
        "tax.bounds.5",
        "New York: three shirts of 50 are of 50 each",
        items({"unit_price": "50", "quantity": "3"}, currency="USD", **under(due("NYC", "8.875", least="110"))),
        {TAX: "0", TOTAL: "150"},
    ),
    Worked(
        "tax.bounds.6",
        "… and would be taxed where lines count",
        items(
            {"unit_price": "50", "quantity": "3"}, currency="USD", **under(due("X", "8.875", least="110", each="line"))
        ),
        {TAX: "13.31"},
        option="each line",
    ),
    Worked(
        "tax.bounds.7",
        "New York: a coupon brings the price below 110",
        items(
            "120",
            currency="USD",
            coupons=[{"percent": "10"}],
            **under(due("NYC", "8.875", least="110")),
        ),
        {TAX: "0", NET: "108"},
    ),
    Worked(
        "tax.bounds.8",
        "South Carolina, infrastructure maintenance fee: 5 %, at most 500",
        items("9000", "20000", currency="USD", **under(due("IMF", "5", most="500"))),
        {TAX: "950"},
    ),
    Worked(
        "tax.bounds.9",
        "Ohio's holiday: 75 or less is exempt, more is taxed in full",
        items("75", "80", currency="USD", **under(due("OH", "7.25", least="75.01"))),
        {TAX: "5.80"},
    ),
    Worked(
        "tax.bounds.10",
        "any: one rate below a price, another from it on",
        items("900", "1000", **under(due("low", "5", below="1000"), due("high", "12", least="1000"))),
        {EACH: ["45", "120"]},
    ),
    Worked(
        "tax.bounds.11",
        "Italy, DPR 642/1972: bollo of 2 euros where more than 77.47 are exempt",
        items(
            "50",
            "40",
            **under(
                due("IVA", "0", treatment="exempt"),
                {"name": "bollo", "once": "2", "least": "77.48", "each": "document"},
            ),
        ),
        {TOTAL: "92"},
    ),
    Worked(
        "tax.bounds.12",
        "… and none of 77.47",
        items(
            "77.47",
            **under(
                due("IVA", "0", treatment="exempt"),
                {"name": "bollo", "once": "2", "least": "77.48", "each": "document"},
            ),
        ),
        {TOTAL: "77.47"},
    ),
    Worked(
        "tax.bounds.13",
        "any: a credit note gives back the same part of a bounded tax, to the cent",
        items(
            {"id": "car", "unit_price": "20000"},
            currency="USD",
            receivables={"credit_notes": [{"on": "2026-02-01", "amount": "5000"}, {"on": "2026-02-02"}]},
            **under(due("IMF", "5", most="500")),
        ),
        {"receivables.credit_notes.*.tax": ["-125", "-375"], "receivables.invoices.0.open": "0"},
    ),
    Worked(
        "tax.bounds.14",
        "any: bounds cannot be held against prices with their tax in them",
        items(gross("120"), **under(due("MA", "6.25", above="175"))),
        {"refused": "tax_undecidable"},
    ),
    # amounts
    Worked(
        "tax.levy.2",
        "France: éco-participation of 0.05 on 100 and VAT of 20 % on both",
        items(
            {"unit_price": "2.50", "quantity": "100"},
            **under(levy("eco", "0.05"), due("TVA", "20", of=["net", "eco"])),
        ),
        {EACH: ["5", "51"], TOTAL: "306"},
    ),
    Worked(
        "tax.levy.3",
        "Greece: 4 euros a night beside 24 % VAT",
        items(
            {"unit_price": "120", "quantity": "3"},
            **under(due("ΦΠΑ", "24"), levy("τέλος", "4")),
        ),
        {EACH: ["86.40", "12"], TOTAL: "458.40"},
    ),
    Worked(
        "tax.levy.4",
        "Italy, GOBL: a tourist tax outside VAT beside a room",
        items(
            of("125", "room"),
            of("1", "tourist"),
            taxes={"rates": [rate("10", "room"), rate("0", "tourist", treatment="outside")]},
        ),
        {TAX: "12.50", TOTAL: "138.50", "invoices.0.taxes.1.reason": "no_supply"},
    ),
)
