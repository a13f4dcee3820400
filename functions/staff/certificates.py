"""Certificates of exemption that customers handed in: the queue, one of them, and deciding it."""

from __future__ import annotations

from collections.abc import Mapping

from functions.portal.answers import Answer, see_other
from functions.portal.certificates import TONES
from functions.portal.presenters.tags import Tag
from functions.portal.presenters.uploads import file_rows
from functions.portal.services import uploads
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.reading import names_of, note_read
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.certificates.model import CertificateRequest, RequestState
from saldo.certificates.records import PREFIX, request_key, waiting_agenda
from saldo.certificates.service import ABOUT
from saldo.kernel.clock import instant_from
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.storage.items import Item
from saldo.uploads.model import Name
from saldo.uploads.records import upload_key

routes = Routes("certificates")
_ONE = "/staff/{entity_id}/accounts/{account_id}/certificates/{upload_id}"
_REQUEST = (request_key("", "{upload_id}")[1], upload_key(Name("", ABOUT, "{upload_id}"))[1])
PAGE = 50


@routes.get("/staff/{entity_id}/certificates", staff(rules.READ))
def certificates(visit: StaffVisit) -> Answer:
    """What waits, the oldest first."""
    t, got = visit.words, visit.records.query(waiting_agenda(visit.at.entity_id), agenda=True, limit=PAGE)
    heads = columns(t("column.account"), t("staff.certificate_asked") + "|day")
    names = names_of(visit, (item["pk"] for item in got.items))
    rows = [_row(visit, item, names) for item in got.items]
    table = Table("certificates", t("staff.nav.certificates"), heads, rows, t("staff.nothing_waits"))
    view = Sheet(t("staff.nav.certificates"), t("staff.certificates_lead"), tables=(table,))
    return page(visit, "staff_sheet", tab="certificates", view=view)


def _row(visit: StaffVisit, item: Item, names: Mapping[str, str]) -> Row:
    upload_id = item["sk"].removeprefix(PREFIX)
    asked = visit.words.moment(instant_from(item["agenda_on"]), visit.at.time_zone)
    return Row((names[item["pk"]], asked), f"{visit.home}/accounts/{item['pk']}/certificates/{upload_id}")


@routes.get(_ONE, staff(rules.READ, customers=_REQUEST))
def certificate(visit: StaffVisit) -> Answer:
    found = _found(visit)
    note_read(visit, found.account_id, "certificate_request.viewed", found.upload_id)
    return _page(visit, found)


@routes.post(_ONE + "/accept", staff(rules.JUDGE_CERTIFICATES))
def accept(visit: StaffVisit) -> Answer:
    found = _found(visit)
    try:
        services.certificates().accept(found.account_id, found.upload_id, services.tax_standing(), visit.actor)
    except Refusal as refusal:
        return _page(visit, found, [("words", visit.words.known(f"refusal.{refusal.code}", "failure.422.text"))])
    return see_other(f"{visit.home}/certificates")


@routes.post(_ONE + "/refuse", staff(rules.JUDGE_CERTIFICATES))
def refuse(visit: StaffVisit) -> Answer:
    found = _found(visit)
    try:
        services.certificates().refuse(found.account_id, found.upload_id, visit.sent("words"), visit.actor)
    except Refusal as refusal:
        code = f"problem.{refusal.problems[0].code}" if refusal.problems else f"refusal.{refusal.code}"
        return _page(visit, found, [("words", visit.words.known(code, "failure.422.text"))])
    return see_other(f"{visit.home}/certificates")


def _found(visit: StaffVisit) -> CertificateRequest:
    return services.certificates(visit.records).get(visit.customer["pk"], check_id(visit.params["upload_id"], "upl"))


def _page(visit: StaffVisit, found: CertificateRequest, problems: list[tuple[str, str]] | None = None) -> Answer:
    t, zone = visit.words, visit.customer["time_zone"]
    file = uploads(visit.records).get(Name(found.account_id, ABOUT, found.upload_id))
    facts = [
        (t("column.account"), visit.customer["name"]),
        (t("certificate.number"), found.number),
        (t("certificate.jurisdictions"), ", ".join(sorted(found.jurisdictions))),
        (t("certificate.percent"), t.number(found.percent)),
        (t("certificate.from"), t.day(found.from_on)),
        (t("certificate.until"), t.day(found.until_on)),
        (t("certificate.why"), found.words),
    ]
    above = ((t("staff.nav.certificates"), f"{visit.home}/certificates"), (visit.customer["name"], visit.account_home))
    sheet = Sheet(t("certificate.title"), t("staff.certificate_lead"), above=above, facts=facts)
    tag = Tag(TONES[found.state], t(f"certificate.state.{found.state}"))
    values = {"view": sheet, "tag": tag, "files": file_rows([file], visit.account_home, True, zone, t)}
    values |= {"waits": found.state is RequestState.WAITING, "is_clean": file.is_clean, "words": visit.sent("words")}
    values |= {"to": f"{visit.account_home}/certificates/{found.upload_id}", "problems": problems or []}
    return page(visit, "staff_certificate", status=422 if problems else 200, tab="certificates", **values)
