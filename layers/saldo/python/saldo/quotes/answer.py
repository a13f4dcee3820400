"""A quote as JSON: amounts as decimal text in major units and as minor units, each line with its reasoning."""

from __future__ import annotations

from datetime import date
from typing import Any  # plain JSON values

from saldo.accounts.reading_payment_terms import payment_terms_json
from saldo.catalog.model import name_in
from saldo.invoicing.model import AppliedCredit, Coupon, CouponUse, InvoiceBody, Line, PricedIn
from saldo.kernel.clock import instant_text
from saldo.kernel.exact import plain
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import Money
from saldo.quotes.answer_receivables import major as amount
from saldo.quotes.answer_receivables import receivables_json
from saldo.quotes.model import Quote, UsageTotal
from saldo.quotes.reasoning import reasons_of
from saldo.rating.model import Step
from saldo.subscriptions.model import Subscription
from saldo.tax.model import TaxTotal
from saldo.usage.model import UsageEvent

Json = dict[str, Any]


def answer_of(quote: Quote) -> Json:
    """{invoices: […], totals, subscriptions: […], …}; see docs/quote.md for the fields."""
    return {
        "invoices": [_invoice(body) for body in quote.invoices],
        "subscriptions": [_subscription(s) for s in quote.subscriptions],
        "totals": _totals(quote),
        "coupons": [_coupon_left(coupon, quote.currency) for coupon in quote.wallet.coupons],
        "prepaid_credits": [
            {"id": c.id, "balance": amount(c.balance_minor, quote.currency)} for c in quote.wallet.credits
        ],
        "credit_note_balance": amount(quote.wallet.credit_note_minor, quote.currency),
        **({"usage_not_billed": [_not_billed(told) for told in quote.not_billed]} if quote.not_billed else {}),
        **({"usage_rejected": [_rejected(event) for event in quote.rejected]} if quote.rejected else {}),
        **_receivables(quote),
    }


def _totals(quote: Quote) -> Json:
    """Over all documents, credit notes taken off."""
    names = ("net", "tax", "total", "payable")
    return {name: amount(sum(getattr(b, f"{name}_minor") for b in quote.invoices), quote.currency) for name in names}


def _rejected(event: UsageEvent) -> Json:
    return {"meter_id": event.meter_id, "id": event.id, "at": instant_text(event.at), "value": plain(event.value)}


def _not_billed(told: UsageTotal) -> Json:
    days = {"from": told.from_on, "until": told.until_on}
    named = {name: day.isoformat() for name, day in days.items() if day is not None}
    return {"meter_id": told.meter_id, "quantity": plain(told.quantity), **named}


def _coupon_left(coupon: Coupon, currency: str) -> Json:
    return {"id": coupon.id, "used": coupon.used, "taken": amount(coupon.taken_minor, coupon.currency or currency)}


def _receivables(quote: Quote) -> Json:
    if quote.receivables is None:
        return {}
    return {"receivables": receivables_json(quote.receivables, quote.currency, _invoice)}


def _invoice(body: InvoiceBody) -> Json:
    return {
        "id": body.id,
        "kind": body.kind.value,
        "issued_on": body.issued_on.isoformat(),
        "due_on": body.due_on.isoformat(),
        **({"payment_terms": payment_terms_json(body.payment_terms)} if body.payment_terms else {}),
        "currency": body.currency,
        "lines": [_line(line, body) for line in body.lines],
        "taxes": [_tax(tax, body.currency) for tax in body.tax_totals],
        "net": amount(body.net_minor, body.currency),
        "tax": amount(body.tax_minor, body.currency),
        "total": amount(body.total_minor, body.currency),
        "payable": amount(body.payable_minor, body.currency),
        **({"rounding": amount(body.rounding.minor, body.currency)} if body.rounding else {}),
        "coupons": [_coupon(use, body.currency) for use in body.coupons],
        "credits": [_credit(credit, body.currency) for credit in body.credits],
        "net_minor": body.net_minor,
        "tax_minor": body.tax_minor,
        "total_minor": body.total_minor,
        "payable_minor": body.payable_minor,
        "tax_rounding": body.tax_rounding.value,
        "tax_source": body.tax_source,
        **({"of_invoice": body.of_invoice} if body.of_invoice else {}),
        **({"purchase_order": body.purchase_order} if body.purchase_order else {}),
        **({"cost_centre": body.cost_centre} if body.cost_centre else {}),
        **({"ledger": _ledger(body, body.exchange)} if body.exchange else {}),
    }


