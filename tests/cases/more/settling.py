"""Payments that go to several invoices or none, credit that is used, discounts in steps and in part."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, items, rate
from tests.cases.more.receivables import CREDIT, DAY, FIRST, after, months, paid

OPEN, AFTER = "receivables.invoices.*.open", FIRST + ".open_after"


def three(receivables: Json) -> Json:
    return months(receivables, "100", "300", "200")


def of_three(amount: str, **more: object) -> Json:
    return three(paid(amount, on="2026-04-10", **more))


def to_invoices(amount: str, *parts: tuple[int, str]) -> Json:
    """A payment that names how much goes to which of three invoices."""
    named = [{"invoice": n, "amount": part} for n, part in parts]
    return three({"payments": [{"on": "2026-04-10", "amount": amount, "invoices": named}]})


SKONTO = {"early_discount": {"percent": "3", "days": 7, "then": [{"percent": "2", "days": 14}]}}
VAT = {"rates": [rate("19")]}

CASES: tuple[Worked, ...] = (
    Worked(
        "ar.settle.1",
        "any: the newest first",
        of_three("350", settle="newest"),
        {OPEN: ["100", "150", "0"]},
        option="settle newest",
    ),
    Worked(
        "ar.settle.2",
        "any: the largest first",
        of_three("350", settle="largest"),
        {OPEN: ["100", "0", "150"]},
        option="settle largest",
    ),
    Worked(
        "ar.settle.3",
        "any: the smallest first",
        of_three("350", settle="smallest"),
        {OPEN: ["0", "250", "0"]},
        option="settle smallest",
    ),
    Worked(
        "ar.settle.4",
        "BGB 366 (2): in proportion, to the cent",
        of_three("100", settle="proportional"),
        {OPEN: ["83.33", "250", "166.67"]},
        option="settle proportional",
    ),
    Worked(
        "ar.settle.5",
        "ERPNext: payment entry with references",
        to_invoices("400", (2, "300"), (1, "50")),
        {OPEN: ["50", "0", "200"], CREDIT: "50"},
    ),
    Worked(
        "ar.settle.6",
        "ERPNext: allocating 200 of a payment of 100 is rejected",
        to_invoices("100", (2, "200")),
        {"refused": "invalid_input"},
    ),
    Worked(
        "ar.settle.7",
        "ERPNext: allocating more than is outstanding is rejected",
        to_invoices("400", (1, "200")),
        {"refused": "more_than_open"},
    ),
    Worked(
        "ar.settle.8",
        "Odoo: an outstanding credit, reconciled later",
        three(
            {
                "payments": [{"on": "2026-04-10", "amount": "250", "unapplied": True}],
                "credit_uses": [{"on": "2026-04-12", "invoice": 3}, {"on": "2026-04-13", "invoice": 1, "amount": "30"}],
            }
        ),
        {OPEN: ["70", "300", "0"], CREDIT: "20"},
    ),
    Worked(
        "ar.settle.9",
        "any: more credit than the customer has is rejected",
        three(
            {
                "payments": [{"on": "2026-04-10", "amount": "50", "unapplied": True}],
                "credit_uses": [{"on": "2026-04-12", "invoice": 2, "amount": "60"}],
            }
        ),
        {"refused": "more_than_credit"},
    ),
    Worked(
        "ar.settle.10",
        "Kill Bill: credit of an overpayment pays the next invoice",
        months(
            {
                "payments": [{"on": "2026-02-01", "amount": "130", "invoice": 1}],
                "credit_uses": [{"on": "2026-02-28", "invoice": 2}],
            },
            "100",
            "300",
        ),
        {OPEN: ["0", "270"], CREDIT: "0"},
    ),
    Worked(
        "ar.settle.11",
        "any: an invoice that is named twice takes both parts",
        to_invoices("400", (1, "60"), (1, "40")),
        {OPEN: ["0", "300", "200"]},
    ),
    Worked(
        "ar.settle.12",
        "any: and no more than it has open",
        to_invoices("400", (1, "60"), (1, "60")),
        {"refused": "more_than_open"},
    ),
    Worked(
        "ar.kept.1",
        "ERPNext: deductions, the bank kept 2.50",
        after("100", {"payments": [{"on": DAY, "amount": "97.50", "kept": "2.50"}]}),
        {FIRST + ".open": "0"},
    ),
    Worked(
        "ar.kept.2",
        "India: TDS of 10 % deducted when paying",
        after("50000", {"payments": [{"on": DAY, "amount": "54000", "kept": "5000"}]}, taxes={"rates": [rate("18")]}),
        {FIRST + ".open": "0"},
    ),
    Worked(
        "ar.skonto.1",
        "Germany: 3 % within 7 days",
        after("1000", paid("1154.30", on="2026-02-07", **SKONTO), taxes=VAT),
        {FIRST + ".open": "0", FIRST + ".discount_taken": "35.70", FIRST + ".early_payment.pay_early": "1154.30"},
    ),
    Worked(
        "ar.skonto.2",
        "… 2 % within 14",
        after("1000", paid("1166.20", on="2026-02-14", **SKONTO), taxes=VAT),
        {
            FIRST + ".open": "0",
            FIRST + ".discount_taken": "23.80",
            FIRST + ".early_payment.then.0.pay_early": "1166.20",
        },
    ),
    Worked(
        "ar.skonto.3",
        "… the first amount too late is not enough",
        after("1000", paid("1154.30", on="2026-02-08", **SKONTO), taxes=VAT),
        {FIRST + ".open": "35.70"},
    ),
    Worked(
        "ar.skonto.4",
        "Germany: the tax of the discount, UStG § 17",
        after("1000", {"early_discount": {"percent": "2", "days": 10}}, taxes=VAT),
        {FIRST + ".early_payment.tax_early": "186.20", FIRST + ".early_payment.tax_late": "190"},
    ),
    Worked(
        "ar.skonto.5",
        "any: over two rates, each on its own base",
        items(
            {"unit_price": "100", "tax_category": "a"},
            {"unit_price": "50.50", "tax_category": "b"},
            taxes={"rates": [rate("19", "a"), rate("7", "b")]},
            receivables={"early_discount": {"percent": "3", "days": 10}},
        ),
        {FIRST + ".early_payment.pay_early": "167.84", FIRST + ".early_payment.tax_early": "21.86"},
    ),
    Worked(
        "ar.skonto.6",
        "US textbooks: 4,900 of 10,000 at 2/10 settles 5,000",
        after("10000", paid("4900", on="2026-02-08", early_discount={"percent": "2", "days": 10}, early_in_part=True)),
        {AFTER: ["5000"], FIRST + ".discount_taken": "100"},
        option="early_in_part",
    ),
    Worked(
        "ar.skonto.7",
        "… and the rest in time takes the rest",
        after(
            "10000",
            paid("4900", "4900", on="2026-02-08", early_discount={"percent": "2", "days": 10}, early_in_part=True),
        ),
        {AFTER: ["5000", "0"], FIRST + ".discount_taken": "200"},
        option="early_in_part",
    ),
    Worked(
        "ar.skonto.8",
        "any: steps that do not fall",
        after("1", {"early_discount": {"percent": "2", "days": 7, "then": [{"percent": "3", "days": 14}]}}),
        {"refused": "invalid_input"},
    ),
    Worked(
        "ar.tolerance.3",
        "SAP: the clerk's limit is lower",
        after("400", paid("395", tolerance={"amount": "50", "clerk_amount": "4"})),
        {FIRST + ".open": "5"},
    ),
    Worked(
        "ar.tolerance.4",
        "any: an overpayment within tolerance is the customer's",
        after("400", paid("400.30", tolerance={"amount": "1"})),
        {FIRST + ".open": "0", CREDIT: "0.30"},
    ),
    Worked(
        "ar.write_off.2",
        "Kill Bill: a part is written off, the rest paid",
        after("100", paid("60", on="2026-03-02", write_offs=[{"on": "2026-03-01", "amount": "40"}])),
        {FIRST + ".open": "0", FIRST + ".written_off": "40"},
    ),
    Worked(
        "ar.refund.3",
        "Stripe: part of an overpayment goes back",
        after("100", {"payments": [{"on": DAY, "amount": "150"}, {"on": "2026-02-02", "amount": "-20"}]}),
        {FIRST + ".open": "0", CREDIT: "30"},
    ),
    Worked(
        "ar.instalments.3",
        "Tryton: 25 %, 25 %, 4.00 and a remainder",
        after("10", {"instalments": [{"percent": "25"}, {"percent": "25"}, {"amount": "4"}, {"remainder": True}]}),
        {FIRST + ".instalments": ["2.50", "2.50", "4", "1"]},
    ),
    Worked(
        "ar.instalments.4",
        "any: parts that do not make up the invoice",
        after("100", {"instalments": [{"percent": "50"}, {"percent": "40"}]}),
        {"refused": "instalments_do_not_add_up"},
    ),
    Worked(
        "ar.credit_note.5",
        "any: three thirds with tax, the last takes the odd cent",
        after(
            "100",
            {
                "credit_notes": [
                    {"on": DAY, "amount": "33.33"},
                    {"on": "2026-02-01", "amount": "33.33"},
                    {"on": "2026-02-02"},
                ]
            },
            taxes=VAT,
        ),
        {"receivables.credit_notes.*.tax": ["-6.33", "-6.33", "-6.34"], FIRST + ".open": "0"},
    ),
    Worked(
        "ar.credit_note.6",
        "any: over what was paid already, the rest is the customer's",
        after("100", paid("119", credit_notes=[{"on": "2026-02-01", "amount": "50"}]), taxes=VAT),
        {FIRST + ".open": "0", CREDIT: "59.50"},
    ),
)
