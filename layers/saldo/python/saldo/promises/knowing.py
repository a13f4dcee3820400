"""What deciding about a wish needs, read in few calls."""

from __future__ import annotations

from dataclasses import dataclass

from saldo.accounts.model import Account
from saldo.accounts.records import account_from
from saldo.invoicing.reading import open_rows
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound
from saldo.kernel.periods import local_date
from saldo.promises import records, rules
from saldo.promises.model import Candidate, Case
from saldo.promises.reading import promises_of
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
