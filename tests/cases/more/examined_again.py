"""More cases by somebody who has the schema and other systems' documentation, and nothing else of Saldo."""

from __future__ import annotations

from typing import Any

from tests.cases.more.building import Json, Worked, fee, items, plan, rate, subscribed, tiers, used
from tests.cases.more.changes import cancel
from tests.cases.more.examined import AWS, CALENDAR, free
from tests.cases.more.pricing import capped, commitment, package, per_unit, percentage
from tests.cases.more.proration import ALL, to
from tests.cases.more.receivables import FIRST, VAT, after
from tests.cases.more.taxes import NET, TAX, TOTAL, gross, of
from tests.cases.more.taxes_due_on import due, under

SUPPORT = tiers([["10000", "0.10", "0"], ["80000", "0.07", "0"], ["250000", "0.05", "0"], [None, "0.03", "0"]])
TRANSFER = tiers([["10240", "0.09", "0"], ["51200", "0.085", "0"], ["153600", "0.07", "0"], [None, "0.05", "0"]])
BY_ZONE: Json = {
    "kind": "matrix",
    "dimensions": ["zone"],
    "cells": [{"values": ["a"], "price": per_unit("1")}],
    "other": per_unit("2"),
}
UK: Json = {"rates": [rate("20"), rate("5", "reduced"), rate("0", "zero", treatment="zero")]}
MONTHS: Json = {"cycle_unit": "year"}


def corrected(case_id: str, source: str, price: Json, amount: str | None, *totals: Json) -> Worked:
    """A month of several totals; amount None: it is refused."""
    document = subscribed(fee(price, "u", meter_id="m"), {"started_on": "2026-01-01"}, {"on": "2026-02-01"})
    document["usage"] = {"totals": [{"meter_id": "m", **told} for told in totals]}
    return Worked(case_id, source, document, {"refused": "negative_usage"} if amount is None else {ALL: [amount]})


def zone(name: str, quantity: str) -> Json:
    return {"quantity": quantity, "properties": {"zone": name}}


def ordered(case_id: str, source: str, split: str, expected: Json, **more: Any) -> Worked:
    """100 and 50 for two purchase orders of one cost centre."""
    parts = (("p", "PO-2"), ("q", "PO-1"))
    document = {
        "billing": {"on": "2026-01-01"},
        "account": {"invoice_split": split},
        "plans": [plan("p", fee("100")), plan("q", fee("50"))],
        "subscriptions": [
            {"plan": name, "started_on": "2026-01-01", "purchase_order": order, "cost_centre": "X"}
            for name, order in parts
        ],
        **more,
    }
    return Worked(case_id, source, document, expected)


EARLY: Json = {"early_discount": {"percent": "2", "days": 10}}


def returned(paid: str) -> Json:
    """1,000 of which 100 are credited, and a payment in time."""
    note = {"on": "2026-02-01", "amount": "100"}
    return after("1000", {"credit_notes": [note], "payments": [{"on": "2026-02-05", "amount": paid}], **EARLY})


