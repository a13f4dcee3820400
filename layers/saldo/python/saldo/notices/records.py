"""How what makes notices lies in the table: `<account or user>` / `news`, one packed item.

`acts`: what on the owner's trail is news, newest first, under their keys there; `invoices`: what was issued to an
account. Both are facts that never change; what is open of an invoice is not among them. `cuts`: of each, what happened
before is left out, because there is so much. `entries`: of the journal when the invoices were read; `read_at`: when all
was read; `version`: of the writes of this item.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from saldo.audit.model import Actor, AuditRecord
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.status import SHOWN, DocumentKind
from saldo.kernel.clock import instant_from, instant_text
from saldo.notices.model import IssuedInvoice
from saldo.storage.items import Item, Key

NEWS = "news"
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
_ISSUED_BY_US = ("run_", "request_")
_ISSUED = ("kind", "invoice_id", "number", "currency", "total_minor", "issued_on", "due_on")
_SAID = ("amount_minor", "minor", "currency", "debit_on", "renews_on", "reader_id", "risk")


@dataclass(frozen=True, slots=True)
class News:
    """`acts` and `invoices` as rows, and where each is cut, "" where nothing is left out. `entries`, `version` 0,
    `read_at` NEVER: none was kept yet."""

    owner_id: str
    acts: tuple[Item, ...] = ()
    invoices: tuple[Item, ...] = ()
    acts_cut: str = ""
    invoices_cut: str = ""
    entries: int = 0
    read_at: datetime = NEVER
    version: int = 0

    @property
    def cut(self) -> str:
        """What happened before this instant is not all there."""
        return max(self.acts_cut, self.invoices_cut)


def news_key(owner_id: str) -> Key:
    return owner_id, NEWS


def news_item(news: News) -> Item:
    pk, sk = news_key(news.owner_id)
    content = {"acts": news.acts, "invoices": news.invoices}
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode())
    numbers = {"entries": news.entries, "version": news.version}
    return {"pk": pk, "sk": sk, "kind": NEWS, "rows": packed, "cuts": [news.acts_cut, news.invoices_cut], **numbers} | {
        "read_at": instant_text(news.read_at)
    }


def news_from(owner_id: str, item: Item | None) -> News:
    if item is None:
        return News(owner_id)
    content = json.loads(zlib.decompress(bytes(item["rows"])))
    rows, at = (tuple(content["acts"]), tuple(content["invoices"])), instant_from(item["read_at"])
    acts_cut, invoices_cut = item["cuts"]
    return News(owner_id, *rows, acts_cut, invoices_cut, item["entries"], at, item["version"])


def act_row(item: Item) -> Item:
    """What notices tell of a record of the trail, with its place there."""
    said = {name: item["after"][name] for name in _SAID if name in item["after"]}
    own = {name: item[name] for name in ("sk", "at", "action", "subject_id")}
    return own | {"by": item["actor"]["id"], "said": said}


def act_from(owner_id: str, row: Item) -> AuditRecord:
    by, at = Actor(row["by"], ""), instant_from(row["at"])
    return AuditRecord(owner_id, at, by, row["action"], row["subject_id"], after=row["said"])


def issued_rows(headers: Iterable[Item]) -> tuple[Item, ...]:
    """Documents that we issued; what was brought in from elsewhere is history, not news."""
    return tuple(
        {name: item[name] for name in _ISSUED}
        | {"is_credit_note": item.get("document") == DocumentKind.CREDIT_NOTE, "issued_at": _issued_at(item)}
        for item in headers
        if item["status"] in SHOWN and item["run_id"].startswith(_ISSUED_BY_US)
    )


def _issued_at(header: Item) -> str:
    return str(next(h["at"] for h in header["history"] if h["status"] != "draft"))


def issued_from(row: Item, owed: InvoiceRow | None) -> IssuedInvoice:
    """owed: the invoice as it is, None where nothing is open of it."""
    return IssuedInvoice(
        invoice_id=row["invoice_id"],
        is_credit_note=row["is_credit_note"],
        number=row["number"],
        currency=row["currency"],
        total_minor=row["total_minor"],
        asked_minor=owed.undisputed_minor if owed and not owed.promise_id else 0,
        due_on=date.fromisoformat(row["due_on"]),
        issued_at=instant_from(row["issued_at"]),
    )


def together(rows: Sequence[Item], more: Iterable[Item], first: str, most: int) -> tuple[tuple[Item, ...], str]:
    """Acts with those that came, each once, newest first; and the instant of the last where some were left out.

    first: what happened before this instant is not kept."""
    by_place = {row["sk"]: row for row in (*rows, *more) if row["at"] >= first}
    kept = [by_place[sk] for sk in sorted(by_place, reverse=True)]
    return tuple(kept[:most]), kept[most - 1]["at"] if len(kept) > most else ""
