"""Autopay: the rule as a sentence, what the next runs will take, one debit and how to cancel it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.autopay import Typed, debit_view, plan_view, rule_form, rule_view, typed_rule
from functions.portal.proving import asks_proof, proof_problem
from functions.portal.visit import Visit
from saldo.access.model_visibility import SelfService
from saldo.access.rules import PAYERS
from saldo.autopay.model import Rule
from saldo.autopay.reading import Paying, paying_of
from saldo.autopay.records import debit_from, debit_key
from saldo.autopay.rules import check_rule
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.ids import check_id

routes = Routes("autopay")
_PAY = roles(PAYERS, SelfService.PAY)
_DONE = ("set", "off", "cancelled", "out", "in")


@routes.get("/accounts/{account_id}/autopay", _PAY)
def overview(visit: Visit) -> Answer:
    """The rule and its debits: one call."""
    view = rule_view(_paying(visit), visit.words)
    done = visit.asked("done")
    notice = visit.words(f"autopay.done.{done}") if done in _DONE else ""
    return page(visit, "autopay", view=view, notice=notice, tab="payments")


@routes.get("/accounts/{account_id}/autopay/preview", _PAY)
def preview(visit: Visit) -> Answer:
    """What the next runs will do, by the very rules that they follow."""
    view = plan_view(
        services.autopay().plan(visit.account.account_id, visit.today), visit.account.currency, visit.words
    )
    return page(visit, "autopay_preview", view=view, tab="payments")


@routes.get("/accounts/{account_id}/autopay/rule", _PAY)
def form(visit: Visit) -> Answer:
    paying = _paying(visit)
    return _form_page(visit, paying, typed_rule(_rule(visit, paying), visit.words), [])


@routes.post("/accounts/{account_id}/autopay/check", _PAY)
def check(visit: Visit) -> Answer:
    paying = _paying(visit)
    wanted, problems = _wanted(visit, paying)
    if problems:
        return _form_page(visit, paying, Typed.of(visit.form), problems)
    return _check_page(visit, paying, wanted, [])


@routes.post("/accounts/{account_id}/autopay", _PAY)
def set_rule(visit: Visit) -> Answer:
    paying = _paying(visit)
    wanted, problems = _wanted(visit, paying)
    if problems:
        return _form_page(visit, paying, Typed.of(visit.form), problems)
    if problem := proof_problem(visit):
        return _check_page(visit, paying, wanted, [("code", problem)])
    services.autopay().set_rule(wanted, visit.actor)
    return see_other(f"{visit.home}/autopay?done=set")


@routes.post("/accounts/{account_id}/autopay/off", _PAY)
def turn_off(visit: Visit) -> Answer:
    services.autopay().turn_off(visit.account.account_id, visit.actor)
    return see_other(f"{visit.home}/autopay?done=off")


@routes.post("/accounts/{account_id}/invoices/{invoice_id}/autopay", _PAY)
def leave_out(visit: Visit) -> Answer:
    """One invoice is left out, or taken in again, from its own page."""
    invoice_id, is_out = check_id(visit.params["invoice_id"], "inv"), visit.sent("leave") == "out"
    services.autopay().leave_out(visit.account.account_id, invoice_id, is_out, visit.actor)
    return see_other(f"{visit.home}/autopay?done={'out' if is_out else 'in'}")


@routes.get("/accounts/{account_id}/autopay/{debit_id}", _PAY)
def debit(visit: Visit) -> Answer:
    """Where the link of a notice leads: what will be taken, and one button that cancels it."""
    item = visit.records.get(*debit_key(visit.account.account_id, check_id(visit.params["debit_id"], "deb")))
    if item is None:
        raise NotFound("no such debit")
    return page(visit, "autopay_debit", view=debit_view(debit_from(item), visit.words), tab="payments")


@routes.post("/accounts/{account_id}/autopay/{debit_id}/cancel", _PAY)
def cancel(visit: Visit) -> Answer:
    services.autopay().cancel(visit.account.account_id, check_id(visit.params["debit_id"], "deb"), visit.actor)
    return see_other(f"{visit.home}/autopay?done=cancelled")


def _paying(visit: Visit) -> Paying:
    return paying_of(visit.records, visit.account.account_id)


def _rule(visit: Visit, paying: Paying) -> Rule:
    seat = visit.account
    return paying.rule or Rule(seat.account_id, seat.entity_id, seat.currency, version=0)


def _wanted(visit: Visit, paying: Paying) -> tuple[Rule, Sequence[tuple[str, str]]]:
    """The rule that the form describes, and everything that is wrong with it."""
    old = _rule(visit, paying)
    wanted, problems = Typed.of(visit.form).rule(replace(old, is_on=True), visit.words)
    if (wanted.method_id and paying.methods.find(wanted.method_id) is None) or not paying.methods.active:
        problems.append(("method", visit.words("refusal.method_unusable")))
    try:
        check_rule(wanted)
    except Refusal as refusal:
        problems += [(p.field, visit.words(f"autopay.problem.{p.field}")) for p in refusal.problems]
    return wanted, problems


def _form_page(visit: Visit, paying: Paying, typed: Typed, problems: Sequence[tuple[str, str]]) -> Answer:
    view = rule_form(paying.methods, typed, visit.words)
    return page(
        visit, "autopay_rule", status=422 if problems else 200, view=view, typed=typed, problems=problems,
        currency=visit.account.currency, tab="payments",
    )  # fmt: skip


def _check_page(visit: Visit, paying: Paying, wanted: Rule, problems: Sequence[tuple[str, str]]) -> Answer:
    view = rule_view(replace(paying, rule=wanted), visit.words)
    shown = {"view": view, "typed": Typed.of(visit.form), "asks_proof": asks_proof(visit), "problems": problems}
    return page(visit, "autopay_check", status=422 if problems else 200, tab="payments", **shown)
