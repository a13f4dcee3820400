"""All documents of an account by kind and period, and many of them in one file."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.handing_in import handed_out, name_in
from functions.portal.pages import page
from functions.portal.presenters import documents as rows_of
from functions.portal.presenters.documents import DocumentRow, Kind
from functions.portal.presenters.invoice_lists import wish_from
from functions.portal.records_of_reading import note_read
from functions.portal.visit import Visit
from saldo.access.model_visibility import Document
from saldo.access.rules import READERS, is_proven
from saldo.access.rules_risk import MOST_DOWNLOADS
from saldo.access.rules_visibility import seen_from
from saldo.invoicing import reading
from saldo.invoicing.listing import ListWish
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.payments import records as payment_records

routes = Routes("documents")
PAGE = 50
_BUNDLE = "/accounts/{account_id}/bundles/{bundle_id}"
_NEEDS = {Kind.INVOICES: "invoice", Kind.RECEIPTS: "receipt", Kind.STATEMENTS: "statement"}


@dataclass(frozen=True, slots=True)
class Shown:
    rows: list[DocumentRow]
    older: str = ""


@routes.get("/accounts/{account_id}/documents", roles(READERS))
def documents(visit: Visit) -> Answer:
    """One kind at a time, so that each is one query."""
    kinds = [kind for kind in Kind if kind not in _NEEDS or visit.may(_NEEDS[kind])]
    kind = next((k for k in kinds if k == visit.asked("kind")), kinds[0])
    wish, problems = ListWish(), []
    try:
        wish = wish_from({name: visit.query[name] for name in ("from", "to", "cursor") if name in visit.query})
    except Refusal as refusal:
        problems = [(p.field, visit.words(f"problem.{p.code}")) for p in refusal.problems]
    shown = _SHOWS[kind](visit, wish)
    tabs = [(visit.words(f"documents.kind.{k}"), f"{visit.home}/documents?kind={k}", k is kind) for k in kinds]
    values: dict[str, Any] = {"kind": kind.value, "tabs": tabs, "rows": shown.rows, "older": shown.older, "wish": wish}
    status = 422 if problems else 200
    return page(visit, "documents", status=status, tab="documents", problems=problems, **values)


def _invoices(visit: Visit, wish: ListWish) -> Shown:
    found = reading.listed(visit.records, visit.account.account_id, wish, visit.today)
    rows = rows_of.invoice_rows(found.rows, visit.home, visit.words)
    return Shown(rows, _older(visit, Kind.INVOICES, wish, found.cursor))


def _receipts(visit: Visit, wish: ListWish) -> Shown:
    """A payment's id begins with the day on which it was started."""
    first = f"{payment_records.PREFIX}pay_{wish.from_on:%Y%m%d}" if wish.from_on else payment_records.PREFIX
    last = f"{payment_records.PREFIX}pay_{wish.to_on:%Y%m%d}~" if wish.to_on else f"{payment_records.PREFIX}~"
    bounds: dict[str, Any] = {"first": first, "last": last, "limit": PAGE, "newest_first": True}
    found = visit.records.query(visit.account.account_id, cursor=wish.cursor or None, **bounds)
    payments = [payment_records.payment_from(item) for item in found.items]
    rows = rows_of.receipt_rows(payments, visit.home, visit.words)
    return Shown(rows, _older(visit, Kind.RECEIPTS, wish, found.cursor))


def _statements(visit: Visit, _wish: ListWish) -> Shown:
    since = seen_from(visit.account.visibility, visit.today)
    return Shown(rows_of.statement_rows(since, visit.today, visit.home, visit.words))


def _files(visit: Visit, _wish: ListWish) -> Shown:
    found = services.uploads(visit.records).of(visit.account.account_id)
    return Shown(rows_of.file_rows(found, visit.home, visit.account.time_zone, visit.words))


def _papers(visit: Visit, _wish: ListWish) -> Shown:
    found = services.uploads(visit.records).of(visit.account.entity_id, "paper")
    return Shown(rows_of.paper_rows(found, visit.home, visit.words))


