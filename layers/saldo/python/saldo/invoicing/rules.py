"""From what is due on an account to a frozen invoice. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from saldo.accounts.model import EarlyDiscount
from saldo.catalog.model import PlanVersion
from saldo.invoicing.model import (
    AppliedCredit,
    BelowZero,
    BillingCase,
    ChangeLegs,
    CouponUse,
    DocumentKind,
    Draft,
    DueSubscription,
    InvoiceBody,
    Line,
    NetRounding,
    NothingToBill,
    PrepaidOrder,
)
from saldo.invoicing.rules_charged import due_of, usage_needed
from saldo.invoicing.rules_discounts import discounted
from saldo.invoicing.rules_late import late_identity, late_lines
from saldo.invoicing.rules_lines import charge_lines, net_legs, rounded_together
from saldo.invoicing.rules_prepaid import drawn_after_tax, drawn_before_tax
from saldo.invoicing.rules_reduced_tax import taxed_early
from saldo.invoicing.rules_returns import taken_off
from saldo.invoicing.rules_rounding import rounded_payable
from saldo.invoicing.rules_tallies import Tallies
from saldo.invoicing.rules_taxable import buyer_facts, seller_facts, taxable_lines
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import derived_id
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.rules import billed
from saldo.subscriptions.rules_changes import moved_on
from saldo.tax.model import LineTax, TaxAnswer
from saldo.tax.ports import TaxPort
from saldo.usage.model import NO_DETAIL, UsageKey
from saldo.usage.rules_windows import counted_as

__all__ = [
    "bill",
    "charge_lines",
    "check_case",
    "draft_invoice",
    "due_of",
    "invoice_id",
    "taxed_lines",
    "usage_needed",
]

_TELL_APART = "where several subscriptions of an account use one meter, it is to count by subscription"


def bill(case: BillingCase, tax: TaxPort) -> Draft | NothingToBill:
    """The one invoice of an account for everything due, or the decision that there is nothing to charge.

    The same case always yields the same invoice with the same id. Pure as long as `tax` is; a table is.
    Raises Refusal for an account that must be set aside: `plan_version_missing`, `plan_version_mismatch`,
    `foreign_subscription`, `currency_mismatch`, `no_exchange_rate`, `meter_claimed_twice`, `usage_total_missing`,
    `negative_usage`, `negative_total`, `tax_undecidable`; Unavailable when the tax port is.
    """
    check_case(case)
    tallies = Tallies(case.tallies)
    lines = charge_lines(case, tallies)
    if case.options.change_legs is ChangeLegs.NET and any(line.gives_back for line in lines):
        lines = _netted_if_taxed_alike(case, lines, tax)
    if case.late:
        lines += late_lines(case, len(lines) + 1, tallies)
    charges = tuple(sorted(_identities(case)))
    if not any(line.net_minor for line in lines):
        reason = "zero_amounts" if lines else "no_charges"
        return NothingToBill(case.account.id, reason, charges, _moved_on(case), tallies.moved())
    uses: tuple[CouponUse, ...] = ()
    drawn: tuple[AppliedCredit, ...] = ()
    wallet = case.wallet
    off, returned = taken_off(case, lines)
    lines += off
    if wallet.coupons or wallet.credits:
        lines, uses = discounted(case, lines)
    if wallet.credits and case.options.prepaid is PrepaidOrder.BEFORE_TAX:
        lines, drawn = drawn_before_tax(case, lines)
    terms, ask = case.account.terms, partial(_taxes_of, case, tax)
    lines, answer, discounts = taxed_early(lines, terms.early_discounts, case.earlier, ask)
    body = draft_invoice(case, charges, lines, answer, discounts)
    if uses or drawn or returned or wallet.credits or wallet.credit_note_minor:
        body = replace(body, coupons=uses, credits=(*returned, *drawn, *_paid_by_credit(case, body)))
    if case.options.payable_rounding is not None:
        body = rounded_payable(body, case.options.payable_rounding)
    return Draft(body, _moved_on(case), tallies.moved())


def _taxes_of(case: BillingCase, tax: TaxPort, lines: Sequence[Line]) -> TaxAnswer:
    currency = case.account.currency
    return tax.quote(taxable_lines(lines, case.as_of, currency), buyer_facts(case), seller_facts(case), currency)


def _netted_if_taxed_alike(case: BillingCase, lines: list[Line], tax: TaxPort) -> list[Line]:
    """A credit of what was charged before and the charge in its stead on one line, where both bear the same taxes and
    nothing was taken off what was charged; else each stays by itself. The port is asked once more for it."""
    apart = {line.of for line in taken_off(case, lines)[0]}
    netted = net_legs(taxed_lines(lines, _taxes_of(case, tax, lines)), case.account.currency, apart)
    open_again = [line if line.gives_back else line._replace(taxes=(), included_tax_minor=0) for line in netted]
    together = case.options.net_rounding is NetRounding.DOCUMENT
    return rounded_together(open_again, case.account.currency) if together else open_again


def _paid_by_credit(case: BillingCase, body: InvoiceBody) -> list[AppliedCredit]:
    """What the account has from credit notes, then prepaid credit, as far as they reach."""
    credits = case.wallet.credits if case.options.prepaid is PrepaidOrder.AFTER_TAX else ()
    return drawn_after_tax(body, case.wallet.credit_note_minor, credits, case.as_of)


def _identities(case: BillingCase) -> set[str]:
    items = {sold.identity for sold in case.items}
    late = {late_identity(charge.usage) for charge in case.late}
    return {p.identity for due in case.due for p in due.due} | items | late


def _moved_on(case: BillingCase) -> tuple[Subscription, ...]:
    return tuple(_billed(item, item.plan_version, case.as_of) for item in case.due if item.plan_version)


def _billed(item: DueSubscription, plan_version: PlanVersion, as_of: date) -> Subscription:
    if item.charges is None:
        return billed(item.subscription, plan_version, as_of)
    return moved_on(item.subscription, item.versions, as_of)


def check_case(case: BillingCase) -> None:
    """Refuses a case that cannot be billed as a whole; see `bill` for the codes."""
    for item in case.due:
        subscription, plan_version = item.subscription, item.plan_version
        if subscription.account_id != (item.member or case.account).id:
            raise Refusal("foreign_subscription", f"{subscription.id} is not one of {case.account.id}")
        if plan_version is None:
            raise Refusal("plan_version_missing", f"{subscription.plan_version_id} is not in the catalog")
        if plan_version.id != subscription.plan_version_id:
            raise Refusal("plan_version_mismatch", f"{subscription.id} was not sold {plan_version.id}")
    _check_meters(case)


def _check_meters(case: BillingCase) -> None:
    """No day of an account's meter may be billed on two charges: each usage event is rated once."""
    counted = [(item.subscription.account_id, one) for item in case.due for one in item.metered]
    if len({(account_id, one.component.meter_id) for account_id, one in counted}) == len(counted):
        return  # each meter on one charge
    claimed: dict[tuple[str, str], list[UsageKey]] = {}
    taken_back = {one.usage_key for _, one in counted if one.taken_back}
    for account_id, key in ((account_id, one.usage_key) for account_id, one in counted):
        if key in taken_back:
            continue
        meter_id = counted_as(key, case.details.get(key, NO_DETAIL))
        others = claimed.setdefault((account_id, meter_id), [])
        for other in others:
            if key.period.overlap(other.period):
                message = f"{key.meter_id} would be billed twice for {key.period.as_text()}: {_TELL_APART}"
                raise Refusal("meter_claimed_twice", message)
        others.append(key)


