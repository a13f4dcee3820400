"""The double of a customer: a seller, an account and subscriptions like the real ones, under ids of their own.

A double is a customer of a double of its seller. So its invoices have a number series, a journal and runs of their own,
nothing adds its amounts to the real ones, no ordinary run ever finds it, and it is billed by the very run that bills
everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from saldo.accounts.model import Account, BillingProfile, LegalEntity, Organisation
from saldo.catalog.model import PlanVersion
from saldo.kernel.errors import Refusal
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.rules_timeline import timeline

PREFIX = "TEST-"


def double_of_seller(seller: LegalEntity, seller_id: str) -> LegalEntity:
    """Sells and taxes alike; its numbers begin with TEST-, and nobody is asked to pay into a real bank account."""
    name, prefix = f"{PREFIX}{seller.name}", f"{PREFIX}{seller.number_prefix}"
    seller = replace(seller, bank_name="", iban="", bic="", bank_statement=None)
    return replace(seller, id=seller_id, name=name, number_prefix=prefix)


def double_of_account(account: Account, account_id: str, organisation_id: str, seller_id: str) -> Account:
    """Billed and taxed alike, on an invoice of its own; nothing is ever mailed to it."""
    return replace(
        account,
        id=account_id,
        organisation_id=organisation_id,
        entity_id=seller_id,
        name=f"{PREFIX}{account.name}",
        profile_version=1,
        deliver_by_email=False,
        invoiced_to="",
    )


def double_of_organisation(organisation_id: str, account: Account) -> Organisation:
    return Organisation(organisation_id, f"{PREFIX}{account.name}", account.country)


def made_up_profile(double: Account, seller: LegalEntity) -> BillingProfile:
    """No person's name or address is copied: the seller's own address stands for the buyer's."""
    address = replace(seller.address, country=double.country, region=double.tax_region)
    tax_id = "TEST" if double.has_tax_id else ""
    return BillingProfile(double.id, 1, double.name, "", address, tax_id, (), "")


def begun_anew(
    sold: Subscription, versions: Mapping[str, PlanVersion], subscription_id: str, double: Account, on: date
) -> Subscription | None:
    """The same terms as the subscription has after all its changes, beginning on a day; None when it has ended or is
    paused. A trial is had again, as long as it was.

    Refusal `plan_version_missing`.
    """
    terms = timeline(sold, versions, sold.changes)[-1]
    if terms.ended or not terms.running or sold.cancelled_on is not None:
        return None
    trial_days = (sold.trial_end_on - sold.started_on).days if sold.trial_end_on else 0
    try:
        return subscribe(
            subscription_id,
            account_id=double.id,
            entity_id=double.entity_id,
            plan_version=terms.version,
            started_on=on,
            alignment=sold.alignment,
            trial_days=trial_days,
            term=sold.term,
            quantities={n: q for n, q in terms.quantities.items() if n in {c.id for c in terms.version.components}},
        )
    except Refusal as refusal:
        raise Refusal(refusal.code, f"{sold.id} cannot begin anew: {refusal.message}") from refusal
