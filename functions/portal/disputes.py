"""Disputes of the account: what is wrong with an invoice, checked, sent; then the thread with the seller."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.forms import whole
from functions.portal.lists import Kind, list_page
from functions.portal.pages import page
from functions.portal.presenters.disputes import (
    Filled,
    check_view,
    dispute_view,
    filled_from,
    form_view,
    rows_of,
    wish_from,
)
from functions.portal.presenters.filters import Filter
from functions.portal.presenters.uploads import file_rows
from functions.portal.records_of_reading import note_read
from functions.portal.visit import Visit
from saldo.access.model_visibility import SelfService
from saldo.access.rules import PAYERS, READERS
from saldo.disputes import records
from saldo.disputes.model import Dispute, DisputeState
from saldo.disputes.service import Disputable, Disputes
from saldo.invoicing.records import body_key, header_key
from saldo.kernel.errors import Problem, Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.periods import local_date
from saldo.uploads.kept import shown_key
from saldo.uploads.records import UPLOADS

routes = Routes("disputes")
_INVOICE = "/accounts/{account_id}/invoices/{invoice_id}/dispute"
_ONE = "/accounts/{account_id}/disputes/{dispute_id}"
_DISPUTABLE = tuple(key("", "{invoice_id}")[1] for key in (header_key, body_key, records.disputed_key))
_THREAD = tuple(key("", "{dispute_id}")[1] for key in (records.dispute_key, records.words_key, shown_key))
_STATES = {state.value: f"dispute.state.{state}" for state in DisputeState}


@routes.get("/accounts/{account_id}/disputes", roles(READERS, SelfService.DISPUTES))
def disputes(visit: Visit) -> Answer:
    zone = visit.account.time_zone
    kind = Kind("disputes", records.PREFIX, _STATES, records.dispute_from, lambda d, asked: _fits(d, asked, zone))
    return list_page(visit, kind, lambda found: rows_of(found.rows, zone, visit.words), "invoices")


def _fits(found: Dispute, asked: Filter, zone: str) -> bool:
    return asked.holds(local_date(found.opened_at, zone), found.state, found.number, found.id)


@routes.get(_INVOICE, roles(PAYERS, SelfService.DISPUTES, ahead=_DISPUTABLE))
def choose(visit: Visit) -> Answer:
    return _form_page(visit, _disputable(visit), Filled(page=whole(visit.asked("lines"))), ())


@routes.post(_INVOICE + "/check", roles(PAYERS, SelfService.DISPUTES))
def check(visit: Visit) -> Answer:
    """What it comes to with its tax, and what is then left to pay; nothing is written."""
    filled, found = filled_from(visit.form), _disputable(visit)
    try:
        wish = wish_from(filled, found, visit.actor, visit.words.language)
        claim, found = _desk(visit).claim(wish)
    except Refusal as refusal:
        return _form_page(visit, found, filled, refusal.problems)
    key = secrets.token_urlsafe(24)
    view = check_view(wish, claim, found, visit.words)
    return page(
        visit, "dispute_check", view=view, filled=filled, request_key=key, may_pay=visit.may_pay, tab="invoices"
    )


@routes.post(_INVOICE + "/change", roles(PAYERS, SelfService.DISPUTES))
def change(visit: Visit) -> Answer:
    """Back from the check with everything as it was filled in."""
    return _form_page(visit, _disputable(visit), filled_from(visit.form), ())


@routes.post(_INVOICE, roles(PAYERS, SelfService.DISPUTES))
def send(visit: Visit) -> Answer:
    """On record; who wants to pay the rest goes on to it."""
    filled, found = filled_from(visit.form), _disputable(visit)
    try:
        wish = wish_from(filled, found, visit.actor, visit.words.language, visit.sent("request_key")[:100])
        made = _desk(visit).open(wish)
    except Refusal as refusal:
        if not refusal.problems:
            raise
        return _form_page(visit, found, filled, refusal.problems)
    if visit.sent("then") == "pay" and visit.may_pay:
        return see_other(f"{visit.home}/pay?pay={made.invoice_id}")
    if visit.sent("then") == "files":
        return see_other(f"{visit.home}/invoices/{made.invoice_id}/files?dispute={made.id}")
    return see_other(f"{visit.home}/disputes/{made.id}")


@routes.get(_ONE, roles(READERS, SelfService.DISPUTES, ahead=(*_THREAD, UPLOADS)))
def dispute(visit: Visit) -> Answer:
    found = _desk(visit).get(visit.account.account_id, _id(visit))
    note_read(visit, "dispute.viewed", found.id)
    return _dispute_page(visit, found)


@routes.post(_ONE + "/say", roles(PAYERS, SelfService.DISPUTES))
def say(visit: Visit) -> Answer:
    return _acted(visit, "say")


@routes.post(_ONE + "/reopen", roles(PAYERS, SelfService.DISPUTES))
def reopen(visit: Visit) -> Answer:
    return _acted(visit, "reopen")


@routes.post(_ONE + "/withdraw", roles(PAYERS, SelfService.DISPUTES))
def withdraw(visit: Visit) -> Answer:
    _desk(visit).withdraw(visit.account.account_id, _id(visit), whole(visit.sent("seen")), visit.actor)
    return see_other(f"{visit.home}/disputes/{_id(visit)}")


def _acted(visit: Visit, verb: str) -> Answer:
    act = {"say": _desk(visit).say, "reopen": _desk(visit).reopen}[verb]
    try:
        act(visit.account.account_id, _id(visit), whole(visit.sent("seen")), visit.sent("words"), visit.actor)
    except Refusal as refusal:
        if not refusal.problems:
            raise
        return _dispute_page(visit, _desk(visit).get(visit.account.account_id, _id(visit)), refusal.problems)
    return see_other(f"{visit.home}/disputes/{_id(visit)}")


def _desk(visit: Visit) -> Disputes:
    return services.disputes(visit.records)


def _id(visit: Visit) -> str:
    return check_id(visit.params["dispute_id"], "dsp")


def _disputable(visit: Visit) -> Disputable:
    return _desk(visit).disputable(visit.account.account_id, check_id(visit.params["invoice_id"], "inv"))


def _form_page(visit: Visit, found: Disputable, filled: Filled, problems: Sequence[Problem]) -> Answer:
    told = _told(visit, problems)
    view = form_view(found, filled, dict(told), visit.words)
    return page(
        visit, "dispute_form", status=422 if told else 200, view=view, filled=filled, problems=told, tab="invoices"
    )


def _dispute_page(visit: Visit, found: Dispute, problems: Sequence[Problem] = ()) -> Answer:
    view = dispute_view(found, visit.who.user_id, visit.account.time_zone, visit.words)
    told = _told(visit, problems)
    may = visit.account.role in PAYERS and not visit.who.acting
    about = services.uploads(visit.records).shown_at(found.id, found.account_id, found.invoice_id)
    files = file_rows(about, visit.home, False, visit.account.time_zone, visit.words)
    values = {"view": view, "may": may, "words": visit.sent("words"), "problems": told, "tab": "invoices"}
    values["files"] = files
    return page(visit, "dispute", status=422 if told else 200, **values)


def _told(visit: Visit, problems: Sequence[Problem]) -> list[tuple[str, str]]:
    return [(p.field, visit.words.known(f"problem.{p.code}", "problem.other")) for p in problems]
