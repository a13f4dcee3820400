"""How an account's wallet lies in the table.

`<account>` / `wallet`: one item: coupons, prepaid credits, what is left of credit notes, and the version of the record.
On the agenda `expiring#<entity>` under the day on which the next prepaid credit expires. While the account is billed
in parts (`run/in_parts.py`): by what (`being_billed`), and how far that is (`billing_is`).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from saldo.invoicing.model import Coupon, CouponDuration, PrepaidCredit, Wallet
from saldo.kernel.exact import plain
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit


class BillingIs(StrEnum):
    """Of a billing in parts. CLAIMING: nothing is decided. DECIDED: it stands, its records follow. TAKEN_BACK: it does
    not, what it claimed is given back."""

    CLAIMING = "claiming"
    DECIDED = "decided"
    TAKEN_BACK = "taken_back"


WALLET = "wallet"


def wallet_key(account_id: str) -> Key:
    return account_id, WALLET


def expiring_agenda(entity_id: str) -> str:
    """The agenda partition of a seller's wallets with credit that expires, by day."""
    return f"expiring#{entity_id}"


def wallet_from(item: Item | None) -> Wallet:
    """The wallet of a record; an empty one where there is none yet."""
    if item is None:
        return Wallet()
    coupons = tuple(_coupon_from(c) for c in item.get("coupons", []))
    credits = tuple(_credit_from(c) for c in item.get("credits", []))
    return Wallet(coupons, credits, item.get("credit_note_minor", 0))


def version_of(item: Item | None) -> int | None:
    """Which version of the record was read; None where there is none yet."""
    return None if item is None else item["version"]


def write_wallet(unit: Unit, account_id: str, entity_id: str, wallet: Wallet, read: int | None, **more: Any) -> Unit:
    """Write a wallet in this unit, which holds only while the record is still of the version that was read.

    `more`: attributes written besides, such as which documents drew on it.
    """
    expires = [c.expires_on for c in wallet.credits if c.balance_minor > 0 and c.expires_on is not None]
    fields: Item = {
        "kind": "wallet",
        "entity_id": entity_id,
        "account_id": account_id,
        "coupons": [_coupon_item(c) for c in wallet.coupons],
        "credits": [_credit_item(c) for c in wallet.credits],
        "credit_note_minor": wallet.credit_note_minor,
        "version": (read or 0) + 1,
        **more,
    }
    gone: tuple[str, ...] = ("agenda_pk", "agenda_on")
    if expires:
        fields |= {"agenda_pk": expiring_agenda(entity_id), "agenda_on": min(expires).isoformat()}
        gone = ()
    return unit.update(wallet_key(account_id), set=fields, remove=gone, when={"version": read})


def begin_billing(unit: Unit, account_id: str, entity_id: str, claim: str, read: int | None) -> Unit:
    """Note that the account is billed in parts by this claim; holds only while it is not yet, and the wallet is as it
    was read."""
    fields = {"kind": "wallet", "entity_id": entity_id, "account_id": account_id, "version": (read or 0) + 1}
    fields |= {"being_billed": claim, "billing_is": BillingIs.CLAIMING.value}
    return unit.update(wallet_key(account_id), set=fields, when={"version": read, "being_billed": None})


def take_billing_back(unit: Unit, account_id: str, claim: str) -> Unit:
    """Decide against it, unless it is decided."""
    when = {"being_billed": claim, "billing_is": BillingIs.CLAIMING.value}
    taken_back = {"billing_is": BillingIs.TAKEN_BACK.value}
    return unit.update(wallet_key(account_id), set=taken_back, add={"version": 1}, when=when)


def end_billing(unit: Unit, account_id: str, claim: str) -> Unit:
    """Nothing of it is left to do."""
    gone = ("being_billed", "billing_is")
    return unit.update(wallet_key(account_id), add={"version": 1}, remove=gone, when={"being_billed": claim})


def add_credit_note(unit: Unit, account_id: str, entity_id: str, minor: int) -> Unit:
    """Give an account what a credit note grants beyond its invoice, to be used up by its next invoices."""
    kept = {"kind": "wallet", "entity_id": entity_id, "account_id": account_id}
    return unit.update(wallet_key(account_id), set=kept, add={"credit_note_minor": minor, "version": 1})


def _coupon_item(coupon: Coupon) -> Item:
    return {
        "id": coupon.id,
        "names": coupon.names,
        "percent": None if coupon.percent is None else plain(coupon.percent),
        "amount": None if coupon.amount is None else plain(coupon.amount),
        "duration": coupon.duration.value,
        "times": coupon.times,
        "plans": sorted(coupon.plans),
        "components": sorted(coupon.components),
        "from_on": coupon.from_on.isoformat() if coupon.from_on else None,
        "until_on": coupon.until_on.isoformat() if coupon.until_on else None,
        "used": coupon.used,
        "minimum": None if coupon.minimum is None else plain(coupon.minimum),
        "maximum": None if coupon.maximum is None else plain(coupon.maximum),
        "carries": coupon.carries,
        "taken_minor": coupon.taken_minor,
        **({"currency": coupon.currency} if coupon.currency else {}),
    }


def _coupon_from(item: Item) -> Coupon:
    return Coupon(
        id=item["id"],
        names=item["names"],
        percent=None if item["percent"] is None else Decimal(item["percent"]),
        amount=None if item["amount"] is None else Decimal(item["amount"]),
        duration=CouponDuration(item["duration"]),
        times=item["times"],
        plans=frozenset(item["plans"]),
        components=frozenset(item["components"]),
        from_on=_day(item["from_on"]),
        until_on=_day(item["until_on"]),
        used=item["used"],
        minimum=None if item["minimum"] is None else Decimal(item["minimum"]),
        maximum=None if item["maximum"] is None else Decimal(item["maximum"]),
        carries=item["carries"],
        taken_minor=item["taken_minor"],
        currency=item.get("currency", ""),
    )


def _credit_item(credit: PrepaidCredit) -> Item:
    return {
        "id": credit.id,
        "balance_minor": credit.balance_minor,
        "granted_on": credit.granted_on.isoformat(),
        "expires_on": credit.expires_on.isoformat() if credit.expires_on else None,
        "priority": credit.priority,
        "paid": credit.paid,
        **({"components": sorted(credit.components)} if credit.components else {}),
    }


def _credit_from(item: Item) -> PrepaidCredit:
    return PrepaidCredit(
        id=item["id"],
        balance_minor=item["balance_minor"],
        granted_on=date.fromisoformat(item["granted_on"]),
        expires_on=_day(item["expires_on"]),
        priority=item["priority"],
        paid=item["paid"],
        components=frozenset(item.get("components", ())),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
