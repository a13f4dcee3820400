"""How an account stands, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any  # plain JSON values

from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.rules_interest import LateCharges, LateSpan
from saldo.invoicing.rules_terms import EarlyPayment
from saldo.kernel.exact import plain
from saldo.kernel.money import Money
from saldo.quotes.model_receivables import Aged, Receivable, Receivables

Json = dict[str, Any]


def major(minor: int, currency: str) -> str:
    """Major units with the currency's digits: "12.50"."""
    return str(Money(minor, currency).as_decimal())


def receivables_json(standing: Receivables, currency: str, invoice_json: Callable[[InvoiceBody], Json]) -> Json:
    """{invoices, credit_notes, customer_credit, fx, aging}; see docs/quote.md."""
    answer: Json = {
        "invoices": [_receivable(one) for one in standing.invoices],
        "credit_notes": [invoice_json(note) for note in standing.credit_notes],
        "customer_credit": major(standing.credit_minor, currency),
    }
    if standing.fx_steps or standing.revalued:
        answer["fx"] = _fx(standing)
    if standing.aged:
        answer["aging"] = _aging(standing.aged, currency)
    return answer


def _fx(standing: Receivables) -> Json:
    """Differences above zero are losses."""
    ledger = standing.fx_currency
    answer: Json = {
        "currency": ledger,
        "difference": major(standing.fx_minor, ledger),
        "losses": major(sum(max(b - p, 0) for b, p in standing.fx_steps), ledger),
        "gains": major(sum(max(p - b, 0) for b, p in standing.fx_steps), ledger),
        "settled": [
            {"booked": major(b, ledger), "paid": major(p, ledger), "difference": major(b - p, ledger)}
            for b, p in standing.fx_steps
        ],
    }
    if standing.revalued:
        booked, now = standing.revalued.booked_minor, standing.revalued.now_minor
        answer["unrealised"] = {
            "booked": major(booked, ledger),
            "now": major(now, ledger),
            "difference": major(booked - now, ledger),
        }
    return answer


def _aging(aged: Aged, currency: str) -> Json:
    answer: Json = {
        "as_of": aged.as_of.isoformat(),
        "open": major(sum(bucket.minor for bucket in aged.buckets), currency),
        "buckets": {bucket.name: major(bucket.minor, currency) for bucket in aged.buckets},
    }
    if aged.losses_minor:
        pairs = zip(aged.buckets, aged.losses_minor, strict=True)
        answer["losses"] = {bucket.name: major(minor, currency) for bucket, minor in pairs}
        answer["allowance"] = major(sum(aged.losses_minor), currency)
    if aged.figures is not None:
        names = {name: getattr(aged.figures, field) for name, field in _FIGURES.items()}
        answer |= {name: str(figure) for name, figure in names.items() if figure is not None}
    return answer


_FIGURES = {
    "days_sales_outstanding": "days",
    "days_counted_back": "counted_back",
    "best_possible_days": "at_best",
    "average_days_delinquent": "delinquent",
    "collection_effectiveness": "effectiveness",
    "turnover": "turnover",
}


def _receivable(one: Receivable) -> Json:
    currency = one.body.currency
    answer: Json = {
        "id": one.body.id,
        "due_on": one.body.due_on.isoformat(),
        "total": major(one.body.total_minor, currency),
        "open": major(one.open_minor, currency),
        "open_after": [major(minor, currency) for minor in one.open_after],
        "written_off": major(one.written_off_minor, currency),
        "discount_taken": major(one.discount_taken_minor, currency),
    }
    if one.parts:
        answer["instalments"] = [major(minor, currency) for minor in one.parts]
    if one.parts_due_on:
        answer["instalments_due_on"] = [day.isoformat() for day in one.parts_due_on]
    if one.early:
        answer["early_payment"] = _early(one.early[0], currency)
        if len(one.early) > 1:
            answer["early_payment"]["then"] = [_early(early, currency) for early in one.early[1:]]
    if one.late:
        answer["late"] = _late(one.late, currency)
    return answer


def _early(early: EarlyPayment, currency: str) -> Json:
    return {
        "until": early.until_on.isoformat(),
        "pay_early": major(early.early_minor, currency),
        "tax_early": major(early.early_tax_minor, currency),
        "pay_late": major(early.late_minor, currency),
        "tax_late": major(early.late_tax_minor, currency),
    }


def _late(late: LateCharges, currency: str) -> Json:
    names = ("per_year", "per_day", "interest", "compensation", "fees", "total")
    reasoning = [_span(span, currency) for span in late.spans]
    return {
        "days": late.days,
        **{name: major(getattr(late, f"{name}_minor"), currency) for name in names},
        "reasoning": reasoning,
    }


def _span(span: LateSpan, currency: str) -> str:
    days = (span.owed.through - span.owed.after).days
    return f"{days} days of {major(span.owed.minor, currency)} at {plain(span.percent)} %"
