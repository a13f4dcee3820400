"""Billing a whole account: one invoice or several, and the wallet after them. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from saldo.accounts.model import Account, InvoiceSplit
from saldo.invoicing.model import (
    BilledAccount,
    BillingCase,
    CreditSource,
    DocumentKind,
    Draft,
    DueItem,
    DueSubscription,
    InvoiceBody,
    LateCharge,
    Wallet,
)
from saldo.invoicing.model_minimum import MinimumKey, MinimumPart
from saldo.invoicing.rules import bill
from saldo.invoicing.rules_discounts import after_use, drawn_from
from saldo.subscriptions.model import Subscription
from saldo.tax.ports import TaxPort

_Group = tuple[str, str, tuple[object, ...]]


def bill_account(case: BillingCase, tax: TaxPort) -> BilledAccount:
    """All invoices of an account for everything due, one after the other; each draws on what those before it left.

    One invoice names one purchase order and one cost centre where the account wants them apart, and never mixes places
    of supply. The same case always yields the same invoices. Raises as `saldo.invoicing.rules.bill` does: all or none.
    """
    bodies: list[InvoiceBody] = []
    moved: dict[str, Subscription] = {}
    wallet, nothing = case.wallet, "no_charges"
    minimums: dict[MinimumKey, MinimumPart] = {}
    for part in split_case(case):
        outcome = bill(replace(part, wallet=wallet, minimums={**case.minimums, **minimums}), tax)
        minimums |= {one.key: one for one in outcome.minimums}
        moved |= {subscription.id: subscription for subscription in outcome.subscriptions}
        if isinstance(outcome, Draft):
            bodies.append(outcome.body)
            wallet = wallet_after(wallet, outcome.body)
        else:
            nothing = outcome.reason
    in_order = tuple(moved[item.subscription.id] for item in case.due if item.subscription.id in moved)
    return BilledAccount(tuple(bodies), in_order, wallet, "" if bodies else nothing, tuple(minimums.values()))


def split_case(case: BillingCase) -> list[BillingCase]:
    """The case as one case per invoice, in the order of purchase orders, cost centres and places of supply."""
    groups: dict[_Group, tuple[list[DueSubscription], list[DueItem]]] = {}
    for due in case.due:
        sold = due.subscription
        group = _group(case, due.member, sold.purchase_order, sold.cost_centre)
        groups.setdefault(group, ([], []))[0].append(due)
    for item in case.items:
        group = _group(case, item.member, item.item.purchase_order, item.item.cost_centre)
        groups.setdefault(group, ([], []))[1].append(item)
    late: dict[_Group, list[LateCharge]] = {}
    for charge in case.late:
        terms = charge.usage.window.terms
        group = _group(case, charge.member, terms.purchase_order, terms.cost_centre)
        groups.setdefault(group, ([], []))
        late.setdefault(group, []).append(charge)
    if len(groups) < 2 and case.account.invoice_split is InvoiceSplit.NONE:
        return [case]
    return [_part(case, group, *groups[group], late.get(group, [])) for group in sorted(groups)]


def _group(case: BillingCase, member: Account | None, purchase_order: str, cost_centre: str) -> _Group:
    split, supplied = case.account.invoice_split, member or case.account
    return (
        purchase_order if split.by_purchase_order else "",
        cost_centre if split.by_cost_centre else "",
        (supplied.country, supplied.tax_region, supplied.tax_status.value, supplied.has_tax_id),
    )


def _part(
    case: BillingCase,
    group: _Group,
    due: Sequence[DueSubscription],
    items: Sequence[DueItem],
    late: Sequence[LateCharge],
) -> BillingCase:
    members = [*(d.member for d in due), *(i.member for i in items), *(charge.member for charge in late)]
    return replace(
        case,
        due=tuple(due),
        items=tuple(items),
        late=tuple(late),
        purchase_order=group[0],
        cost_centre=group[1],
        supplied_to=members[0] if members else None,
    )


def wallet_after(wallet: Wallet, body: InvoiceBody) -> Wallet:
    """What is left of a wallet after an invoice drew on it; what a credit note gives is added."""
    used = {use.coupon_id: use for use in body.coupons}
    coupons = tuple(after_use(c, used[c.id]) if c.id in used else c for c in wallet.coupons)
    credits, notes = wallet.credits, wallet.credit_note_minor
    for applied in body.credits:
        if applied.source is CreditSource.CREDIT_NOTE:
            notes -= applied.minor
        else:
            credits = drawn_from(credits, applied, body.issued_on)
    if body.kind is DocumentKind.CREDIT_NOTE:
        notes -= body.payable_minor
    return Wallet(coupons, credits, notes)
