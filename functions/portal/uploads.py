"""Files of the account: handing one in about an invoice, following it, taking it."""

from __future__ import annotations

import secrets
from typing import Any

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.handing_in import KINDS, form_of, handed_out, leading_to, name_in
from functions.portal.pages import page
from functions.portal.presenters.uploads import upload_view
from functions.portal.records_of_reading import note_read
from functions.portal.visit import Visit
from saldo.access.model_visibility import SelfService
from saldo.access.rules import PAYERS, READERS
from saldo.invoicing import reading
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.uploads.model import Name, UploadKind
from saldo.uploads.service import Wish

routes = Routes("uploads")
_ONE = "/accounts/{account_id}/files/{about}/{upload_id}"


@routes.get("/accounts/{account_id}/invoices/{invoice_id}/files", roles(PAYERS, SelfService.DISPUTES))
def choose(visit: Visit) -> Answer:
    reading.invoice(visit.records, visit.account.account_id, check_id(visit.params["invoice_id"], "inv"))
    return _title_page(visit)


@routes.post("/accounts/{account_id}/invoices/{invoice_id}/files", roles(PAYERS, SelfService.DISPUTES))
def ask(visit: Visit) -> Answer:
    """On record that a file is to come, with what it shows; the file itself goes to the bucket."""
    invoice_id, seat = check_id(visit.params["invoice_id"], "inv"), visit.account
    header = reading.invoice(visit.records, seat.account_id, invoice_id).header
    wish = Wish(
        seat.account_id,
        invoice_id,
        UploadKind.EVIDENCE,
        header.organisation_id,
        visit.sent("title")[:500],
        visit.sent("request_key")[:100],
        visit.actor,
    )
    try:
        upload = services.uploads(visit.records).ask(wish)
    except Refusal as refusal:
        if not refusal.problems:
            raise
        return _title_page(
            visit, [(p.field, visit.words.known(f"problem.{p.code}", "problem.other")) for p in refusal.problems]
        )
    return see_other(f"{visit.home}/files/{invoice_id}/{upload.id}{_dispute(visit, visit.sent('dispute'))}")


@routes.get(_ONE, roles(READERS))
def upload(visit: Visit) -> Answer:
    """Where the file is chosen; then how far it got. The bucket leads back here, with its own word that it has it."""
    desk = services.uploads(visit.records)
    found, came = desk.get(_name(visit)), bool(visit.asked("etag"))
    dispute = _dispute(visit, visit.asked("dispute"))
    may = visit.account.role in PAYERS and not visit.who.acting
    form = form_of(desk, found, came, f"{services.settings().origin}{visit.here}{dispute}") if may else None
    back = f"{visit.home}/disputes/{dispute.partition('=')[2]}" if dispute else f"{visit.home}/documents?kind=files"
    values: dict[str, Any] = {"view": upload_view(found, came, visit.words), "form": form, "kinds": KINDS, "back": back}
    values["here"] = visit.here
    return leading_to(page(visit, "upload", tab="documents", **values), form)


@routes.get(_ONE + "/content", roles(READERS))
def content(visit: Visit) -> Answer:
    desk = services.uploads(visit.records)
    found = desk.get(_name(visit))
    body = desk.content(found)
    note_read(visit, "upload.downloaded", found.id)
    return handed_out(found, body)


def _name(visit: Visit) -> Name:
    return name_in(visit.account.account_id, visit.params["about"], visit.params["upload_id"])


def _dispute(visit: Visit, dispute_id: str) -> str:
    """The dispute that somebody came from, to be led back to."""
    return f"?dispute={check_id(dispute_id, 'dsp')}" if dispute_id else ""


def _title_page(visit: Visit, problems: list[tuple[str, str]] | None = None) -> Answer:
    invoice_id = check_id(visit.params["invoice_id"], "inv")
    dispute = visit.sent("dispute") or visit.asked("dispute")
    values = {"title": visit.sent("title"), "request_key": secrets.token_urlsafe(24), "problems": problems or []}
    values |= {"dispute": dispute if not dispute else check_id(dispute, "dsp")}
    values |= {"to": f"{visit.home}/invoices/{invoice_id}/files", "above": f"{visit.home}/invoices/{invoice_id}"}
    return page(visit, "upload_title", status=422 if problems else 200, tab="documents", **values)
