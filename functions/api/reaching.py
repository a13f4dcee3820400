"""The account in a path: reached by the key of its own seller, and by nobody else's.

A key is a seller's and reaches all its customers, so whose account it is can only be looked up. From then on the call's
reads and writes are signed as a role of that account's own partitions (`storage/narrowed`).
"""

from __future__ import annotations

from functions.api import services
from functions.api.call import Call
from saldo.accounts.records import customer_key
from saldo.kernel.errors import NotFound
from saldo.kernel.ids import check_id
from saldo.storage.store import Store


def account_of(call: Call, *, with_seller: bool = False) -> tuple[str, Store]:
    """Its id, and a store that reaches it alone, or it and what its seller offers; one call, and one of STS when this
    key was not at this account within the hour. NotFound alike for what is not there and another's."""
    account_id = check_id(call.params["account_id"], "acct")
    if services.store().within(call.entity_id).get(*customer_key(call.entity_id, account_id), consistent=False) is None:
        raise NotFound("no such account")
    owners = (account_id, call.entity_id) if with_seller else (account_id,)
    return account_id, services.records_of(*owners, name=call.key.id)
