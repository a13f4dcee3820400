"""Billing details of the account: what invoices carry, where they go, and what a change of it does."""

from __future__ import annotations

from dataclasses import replace

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters import details as shown
from functions.portal.presenters.details import Typed, typed_of
from functions.portal.proving import asks_proof, proof_problem
from functions.portal.visit import Visit
from saldo.access.model import Role
from saldo.access.rules import READERS
from saldo.access.rules_people import ADMINS
from saldo.accounts.records import ACCOUNT
from saldo.accounts.records_profiles import CURRENT_PROFILE
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id, new_id
from saldo.support.details import Details, DetailsDesk

routes = Routes("details")
_ALL = "/accounts/{account_id}/details"
_DONE = ("changed", "asked")
Problems = list[tuple[str, str]]


@routes.get(_ALL, roles(READERS, ahead=(ACCOUNT, CURRENT_PROFILE)))
def details(visit: Visit) -> Answer:
    now, t = _now(visit), visit.words
    facts = shown.facts_of(now, t)
    done, seat = visit.asked("done"), visit.account
    may_change = seat.role is Role.ACCOUNT_ADMIN and not visit.who.acting and not now.profile.is_erased
    values: dict[str, object] = {"facts": facts, "check": shown.tax_id_tag(now.account, t), "may_change": may_change}
    values |= {"notice": t(f"details.done.{done}") if done in _DONE else "", "tab": "details"}
    return page(visit, "details", status=200, **values)


@routes.get(_ALL + "/change", roles(ADMINS, ahead=(ACCOUNT, CURRENT_PROFILE)))
def form(visit: Visit) -> Answer:
    now = _now(visit)
    return _form(visit, now, typed_of(now), [])


@routes.post(_ALL + "/change", roles(ADMINS))
def change_answers(visit: Visit) -> Answer:
    return _form(visit, _now(visit), _typed(visit), [])


@routes.post(_ALL + "/check", roles(ADMINS))
def check(visit: Visit) -> Answer:
    return _check(visit, _now(visit), _typed(visit), new_id("tkt", visit.now), [])


@routes.post(_ALL, roles(ADMINS))
def change(visit: Visit) -> Answer:
    now, typed, ticket_id = _now(visit), _typed(visit), check_id(visit.sent("ticket"), "tkt")
    if typed.seen == now.profile.version and (problems := _problems(visit, now, typed)):
        return _form(visit, now, typed, problems)
    if problem := proof_problem(visit):
        return _check(visit, now, typed, ticket_id, [("code", problem)])
    question = shown.asking(ticket_id, f"{visit.home}/details", visit.words, "details.ticket.text")
    wish = typed.wish(now, visit.actor, correct=visit.form.get("correct", []), question=question)
    asked = _desk(visit).change(now, wish)
    return see_other(f"{visit.home}/details?done={'asked' if asked else 'changed'}")


def _desk(visit: Visit) -> DetailsDesk:
    return DetailsDesk(visit.records, services.sealer(), services.clock)


def _now(visit: Visit) -> Details:
    return _desk(visit).now(visit.account.account_id)


def _typed(visit: Visit) -> Typed:
    """The country is the seller's to change, whatever was sent."""
    return replace(Typed.of(visit.form), country="")


def _problems(visit: Visit, now: Details, typed: Typed) -> Problems:
    try:
        _desk(visit).check(now, typed.profile(now.profile), typed.sending())
    except Refusal as refusal:
        return shown.told(refusal.problems, visit.words)
    return []


def _form(visit: Visit, now: Details, typed: Typed, problems: Problems) -> Answer:
    values = {"form": shown.form_of(now, typed, visit.words), "problems": problems, "tab": "details"}
    return page(visit, "details_form", status=422 if problems else 200, **values)


def _check(visit: Visit, now: Details, typed: Typed, ticket_id: str, problems: Problems) -> Answer:
    try:
        effect = _desk(visit).effect(now, typed.profile(now.profile), typed.sending())
    except Refusal as refusal:
        return _form(visit, now, typed, shown.told(refusal.problems, visit.words))
    shown_now = shown.check_of(now, typed, effect, visit.form.get("correct", []), visit.words)
    values = {"check": shown_now, "ticket": ticket_id, "asks_proof": asks_proof(visit), "problems": problems}
    return page(visit, "details_check", status=422 if problems else 200, tab="details", **values)
