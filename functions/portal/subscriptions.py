"""Subscriptions of an account, and changing them with the exact charge and credit beforehand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.paying import typed_digits
from functions.portal.presenters.subscriptions import Asked, change_view, subscription_rows, subscription_view
from functions.portal.visit import Visit
from saldo.access.model_visibility import SelfService as Allowed
from saldo.access.rules import READERS
from saldo.access.rules_people import ADMINS
from saldo.accounts.records import ACCOUNT
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id, new_id
from saldo.kernel.numbers import number_in
from saldo.subscriptions.model import Change, ChangeKind
from saldo.subscriptions.records import CLAIMED, subscription_key

if TYPE_CHECKING:
    from saldo.invoicing.self_service import SelfService, Standing

routes = Routes("subscriptions")
_ONE = "/accounts/{account_id}/subscriptions/{subscription_id}"
_KINDS = (ChangeKind.QUANTITY, ChangeKind.PLAN, ChangeKind.CANCEL)
_MOST = Decimal(10) ** 12
Problems = list[tuple[str, str]]


@routes.get("/accounts/{account_id}/subscriptions", roles(READERS))
def subscriptions(visit: Visit) -> Answer:
    found = _room(visit).listed(visit.account.account_id, visit.account.entity_id)
    return page(visit, "subscriptions", rows=subscription_rows(found, visit.today, visit.words), tab="subscriptions")


@routes.get(_ONE, roles(READERS, ahead=(subscription_key("", "{subscription_id}")[1], ACCOUNT, CLAIMED)))
def subscription(visit: Visit) -> Answer:
    return _shown(visit, [], visit.words("subscription.done") if visit.asked("done") else "")


@routes.post(_ONE + "/check", roles(ADMINS, Allowed.SUBSCRIPTIONS))
def check(visit: Visit) -> Answer:
    standing = _standing(visit)
    change, problems = _change(visit, standing, new_id("chg", visit.now))
    return _shown(visit, problems) if change is None else _checked(visit, standing, change)


@routes.post(_ONE, roles(ADMINS, Allowed.SUBSCRIPTIONS))
def confirm(visit: Visit) -> Answer:
    """As it was looked at: where the amounts are others by now, they are shown once more."""
    standing, change_id = _standing(visit), check_id(visit.sent("change"), "chg")
    there = f"{visit.home}/subscriptions/{standing.subscription.id}?done=1"
    if any(c.id == change_id for c in standing.subscription.changes):
        return see_other(there)
    change, problems = _change(visit, standing, change_id)
    if change is None:
        return _shown(visit, problems)
    ids = visit.account.account_id, standing.subscription.id
    found = _room(visit).preview(*ids, change)
    if change_view(found, _asked(standing, change), visit.words).seen != visit.sent("seen"):
        return _checked(visit, standing, change, moved=True)
    _room(visit).change(*ids, change, visit.actor)
    return see_other(there)


def _room(visit: Visit) -> SelfService:
    return services.self_service(visit.records)


def _standing(visit: Visit) -> Standing:
    wanted = check_id(visit.params["subscription_id"], "sub")
    return _room(visit).standing(visit.account.account_id, wanted)


def _shown(visit: Visit, problems: Problems, notice: str = "") -> Answer:
    standing = _standing(visit)
    may = visit.account.role in ADMINS and visit.may("subscriptions") and not visit.who.acting and not standing.is_over
    choices = _room(visit).choices(standing, visit.today, standing.days_of_change(visit.today)) if may else []
    commitment = _room(visit).commitment(standing, visit.today, visit.account.time_zone)
    view = subscription_view(standing, choices, visit.today, visit.words, commitment)
    values = {"view": view, "may": may, "sent": visit.sent, "notice": notice, "problems": problems}
    return page(visit, "subscription", status=422 if problems else 200, tab="subscriptions", **values)


def _checked(visit: Visit, standing: Standing, change: Change, *, moved: bool = False) -> Answer:
    found = _room(visit).preview(visit.account.account_id, standing.subscription.id, change)
    asked = _asked(standing, change)
    fields = {n: visit.sent(n)[:60] for n in ("act", "when", "plan", *(f"q-{c.id}" for c in standing.counted))}
    view = change_view(found, asked, visit.words)
    fields |= {"change": change.id, "seen": view.seen}
    values: dict[str, Any] = {"view": view, "fields": fields, "moved": moved}
    name = subscription_view(standing, [], visit.today, visit.words).name
    back = f"{visit.home}/subscriptions/{standing.subscription.id}"
    return page(visit, "subscription_check", name=name, back=back, tab="subscriptions", **values)


def _change(visit: Visit, standing: Standing, change_id: str) -> tuple[Change | None, Problems]:
    """What the form asks for, or everything that is wrong with it."""
    act, when = visit.sent("act"), visit.sent("when")
    whens = ("term_end",) if act == ChangeKind.CANCEL and standing.subscription.term else ("now", "period_end")
    if act not in _KINDS or when not in whens:
        raise Refusal("invalid_form", "no such change")
    if standing.is_over:
        raise Refusal("already_ended", "the subscription has ended, or its end is agreed")
    if when == "term_end":
        return Change(change_id, ChangeKind.CANCEL, standing.cancelled_from(visit.today)), []
    at_once, at_end = standing.days_of_change(visit.today)
    on = at_once if when == "now" else at_end
    if act == ChangeKind.CANCEL:
        return Change(change_id, ChangeKind.CANCEL, on), []
    if act == ChangeKind.PLAN:
        return _to_plan(visit, standing, change_id, on)
    return _to_quantities(visit, standing, change_id, on)


def _to_plan(visit: Visit, standing: Standing, change_id: str, on: date) -> tuple[Change | None, Problems]:
    offered = _room(visit).sold_to(standing, visit.today)
    if visit.sent("plan") not in [version.id for _, version in offered]:
        return None, [("plan", visit.words("problem.nothing_to_change"))]
    return Change(change_id, ChangeKind.PLAN, on, plan_version_id=visit.sent("plan")), []


def _to_quantities(visit: Visit, standing: Standing, change_id: str, on: date) -> tuple[Change | None, Problems]:
    wanted, problems = dict[str, Decimal](), []
    for component in standing.counted:
        field = f"q-{component.id}"
        quantity = number_in(typed_digits(visit.sent(field)[:40], visit.words.language))
        if quantity is None or not 0 <= quantity < _MOST:
            problems.append((field, visit.words("problem.invalid_quantity")))
        elif quantity != standing.terms[-1].quantities.get(component.id, Decimal(1)):
            wanted[component.id] = quantity
    if problems:
        return None, problems
    if not wanted:
        first = f"q-{standing.counted[0].id}" if standing.counted else "act"
        return None, [(first, visit.words("problem.nothing_to_change"))]
    return Change(change_id, ChangeKind.QUANTITY, on, quantities=wanted), []


def _asked(standing: Standing, change: Change) -> Asked:
    return Asked(change, {c.id: c for c in standing.counted}, standing.plan_of(change.plan_version_id))