def draft_invoice(
    case: BillingCase,
    charges: tuple[str, ...],
    lines: Sequence[Line],
    answer: TaxAnswer,
    discounts: tuple[EarlyDiscount, ...],
) -> InvoiceBody:
    """Freeze rated lines and the tax answer into an invoice; Refusal `negative_total` below zero."""
    account = case.account
    tax = answer.tax_minor
    net = sum(line.net_minor for line in lines) - sum(line.included_minor for line in answer.lines)
    if net + tax < 0 and case.options.below_zero is BelowZero.REFUSE:
        raise Refusal("negative_total", f"{account.id} would be invoiced {net + tax}")
    return InvoiceBody(
        id=invoice_id(case.as_of, case.entity.id, account.id, account.currency, charges),
        account_id=account.id,
        organisation_id=account.organisation_id,
        entity_id=case.entity.id,
        currency=account.currency,
        issued_on=case.as_of,
        due_on=account.payment_terms.due_on(case.as_of),
        language=account.language,
        buyer_profile=account.profile_version,
        charges=charges,
        lines=taxed_lines(lines, answer),
        tax_totals=answer.totals,
        tax_source=answer.source,
        tax_estimated=answer.estimated,
        tax_rounding=answer.rounding,
        net_minor=net,
        tax_minor=tax,
        total_minor=net + tax,
        kind=DocumentKind.CREDIT_NOTE if net + tax < 0 else DocumentKind.INVOICE,
        tax_mode=answer.mode,
        exchange=case.exchange,
        tax_facts=answer.facts,
        early_discounts=discounts,
        early_in_part=account.terms.early_in_part,
        payment_terms=None if account.payment_terms.is_days else account.payment_terms,
        seller_facts=case.seller_facts,
        template=case.template,
        purchase_order=case.purchase_order,
        cost_centre=case.cost_centre,
        by_mail=account.deliver_by_email,
    )


def taxed_lines(lines: Sequence[Line], answer: TaxAnswer) -> tuple[Line, ...]:
    """The lines with the taxes that a port answered for them, in the same order."""
    return tuple(_taxed(line, taxes) for line, taxes in zip(lines, answer.lines, strict=True))


def _taxed(line: Line, taxes: LineTax) -> Line:
    assert line.id == taxes.line_id, "a tax port answers line by line, in order"
    return line.taxed(taxes.shares, taxes.included_minor)


def invoice_id(issued_on: date, entity_id: str, account_id: str, currency: str, charges: Iterable[str]) -> str:
    """The id that an invoice of these charges has, however often it is computed."""
    return derived_id("inv", issued_on, entity_id, account_id, currency, *sorted(charges))
