"""Terms of payment: early-payment discount, and instalments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from saldo.accounts.model import DiscountTax as DiscountTax
from saldo.accounts.model import EarlyDiscount as EarlyDiscount
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.invoicing.model import DocumentKind, InvoiceBody
from saldo.invoicing.rules_early import EarlyOffer, Offers, offers_left
from saldo.invoicing.rules_reduced_tax import discount_of
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.ledger.model import LedgerAccount
from saldo.tax.model import Collection, TaxTotal
from saldo.tax.rules import percent_of


@dataclass(frozen=True, slots=True)
class EarlyPayment:
    """What is to be paid through `until_on`, and after it; tax as it then is. Minor units."""

    until_on: date
    early_minor: int
    early_tax_minor: int
    late_minor: int
    late_tax_minor: int


def early_payment(body: InvoiceBody, discount: EarlyDiscount) -> EarlyPayment:
    """What an early-payment discount makes of what an invoice asks for; each tax is reckoned again on its discounted
    base, where it is not on that from the start."""
    until_on = body.issued_on + timedelta(days=discount.days)
    if discount.tax is DiscountTax.ALWAYS:
        early = body.payable_minor - discount_of(body, discount)
        return EarlyPayment(until_on, early, body.tax_minor, body.payable_minor, body.tax_minor)
    net = body.net_minor - percent_of(body.net_minor, discount.percent)
    charged = [t for t in body.tax_totals if t.collection is not Collection.WITHHELD]
    less = sum(_discounted_tax(t, discount.percent) for t in charged)
    early_tax = body.tax_minor if discount.tax is DiscountTax.NEVER else less
    credit = body.total_minor - body.payable_minor
    return EarlyPayment(until_on, net + early_tax - credit, early_tax, body.payable_minor, body.tax_minor)


def early_offers(body: InvoiceBody) -> Offers:
    """What the terms on the body offer for paying early, a discount after the other.

    Empty where the buyer pays a tax to the state: what it would get back of that is not the seller's to give.
    """
    charged_only = all(t.collection is Collection.CHARGED for t in body.tax_totals)
    if body.kind is not DocumentKind.INVOICE or not charged_only:
        return ()
    found = (_offer(body, discount) for discount in body.early_discounts)
    return offers_left(tuple(found), body.payable_minor, body.total_minor)


def _offer(body: InvoiceBody, discount: EarlyDiscount) -> EarlyOffer:
    early = early_payment(body, discount)
    taxes = []
    if discount.tax is DiscountTax.IF_EARLY:
        parts = ((t.jurisdiction, t.tax_minor - _discounted_tax(t, discount.percent)) for t in body.tax_totals)
        taxes = [(LedgerAccount.TAX_PAYABLE, where, minor) for where, minor in parts if minor]
    minor = body.payable_minor - early.early_minor
    net = (LedgerAccount.EARLY_DISCOUNT, "", minor - sum(tax[2] for tax in taxes))
    return EarlyOffer(early.until_on, (net, *taxes))


def percent_of_offer(body: InvoiceBody, offer: EarlyOffer) -> Decimal:
    """The percent of the net amount that an offer of an invoice is."""
    days = (offer.until_on - body.issued_on).days
    return next(discount.percent for discount in body.early_discounts if discount.days == days)


def _discounted_tax(total: TaxTotal, percent: Decimal) -> int:
    if total.included or not total.share.is_percentage:
        return total.tax_minor - percent_of(total.tax_minor, percent)
    return percent_of(total.base_minor - percent_of(total.base_minor, percent), total.percent)


@dataclass(frozen=True, slots=True)
class Part:
    """One instalment: a `percent` of the total, an `amount_minor` (without sign), or with neither all that remains.
    `due`: when it is to be paid, counted from the issue; as the whole where nothing is said."""

    percent: Decimal | None = None
    amount_minor: int | None = None
    due: PaymentTerms | None = None


def instalments(total: Money, parts: Sequence[Part]) -> list[int]:
    """The amounts of the instalments, which make up the total; fixed ones take its sign.

    Refusal `instalments_do_not_add_up` unless the last takes what remains, or nothing does.
    """
    found: list[int] = []
    sign = -1 if total.minor < 0 else 1
    for part in parts:
        if part.percent is not None:
            found.append(percent_of(total.minor, part.percent))
        elif part.amount_minor is not None:
            found.append(sign * part.amount_minor)
        else:
            found.append(total.minor - sum(found))
    if sum(found) != total.minor:
        raise Refusal("instalments_do_not_add_up", f"{Money(sum(found), total.currency)} is not {total}")
    return found