def _ledger(body: InvoiceBody, rate: ExchangeRate) -> Json:
    """The invoice in the ledger's currency, at the rate that is frozen with it. Total and tax are converted; net is
    what is between them, as the journal books it (`saldo.ledger.rules.base_amounts`)."""
    total, tax = (rate.convert(Money(minor, body.currency)) for minor in (body.total_minor, body.tax_minor))
    parts = {"net": total - tax, "tax": tax, "total": total}
    return {**{name: str(part.as_decimal()) for name, part in parts.items()}, **_rate(rate)}


def _coupon(use: CouponUse, currency: str) -> Json:
    taken = {"id": use.coupon_id, "amount": amount(use.minor, currency), "unused": amount(use.unused_minor, currency)}
    return taken if use.rate is None else {**taken, **_rate(use.rate)}


def _credit(credit: AppliedCredit, currency: str) -> Json:
    drawn = amount(credit.minor, currency)
    return {"source": credit.source.value, "id": credit.credit_id, "amount": drawn, "before_tax": credit.before_tax}


def _line(line: Line, body: InvoiceBody) -> Json:
    return {
        "id": line.id,
        "kind": line.kind.value,
        "subscription": line.subscription_id,
        "plan": line.plan_version_id,
        "component": line.component_id,
        "name": name_in(line.names, body.language),
        "timing": line.timing.value,
        "from": line.period.start.isoformat(),
        "until": line.period.end.isoformat(),
        "quantity": plain(line.quantity),
        "exact": plain(line.exact),
        "share": {"days": line.share.days, "of": line.share.of}
        | ({"unit": line.share.unit} if line.share.unit else {}),
        "rounding": line.rounding.value,
        "amount": amount(line.net_minor, body.currency),
        "amount_minor": line.net_minor,
        "of": line.of,
        **({"gives_back": line.gives_back} if line.gives_back else {}),
        **({"supplied_on": line.supplied_on.isoformat()} if line.supplied_on else {}),
        **({"bounds": list(line.bounds)} if line.bounds else {}),
        **({"priced_in": _priced_in(line.priced_in)} if line.priced_in else {}),
        "tax_category": line.tax_category,
        "tax_inclusive": line.inclusive,
        **({"included_tax": amount(line.included_tax_minor, body.currency)} if line.inclusive else {}),
        "steps": [_step(step) for step in line.steps],
        "reasoning": reasons_of(line, body.currency),
    }


def _priced_in(priced: PricedIn) -> Json:
    """What the line comes to in the currency of its price (`exact` and steps are in it too), and the rate."""
    return {"currency": priced.currency, "amount": amount(priced.minor, priced.currency), **_rate(priced.rate)}


def _rate(rate: ExchangeRate) -> Json:
    told = {"base": rate.base, "counter": rate.counter, "rate": plain(rate.rate), "source": rate.source}
    return told if rate.on == date.min else {**told, "on": rate.on.isoformat()}


def _step(step: Step) -> Json:
    bounds = {name: plain(bound) for name in ("above", "up_to") if (bound := getattr(step, name)) is not None}
    numbers = {name: plain(getattr(step, name)) for name in ("units", "price", "flat", "amount")}
    return {"rule": step.rule, **numbers, **bounds}


def _tax(tax: TaxTotal, currency: str) -> Json:
    return {
        "jurisdiction": tax.jurisdiction,
        "name": tax.name,
        "treatment": tax.treatment.value,
        "percent": plain(tax.percent),
        "base": amount(tax.base_minor, currency),
        "tax": amount(tax.tax_minor, currency),
        "reason": tax.reason,
        "compound": tax.compound,
        "collection": tax.collection.value,
        "included": tax.included,
    }


def _subscription(subscription: Subscription) -> Json:
    following = subscription.next_bill_on
    return {
        "id": subscription.id,
        "status": subscription.status.value,
        "next_bill_on": following.isoformat() if following else None,
    }
