"""What a quote answers."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from functions.api.v1.models import Currency, Decimals, Out


class QuoteLine(Out):
    """One line of a quoted invoice, with the reasons for its amount."""

    id: str
    kind: str
    subscription: str
    plan: str
    component: str
    name: str
    timing: str
    from_: date = Field(alias="from")
    until: date
    quantity: Decimals
    exact: Decimals = Field(description="Before rounding.")
    share: dict[str, int]
    rounding: str
    amount: Decimals
    amount_minor: int
    of: str
    tax_category: str
    tax_inclusive: bool
    steps: list[dict[str, Any]]
    reasoning: list[str]


class QuoteTax(Out):
    """The tax of one rate."""

    jurisdiction: str
    name: str
    treatment: str
    percent: Decimals
    base: Decimals
    tax: Decimals
    reason: str
    compound: bool
    collection: str
    included: bool


class QuoteInvoice(Out):
    """An invoice or credit note as a run would issue it."""

    id: str
    kind: str
    issued_on: date
    due_on: date
    currency: Currency
    lines: list[QuoteLine]
    taxes: list[QuoteTax]
    net: Decimals
    tax: Decimals
    total: Decimals
    payable: Decimals
    rounding: Decimals | None = None
    coupons: list[dict[str, Any]]
    credits: list[dict[str, Any]]
    net_minor: int
    tax_minor: int
    total_minor: int
    payable_minor: int
    tax_rounding: str
    tax_source: str
    of_invoice: str | None = None
    ledger: dict[str, Any] | None = None


class QuoteAnswer(Out):
    """The same answer as `saldo quote --json` gives; docs/quote.md says what each field means."""

    invoices: list[QuoteInvoice]
    subscriptions: list[dict[str, Any]]
    coupons: list[dict[str, Any]]
    prepaid_credits: list[dict[str, Any]]
    credit_note_balance: Decimals
    receivables: dict[str, Any] | None = None
