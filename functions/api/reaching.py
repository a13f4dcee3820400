"""The account in a path: reached by the key of its own seller, and by nobody else's."""

from __future__ import annotations

from functions.api import services
from functions.api.call import Call
from saldo.accounts.records import customer_key
from saldo.kernel.errors import NotFound
from saldo.kernel.ids import check_id
from saldo.storage.store import Store


def account_of(call: Call) -> tuple[str, Store]:
    """Its id, and a store that reaches it alone; one call. NotFound alike for what is not there and another's."""
    account_id = check_id(call.params["account_id"], "acct")
    if services.store().within(call.entity_id).get(*customer_key(call.entity_id, account_id), consistent=False) is None:
        raise NotFound("no such account")
    return account_id, services.store().within(account_id)
