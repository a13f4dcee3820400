"""Promises to pay and payment plans of the account: chosen, checked, made or asked for; followed, paid, cancelled."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.forms import whole
from functions.portal.pages import page
from functions.portal.presenters.plans import Filled, check_view, chosen_again, form_view, plan_view, rows_of
from functions.portal.proving import proof_problem
from functions.portal.visit import Visit
from saldo.access.model_visibility import SelfService
from saldo.access.rules import PAYERS, READERS, needs_step_up
from saldo.invoicing import open_list
from saldo.invoicing.records import OPEN_LIST
from saldo.kernel.errors import Problem, Problems, Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.money import Money
from saldo.ledger.records import BALANCE
from saldo.payments.model_methods import StoredMethod
from saldo.payments.records_methods import methods_of
from saldo.promises.model import Offer, PromiseState, Wanted
from saldo.promises.reading import dues_of, headers_of, promise_of, promises_of
from saldo.promises.records import promise_key
from saldo.promises.service import Wish

routes = Routes("plans")
_PAY = roles(PAYERS, SelfService.PAY)
_FORM = roles(PAYERS, SelfService.PAY, ahead=(BALANCE, OPEN_LIST))  # what is open, where it is kept
_ALL = "/accounts/{account_id}/plans"
_ONE = _ALL + "/{promise_id}"


@routes.get(_ALL, roles(READERS))
def plans(visit: Visit) -> Answer:
    rows = rows_of(promises_of(visit.records, visit.account.account_id), visit.words)
    return page(visit, "plans", rows=rows, tab="invoices")


@routes.get(_ALL + "/new", _FORM)
def choose(visit: Visit) -> Answer:
    """`pay` names invoices; `replaces` the plan that another one is to stand for."""
    filled = Filled(tuple(visit.query.get("pay", [])))
    if visit.asked("replaces"):
        old = promise_of(visit.records, visit.account.account_id, check_id(visit.asked("replaces"), "prm"))
        filled = chosen_again(old, filled)
    return _form_page(visit, filled, ())


@routes.post(_ALL + "/check", _PAY)
def check(visit: Visit) -> Answer:
    """What it comes to, instalment by instalment, and whether the seller has to be asked; nothing is written."""
    filled = Filled.of(visit.form)
    try:
        wanted, offer = _offered(visit, filled)
    except Refusal as refusal:
        return _refused(visit, filled, refusal)
    return _check_page(visit, filled, wanted, offer, secrets.token_urlsafe(24), [])


@routes.post(_ALL + "/change", _FORM)
def change(visit: Visit) -> Answer:
    """Back from the check with everything as it was filled in."""
    return _form_page(visit, Filled.of(visit.form), ())


@routes.post(_ALL, _PAY)
def make(visit: Visit) -> Answer:
    filled, key, seen = Filled.of(visit.form), visit.sent("request_key")[:100], _minor(visit.sent("seen_minor"))
    desk = services.promises(visit.records)
    if known := desk.known(visit.account.account_id, key):
        return see_other(f"{visit.home}/plans/{known.id}")
    try:
        wanted, offer = _offered(visit, filled)
        if _asks_proof(visit, wanted, offer) and (problem := proof_problem(visit)):
            return _check_page(visit, filled, wanted, offer, key, [("code", problem)])
        wish = Wish(visit.account.account_id, wanted, key, seen, visit.actor, filled.replaces)
        made = desk.make(wish)
    except Refusal as refusal:
        return _refused(visit, filled, refusal)
    return see_other(f"{visit.home}/plans/{made.id}")


@routes.get(_ONE, roles(READERS, ahead=(promise_key("", "{promise_id}")[1],)))
def plan(visit: Visit) -> Answer:
    found = promise_of(visit.records, visit.account.account_id, check_id(visit.params["promise_id"], "prm"))
    is_current = found.state is PromiseState.CURRENT
    dues = dues_of(found, headers_of(visit.records, found)) if is_current else ()
    view = plan_view(found, dues, visit.today, visit.account.time_zone, visit.words)
    return page(visit, "plan", view=view, may=visit.may_pay and not visit.who.acting, tab="invoices")


@routes.post(_ONE + "/cancel", _PAY)
def cancel(visit: Visit) -> Answer:
    promise_id = check_id(visit.params["promise_id"], "prm")
    desk = services.promises(visit.records)
    desk.cancel(visit.account.account_id, promise_id, whole(visit.sent("seen")), visit.actor)
    return see_other(f"{visit.home}/plans/{promise_id}")


def _minor(text: str) -> int:
    """The sum that was shown, in minor units; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0


def _wanted(filled: Filled) -> Wanted:
    problems = Problems()
    wanted = filled.wanted(problems)
    problems.refuse_if_any("this cannot be promised so", "invalid_promise")
    return wanted


def _offered(visit: Visit, filled: Filled) -> tuple[Wanted, Offer]:
    wanted = _wanted(filled)
    return wanted, services.promises(visit.records).offer(visit.account.account_id, wanted, filled.replaces)


def _asks_proof(visit: Visit, wanted: Wanted, offer: Offer) -> bool:
    """Whether what is to be charged asks for a proof of who is there."""
    return bool(wanted.method_id) and needs_step_up(visit.who, Money(offer.minor, offer.currency), visit.now)


def _refused(visit: Visit, filled: Filled, refusal: Refusal) -> Answer:
    if refusal.code != "invalid_promise":
        raise refusal
    return _form_page(visit, filled, refusal.problems)


def _methods(visit: Visit, currency: str) -> Sequence[StoredMethod]:
    return methods_of(visit.records, visit.account.account_id).paying(currency, visit.today)


def _form_page(visit: Visit, filled: Filled, problems: Sequence[Problem]) -> Answer:
    rows = open_list.rows_of(visit.records, visit.account.account_id)
    known = {r.invoice_id: r.currency for r in rows}
    currency = next((known[i] for i in filled.invoices if i in known), visit.account.currency)
    told = [(p.field, visit.words.known(f"problem.{p.code}", "problem.other")) for p in problems]
    told = list(dict.fromkeys(told))
    view = form_view(rows, filled, _methods(visit, currency), currency, visit.today, visit.words)
    return page(
        visit, "plan_form", status=422 if told else 200, view=view, filled=filled, problems=told, tab="invoices"
    )


def _check_page(
    visit: Visit, filled: Filled, wanted: Wanted, offer: Offer, key: str, problems: Sequence[tuple[str, str]]
) -> Answer:
    view = check_view(offer, wanted, _methods(visit, offer.currency), visit.words)
    asks = _asks_proof(visit, wanted, offer)
    shown = {"view": view, "filled": filled, "request_key": key, "asks_code": asks, "problems": problems}
    return page(visit, "plan_check", status=422 if problems else 200, tab="invoices", **shown)
