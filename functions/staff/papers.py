"""A seller's papers for all its customers (a W-9, terms): published by staff, once looked at; taken back by staff."""

from __future__ import annotations

import secrets
from typing import Any

from functions.portal.answers import Answer, see_other
from functions.portal.handing_in import KINDS, form_of, handed_out, leading_to, name_in
from functions.portal.presenters.uploads import file_rows, upload_view
from functions.portal.services import uploads
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.reading import note_read
from functions.staff.tables import Sheet
from functions.staff.visit import StaffVisit
from saldo.kernel.errors import Refusal
from saldo.uploads.model import Name, UploadKind
from saldo.uploads.service import Wish

routes = Routes("papers")
ABOUT = "paper"
_ALL, _ONE = "/staff/{entity_id}/papers", "/staff/{entity_id}/files/paper/{upload_id}"


@routes.get(_ALL, staff(rules.READ))
def papers(visit: StaffVisit) -> Answer:
    return _page(visit)


@routes.post(_ALL, staff(rules.PUBLISH_PAPERS))
def publish(visit: StaffVisit) -> Answer:
    entity_id, sent = visit.at.entity_id, (visit.sent("title")[:500], visit.sent("request_key")[:100])
    try:
        wish = Wish(entity_id, ABOUT, UploadKind.PAPER, "", *sent, visit.actor, by_seller=True)
        upload = uploads(visit.records).ask(wish)
    except Refusal as refusal:
        if not refusal.problems:
            raise
        t = visit.words
        return _page(visit, [(p.field, t.known(f"problem.{p.code}", "problem.other")) for p in refusal.problems])
    return see_other(f"{visit.home}/files/{ABOUT}/{upload.id}")


@routes.get(_ONE, staff(rules.READ))
def paper(visit: StaffVisit) -> Answer:
    desk, name = uploads(visit.records), _name(visit)
    found, came = desk.get(name), bool(visit.asked("etag"))
    here = f"{visit.home}/files/{ABOUT}/{name.upload_id}"
    form = (
        form_of(desk, found, came, f"{services.settings().origin}{here}") if visit.may(rules.PUBLISH_PAPERS) else None
    )
    values: dict[str, Any] = {"view": upload_view(found, came, visit.words), "form": form, "kinds": KINDS, "here": here}
    return leading_to(page(visit, "upload", tab="papers", back=f"{visit.home}/papers", **values), form)


@routes.get(_ONE + "/content", staff(rules.READ))
def content(visit: StaffVisit) -> Answer:
    desk = uploads(visit.records)
    found = desk.get(_name(visit))
    body = desk.content(found)
    note_read(visit, visit.at.entity_id, "paper.downloaded", found.id)
    return handed_out(found, body)


@routes.post(_ONE + "/take-back", staff(rules.PUBLISH_PAPERS))
def take_back(visit: StaffVisit) -> Answer:
    uploads(visit.records).take_back(_name(visit), visit.actor)
    return see_other(f"{visit.home}/papers")


def _name(visit: StaffVisit) -> Name:
    return name_in(visit.at.entity_id, ABOUT, visit.params["upload_id"])


def _page(visit: StaffVisit, problems: list[tuple[str, str]] | None = None) -> Answer:
    t, found = visit.words, uploads(visit.records).of(visit.at.entity_id, ABOUT)
    rows = file_rows(found, visit.home, True, visit.at.time_zone, t)
    clean = [(one.id, one.title) for one in found if one.is_clean]
    values = {"view": Sheet(t("staff.nav.papers"), t("staff.papers_lead")), "files": rows, "clean": clean}
    values |= {"request_key": secrets.token_urlsafe(24), "title": visit.sent("title"), "problems": problems or []}
    return page(visit, "staff_papers", status=422 if problems else 200, tab="papers", **values)
