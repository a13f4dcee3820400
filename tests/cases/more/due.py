"""When an invoice is to be paid: days, the end of a month before or after them, a day of a later month."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked

ZUORA = "Zuora, prox payment term examples"
LAGO = "Lago, payment terms: an invoice of 10 April 2026"
LAW = "Code de commerce L441-10, 45 jours fin de mois"


def due(case_id: str, source: str, terms: Json, issued_on: str, due_on: str) -> Worked:
    """An invoice of a day, on these terms."""
    document = {"billing": {"on": issued_on}, "items": [{"unit_price": "100"}], "account": {"payment_terms": terms}}
    return Worked(case_id, source, document, {"invoices.0.issued_on": issued_on, "invoices.0.due_on": due_on})


def prox(n: int, issued_on: str, cut_off: int, months: int, day: int, due_on: str) -> Worked:
    return due(f"due.prox.{n}", ZUORA, {"day": day, "months": months, "cut_off": cut_off}, issued_on, due_on)


THEN_END: Json = {"days": 45, "then": "end_of_month"}
FROM_END: Json = {"from": "end_of_month", "days": 45}

CASES: tuple[Worked, ...] = (
    prox(1, "2025-08-10", 12, 1, 20, "2025-09-20"),
    prox(2, "2025-08-15", 12, 1, 20, "2025-10-20"),
    prox(3, "2025-08-21", 12, 1, 20, "2025-10-20"),
    prox(4, "2025-08-10", 20, 1, 12, "2025-09-12"),
    prox(5, "2025-08-15", 20, 1, 12, "2025-09-12"),
    prox(6, "2025-08-21", 20, 1, 12, "2025-10-12"),
    prox(7, "2025-08-21", 20, 3, 12, "2025-12-12"),
    prox(8, "2025-08-15", 31, 1, 31, "2025-09-30"),
    prox(9, "2025-01-01", 5, 1, 30, "2025-02-28"),
    prox(10, "2024-01-01", 5, 1, 30, "2024-02-29"),
    prox(11, "2025-08-12", 12, 1, 20, "2025-09-20"),
    due("due.lago.1", LAGO, {"days": 0}, "2026-04-10", "2026-04-10"),
    due("due.lago.2", LAGO, {"days": 30}, "2026-04-10", "2026-05-10"),
    due("due.lago.3", LAGO, {"then": "end_of_month"}, "2026-04-10", "2026-04-30"),
    due("due.lago.4", LAGO, {"from": "end_of_month", "days": 30}, "2026-04-10", "2026-05-30"),
    due("due.fin_de_mois.1", f"{LAW}: days first", THEN_END, "2025-01-15", "2025-03-31"),
    due("due.fin_de_mois.2", f"{LAW}: month's end first", FROM_END, "2025-01-15", "2025-03-17"),
    due("due.fin_de_mois.3", f"{LAW}: days first", THEN_END, "2025-03-10", "2025-04-30"),
    due("due.fin_de_mois.4", f"{LAW}: month's end first", FROM_END, "2025-03-10", "2025-05-15"),
    due("due.fin_de_mois.5", f"{LAW}: days first", THEN_END, "2025-04-10", "2025-05-31"),
    due(
        "due.fin_de_mois.6",
        "Odoo, days end of month on the 10th: 30 jours fin de mois le 10",
        {"days": 30, "months": 1, "day": 10},
        "2025-01-15",
        "2025-03-10",
    ),
    due(
        "due.months_end.1",
        "any: 30 days end of month of the last of January, in a leap year",
        {"days": 30, "then": "end_of_month"},
        "2024-01-30",
        "2024-02-29",
    ),
    due(
        "due.months_end.2",
        "any: a day later the 30 days reach March",
        {"days": 30, "then": "end_of_month"},
        "2024-01-31",
        "2024-03-31",
    ),
    due(
        "due.following_month.1",
        "NetSuite, date driven: the 10th of the following month",
        {"day": 10},
        "2025-12-31",
        "2026-01-10",
    ),
    due("due.month.1", "BGB, § 188 (2): a month from the issue", {"months": 1}, "2026-01-15", "2026-02-15"),
    due("due.month.2", "BGB, § 188 (3): a month without such a day", {"months": 1}, "2026-01-31", "2026-02-28"),
    due("due.month.3", "Odoo, 1 month and 10 days: days first", {"days": 10, "months": 1}, "2026-01-25", "2026-03-04"),
    due(
        "due.same_month.1",
        "NetSuite, date driven: the 25th, of the next month within five days of it",
        {"day": 25, "months": 0, "cut_off": 20},
        "2026-04-20",
        "2026-04-25",
    ),
    due(
        "due.same_month.2",
        "NetSuite, date driven: the 25th, of the next month within five days of it",
        {"day": 25, "months": 0, "cut_off": 20},
        "2026-04-21",
        "2026-05-25",
    ),
    Worked(
        "due.days.1",
        "any: days as they were always told",
        {"billing": {"on": "2026-01-31"}, "items": [{"unit_price": "9"}], "account": {"payment_terms_days": 30}},
        {"invoices.0.due_on": "2026-03-02"},
    ),
    Worked(
        "due.late.1",
        "any: interest and aging count from the month's end that the terms reach",
        {
            "billing": {"on": "2026-01-10"},
            "items": [{"unit_price": "3650"}],
            "account": {"payment_terms": {"days": 30, "then": "end_of_month"}},
            "receivables": {
                "as_of": "2026-03-10",
                "early_discount": {"percent": "2", "days": 10},
                "late_interest": {"percent": "10"},
                "aging": {"bounds": [30]},
            },
        },
        {
            "invoices.0.due_on": "2026-02-28",
            "invoices.0.payment_terms": {"days": 30, "then": "end_of_month"},
            "receivables.invoices.0.late.days": "10",
            "receivables.invoices.0.late.interest": "10",
            "receivables.invoices.0.early_payment.until": "2026-01-20",
        },
    ),
)
