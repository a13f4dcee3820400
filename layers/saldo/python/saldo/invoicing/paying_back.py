"""Use case of staff: what credit notes left to a customer goes back to it by bank transfer.

Saldo moves no money here: whoever asks has ordered the transfer, or will. The entry takes the credit out of the
wallet and the money out of the bank, once for each request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from saldo.accounts.records import account_from, entity_from
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.wallet_records import version_of, wallet_from, wallet_key, write_wallet
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.kernel.periods import local_date
from saldo.ledger.model import EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.records import post
from saldo.storage.items import Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_TRIES = 8


@dataclass(frozen=True, slots=True)
class PayBack:
    """What goes back: `minor` (above zero) of the account's currency. `request` names the wish for ever."""

    account_id: str
    minor: int
    request: str
    actor: Actor
    reason: str = ""


def pay_back(store: Store, clock: Clock, asked: PayBack) -> bool:
    """Book the transfer; False when this request was booked before.

    Refusals: `invalid_amount`, `not_enough_credit`, `request_reused`. Raises Unavailable when the wallet keeps being
    changed by others; asking again is safe.
    """
    if asked.minor <= 0:
        raise Refusal("invalid_amount", "what is paid back is above zero")
    for _ in range(_MOST_TRIES):
        guard = store.get(*_guard_key(asked))
        if guard is not None and guard["minor"] != asked.minor:
            raise Refusal("request_reused", f"request {asked.request} paid back another amount")
        if guard is not None:
            return False
        if store.write_one(_unit(store, clock, asked)) is None:
            return True
    raise Unavailable("this wallet is being changed by many at once; try again")


def _guard_key(asked: PayBack) -> Key:
    return asked.account_id, f"guard#pay_back#{asked.request}"


def _unit(store: Store, clock: Clock, asked: PayBack) -> Unit:
    """Guard, wallet, entry and audit record."""
    keys = [(asked.account_id, "account"), wallet_key(asked.account_id)]
    found = store.get_many(keys, consistent=True)
    if keys[0] not in found:
        raise NotFound("no such account")
    account, item = account_from(found[keys[0]]), found.get(keys[1])
    wallet = wallet_from(item)
    if wallet.credit_note_minor < asked.minor:
        raise Refusal("not_enough_credit", f"{wallet.credit_note_minor} {account.currency} are left of credit notes")
    seller = store.get(account.entity_id, "entity")
    if seller is None:
        raise NotFound("no such legal entity")
    entry = entry_for(
        EntryKind.CREDIT_PAID_BACK,
        booked_on=local_date(clock(), entity_from(seller).time_zone),
        entity_id=account.entity_id,
        account_id=account.id,
        currency=account.currency,
        source_id=f"{account.id}/{asked.request}",
        postings=(Posting(LedgerAccount.CUSTOMER_CREDIT, asked.minor), Posting(LedgerAccount.BANK, -asked.minor)),
    )
    pk, sk = _guard_key(asked)
    unit = Unit(f"pay back {asked.request}")
    unit.insert({"pk": pk, "sk": sk, "kind": "guard", "minor": asked.minor})
    left = replace(wallet, credit_note_minor=wallet.credit_note_minor - asked.minor)
    write_wallet(unit, account.id, account.entity_id, left, version_of(item))
    after = {"minor": asked.minor, "currency": account.currency}
    record = AuditRecord(
        account.id, clock(), asked.actor, "credit.paid_back", asked.request, after=after, reason=asked.reason
    )
    return post(unit, entry, correlation_id=asked.actor.correlation_id).put(audit_item(record))
