"""What deciding about promises needs, read in few calls."""

from __future__ import annotations

from dataclasses import dataclass

from saldo.accounts.model import Account
from saldo.accounts.records import account_from
from saldo.invoicing.reading import open_rows
from saldo.invoicing.records import InvoiceHeader, header_from, header_key
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound
from saldo.kernel.periods import local_date
from saldo.promises import records, rules
from saldo.promises.model import Candidate, Case, Due, Promise
from saldo.storage.store import Store


@dataclass(frozen=True, slots=True)
class Known:
    account: Account
    case: Case


def known_of(store: Store, clock: Clock, account_id: str, replaces: str = "") -> Known:
    """All that deciding about a wish of this account needs: four calls. NotFound."""
    item = store.get(account_id, "account")
    if item is None:
        raise NotFound("no such account")
    account = account_from(item)
    keys = records.limits_key(account.entity_id), records.limits_key(account_id)
    found = store.get_many(keys, consistent=True)
    policy, own = records.policy_from(found.get(keys[0])), records.own_limits_from(found.get(keys[1]))
    limits = rules.limits_for(policy, own, account.terms.segment)
    candidates = {
        r.invoice_id: Candidate(r.invoice_id, r.number, r.currency, r.due_on, r.undisputed_minor, r.promise_id)
        for r in open_rows(store, account_id)
    }
    today, earlier = local_date(clock(), account.time_zone), tuple(promises_of(store, account_id))
    return Known(account, Case(today, candidates, limits, earlier, replaces))


def promises_of(store: Store, account_id: str) -> list[Promise]:
    """All of an account, newest first; one call."""
    items = store.query_all(account_id, prefix=records.PREFIX, consistent=True)
    return sorted((records.promise_from(i) for i in items), key=lambda p: (p.made_at, p.id), reverse=True)


def promises_by_id(store: Store, account_id: str, ids: frozenset[str]) -> list[Promise]:
    """These of an account, newest first; no call for none."""
    items = store.get_many([records.promise_key(account_id, id_) for id_ in ids], consistent=True) if ids else {}
    return sorted(map(records.promise_from, items.values()), key=lambda p: (p.made_at, p.id), reverse=True)


def promise_of(store: Store, account_id: str, promise_id: str) -> Promise:
    """NotFound for another's as for none."""
    item = store.get(*records.promise_key(account_id, promise_id))
    if item is None:
        raise NotFound("no such promise")
    return records.promise_from(item)


def headers_of(store: Store, promise: Promise) -> dict[str, InvoiceHeader]:
    """Of the invoices that it covers, as they are now."""
    keys = [header_key(promise.account_id, one.invoice_id) for one in promise.covers]
    return {h.invoice_id: h for h in map(header_from, store.get_many(keys, consistent=True).values())}


def dues_of(promise: Promise, headers: dict[str, InvoiceHeader]) -> tuple[Due, ...]:
    """What is still to come of each invoice; of those that are no longer under this promise nothing."""
    mine = [h for h in headers.values() if h.promise_id == promise.id]
    return tuple(Due(h.invoice_id, h.due_on, h.promised_minor, h.promised_paid_minor) for h in mine)
