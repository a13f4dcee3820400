"""After the invoices: payments, credit notes, terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.cases.more.building import Json, Worked, items, rate

KILL_BILL = "Kill Bill docs: invoice examples"
TRYTON = "Tryton: account_invoice scenarios"
DAY = "2026-01-31"
MONTH_ENDS = (DAY, "2026-02-28", "2026-03-31")
FIRST, CREDIT = "receivables.invoices.0", "receivables.customer_credit"
LATE = FIRST + ".late"


def after(amount: Any, receivables: Json, **more: Any) -> Json:
    """An invoice of the last of January, due at once; amount: of one item, or a list of amounts."""
    amounts = amount if isinstance(amount, list) else [amount]
    return items(*amounts, receivables=receivables, **{"account": {"payment_terms_days": 0}, **more})


def paid(*amounts: str, on: str = DAY, **more: Any) -> Json:
    return {"payments": [{"on": on, "amount": a} for a in amounts], **more}


def late(debt: str, as_of: str, rule: Json, **more: Any) -> Json:
    return after(debt, {"as_of": as_of, "late_interest": rule, **more})


def months(receivables: Json, *amounts: str, days: Sequence[str] = MONTH_ENDS, **more: Any) -> Json:
    """An invoice on each of so many days."""
    dated = [{"unit_price": a, "on": day} for a, day in zip(amounts, days, strict=False)]
    return {"billing": {"dates": list(days[: len(dated)])}, "items": dated, "receivables": receivables, **more}


def booked(rate_of: str, ledger: str = "USD", **more: str) -> Json:
    return {"ledger_currency": ledger, "rate": rate_of, "source": "bank", **more}


VAT = {"rates": [rate("20")]}

CASES: tuple[Worked, ...] = (
    # payments, refunds, credit notes
    Worked(
        "ar.adjust.1",
        KILL_BILL + ", an unpaid item adjusted by 10",
        after("100", {"credit_notes": [{"on": DAY, "amount": "10"}]}),
        {FIRST + ".open": "90", CREDIT: "0"},
    ),
    Worked(
        "ar.adjust.2",
        KILL_BILL + ", a paid item adjusted by 10",
        after("100", paid("100", credit_notes=[{"on": "2026-02-01", "amount": "10"}])),
        {FIRST + ".open": "0", CREDIT: "10"},
    ),
    Worked(
        "ar.refund.1",
        KILL_BILL + ", refund with adjustment",
        after(
            "100",
            {
                "payments": [{"on": DAY, "amount": "100"}, {"on": "2026-02-02", "amount": "-10"}],
                "credit_notes": [{"on": "2026-02-01", "amount": "10"}],
            },
        ),
        {FIRST + ".open": "0", CREDIT: "0"},
    ),
    Worked(
        "ar.refund.2",
        KILL_BILL + ", refund without adjustment",
        after("100", {"payments": [{"on": DAY, "amount": "100"}, {"on": "2026-02-02", "amount": "-10", "invoice": 1}]}),
        {FIRST + ".open": "10"},
    ),
    Worked(
        "ar.chargeback.1",
        "Kill Bill: a chargeback opens the invoice again",
        after(
            "100", {"payments": [{"on": DAY, "amount": "100"}, {"on": "2026-02-02", "amount": "-100", "invoice": 1}]}
        ),
        {FIRST + ".open": "100", FIRST + ".open_after": ["0", "100"]},
    ),
    Worked(
        "ar.write_off.1",
        "Kill Bill: written off",
        after("100", paid("40", write_offs=[{"on": "2026-03-01"}])),
        {FIRST + ".open": "0", FIRST + ".written_off": "60"},
    ),
    Worked(
        "ar.allocation.1",
        "Odoo, Lago: the oldest invoice first",
        months(paid("120", on="2026-03-01"), "100", "50"),
        {"receivables.invoices.*.open": ["0", "30"]},
    ),
    Worked(
        "ar.allocation.2",
        "ERPNext: against a named invoice",
        months({"payments": [{"on": "2026-03-01", "amount": "50", "invoice": 2}]}, "100", "50"),
        {"receivables.invoices.*.open": ["100", "0"]},
    ),
    Worked(
        "ar.allocation.3",
        TRYTON + ", paid in parts",
        after("210", paid("100", "70", "40")),
        {FIRST + ".open_after": ["110", "40", "0"]},
    ),
    Worked(
        "ar.overpayment.1",
        "Lago, Stripe: what is over stays with the seller",
        months(paid("200", on="2026-03-01"), "100", "50"),
        {"receivables.invoices.*.open": ["0", "0"], CREDIT: "50"},
    ),
    Worked(
        "ar.tolerance.1",
        "SAP: percent below the amount",
        after("400", paid("381", tolerance={"amount": "50", "percent": "5"})),
        {FIRST + ".open": "0", FIRST + ".written_off": "19"},
    ),
    Worked(
        "ar.tolerance.2",
        "SAP: beyond the percent",
        after("400", paid("379", tolerance={"amount": "50", "percent": "5"})),
        {FIRST + ".open": "21"},
    ),
    Worked(
        "ar.instalments.1",
        TRYTON + ", thirds and a remainder",
        after("100", {"instalments": [{"percent": "33.33"}, {"percent": "33.33"}, {}]}),
        {FIRST + ".instalments": ["33.33", "33.33", "33.34"]},
    ),
    Worked(
        "ar.instalments.2",
        "Odoo: 30 % now, the balance later",
        after("1210", {"instalments": [{"percent": "30"}, {}]}),
        {FIRST + ".instalments": ["363", "847"]},
    ),
    Worked(
        "ar.early.1",
        "Odoo docs: 2/10 net 30 of 200",
        after("200", {"early_discount": {"percent": "2", "days": 7}}, taxes={"rates": [rate("6")]}),
        {FIRST + ".early_payment.pay_early": "207.76", FIRST + ".early_payment.pay_late": "212"},
    ),
    Worked(
        "ar.early.2",
        "Odoo docs: an early payment settles the invoice",
        after(
            "100",
            paid("118.58", on="2026-02-05", early_discount={"percent": "2", "days": 10}),
            taxes={"rates": [rate("21")]},
        ),
        {FIRST + ".open": "0", FIRST + ".discount_taken": "2.42"},
    ),
    Worked(
        "ar.early.3",
        "Odoo docs: a late one does not",
        after(
            "100",
            paid("118.58", on="2026-02-11", early_discount={"percent": "2", "days": 10}),
            taxes={"rates": [rate("21")]},
        ),
        {FIRST + ".open": "2.42"},
    ),
    Worked(
        "ar.credit_note.1",
        "Lago: credit_note_spec.rb, half of a discounted fee",
        after(
            [{"id": "two", "unit_price": "399"}],
            {"credit_notes": [{"on": DAY, "lines": {"1": "262.60"}}]},
            taxes=VAT,
            coupons=[{"amount": "250"}],
        ),
        {
            "receivables.credit_notes.0.net": "-98.06",
            "receivables.credit_notes.0.tax": "-19.61",
            "receivables.credit_notes.0.total": "-117.67",
        },
    ),
    Worked(
        "ar.credit_note.2",
        "Lago: credit_note_spec.rb, two of 68.33 taken back one by one",
        after(
            ["68.33", "68.33"],
            {"credit_notes": [{"on": DAY, "lines": {"1": "68.33"}}, {"on": "2026-02-01", "lines": {"2": "68.33"}}]},
            taxes=VAT,
        ),
        {"receivables.credit_notes.*.total": ["-82.00", "-81.99"], FIRST + ".open": "0"},
    ),
    Worked(
        "ar.credit_note.3",
        "Lago: credit_note_rounding_spec.rb, 726.86 then 42.14 of 769",
        after(
            "769",
            {"credit_notes": [{"on": DAY, "amount": "726.86"}, {"on": "2026-02-01", "amount": "42.14"}]},
            taxes=VAT,
        ),
        {"receivables.credit_notes.*.total": ["-872.23", "-50.57"]},
    ),
    Worked(
        "ar.credit_note.4",
        "any: more than is left is refused",
        after("100", {"credit_notes": [{"on": DAY, "amount": "60"}, {"on": DAY, "amount": "60"}]}),
        {"refused": "invalid_credit_note"},
    ),
)
