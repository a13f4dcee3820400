"""How sums of days lie in the table, and lines as they are read from entries.

`<account>` / `day_sums`: a long journal's sums of all its days, folded from it (`daily_sums.py`); no truth of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from saldo.ledger.model_statement import CUSTOMERS, DaySum, Line
from saldo.ledger.records import PREFIX
from saldo.storage.items import Item, Key

DAY_SUMS = "day_sums"


def day_sums_key(account_id: str) -> Key:
    return account_id, DAY_SUMS


def day_sums_item(account_id: str, sums: Sequence[DaySum], version: int) -> Item:
    """One line of text a day and currency, packed: ten years of days are some 30 kB. `version` rises by each write."""
    pk, sk = day_sums_key(account_id)
    text = "\n".join(" ".join(map(str, one)) for one in sums)
    return {"pk": pk, "sk": sk, "kind": DAY_SUMS, "days": zlib.compress(text.encode()), "version": version}


def day_sums_from(item: Item) -> list[DaySum]:
    """By day and currency."""
    found = []
    for row in zlib.decompress(bytes(item["days"])).decode().splitlines():
        on, currency, entries, lines, charged, paid = row.split(" ")
        found.append(DaySum(on, currency, int(entries), int(lines), int(charged), int(paid)))
    return found


def line_from(item: Item) -> Line:
    """From an entry, without making it one."""
    minor = sum(p["minor"] for p in item["postings"] if p["account"] in CUSTOMERS)
    on = item["sk"][len(PREFIX) : len(PREFIX) + 10]
    return Line(on, item["currency"], item["entry_kind"], item["source_id"], minor, item.get("number", ""))


def days_bounds(first_on: str, last_on: str) -> dict[str, Any]:
    """Of a query for all entries of these days, both included; ISO dates, "" for the first there is."""
    return {"first": f"{PREFIX}{first_on}", "last": f"{PREFIX}{last_on}#~"}
