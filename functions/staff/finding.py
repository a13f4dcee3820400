"""What staff look for, whatever they have of a customer: a name, a number, an address, an invoice, a payment."""

from __future__ import annotations

from dataclasses import dataclass

from functions.portal import services as services_of_customers
from functions.staff import services
from functions.staff.reading import customers_named, note_read
from functions.staff.visit import StaffVisit
from saldo.storage.items import Key


@dataclass(frozen=True, slots=True)
class Hit:
    """A customer, or one thing of theirs: `place` is where it is below the account's page, `note` what it is."""

    account_id: str
    name: str
    place: str = ""
    note: str = ""


def hits_of(visit: StaffVisit, wanted: str) -> list[Hit]:
    """An address is looked up as such; words first among customers' names, which is one call; what has a digit first by
    everything that is a key, then as an invoice's number."""
    if "@" in wanted:
        return _by_address(visit, wanted)
    if not any(sign.isdigit() for sign in wanted):
        return _by_name(visit, wanted) or _by_key(visit, wanted)
    return _by_key(visit, wanted) or _by_invoice_number(visit, wanted) or _by_name(visit, wanted)


def _by_key(visit: StaffVisit, wanted: str) -> list[Hit]:
    """Account id, customer number, DUNS number; and a payment by its id, its receipt or the gateway's reference."""
    from saldo.orders.model_orders import Reference, ReferenceKind
    from saldo.orders.records_orders import reference_key
    from saldo.payments.records import reference_key as payment_key

    entity_id, paid = visit.at.entity_id, payment_key(visit.at.entity_id, wanted)
    kinds = (ReferenceKind.CUSTOMER, ReferenceKind.DUNS)
    keys: list[Key] = [(entity_id, f"customer#{wanted}"), paid]
    keys += [reference_key(entity_id, Reference(kind, wanted)) for kind in kinds]
    found = visit.records.get_many(keys)
    payment, names = found.get(paid), customers_named(visit, (item["account_id"] for item in found.values()))
    if payment is not None and payment["account_id"] in names:
        account_id = payment["account_id"]
        return [Hit(account_id, names[account_id], "?show=payments", payment["payment_id"])]
    return [Hit(account_id, name) for account_id, name in names.items()]


def _by_address(visit: StaffVisit, wanted: str) -> list[Hit]:
    """Accounts of this seller that the user with this address is at; that they were looked for is on record."""
    user_id, grants = services_of_customers.access().with_address(wanted)
    names = customers_named(visit, (grant.account_id for grant in grants))
    if names:
        note_read(visit, visit.at.entity_id, "user.looked_for", user_id)
    roles = {grant.account_id: visit.words(f"role.{grant.role}") for grant in grants}
    return [Hit(account_id, name, note=roles[account_id]) for account_id, name in names.items()]


def _by_invoice_number(visit: StaffVisit, wanted: str) -> list[Hit]:
    from saldo.invoicing.finding import document_numbered

    found = document_numbered(services.store(), visit.at.entity_id, wanted)
    names = customers_named(visit, [found.account_id] if found else [])
    return [Hit(i, name, f"/invoices/{found.invoice_id}", wanted) for i, name in names.items() if found]


def _by_name(visit: StaffVisit, wanted: str) -> list[Hit]:
    from saldo.accounts.service import Accounts

    accounts = Accounts(visit.records, services.sealer(), services.clock)
    return [Hit(account_id, name) for account_id, name in accounts.named(visit.at.entity_id, wanted)]
