"""Billing an account of more charges than one unit holds: all of them are billed, or none, whatever happens meanwhile.

The payer's wallet, which every billing of it reads, says that it is being billed, by which claim and how far that is.
Each subscription, item, minimum and record of windows is claimed; then one unit decides, on the wallet, which names the
invoices and is what is left in it; then all follow (`storage.claims`). Until that unit nothing is billed, from then on
everything is, and any process that bills the payer, or a member, finds what is left to do and does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from saldo.invoicing.run.model import DueAccount
from saldo.invoicing.wallet_records import BillingIs, begin_billing, end_billing, take_billing_back, wallet_key
from saldo.orders.records import item_key
from saldo.storage.claims import CLAIM, Claim, claim_all, drop_parts, follow_all, give_back, keep_parts, kept_parts
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.records import subscription_key


@dataclass(frozen=True, slots=True)
class InParts:
    """What is to be written for one account. wallet_read: the version of its wallet's record. decision: the unit that
    decides, for the version that the wallet has then. under_way: by what the wallet says that it is being billed."""

    entity_id: str
    claim: Claim
    parts: Sequence[Unit]
    wallet_read: int | None
    decision: Callable[[int], Unit]
    under_way: str = ""


def bill_in_parts(store: Store, wanted: InParts) -> bool:
    """Bill the account, or False where something changed meanwhile: read it and decide again.

    The same decision has the same claim: who is interrupted goes on, and two who decide the same work on one.
    """
    claim, payer, read = wanted.claim, wanted.claim.owner, wanted.wallet_read or 0
    if wanted.under_way != claim.text:
        begin = begin_billing(Unit(f"begin {claim.text}"), payer, wanted.entity_id, claim.text, wanted.wallet_read)
        if store.write_one(begin):
            return False
        read += 1
    on = wallet_key(payer), {"being_billed": claim.text, "billing_is": BillingIs.CLAIMING.value}
    held = keep_parts(store, claim, wanted.parts, *on) and claim_all(store, claim, wanted.parts, *on)
    if not held or store.write_one(wanted.decision(read)):
        take_back(store, claim)
        return False
    finish(store, claim)
    return True


def take_back(store: Store, claim: Claim) -> None:
    """Give back what was claimed; where it is decided by now, it stands, and all follow."""
    store.write_one(take_billing_back(Unit(f"take back {claim.text}"), claim.owner, claim.text))
    finish(store, claim)


def finish(store: Store, claim: Claim) -> None:
    """Do what is left to do of what is decided, either way. Safe to repeat, and to do twice at once."""
    wallet = store.get(*wallet_key(claim.owner)) or {}
    if wallet.get("being_billed") != claim.text or wallet["billing_is"] == BillingIs.CLAIMING.value:
        return
    parts = kept_parts(store, claim)
    (follow_all if wallet["billing_is"] == BillingIs.DECIDED.value else give_back)(store, claim, parts)
    drop_parts(store, claim, len(parts))
    store.write_one(end_billing(Unit(f"end {claim.text}"), claim.owner, claim.text))


def settle(store: Store, due: DueAccount) -> str:
    """Finish what others began with an account and what is due on it; by what it is being billed where that is not
    decided, which is for its next decision to go on with or to take back. "" where nothing is left."""
    under_way = ""
    for claim in _claims(store, due):
        wallet = store.get(*wallet_key(claim.owner)) or {}
        undecided = wallet.get("being_billed") == claim.text and wallet["billing_is"] == BillingIs.CLAIMING.value
        if undecided and claim.owner == due.account_id:
            under_way = claim.text
        else:
            take_back(store, claim)
    return under_way


def is_held(due: DueAccount, records: dict[Key, Item], under_way: str = "") -> bool:
    """Whether what was read of an account is claimed, by anything but what is said to be under way."""
    return any(claim != under_way for claim in _told(due, records))


def _claims(store: Store, due: DueAccount) -> list[Claim]:
    found = store.get_many([*named_keys(due)], consistent=True)
    return [Claim.from_text(text) for text in sorted(set(_told(due, found)))]


def _told(due: DueAccount, records: dict[Key, Item]) -> Iterator[str]:
    wallet = records.get(wallet_key(due.account_id), {})
    if "being_billed" in wallet:
        yield wallet["being_billed"]
    yield from (records[key][CLAIM] for key in named_keys(due) if key in records and CLAIM in records[key])


def named_keys(due: DueAccount) -> Iterator[Key]:
    """Where the records lie that say what billed an account: its wallet, and what is due on it and its members."""
    yield wallet_key(due.account_id)
    for one in due.all:
        yield from (subscription_key(one.account_id, s) for s in one.subscription_ids)
        yield from (item_key(one.account_id, i) for i in one.item_ids)
