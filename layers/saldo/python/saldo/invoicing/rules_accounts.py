"""Billing a whole account: one invoice or several, and the wallet after them. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
from saldo.invoicing.model_tally import Tally, TallyKey
from saldo.invoicing.rules import bill
from saldo.invoicing.rules_discounts import after_use
from saldo.invoicing.rules_prepaid import drawn_from
from saldo.subscriptions.model import Subscription
from saldo.tax.ports import TaxPort

_Billed = DueSubscription | DueItem | LateCharge
_Group = tuple[str, str, tuple[object, ...]]


def bill_account(case: BillingCase, tax: TaxPort) -> BilledAccount:
    """All invoices of an account for everything due, one after the other; each draws on what those before it left.

    One invoice names one purchase order and one cost centre where the account wants them apart, and never mixes places
    of supply. The same case always yields the same invoices. Raises as `saldo.invoicing.rules.bill` does: all or none.
    """
    bodies: list[InvoiceBody] = []
    moved: dict[str, Subscription] = {}
    wallet, nothing = case.wallet, "no_charges"
    tallies: dict[TallyKey, Tally] = {}
    for part in split_case(case):
        outcome = bill(replace(part, wallet=wallet, tallies={**case.tallies, **tallies}), tax)
        tallies |= {one.key: one for one in outcome.tallies}
        moved |= {subscription.id: subscription for subscription in outcome.subscriptions}
        if isinstance(outcome, Draft):
            bodies.append(outcome.body)
            wallet = wallet_after(wallet, outcome.body)
        else:
            nothing = outcome.reason
    in_order = tuple(moved[item.subscription.id] for item in case.due if item.subscription.id in moved)
    return BilledAccount(tuple(bodies), in_order, wallet, "" if bodies else nothing, tuple(tallies.values()))


def split_case(case: BillingCase) -> list[BillingCase]:
    """The case as one case per invoice, in the order of purchase orders, cost centres and places of supply."""
    groups: dict[_Group, list[_Billed]] = {}
    billed: tuple[_Billed, ...] = (*case.due, *case.items, *case.late)
    for one in billed:
        groups.setdefault(_group(case, one), []).append(one)
    return [_part(case, groups[group]) for group in sorted(groups)] or [case]


def _group(case: BillingCase, one: _Billed) -> _Group:
    split, supplied, under = case.account.invoice_split, one.member or case.account, _ordered_under(one)
    return (
        under[0] if split.by_purchase_order else "",
        under[1] if split.by_cost_centre else "",
        (supplied.country, supplied.tax_region, supplied.tax_status.value, supplied.has_tax_id),
    )


def _ordered_under(one: _Billed) -> tuple[str, str]:
    """The buyer's purchase order and cost centre, "" where it named none."""
    match one:
        case DueSubscription():
            return one.subscription.purchase_order, one.subscription.cost_centre
        case DueItem():
            return one.item.purchase_order, one.item.cost_centre
        case LateCharge():
            return one.usage.window.terms.purchase_order, one.usage.window.terms.cost_centre


def _part(case: BillingCase, billed: Sequence[_Billed]) -> BillingCase:
    """One invoice of it. What all of that was ordered under is named on it, split or not; nothing where it differs."""
    under = {_ordered_under(one) for one in billed}
    orders, centres = ({each[n] for each in under} for n in (0, 1))
    return replace(
        case,
        due=tuple(one for one in billed if isinstance(one, DueSubscription)),
        items=tuple(one for one in billed if isinstance(one, DueItem)),
        late=tuple(one for one in billed if isinstance(one, LateCharge)),
        purchase_order=orders.pop() if len(orders) == 1 else "",
        cost_centre=centres.pop() if len(centres) == 1 else "",
        supplied_to=billed[0].member,
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
