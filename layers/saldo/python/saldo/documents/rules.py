"""From what was frozen to what a document shows. Values in, values out."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from saldo.accounts.model import BillingProfile, LegalEntity
from saldo.accounts.rules_bank import change_told
from saldo.catalog.model import name_in
from saldo.documents.model import (
    BuyerView,
    EarlyView,
    InvoiceView,
    LineView,
    PaidInvoiceView,
    ReceiptView,
    Reference,
    SellerView,
    TaxView,
)
from saldo.documents.ports import SettledPayment
from saldo.documents.wording_terms import due_in_words
from saldo.invoicing.model import DocumentKind, InvoiceBody, Line
from saldo.invoicing.rules_reduced_tax import percent_always
from saldo.invoicing.rules_terms import early_offers, percent_of_offer
from saldo.rating.model import Step
from saldo.tax.model import Collection

_MOST_STEPS = 40  # of prices by event there may be any number


def invoice_view(
    number: str,
    body: InvoiceBody,
    seller: LegalEntity,
    buyer: BillingProfile,
    portal_url: str,
    corrects: Reference | None = None,
) -> InvoiceView:
    """The invoice or credit note as its PDF shows it: the frozen body, under the number it was issued with.

    `buyer` is the profile version that the body names, `corrects` the document that it takes back or stands for.
    """
    assert buyer.version == body.buyer_profile, "an invoice is addressed to the profile it was issued with"
    return InvoiceView(
        number=number,
        issued_on=body.issued_on,
        due_on=body.due_on,
        currency=body.currency,
        language=body.language,
        seller=seller_view(seller, body.issued_on, {total.jurisdiction for total in body.tax_totals}),
        buyer=_addressed(buyer, body),
        lines=tuple(line_view(line, body.language) for line in body.lines),
        taxes=tuple(
            TaxView(
                t.treatment.en16931_code, t.percent, t.name, t.jurisdiction, t.base_minor, t.tax_minor, t.collection
            )
            for t in body.tax_totals
        ),
        net_minor=body.net_minor,
        tax_minor=body.tax_minor,
        total_minor=body.total_minor,
        portal_url=portal_url,
        is_credit_note=body.kind is DocumentKind.CREDIT_NOTE,
        corrects=corrects,
        early=early_view(body),
        early_in_part=body.early_in_part,
        early_tax_always=bool(percent_always(body.early_discounts)),
        note=body.note,
        paid_minor=sum(c.minor for c in body.credits if not c.before_tax),
        rounding_minor=body.rounding.minor if body.rounding else 0,
        exchange=body.exchange,
        changed=change_told(seller.bank_statement, body.issued_on),
        terms=due_in_words(body.payment_terms, body.language) if body.payment_terms else "",
    )


def early_view(body: InvoiceBody) -> tuple[EarlyView, ...]:
    """The offers as issued; what credit notes do to them later does not change the paper."""
    return tuple(
        EarlyView(percent_of_offer(body, offer), offer.until_on, body.payable_minor - offer.minor)
        for offer in early_offers(body)
    )


def line_view(line: Line, language: str) -> LineView:
    return LineView(
        description=name_in(line.names, language) + (f" · {line.account_id}" if line.account_id else ""),
        period=line.period,
        quantity=line.quantity,
        unit=name_in(line.unit_names, language),
        unit_price=unit_price(line.quantity, line.steps),
        percent=sum((s.percent for s in line.taxes if s.collection is not Collection.WITHHELD), Decimal(0)),
        net_minor=line.net_minor,
        steps=explaining_steps(line.steps),
        share=line.share,
        priced_in=line.priced_in,
    )


def unit_price(quantity: Decimal, steps: tuple[Step, ...]) -> Decimal | None:
    """The one price that times the quantity makes the (unprorated) amount; None where there is no such price."""
    if len(steps) != 1:
        return None
    step = steps[0]
    if step.rule == "flat":
        return step.amount if quantity == 1 else None
    plain = step.units == quantity and not step.flat and step.rule not in ("package", "percentage")
    return step.price if plain else None


def explaining_steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """All steps, which add up to the (unprorated) amount; none where the line says itself what its only one would."""
    if len(steps) > _MOST_STEPS or (len(steps) == 1 and _goes_without_saying(steps[0])):
        return ()
    return steps


def _goes_without_saying(step: Step) -> bool:
    has_bounds = bool(step.above or step.up_to)
    return step.rule == "flat" or not (has_bounds or step.flat or step.rule in ("package", "percentage"))


def receipt_view(
    payment: SettledPayment,
    invoices: Iterable[PaidInvoiceView],
    seller: LegalEntity,
    buyer: BillingProfile,
    language: str,
    portal_url: str,
) -> ReceiptView:
    return ReceiptView(
        number=payment.receipt_number,
        settled_on=payment.settled_on,
        currency=payment.currency,
        language=language,
        method=payment.method,
        reference=payment.reference,
        seller=seller_view(seller, payment.settled_on),
        buyer=buyer_view(buyer),
        invoices=tuple(invoices),
        amount_minor=payment.amount_minor,
        portal_url=portal_url,
    )


def seller_view(entity: LegalEntity, on: date, charged: Container[str] = ()) -> SellerView:
    """As a document of a day names the seller: with the registrations that hold then, or whose tax it charges."""
    ids = entity.tax_registrations.items()
    return SellerView(
        entity.name,
        entity.address,
        {place: number for place, number in ids if place in charged or entity.is_registered(place, on)},
        entity.bank_name,
        entity.iban,
        entity.bic,
        entity.email,
        entity.id,
    )


def _addressed(profile: BillingProfile, body: InvoiceBody) -> BuyerView:
    """The buyer, with the purchase order and cost centre that all of the invoice was ordered under, where it was."""
    view = buyer_view(profile)
    return replace(view, purchase_order=body.ordered_under) if body.ordered_under else view


def buyer_view(profile: BillingProfile) -> BuyerView:
    return BuyerView(
        legal_name=profile.legal_name,
        contact_name=profile.contact_name,
        address=profile.address,
        tax_id=profile.tax_id,
        purchase_order=profile.purchase_order,
        account_id=profile.account_id,
        country=profile.address.country,
    )
