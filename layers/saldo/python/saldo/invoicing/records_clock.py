"""How clocks lie in the table: `<seller's double>` / `clock`, on the agenda `clocks#<seller>` by the day they began."""

from __future__ import annotations

from datetime import date

from saldo.invoicing.model_clock import AccountClock
from saldo.storage.items import Item, Key

# What of a seller's records its double has too, by kind: what is sold, how it is counted, how it is written, choices.
COPIED = (
    *("product", "offer", "plan", "meter", "billing", "templates", "template", "rate_policy", "correction_policy"),
    *("reminders", "taxes"),
)
# What it has not. Its numbers are written its own way; the rest belongs to customers, runs and files.
LEFT = frozenset(
    {
        *("entity", "customer", "consolidated", "series", "numbering", "run", "guard", "quarantine", "audit"),
        *("clock", "reference", "discrepancy", "order", "order_owner", "producer", "facts", "usage_files"),
        *("customer_word", "people", "access_review", "proposal", "support", "numbers", "payment_of"),
        *("work", "asked", "difference", "signing_certificate"),
    }
)


def clock_key(seller_id: str) -> Key:
    return seller_id, "clock"


def clocks_agenda(of_seller: str) -> str:
    return f"clocks#{of_seller}"


def clock_item(clock: AccountClock) -> Item:
    pk, sk = clock_key(clock.seller_id)
    return {
        "pk": pk,
        "sk": sk,
        "kind": "clock",
        "agenda_pk": clocks_agenda(clock.of_seller),
        "agenda_on": clock.began_on.isoformat(),
        "account_id": clock.account_id,
        "of_seller": clock.of_seller,
        "of_account": clock.of_account,
        "began_on": clock.began_on.isoformat(),
        "today": clock.today.isoformat(),
    }


def clock_from(item: Item) -> AccountClock:
    return AccountClock(
        seller_id=item["pk"],
        account_id=item["account_id"],
        of_seller=item["of_seller"],
        of_account=item["of_account"],
        began_on=date.fromisoformat(item["began_on"]),
        today=date.fromisoformat(item["today"]),
    )
