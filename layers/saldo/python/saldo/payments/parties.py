"""Who pays, and whom: apart from `reading`, so that pages which list payments do not load master data."""

from __future__ import annotations

from saldo.accounts.model import Account, LegalEntity
from saldo.accounts.records import account_from, entity_from
from saldo.kernel.errors import NotFound
from saldo.storage.store import Store


def parties_of(store: Store, account_id: str) -> tuple[Account, LegalEntity]:
    """Who pays, and whom. NotFound."""
    item = store.get(account_id, "account")
    if item is None:
        raise NotFound("no such account")
    account = account_from(item)
    seller = store.get(account.entity_id, "entity")
    if seller is None:
        raise NotFound("no such legal entity")
    return account, entity_from(seller)
