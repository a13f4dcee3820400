"""Files about a customer's invoices: handing one in for the seller, following it, taking those that were looked at."""

from __future__ import annotations

import secrets
from typing import Any

from functions.portal.answers import Answer, see_other
from functions.portal.handing_in import KINDS, form_of, handed_out, leading_to, name_in
from functions.portal.presenters.uploads import upload_view
from functions.portal.services import uploads
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.reading import note_read
from functions.staff.visit import StaffVisit
from saldo.invoicing import reading
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.uploads.model import Name, UploadKind
from saldo.uploads.service import Wish

routes = Routes("uploads")
_OF_INVOICE = "/staff/{entity_id}/accounts/{account_id}/invoices/{invoice_id}/files"
_ONE = "/staff/{entity_id}/accounts/{account_id}/files/{about}/{upload_id}"


@routes.get(_OF_INVOICE, staff(rules.ASK_FOR_CREDITS))
def choose(visit: StaffVisit) -> Answer:
    reading.invoice(visit.records, visit.customer["pk"], check_id(visit.params["invoice_id"], "inv"))
    return _title_page(visit)


@routes.post(_OF_INVOICE, staff(rules.ASK_FOR_CREDITS))
def ask(visit: StaffVisit) -> Answer:
    account_id, invoice_id = visit.customer["pk"], check_id(visit.params["invoice_id"], "inv")
    organisation = reading.invoice(visit.records, account_id, invoice_id).header.organisation_id
    sent, kind = (visit.sent("title")[:500], visit.sent("request_key")[:100]), UploadKind.EVIDENCE
    try:
        wish = Wish(account_id, invoice_id, kind, organisation, *sent, visit.actor, by_seller=True)
        upload = uploads(visit.records).ask(wish)
    except Refusal as refusal:
        if not refusal.problems:
            raise
        t = visit.words
        return _title_page(visit, [(p.field, t.known(f"problem.{p.code}", "problem.other")) for p in refusal.problems])
    return see_other(f"{visit.account_home}/files/{invoice_id}/{upload.id}{_dispute(visit.sent('dispute'))}")


@routes.get(_ONE, staff(rules.READ))
def upload(visit: StaffVisit) -> Answer:
    desk = uploads(visit.records)
    found, came = desk.get(_name(visit)), bool(visit.asked("etag"))
    dispute, here = _dispute(visit.asked("dispute")), _path(visit)
    may = visit.may(rules.ASK_FOR_CREDITS) and found.by_seller
    form = form_of(desk, found, came, f"{services.settings().origin}{here}{dispute}") if may else None
    back = f"{visit.account_home}/disputes/{dispute.partition('=')[2]}" if dispute else visit.account_home
    values: dict[str, Any] = {
        "view": upload_view(found, came, visit.words),
        "form": form,
        "kinds": KINDS,
        "back": back,
        "here": here,
    }
    return leading_to(page(visit, "upload", tab="disputes", **values), form)


@routes.get(_ONE + "/content", staff(rules.READ))
def content(visit: StaffVisit) -> Answer:
    desk = uploads(visit.records)
    found = desk.get(_name(visit))
    body = desk.content(found)
    note_read(visit, visit.customer["pk"], "upload.downloaded", found.id)
    return handed_out(found, body)


def _name(visit: StaffVisit) -> Name:
    return name_in(visit.customer["pk"], visit.params["about"], visit.params["upload_id"])


def _path(visit: StaffVisit) -> str:
    name = _name(visit)
    return f"{visit.account_home}/files/{name.about}/{name.upload_id}"


def _dispute(dispute_id: str) -> str:
    return f"?dispute={check_id(dispute_id, 'dsp')}" if dispute_id else ""


def _title_page(visit: StaffVisit, problems: list[tuple[str, str]] | None = None) -> Answer:
    invoice_id = check_id(visit.params["invoice_id"], "inv")
    dispute = visit.sent("dispute") or visit.asked("dispute")
    values = {"title": visit.sent("title"), "request_key": secrets.token_urlsafe(24), "problems": problems or []}
    values |= {"dispute": dispute if not dispute else check_id(dispute, "dsp")}
    values |= {"to": f"{visit.account_home}/invoices/{invoice_id}/files"}
    values |= {"above": f"{visit.account_home}/invoices/{invoice_id}"}
    return page(visit, "upload_title", status=422 if problems else 200, tab="disputes", **values)
