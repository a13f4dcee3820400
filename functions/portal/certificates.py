"""Certificates of tax exemption: handing one in, and what the seller decided."""

from __future__ import annotations

import secrets

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.filters import date_from
from functions.portal.presenters.tags import Tag
from functions.portal.records_of_reading import note_read
from functions.portal.visit import Visit
from saldo.access.rules import PAYERS, READERS
from saldo.certificates.model import RequestState
from saldo.certificates.records import request_key
from saldo.certificates.rules import jurisdictions_from
from saldo.certificates.service import HandedIn
from saldo.kernel.errors import Problem, Problems, Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.numbers import number_in

routes = Routes("certificates")
TONES = {RequestState.WAITING: "wait", RequestState.ACCEPTED: "done", RequestState.REFUSED: "late"}
_FIELDS = ("number", "jurisdictions", "percent", "from", "until")


@routes.get("/accounts/{account_id}/certificate", roles(PAYERS))
def form(visit: Visit) -> Answer:
    return _form_page(visit, ())


@routes.post("/accounts/{account_id}/certificate", roles(PAYERS))
def hand_in(visit: Visit) -> Answer:
    """What the certificate says, then its file."""
    try:
        upload = services.certificates(visit.records).hand_in(_said(visit))
    except Refusal as refusal:
        if not refusal.problems:
            raise
        return _form_page(visit, refusal.problems)
    return see_other(f"{visit.home}/files/certificate/{upload.id}")


@routes.get(
    "/accounts/{account_id}/certificate/{upload_id}", roles(READERS, ahead=(request_key("", "{upload_id}")[1],))
)
def certificate(visit: Visit) -> Answer:
    upload_id = check_id(visit.params["upload_id"], "upl")
    found, t = services.certificates(visit.records).get(visit.account.account_id, upload_id), visit.words
    note_read(visit, "certificate_request.viewed", upload_id)
    facts = [
        (t("certificate.number"), found.number),
        (t("certificate.jurisdictions"), ", ".join(sorted(found.jurisdictions))),
        (t("certificate.percent"), t.number(found.percent)),
        (t("certificate.from"), t.day(found.from_on)),
        (t("certificate.until"), t.day(found.until_on)),
        (t("certificate.why"), found.words),
    ]
    tag, file = (
        Tag(TONES[found.state], t(f"certificate.state.{found.state}")),
        f"{visit.home}/files/certificate/{upload_id}",
    )
    return page(
        visit,
        "certificate",
        tab="documents",
        tag=tag,
        text=t(f"certificate.told.{found.state}"),
        facts=facts,
        file=file,
    )


def _said(visit: Visit) -> HandedIn:
    problems, seat = Problems(), visit.account
    from_on, until_on = (date_from(visit.sent(name).strip(), name, problems) for name in ("from", "until"))
    problems.refuse_if_any("these are no dates", "invalid_certificate_request")
    account = visit.records.get(seat.account_id, "account")
    assert account is not None, "who has a seat has an account"
    number = visit.sent("number")[:200]
    return HandedIn(
        account_id=seat.account_id,
        organisation_id=account["organisation_id"],
        entity_id=seat.entity_id,
        title=visit.words("certificate.title"),
        number=number,
        jurisdictions=jurisdictions_from(visit.sent("jurisdictions")[:1000]),
        from_on=from_on,
        until_on=until_on,
        request=visit.sent("request_key")[:100],
        actor=visit.actor,
        percent=number_in(visit.sent("percent").strip().replace(",", ".") or "100"),
    )


def _form_page(visit: Visit, problems: tuple[Problem, ...]) -> Answer:
    told = [(p.field, visit.words.known(f"problem.{p.code}", "problem.other")) for p in problems]
    values = {name: visit.sent(name) for name in _FIELDS}
    values["percent"] = values["percent"] or "100"
    key = secrets.token_urlsafe(24)
    status = 422 if told else 200
    return page(
        visit, "certificate_form", status=status, tab="documents", values=values, request_key=key, problems=told
    )
