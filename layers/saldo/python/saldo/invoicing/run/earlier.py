"""The documents on which what an account gives back now was charged, read where it gives something back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.model import BillingCase, InvoiceBody
from saldo.invoicing.records import body_key
from saldo.invoicing.rules_returns import begins_earlier
from saldo.storage.store import Store


def with_earlier(store: Store, case: BillingCase) -> BillingCase:
    """The case with the documents that it needs, oldest first: one query for each account that any of them may lie
    with, and none where nothing is given back, as on nearly every invoice."""
    days = [day for due in case.due if (day := begins_earlier(due.charges)) is not None]
    if not days:
        return case
    accounts = [case.account.id, *(due.member.id for due in case.due if due.member and begins_earlier(due.charges))]
    bodies = [body for account_id in dict.fromkeys(accounts) for body in _bodies(store, account_id, min(days))]
    return replace(case, earlier=tuple(sorted(bodies, key=lambda body: body.issued_on)))


def _bodies(store: Store, account_id: str, since: date) -> Iterable[InvoiceBody]:
    """An account's documents of a day and later; their ids sort by it (`kernel.ids.derived_id`)."""
    first, last = (body_key(account_id, f"inv_{text}")[1] for text in (f"{since:%Y%m%d}", "~"))
    return (
        body_from_bytes(item["body"]) for item in store.query_all(account_id, first=first, last=last, consistent=True)
    )
