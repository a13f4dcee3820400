"""Billing details of an account, changed by the seller's people at its wish: the same form, check and use case as the
customer's own (functions/portal/details.py), with the reason why."""

from __future__ import annotations

from functions.portal.answers import Answer, see_other
from functions.portal.presenters import details as shown
from functions.portal.presenters.details import Typed, typed_of
from functions.portal.words import Words, language_for
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.reading import note_read
from functions.staff.tables import Sheet
from functions.staff.visit import StaffVisit
from saldo.accounts.records import account_from
from saldo.accounts.records_profiles import CURRENT_PROFILE
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.ids import check_id, new_id
from saldo.support.details import Details, DetailsDesk

routes = Routes("details")
_ALL = "/staff/{entity_id}/accounts/{account_id}/details"
Problems = list[tuple[str, str]]


def facts_of(visit: StaffVisit) -> tuple[shown.Facts, bool]:
    """What an account's page shows of them, and whether this reader may change them. That they were opened is on
    record."""
    now, t = _shown(visit), visit.words
    facts, tag = shown.facts_of(now, t), shown.tax_id_tag(now.account, t)
    if tag:
        facts.append((t("staff.tax_id_check"), f"{tag[0].text}, {tag[1]}"))
    return facts, visit.may(rules.CHANGE_DETAILS) and not now.profile.is_erased


@routes.get(_ALL + "/change", staff(rules.CHANGE_DETAILS, customers=(CURRENT_PROFILE,)))
def form(visit: StaffVisit) -> Answer:
    now = _shown(visit)
    return _form(visit, now, typed_of(now), [])


@routes.post(_ALL + "/change", staff(rules.CHANGE_DETAILS))
def change_answers(visit: StaffVisit) -> Answer:
    return _form(visit, _now(visit), Typed.of(visit.form), [])


@routes.post(_ALL + "/check", staff(rules.CHANGE_DETAILS))
def check(visit: StaffVisit) -> Answer:
    now, typed = _shown(visit), Typed.of(visit.form)
    if problems := _problems(visit, now, typed):
        return _form(visit, now, typed, problems)
    return _check(visit, now, typed)


@routes.post(_ALL, staff(rules.CHANGE_DETAILS))
def change(visit: StaffVisit) -> Answer:
    now, typed, why = _now(visit), Typed.of(visit.form), visit.sent("why")
    ticket_id = check_id(visit.sent("ticket"), "tkt")
    if typed.seen == now.profile.version and (problems := _problems(visit, now, typed)):
        return _form(visit, now, typed, problems)
    about, theirs = f"/accounts/{now.account.id}/details", Words(language_for(now.account.language))
    question = shown.asking(ticket_id, about, theirs, "staff.details.ticket")
    wish = typed.wish(now, visit.actor, why, correct=visit.form.get("correct", []), question=question)
    if _desk(visit).change(now, wish):
        return see_other(f"{visit.account_home}/tickets/{ticket_id}")
    return see_other(f"{visit.account_home}?show=contact&done=changed")


def _desk(visit: StaffVisit) -> DetailsDesk:
    return DetailsDesk(visit.records, services.sealer(), services.clock)


def _now(visit: StaffVisit) -> Details:
    return _desk(visit).now(visit.customer["pk"], account_from(visit.customer))


def _shown(visit: StaffVisit) -> Details:
    """For pages that show what is there, which is on record."""
    now = _now(visit)
    note_read(visit, now.account.id, "profile.viewed", f"profile {now.profile.version}")
    return now


def _problems(visit: StaffVisit, now: Details, typed: Typed) -> Problems:
    found: Problems = []
    try:
        _desk(visit).check(now, typed.profile(now.profile), typed.sending())
    except Refusal as refusal:
        found = shown.told(refusal.problems, visit.words)
    if not 0 < len(visit.sent("why")) <= 300:
        found.append(("why", visit.words("refusal.reason_required")))
    return found


def _form(visit: StaffVisit, now: Details, typed: Typed, problems: Problems) -> Answer:
    if now.profile.is_erased:
        raise NotFound
    t = visit.words
    view = Sheet(t("details.change"), t("details.change_lead"), above=_above(visit))
    values = {
        "view": view,
        "form": shown.form_of(now, typed, t, asks_country=True),
        "why": visit.sent("why"),
        "problems": problems,
    }
    return page(visit, "staff_details_form", status=422 if problems else 200, tab="customers", **values)


def _check(visit: StaffVisit, now: Details, typed: Typed) -> Answer:
    t = visit.words
    effect = _desk(visit).effect(now, typed.profile(now.profile), typed.sending())
    told = shown.check_of(now, typed, effect, visit.form.get("correct", []), t)
    if now.account.terms.review:
        told.meanings.append(t("staff.details.drafts"))
    view = Sheet(t("details.check"), t("details.check_lead"), above=_above(visit))
    values = {"view": view, "check": told, "why": visit.sent("why"), "ticket": new_id("tkt", visit.now)}
    return page(visit, "staff_details_check", status=200, tab="customers", **values)


def _above(visit: StaffVisit) -> tuple[tuple[str, str], ...]:
    t = visit.words
    return (t("staff.customers"), f"{visit.home}/customers"), (visit.customer["name"], visit.account_home)
