"""The documents on which what an account gives back now was charged, read where it gives something back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from saldo.accounts.model import Account
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.model import BillingCase, InvoiceBody
from saldo.invoicing.records import body_key, header_key
from saldo.invoicing.rules_late import lowers
from saldo.invoicing.rules_returns import begins_earlier
from saldo.invoicing.rules_tallies import place_of
from saldo.storage.items import Item, Key
from saldo.storage.store import Store


def with_earlier(store: Store, case: BillingCase, drafts: Collection[str]) -> BillingCase:
    """The case with the documents that it needs, oldest first: two queries for each account that any of them may lie
    with, and none where nothing is given back, as on nearly every invoice.

    drafts: ids of those that what is due was billed by last, for they may have no header yet. Any other body without a
    header is what nobody was ever billed by.
    """
    given = [(day, due.member) for due in case.due if (day := begins_earlier(due.charges)) is not None]
    given += [(charge.usage.window.billed[0].on, charge.member) for charge in case.late if lowers(charge)]
    given += _asked_before(case)
    if not given:
        return case
    named = {*drafts, *(one.invoice_id for charge in case.late for one in charge.usage.window.billed)}
    days, accounts = [day for day, _ in given], [case.account.id, *(member.id for _, member in given if member)]
    bodies = [body for account_id in dict.fromkeys(accounts) for body in _bodies(store, account_id, min(days), named)]
    return replace(case, earlier=tuple(sorted(bodies, key=lambda body: body.issued_on)))


def _asked_before(case: BillingCase) -> Iterable[tuple[date, Account | None]]:
    """Since when, and with whom, there may be what tallies asked for that what is charged now moves."""
    asked = {key: tally.days for key, tally in case.tallies.items() if tally.days and tally.trued_up_minor}
    for due in case.due if asked else ():
        touched = {key for charged in due.charged for key in place_of(due, charged).touched()}
        yield from ((asked[key].start, due.member) for key in touched & asked.keys())


def _bodies(store: Store, account_id: str, since: date, drafts: Collection[str]) -> Iterable[InvoiceBody]:
    """An account's documents of a day and later; their ids sort by it (`kernel.ids.derived_id`)."""
    first, last = f"inv_{since:%Y%m%d}", "inv_~"

    def found(key: Callable[[str, str], Key], **asked: Any) -> Iterable[Item]:
        bounds = {"first": key(account_id, first)[1], "last": key(account_id, last)[1]}
        return store.query_all(account_id, **bounds, consistent=True, **asked)

    named = {item["invoice_id"] for item in found(header_key, fields=("invoice_id",))}.union(drafts)
    bodies = (body_from_bytes(item["body"]) for item in found(body_key))
    return (body for body in bodies if body.id in named)