CASES: tuple[Worked, ...] = (
    # price pages
    used("pricing.pages.9", AWS + ", data transfer out, 61,440 GB of which 100 are free", free("100", TRANSFER),
         61440, "5113.00"),
    used("pricing.pages.10", AWS + ", Business support of 85,000", commitment(SUPPORT, amount="100"), 85000, "6150"),
    used("pricing.pages.11", AWS + ", … at least 100", commitment(SUPPORT, amount="100"), 300, "100"),
    used("pricing.pages.12", "carriers: 100 Mbps committed at 5, beyond at 6",
         commitment(per_unit("5"), units="100", overage_factor="1.2"), 120, "620"),
    used("pricing.pages.13", "Orb: at least 50 and at most 500", capped("500", commitment(per_unit("2"),
         amount="50")), 300, "500"),
    used("pricing.pages.14", "Orb: an allowance for each project",
         {"kind": "matrix", "dimensions": ["zone"], "cells": [], "other": free("10", per_unit("2"))}, zone("x", "12"),
         "4"),
    used("pricing.pages.15", "marketplaces: 5 %, at least 1 and at most 50",
         percentage("0.05", minimum="1", maximum="50"), "1234.56", "50"),
    used("pricing.pages.16", "tokens: 1,234,567 at 2.50 a million", package("1000000", "2.50", whole=False), 1234567,
         "3.09", option="packages in part"),
    # corrections
    corrected("usage.correction.1", "Orb: a total that corrects another", per_unit("1"), "70", {"quantity": "100"},
              {"quantity": "-30"}),
    corrected("usage.correction.2", "any: packages of what is left", package("10", "5"), "10", {"quantity": "21"},
              {"quantity": "-2"}),
    corrected("usage.correction.3", "any: of one combination", BY_ZONE, "12", zone("a", "10"), zone("a", "-4"),
              zone("b", "3")),
    corrected("usage.correction.4", "any: a combination below zero is set aside", BY_ZONE, None, zone("a", "10"),
              zone("b", "-4")),
    corrected("usage.correction.5", "any: as all of it is", per_unit("1"), None, {"quantity": "10"},
              {"quantity": "-30"}),
    # days and months
    Worked("proration.months.1", "Zuora: by month first, three months and 15 of 30 days",
           subscribed(fee("100", priced_per="month"), {"started_on": "2026-01-01", "cancelled_on": "2026-04-16"},
                      {"on": "2026-01-01"}, **MONTHS), {ALL: ["350"]}),
    Worked("proration.months.2", "Zuora: what is left of a year, by month first",
           subscribed(fee("100", priced_per="month"), {"started_on": "2026-01-01", "changes": [cancel("2026-04-16")]},
                      {"from": "2026-01-01", "through": "2026-04-16"}, **MONTHS), {ALL: ["1200", "-850"]}),
    Worked("proration.months.3", "Zuora: proration credit, a quarter cancelled on 15 October, by days",
           subscribed(fee("300"), {"started_on": "2014-10-01", "changes": [cancel("2014-10-15")]},
                      {"from": "2014-10-01", "through": "2014-10-15"}, cycle_unit="quarter"),
           {ALL: ["300", "-254.35"]}),
    Worked("proration.months.4", "Zuora: … by months of 30 days",
           subscribed(fee("300"), {"started_on": "2014-10-01", "changes": [cancel("2014-10-15")]},
                      {"from": "2014-10-01", "through": "2014-10-15"}, cycle_unit="quarter", day_count="30_360"),
           {ALL: ["300", "-253.33"]}, option="30_360"),
    Worked("proration.months.5", "Dynamics: a year's price in twelfths, ended in the middle of June",
           subscribed(fee("12000", priced_per="year"), {"started_on": "2026-01-01", "cancelled_on": "2026-06-16"},
                      {"from": "2026-01-01", "through": "2026-06-16"}, day_count="30_360"), {"totals.net": "5500"},
           option="30_360"),
    Worked("proration.coterm.1", "Chargebee: an add-on to the end of the plan's year, 275 of 365 days",
           {"billing": {"from": "2026-01-01", "through": "2027-01-01"},
            "plans": [plan("m", fee("1200"), **MONTHS), plan("add", fee("365"), **MONTHS)],
            "subscriptions": [{"plan": "m", "started_on": "2026-01-01"},
                              {"plan": "add", "started_on": "2026-04-01", "anchor_on": "2026-01-01"}]},
           {ALL: ["1200", "275", "1565"]}),
    Worked("commitment.year.2", "NetSuite: at least 1,000 a year, 600 used, the rest when it is over",
           {**subscribed(fee(per_unit("1"), "u", meter_id="m"), {"started_on": "2026-01-01",
                         "cancelled_on": "2027-01-01"}, {"from": "2026-01-01", "through": "2027-01-01"},
                         minimum={"amount": "1000", "every": {"unit": "year"}}),
            "usage": {"totals": [{"meter_id": "m", "quantity": "50"}]}},
           {"totals.net": "1000", "invoices.11.net": "450"}),
    # taxes
    Worked("tax.notices.1", "HMRC VAT notice 700, 17.5.1: the total of a document may be rounded down",
           items("19.99", taxes={**UK, "mode": "down"}), {TAX: "3.99", TOTAL: "23.98"}, option="mode down"),
    Worked("tax.notices.2", "HMRC: the VAT fraction, a sixth of 59.99", items(gross("59.99"), taxes=UK),
           {TAX: "10.00", NET: "49.99"}),
    Worked("tax.notices.3", "HMRC: the VAT fraction, a twenty-first of 21.00", items(gross("21.00", "reduced"),
           taxes=UK), {TAX: "1.00", NET: "20.00"}),
    Worked("tax.notices.4", "HMRC: a mixed supply", items("100", of("50", "reduced"), of("30", "zero"), taxes=UK),
           {TAX: "22.50", TOTAL: "202.50"}),
    Worked("tax.documents.15", "Peppol BIS Billing 3.0, base example: 7 × 400, -3 × 500, a charge of 25",
           items({"unit_price": "400", "quantity": "7"}, {"unit_price": "500", "quantity": "-3"}, "25",
                 taxes={"rates": [rate("25")]}), {NET: "1325", TAX: "331.25", TOTAL: "1656.25"}),
    Worked("tax.documents.16", "EN 16931 BG-20: 10 % off a document of two rates",
           items("1000", of("500", "reduced"), taxes=UK, coupons=[{"percent": "10"}]),
           {"invoices.0.taxes.*.base": ["900", "450"], TAX: "202.50", TOTAL: "1552.50"}),
    Worked("tax.documents.17", "EN 16931 BG-27: 3.50 off one line of two",
           items({"id": "l", "unit_price": "10", "quantity": "5"}, "20", taxes={"rates": [rate("19")]},
                 coupons=[{"amount": "3.50", "components": ["l"]}]), {NET: "66.50", TAX: "12.64"}),
    Worked("tax.included.9", "Stripe: three of 9.99 with 20 % within; what of it is tax stands on the line",
           items(*[gross("9.99")] * 3, taxes=UK),
           {TAX: "5.00", NET: "24.97", "invoices.0.lines.*.included_tax": ["1.67", "1.66", "1.67"]}),
    Worked("tax.included.10", "any: GST of 5 % and a tax of 10 % on it, within 115.50",
           {**items(gross("115.50")), **under(due("GST", "5"), due("PST", "10", compound=True))},
           {NET: "100", TAX: "15.50"}),
    Worked("tax.included.11", "Stripe: an upgrade at half of what has 20 % within",
           {"billing": {"from": "2026-04-01", "through": "2026-04-16"}, "taxes": VAT,
            "plans": [plan("a", fee("120", tax_inclusive=True)), plan("b", fee("240", tax_inclusive=True))],
            "subscriptions": [{"plan": "a", "started_on": "2026-04-01", "changes": [to("b", "2026-04-16")]}]},
           {"invoices.*.total": ["120", "60"], "invoices.*.tax": ["20", "10"]}),
    Worked("tax.included.12", "Japan: 1,100 yen with 10 % within, 17 of 31 days",
           subscribed(fee("1100", tax_inclusive=True), {"started_on": "2026-01-15", **CALENDAR},
                      {"on": "2026-01-15"}, currency="JPY", taxes={"rates": [rate("10")]}),
           {TOTAL: "603", TAX: "55", NET: "548"}),
    # split invoices
    ordered("invoices.split.1", "SAP: one invoice for both", "none", {ALL: ["150"]}),
    ordered("invoices.split.2", "SAP: one for each purchase order", "purchase_order",
            {ALL: ["50", "100"], "invoices.*.purchase_order": ["PO-1", "PO-2"]}),
    ordered("invoices.split.3", "SAP: one for their cost centre", "cost_centre",
            {ALL: ["150"], "invoices.0.cost_centre": "X"}),
    ordered("invoices.split.4", "EN 16931: tax is rounded on each of them", "purchase_order",
            {"invoices.*.tax": ["10.00", "19.99"]}, taxes={"rates": [rate("19.99")]}),
    ordered("invoices.split.5", "Lago: what is left of a coupon goes on to the second", "purchase_order",
            {ALL: ["0", "70"]}, coupons=[{"amount": "80", "duration": "once", "carries": True}]),
    ordered("invoices.split.6", "Lago: and of prepaid credit", "purchase_order",
            {"invoices.*.payable": ["0", "70"]}, prepaid_credits=[{"amount": "80"}]),
    # afterwards
    Worked("fx.ledger.1", "journals: total and tax are converted, net is between them",
           {**items("117.02", taxes={"rates": [rate("19")]}), "exchange": {"ledger_currency": "USD", "rate": "1.1"}},
           {TAX: "22.23", "invoices.0.ledger.total": "153.18", "invoices.0.ledger.tax": "24.45",
            "invoices.0.ledger.net": "128.73"}),
    Worked("fx.ledger.2", "any: told as documents per ledger, 0.92 euros a dollar",
           {**items("100"), "exchange": {"ledger_currency": "USD", "rate": "0.92", "quoted": "document_per_ledger"}},
           {"invoices.0.ledger.total": "108.70"}),
    Worked("ar.credit_note.7", "Lago: a line is given back with its part of the coupon",
           {**items("100", "50", coupons=[{"percent": "10"}], taxes=VAT),
            "receivables": {"credit_notes": [{"on": "2026-02-01", "invoice": 1, "lines": {"2": "50"}}]}},
           {"receivables.credit_notes.0.total": "-54", FIRST + ".open": "108"}),
    Worked("ar.early.4", "Odoo: 2/10 net 30 of 1,200, of which 24 are taken off with their tax",
           after("1000", {"payments": [{"on": "2026-02-10", "amount": "1176"}],
                          "early_discount": {"percent": "2", "days": 10, "tax": "if_early"}}, taxes=VAT),
           {FIRST + ".open": "0", FIRST + ".discount_taken": "24"}),
    Worked("ar.early.5", "textbooks: 1,000 at 2/10, 100 returned; 882 settle the 900",
           returned("882"), {FIRST + ".open": "0", FIRST + ".discount_taken": "18"}),
    Worked("ar.early.6", "textbooks: … and a cent less does not", returned("881.99"), {FIRST + ".open": "18.01"}),
    Worked("ar.early.7", "SAP: cash discount of the invoice, 400 of which were paid ahead",
           {**after("1000", {"payments": [{"on": "2026-02-05", "amount": "580"}], **EARLY}),
            "prepaid_credits": [{"amount": "400"}]}, {FIRST + ".open": "0", FIRST + ".discount_taken": "20"}),
    Worked("dunning.year.5", "ICMA actual/actual: thirty days of 2023 and thirty of 2024",
           {**after("1000", {"as_of": "2024-01-30", "late_interest": {"percent": "10", "calendar_year": True}},
                    account={"payment_terms_days": 0}), "billing": {"on": "2023-12-01"}},
           {FIRST + ".late.interest": "16.42"}),
)  # fmt: skip
