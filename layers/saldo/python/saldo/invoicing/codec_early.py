"""Discounts for paying early as they lie on an invoice's header."""

from __future__ import annotations

from datetime import date
from typing import Any

from saldo.invoicing.rules_early import EarlyOffer, Legs, Offers
from saldo.ledger.model import LedgerAccount
from saldo.storage.items import Item


def offers_to(offers: Offers) -> Item:
    """Not empty. The first as it was before there were steps, the others with it."""
    first, *then = ({"until_on": one.until_on.isoformat(), "legs": _rows(one.legs)} for one in offers)
    return first | ({"then": then} if then else {})


def offers_from(item: Item) -> Offers:
    rows = (item, *item.get("then", ()))
    return tuple(EarlyOffer(date.fromisoformat(row["until_on"]), legs_from(row["legs"])) for row in rows)


def discounted_to(legs: Legs) -> Item:
    """What discounts took, as fields of the header: none where that is nothing."""
    return {"discounted": _rows(legs)} if legs else {}


def legs_from(rows: list[list[Any]]) -> Legs:
    return tuple((LedgerAccount(account), tag, minor) for account, tag, minor in rows)


def _rows(legs: Legs) -> list[list[str | int]]:
    return [[account.value, tag, minor] for account, tag, minor in legs]
