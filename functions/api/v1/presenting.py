"""From records to the models of the API."""

from __future__ import annotations

from functions.api.v1.models import AppliedOut, InvoiceDetail, InvoiceOut, LineOut, PaymentOut, RateOut, TaxOut
from functions.api.v1.models_subscriptions import ChangeOut, SubscriptionOut, TermOut
from saldo.catalog.model import name_in
from saldo.invoicing.model import InvoiceBody, Line, PricedIn
from saldo.invoicing.reading import Invoice
from saldo.invoicing.records import InvoiceHeader
from saldo.kernel.exact import plain
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import Money
from saldo.payments.model import Payment, Received
from saldo.subscriptions.codec import term_to_json
from saldo.subscriptions.model import Subscription
from saldo.tax.model import TaxTotal


def major(minor: int, currency: str) -> str:
    return str(Money(minor, currency).as_decimal())


def invoice_out(header: InvoiceHeader) -> InvoiceOut:
    """A header as lists show it."""
    return InvoiceOut.model_validate(_fields(header))


def invoice_detail(invoice: Invoice) -> InvoiceDetail:
    """An invoice with its lines, where they are known."""
    header, body = invoice.header, invoice.body
    return InvoiceDetail.model_validate(
        {
            **_fields(header),
            "language": header.language,
            "purchase_order": body.purchase_order if body else "",
            "cost_centre": body.cost_centre if body else "",
            "of_invoice": header.of_invoice,
            "exchange": rate_out(body.exchange) if body and body.exchange else None,
            "lines": [line_out(line, body) for line in body.lines] if body else None,
            "taxes": [_tax(tax, body.currency) for tax in body.tax_totals] if body else None,
            "rounding": major(body.rounding.minor, body.currency) if body and body.rounding else None,
        }
    )


def _fields(header: InvoiceHeader) -> dict[str, object]:
    amounts: dict[str, object] = {}
    for name in ("net", "tax", "total", "open"):
        minor = getattr(header, f"{name}_minor")
        amounts |= {name: major(minor, header.currency), f"{name}_minor": minor}
    return {
        "id": header.invoice_id,
        "url": f"/api/v1/accounts/{header.account_id}/invoices/{header.invoice_id}",
        "account": header.account_id,
        "kind": header.document.value,
        "number": header.number,
        "status": header.status.value,
        "currency": header.currency,
        "issued_on": header.issued_on,
        "due_on": header.due_on,
        **amounts,
    }


def line_out(line: Line, body: InvoiceBody) -> LineOut:
    """A line in its invoice's language."""
    return LineOut.model_validate(
        {
            "id": line.id,
            "account": line.account_id or body.account_id,
            "subscription": line.subscription_id,
            "component": line.component_id,
            "name": name_in(line.names, body.language),
            "from": line.period.start,
            "until": line.period.end,
            "quantity": plain(line.quantity),
            "amount": major(line.net_minor, body.currency),
            "amount_minor": line.net_minor,
            "tax_inclusive": line.inclusive,
            "priced_in": _priced_in(line.priced_in),
        }
    )


def _priced_in(priced: PricedIn | None) -> dict[str, object] | None:
    if priced is None:
        return None
    amount = major(priced.minor, priced.currency)
    return {"currency": priced.currency, "amount": amount, "amount_minor": priced.minor, "rate": rate_out(priced.rate)}


def rate_out(rate: ExchangeRate) -> RateOut:
    return RateOut(base=rate.base, counter=rate.counter, rate=plain(rate.rate), source=rate.source, on=rate.on)


def _tax(tax: TaxTotal, currency: str) -> TaxOut:
    return TaxOut(
        jurisdiction=tax.jurisdiction,
        name=tax.name,
        percent=plain(tax.percent),
        base=major(tax.base_minor, currency),
        tax=major(tax.tax_minor, currency),
        tax_minor=tax.tax_minor,
        reason=tax.reason,
        collection=tax.collection.value,
    )


def payment_out(payment: Payment) -> PaymentOut:
    """A payment as it stands."""
    currency = payment.amount.currency
    applied = [
        AppliedOut(invoice=a.invoice_id, amount=major(a.minor, currency), amount_minor=a.minor) for a in payment.applied
    ]
    told: dict[str, object] = {
        "id": payment.id,
        "url": f"/api/v1/accounts/{payment.account_id}/payments/{payment.id}",
        "account": payment.account_id,
        "status": payment.status.value,
        "currency": currency,
        "amount": major(payment.amount.minor, currency),
        "amount_minor": payment.amount.minor,
        "method": payment.method,
        "started_at": payment.started_at,
        "settled_at": payment.settled_at,
        "receipt_number": payment.receipt_number or None,
        "failure_code": payment.failure_code or None,
        "applied": applied,
        "unapplied": major(payment.unapplied_minor, currency),
        "unapplied_minor": payment.unapplied_minor,
        "received": _received(payment.received),
    }
    return PaymentOut.model_validate(told)


def _received(came: Received | None) -> dict[str, object] | None:
    if came is None:
        return None
    money = came.money
    amount = major(money.minor, money.currency)
    return {"currency": money.currency, "amount": amount, "amount_minor": money.minor, "rate": rate_out(came.rate)}


def subscription_out(one: Subscription) -> SubscriptionOut:
    """A subscription with its terms."""
    return SubscriptionOut(
        id=one.id,
        url=f"/api/v1/accounts/{one.account_id}/subscriptions/{one.id}",
        account=one.account_id,
        plan_version=one.plan_version_id,
        status=one.status.value,
        started_on=one.started_on,
        trial_end_on=one.trial_end_on,
        cancelled_on=one.cancelled_on,
        next_bill_on=one.next_bill_on,
        billed_through=one.billed_through,
        quantities={name: plain(quantity) for name, quantity in sorted(one.quantities.items())},
        purchase_order=one.purchase_order,
        cost_centre=one.cost_centre,
        changes=[ChangeOut(kind=c.kind.value, effective_on=c.effective_on) for c in one.changes],
        term=TermOut.model_validate(term_to_json(one.term)) if one.term else None,
    )