_SHOWS = {
    Kind.INVOICES: _invoices,
    Kind.RECEIPTS: _receipts,
    Kind.STATEMENTS: _statements,
    Kind.FILES: _files,
    Kind.PAPERS: _papers,
}


def _older(visit: Visit, kind: Kind, wish: ListWish, cursor: str | None) -> str:
    if not cursor:
        return ""
    dates = "".join(f"&{name}={on}" for name, on in (("from", wish.from_on), ("to", wish.to_on)) if on)
    return f"{visit.home}/documents?kind={kind}{dates}&cursor={cursor}"


@routes.get("/accounts/{account_id}/papers/{upload_id}", roles(READERS))
def paper(visit: Visit) -> Answer:
    """What the seller publishes for all its customers."""
    desk = services.uploads(visit.records)
    found = desk.get(name_in(visit.account.entity_id, "paper", visit.params["upload_id"]))
    body = desk.content(found)
    note_read(visit, "paper.downloaded", found.id)
    return handed_out(found, body)


# -- many in one file -----------------------------------------------------------------------------------------------


@routes.get("/accounts/{account_id}/bundles/new", roles(READERS, Document.INVOICE))
def choose(visit: Visit) -> Answer:
    """What would be in the file: the chosen documents, or those of a period. Nothing is written."""
    try:
        chosen = _chosen(visit)
        problems: list[tuple[str, str]] = []
    except Refusal as refusal:
        chosen, problems = [], [(p.field, visit.words(f"problem.{p.code}")) for p in refusal.problems]
    ids = visit.query.get("document", [])
    values = {"count": len(chosen), "ids": ids, "from_on": visit.asked("from"), "to_on": visit.asked("to")}
    values |= {"request_key": secrets.token_urlsafe(24), "problems": problems}
    return page(visit, "bundle_new", status=422 if problems else 200, tab="documents", **values)


@routes.post("/accounts/{account_id}/bundles", roles(READERS, Document.INVOICE))
def ask(visit: Visit) -> Answer:
    seat, key = visit.account, visit.sent("request_key")[:100]
    made = services.bundles(visit.records).ask(seat.account_id, seat.entity_id, _chosen(visit), key, visit.actor)
    return see_other(f"{visit.home}/bundles/{made.id}")


@routes.get(_BUNDLE, roles(READERS, Document.INVOICE))
def bundle(visit: Visit) -> Answer:
    found = services.bundles(visit.records).get(visit.account.account_id, _bundle_id(visit))
    view = rows_of.bundle_view(found, found.is_there(visit.now), visit.now >= found.until, visit.words)
    until = visit.words.moment(found.until, visit.account.time_zone)
    return page(visit, "bundle", tab="documents", view=view, until=until, here=visit.here)


@routes.get(_BUNDLE + "/zip", roles(READERS, Document.INVOICE))
def take(visit: Visit) -> Answer:
    """Counted and on record, then straight from the bucket for a minute. Very many at once ask for a proof."""
    desk = services.bundles(visit.records)
    found = desk.get(visit.account.account_id, _bundle_id(visit))
    address = desk.address(found, f"{visit.words('file.documents')}-{found.asked_at:%Y-%m-%d}.zip")
    if found.done > MOST_DOWNLOADS and not is_proven(visit.who, visit.now):
        raise Refusal("proof_needed", "show again who you are, then go on")
    note_read(visit, "bundle.downloaded", found.id, found.done)
    return see_other(address)


def _bundle_id(visit: Visit) -> str:
    return check_id(visit.params["bundle_id"], "bun")


def _chosen(visit: Visit) -> list[tuple[str, str]]:
    """Documents by id, or of the dates; only what this reader sees. Refusal `invalid_list`."""
    sent = visit.form or visit.query
    store, account_id = visit.records, visit.account.account_id
    ids = [check_id(one, "inv") for one in sent.get("document", [])[:PAGE]]
    if ids:
        rows = list(reading.rows_by_id(store, account_id, ids).values())
    else:
        wish = wish_from({name: sent[name] for name in ("from", "to") if name in sent})
        rows = reading.register(store, account_id, wish, visit.today)
    return [(row.invoice_id, row.number) for row in sorted(rows, key=lambda r: (r.issued_on, r.invoice_id))]
