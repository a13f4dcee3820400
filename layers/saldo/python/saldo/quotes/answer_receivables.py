"""How an account stands, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any  # plain JSON values

from saldo.invoicing.model import InvoiceBody
from saldo.kernel.money import Money
from saldo.quotes.model_receivables import Receivable, Receivables

Json = dict[str, Any]


def major(minor: int, currency: str) -> str:
    """Major units with the currency's digits: "12.50"."""
    return str(Money(minor, currency).as_decimal())


def receivables_json(standing: Receivables, currency: str, invoice_json: Callable[[InvoiceBody], Json]) -> Json:
    """{invoices, credit_notes, customer_credit, fx}; see docs/quote.md."""
    answer: Json = {
        "invoices": [_receivable(one) for one in standing.invoices],
        "credit_notes": [invoice_json(note) for note in standing.credit_notes],
        "customer_credit": major(standing.credit_minor, currency),
    }
    if standing.fx_steps:
        ledger = standing.fx_currency
        answer["fx"] = {
            "currency": ledger,
            "difference": major(standing.fx_minor, ledger),
            "settled": [{"booked": major(b, ledger), "paid": major(p, ledger)} for b, p in standing.fx_steps],
        }
    return answer


def _receivable(one: Receivable) -> Json:
    currency = one.body.currency
    answer: Json = {
        "id": one.body.id,
        "due_on": one.body.due_on.isoformat(),
        "total": major(one.body.total_minor, currency),
        "open": major(one.open_minor, currency),
        "open_after": [major(minor, currency) for minor in one.open_after],
        "written_off": major(one.written_off_minor, currency),
    }
    if one.parts:
        answer["instalments"] = [major(minor, currency) for minor in one.parts]
    if one.early:
        early = one.early
        answer["early_payment"] = {
            "until": early.until_on.isoformat(),
            "pay_early": major(early.early_minor, currency),
            "tax_early": major(early.early_tax_minor, currency),
            "pay_late": major(early.late_minor, currency),
            "tax_late": major(early.late_tax_minor, currency),
        }
    if one.late:
        names = ("per_year", "per_day", "interest", "compensation", "total")
        amounts = {name: major(getattr(one.late, f"{name}_minor"), currency) for name in names}
        answer["late"] = {"days": one.late.days, **amounts}
    return answer
