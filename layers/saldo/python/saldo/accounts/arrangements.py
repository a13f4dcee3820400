"""How accounts get their invoices: several accounts on one, one account on several, and on which terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from saldo.accounts import records
from saldo.accounts.model import Account, InvoiceSplit, Terms
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.reading_payment_terms import payment_terms_fields
from saldo.accounts.records_payment_terms import payment_terms_attributes
from saldo.accounts.rules import check_terms
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.storage.store import Store
from saldo.storage.units import Unit


class Arrangements:
    """Shared and split invoices and terms of one region's accounts. What is arranged holds from the next run on."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def split(self, account_id: str, by: InvoiceSplit, actor: Actor, reason: str = "") -> Account:
        """Have an account get an invoice for each purchase order, each cost centre, or each of both."""
        account = self.account(account_id)
        unit = Unit(f"split {account_id}")
        unit.update((account_id, "account"), set={"invoice_split": by.value}, exists=True)
        self._audited(unit, account_id, "account.invoices_split", by.value, actor, reason)
        self._store.write_one(unit)
        return replace(account, invoice_split=by)

    def consolidate(self, account_id: str, into: str, actor: Actor, reason: str = "") -> Account:
        """Have an account's charges come on the invoices of another account of its organisation; "" undoes it.

        Refusal `cannot_consolidate` names everything that speaks against it, `changed_meanwhile`
        when one of the two accounts was changed at the same moment.
        """
        account = self.account(account_id)
        target = self.account(into) if into else None
        if target is not None:
            _check_consolidation(account, target, self.members_of(account))
        unit = Unit(f"consolidate {account_id}")
        unit.update((account_id, "account"), set={"invoiced_to": into}, when={"invoiced_to": account.invoiced_to})
        key = records.consolidated_key(account.entity_id, account_id)
        if target is None:
            unit.delete(key)
        else:
            unit.put(records.consolidated_item(account, into))
            unit.require((into, "account"), when={"invoiced_to": ""})
        self._audited(unit, account_id, "account.consolidated", into or account_id, actor, reason)
        if self._store.write_one(unit):
            raise Refusal("changed_meanwhile", "one of the accounts was changed by someone else; try again")
        return replace(account, invoiced_to=into)

    def change_terms(
        self, account_id: str, terms: Terms, actor: Actor, reason: str = "", due: PaymentTerms | None = None
    ) -> Account:
        """What invoices from now on are issued with; those that are out keep the terms they have.

        due: when they are to be paid; None: as it is agreed now. Refusal `invalid_terms` naming every problem.
        """
        account = self.account(account_id)
        check_terms(terms, account.currency)
        new = replace(account, terms=terms, payment_terms=due or account.payment_terms)
        unit = terms_update(Unit(f"terms {account_id}"), account, terms, new.payment_terms)
        at, told = self._clock(), (_told(account, new), _told(new, account))
        record = AuditRecord(account_id, at, actor, "terms.changed", account_id, *told, reason)
        if self._store.write_one(unit.put(audit_item(record))):
            raise Refusal("changed_meanwhile", "the terms were changed by someone else; look at them and try again")
        return new

    def members_of(self, account: Account) -> list[str]:
        """Ids of the accounts whose charges come on this one's invoices."""
        into = records.invoiced_to(self._store, account.entity_id)
        return sorted(member for member, payer in into.items() if payer == account.id)

    def account(self, account_id: str) -> Account:
        """The account as it is arranged now; NotFound."""
        item = self._store.get(account_id, "account")
        if item is None:
            raise NotFound("no such account")
        return records.account_from(item)

    def _audited(self, unit: Unit, owner: str, action: str, subject: str, actor: Actor, reason: str) -> Unit:
        return unit.put(audit_item(AuditRecord(owner, self._clock(), actor, action, subject, reason=reason)))


def _told(account: Account, other: Account) -> dict[str, Any]:
    """An account's terms as its audit record has them; when to pay is told where that is not the same on both."""
    due = payment_terms_fields(account.payment_terms) if account.payment_terms != other.payment_terms else {}
    return {"terms": records.terms_text(account.terms), **due}


def terms_update(unit: Unit, account: Account, terms: Terms, due: PaymentTerms) -> Unit:
    """Have the unit give an account these terms and days to pay; holds only while it has those that were read."""
    check_terms(terms, account.currency)
    was, text = records.terms_text(account.terms), records.terms_text(terms)
    when = {"terms": was, **payment_terms_attributes(account.payment_terms)}
    wanted = {"terms": text, **payment_terms_attributes(due)}
    fields = {name: value for name, value in wanted.items() if value is not None}
    gone = tuple(wanted.keys() - fields.keys())
    return unit.update((account.id, "account"), set=fields, remove=gone, when=when, exists=True)


def _check_consolidation(account: Account, target: Account, members: Sequence[str]) -> None:
    problems = Problems()
    if target.id == account.id:
        problems.add("into", "itself", "an account is on its own invoice already")
    if target.organisation_id != account.organisation_id:
        problems.add("into", "other_organisation", "what an account uses is shown to its own organisation alone")
    if target.entity_id != account.entity_id:
        problems.add("into", "other_seller", "one invoice has one seller")
    if target.currency != account.currency:
        problems.add("into", "other_currency", f"{account.currency} and {target.currency} do not come on one invoice")
    if target.invoiced_to:
        problems.add("into", "is_consolidated", f"{target.id} is itself on the invoice of {target.invoiced_to}")
    if members:
        problems.add("account_id", "has_members", f"{account.id} has {', '.join(members)} on its own invoice")
    problems.refuse_if_any("these accounts cannot share an invoice", "cannot_consolidate")
