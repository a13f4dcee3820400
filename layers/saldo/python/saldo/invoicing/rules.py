"""From what is due on an account to a frozen invoice, its journal entry and its number. No clock, no I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from saldo.accounts.model import Account, EarlyDiscount, LegalEntity
from saldo.catalog.model import ChargeKind, PlanVersion, Timing
from saldo.invoicing.model import (
    AppliedCredit,
    BelowZero,
    BillingCase,
    BillingOptions,
    ChangeLegs,
    CouponUse,
    DocumentKind,
    Draft,
    DueSubscription,
    InvoiceBody,
    Line,
    LineKind,
    NetRounding,
    NothingToBill,
    PrepaidOrder,
)
from saldo.invoicing.rules_charged import due_of, usage_needed
from saldo.invoicing.rules_discounts import discounted
from saldo.invoicing.rules_late import late_identity, late_lines
from saldo.invoicing.rules_lines import charge_lines, net_legs, rounded_together
from saldo.invoicing.rules_prepaid import drawn_after_tax, drawn_before_tax
from saldo.invoicing.rules_reduced_tax import is_reduced_as_agreed, taxed_early
from saldo.invoicing.rules_returns import taken_off
from saldo.invoicing.rules_rounding import rounded_payable, rounding_of
from saldo.invoicing.rules_tallies import Tallies
from saldo.kernel.errors import Problem, Problems, Refusal
from saldo.kernel.exact import minor_of_share, total
from saldo.kernel.exchange import Booked
from saldo.kernel.ids import derived_id
from saldo.kernel.money import Money, minor_digits
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting, entry_for
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.rules import billed
from saldo.subscriptions.rules_changes import moved_on
from saldo.tax.model import BuyerFacts, Collection, LineTax, OwnRates, SellerFacts, TaxableLine, TaxAnswer
from saldo.tax.ports import TaxPort
from saldo.tax.rules import line_taxes, tax_totals
from saldo.usage.model import NO_DETAIL, UsageKey
from saldo.usage.rules_windows import counted_as

__all__ = [
    "bill",
    "buyer_facts",
    "charge_lines",
    "check_case",
    "draft_invoice",
    "due_of",
    "invoice_id",
    "issue_entry",
    "problems_of",
    "seller_facts",
    "taxable_lines",
    "taxed_lines",
    "usage_needed",
]

_DAY = timedelta(days=1)
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
    counted = [
        (item.subscription.account_id, one)
        for item in case.due
        for one in item.charged
        if one.component.kind is ChargeKind.USAGE
    ]
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


def taxable_lines(lines: Sequence[Line], issued_on: date, currency: str = "EUR") -> list[TaxableLine]:
    """What tax is asked: a charge in arrears is supplied by the last day of its period, one in advance when billed.

    What gives back an earlier charge was supplied when that was, and bears its taxes.
    """
    scale = 10 ** minor_digits(currency)
    return [
        TaxableLine(
            line.id,
            line.net_minor - line.base_off_minor,
            line.tax_category,
            line.supplied_on or (line.period.end - _DAY if line.timing is Timing.ARREARS else issued_on),
            line.inclusive,
            (Decimal(line.net_minor - line.base_off_minor), 1, 1)
            if line.base_off_minor
            else (line.exact, line.part[0] * scale, line.part[1]),
            line.quantity if line.net_minor >= 0 else -line.quantity,
            line.of,
            line.taxes if line.supplied_on else (),
        )
        for line in lines
    ]


def buyer_facts(case: BillingCase) -> BuyerFacts:
    return facts_of_buyer(case.supplied_to or case.account)


def facts_of_buyer(account: Account) -> BuyerFacts:
    known = account.country, account.tax_region, account.tax_status, account.has_tax_id
    return BuyerFacts(*known, account.exemptions, account.tax_postcode, account.id)


def seller_facts(case: BillingCase) -> SellerFacts:
    return facts_of_seller(case.entity, case.options, case.own_rates)


def facts_of_seller(
    entity: LegalEntity,
    options: BillingOptions = BillingOptions(),  # noqa: B008 - frozen, so one default serves all
    own_rates: OwnRates | None = None,
) -> SellerFacts:
    return SellerFacts(
        entity.country,
        entity.region,
        frozenset(entity.tax_registrations),
        entity.address.postcode,
        rounding=options.tax_rounding,
        mode=options.tax_mode,
        own_rates=own_rates,
        dated=tuple(sorted(entity.registered.items())),
    )


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


def issue_entry(body: InvoiceBody, open_minor: int | None = None, booked: Booked | None = None) -> Entry | None:
    """The journal entry of issuing: receivables against revenue, deferred revenue and tax; None where all cancels out.

    Charges in arrears are earned; those in advance are deferred, by revenue tag. Tax is owed per jurisdiction; what the
    buyer withholds of it is had back from the state. Credits that pay are used up. A credit note is the same with its
    signs turned round: against its invoice as far as that is open (`open_minor`; None: in full), taking as much of what
    that is `booked` at, and for the rest in favour of what the customer has with the seller.
    """
    credits = _earned(body.lines)
    for tax in body.tax_totals:
        if tax.collection is Collection.CHARGED:
            credits[LedgerAccount.TAX_PAYABLE, tax.jurisdiction] += tax.tax_minor
        if tax.collection is Collection.WITHHELD:
            credits[LedgerAccount.TAX_WITHHELD, tax.jurisdiction] -= tax.tax_minor
    if body.rounding is not None:
        credits[LedgerAccount.ROUNDING, ""] += body.rounding.minor
    for credit in body.credits:
        if not credit.before_tax:
            account = LedgerAccount.PREPAID_CREDIT if credit.credit_id else LedgerAccount.CUSTOMER_CREDIT
            credits[account, credit.credit_id] -= credit.minor
    legs = [Posting(account, -minor, tag=tag or None) for (account, tag), minor in credits.items() if minor]
    owed = -sum(leg.minor for leg in legs)
    if not legs:
        return None
    return entry_for(
        EntryKind.CREDIT_NOTE_ISSUED if body.kind is DocumentKind.CREDIT_NOTE else EntryKind.INVOICE_ISSUED,
        booked_on=body.issued_on,
        entity_id=body.entity_id,
        account_id=body.account_id,
        currency=body.currency,
        source_id=body.id,
        postings=(*_owed(body, owed, open_minor, booked), *legs),
        exchange=body.exchange,
    )


def _earned(lines: Sequence[Line]) -> defaultdict[tuple[LedgerAccount, str], int]:
    """What the lines earn, defer, or draw from prepaid credit. Tax within what a credit paid stays with its line."""
    credits: defaultdict[tuple[LedgerAccount, str], int] = defaultdict(int)
    for line in lines:
        net, earned = line.net_minor, (_account_of(line), line.revenue_tag)
        if line.kind is LineKind.PREPAID:
            credits[LedgerAccount.PREPAID_CREDIT, line.component_id] += net
            credits[earned] -= line.included_tax_minor
        else:
            credits[earned] += net - line.included_tax_minor
    return credits


def _owed(body: InvoiceBody, minor: int, open_minor: int | None, booked: Booked | None) -> list[Posting]:
    """What the customer owes, or (below zero) has back: first off what is open of the invoice, then as credit."""
    receivable = minor
    if body.kind is DocumentKind.CREDIT_NOTE:
        reach = minor if open_minor is None else max(minor, -open_minor)
        receivable = reach if body.of_invoice else 0
    invoice_id, base = body.of_invoice or body.id, None
    if body.of_invoice and open_minor and booked:
        base = -booked.part(-receivable, Money(open_minor, body.currency))
    owed = Posting(LedgerAccount.RECEIVABLES, receivable, invoice_id=invoice_id, due_on=body.due_on, base_minor=base)
    legs = [owed] if receivable else []
    return legs if receivable == minor else [*legs, Posting(LedgerAccount.CUSTOMER_CREDIT, minor - receivable)]


def _account_of(line: Line) -> LedgerAccount:
    return LedgerAccount.REVENUE if line.timing is Timing.ARREARS else LedgerAccount.DEFERRED_REVENUE


def problems_of(body: InvoiceBody) -> tuple[Problem, ...]:
    """Everything about a frozen invoice that does not follow from itself; empty for a sound one.

    Steps make up each line's exact price, which share and rounding turn into its net; lines and taxes make up the
    totals; each tax follows from the lines it is on; the id follows from what is billed.
    """
    found = Problems()
    for i, line in enumerate(body.lines):
        if total(step.amount for step in line.steps) != line.exact:
            found.add(f"lines[{i}].exact", "steps_differ", "the steps do not make up the price")
        net = minor_of_share(line.exact, line.part, body.currency, line.rounding) + line.residual_minor
        if net != line.net_minor:
            found.add(f"lines[{i}].net_minor", "net_differs", "share and rounding of the price do not make the net")
    _check_taxes(body, found)
    if not body.of_invoice and not is_reduced_as_agreed(body):
        found.add("lines", "base_differs", "the taxes are not due on what the discount for paying early leaves")
    if sum(line.net_minor - line.included_tax_minor for line in body.lines) != body.net_minor:
        found.add("net_minor", "lines_differ", "the lines do not add up to the net")
    if sum(t.tax_minor for t in body.tax_totals if t.collection is not Collection.WITHHELD) != body.tax_minor:
        found.add("tax_minor", "taxes_differ", "the taxes do not add up to the tax")
    if body.net_minor + body.tax_minor != body.total_minor:
        found.add("total_minor", "total_differs", "net and tax do not make the total")
    if (body.total_minor < 0) != (body.kind is DocumentKind.CREDIT_NOTE) and not (
        body.of_invoice and not body.total_minor
    ):
        found.add("kind", "kind_differs", "an invoice's total is above zero, a credit note's below")
    rounding = body.rounding if not body.of_invoice else None
    if rounding and rounding.minor != rounding_of(body.payable_minor - rounding.minor, rounding):
        found.add("rounding", "rounding_differs", "what is to be paid is not rounded so")
    if body.due_on < body.issued_on:
        found.add("due_on", "due_too_soon", "due before it was issued")
    return found.found


def _check_taxes(body: InvoiceBody, found: Problems) -> None:
    if body.of_invoice:
        return  # its taxes follow from its invoice and the credit notes before it
    lines = taxable_lines(body.lines, body.issued_on, body.currency)
    taxes = line_taxes(lines, [line.taxes for line in body.lines], body.tax_rounding, body.tax_mode)
    if tax_totals(lines, taxes, body.tax_rounding, body.tax_mode) != body.tax_totals:
        found.add("tax_totals", "tax_differs", "the taxes are not those of the lines")
    for i, (line, tax) in enumerate(zip(body.lines, taxes, strict=True)):
        if line.included_tax_minor != tax.included_minor:
            found.add(f"lines[{i}].included_tax_minor", "tax_differs", "the tax within is not this line's part")
