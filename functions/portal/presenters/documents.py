"""The documents page: what there is of each kind, and files of many documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from functions.portal.presenters.tags import Tag
from functions.portal.presenters.uploads import size_of, upload_tag
from functions.portal.words import Words
from saldo.documents.model_bundles import Bundle, BundleState
from saldo.invoicing.listing import InvoiceRow
from saldo.kernel.periods import add_months, local_date
from saldo.payments.model import Payment
from saldo.uploads.model import Upload, UploadKind, UploadState

MONTHS_OF_STATEMENTS = 24


class Kind(StrEnum):
    INVOICES = "invoices"
    RECEIPTS = "receipts"
    STATEMENTS = "statements"
    FILES = "files"
    PAPERS = "papers"


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """`href`: where it can be taken, "" for nowhere yet; `page`: what it belongs to. `id`: for a choice of several."""

    name: str
    on: str
    href: str
    page: str = ""
    id: str = ""
    note: str = ""
    tag: Tag | None = None


def invoice_rows(rows: Sequence[InvoiceRow], home: str, words: Words) -> list[DocumentRow]:
    return [
        DocumentRow(
            words("documents.credit_note" if r.total_minor < 0 else "documents.invoice", number=r.number),
            words.day(r.issued_on),
            f"{home}/invoices/{r.invoice_id}/pdf",
            f"{home}/invoices/{r.invoice_id}",
            r.invoice_id,
            words.money(r.total_minor, r.currency),
        )
        for r in rows
    ]


def receipt_rows(payments: Sequence[Payment], home: str, words: Words) -> list[DocumentRow]:
    return [
        DocumentRow(
            words("documents.receipt", number=p.receipt_number),
            words.day(p.settled_at.date()),
            f"{home}/payments/{p.id}/pdf",
            f"{home}/payments/{p.id}",
            note=words.money(p.settled_minor, p.amount.currency),
        )
        for p in payments
        if p.receipt_number and p.settled_at
    ]


def statement_rows(since: date | None, today: date, home: str, words: Words) -> list[DocumentRow]:
    """One for each month, the running one first; `since`: nothing before is seen."""
    first, rows = today.replace(day=1), []
    for back in range(MONTHS_OF_STATEMENTS):
        start = add_months(first, -back)
        end = min(add_months(start, 1) - timedelta(days=1), today)
        if since and end < since:
            break
        query = f"from={start}&to={end}"
        name = words("documents.statement", first=words.day(start), last=words.day(end))
        rows.append(DocumentRow(name, words.day(end), f"{home}/statement.csv?{query}", f"{home}/statement?{query}"))
    return rows


def file_rows(uploads: Sequence[Upload], home: str, zone: str, words: Words) -> list[DocumentRow]:
    """Newest first; of those that are kept for a time, until when."""
    rows = []
    for one in reversed(uploads):
        file = f"{home}/files/{one.name.about}/{one.id}"
        place = f"{home}/certificate/{one.id}" if one.kind is UploadKind.CERTIFICATE else file
        kept = words("documents.kept_until", on=words.day(one.next_at.date())) if one.is_clean and one.next_at else ""
        note = " · ".join(text for text in (words(f"upload.kind.{one.kind}"), size_of(one, words), kept) if text)
        href = f"{file}/content" if one.is_clean else ""
        name = one.title or words("upload.erased")
        on = words.day(local_date(one.asked_at, zone))
        rows.append(DocumentRow(name, on, href, place, note=note, tag=upload_tag(one, words)))
    return rows


def paper_rows(uploads: Sequence[Upload], home: str, words: Words) -> list[DocumentRow]:
    return [
        DocumentRow(one.title, words.day(one.asked_at.date()), f"{home}/papers/{one.id}", note=size_of(one, words))
        for one in reversed(uploads)
        if one.state is UploadState.CLEAN
    ]


@dataclass(frozen=True, slots=True)
class BundleView:
    tag: Tag
    title: str
    text: str
    refresh_s: int
    is_there: bool
    left_out: tuple[str, ...]
    size: str


def bundle_view(bundle: Bundle, is_there: bool, is_over: bool, words: Words) -> BundleView:
    n, of = words.number(bundle.done), words.number(len(bundle.documents))
    mb = words.number(max(1, bundle.size // 1_000_000))
    state = "over" if is_over else bundle.state.value
    tone = {"over": "over", "ready": "done"}.get(state, "wait")
    text = words(f"bundle.told.{state}", n=n, of=of) if state == "making" else words(f"bundle.told.{state}")
    return BundleView(
        Tag(tone, words(f"bundle.state.{state}")),
        words.count("bundle.title", len(bundle.documents)),
        text,
        0 if is_over or bundle.state is BundleState.READY else 3,
        is_there,
        bundle.left_out,
        words("bundle.size", mb=mb) if is_there else "",
    )
