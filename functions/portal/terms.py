"""Payment terms of the account: what holds, what was asked for, asking for other ones."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.forms import whole
from functions.portal.pages import page
from functions.portal.presenters.terms import Typed, facts_of, rows_of, typed_of, whys
from functions.portal.visit import Visit
from saldo.access.model_visibility import SelfService
from saldo.access.rules import PAYERS
from saldo.accounts.records import ACCOUNT, account_from
from saldo.kernel.errors import NotFound, Problem, Refusal
from saldo.kernel.ids import check_id
from saldo.terms.model import Asked
from saldo.terms.rules import check_asked
from saldo.terms.service import held

routes = Routes("terms")
_PAY = roles(PAYERS, SelfService.PAY)
_ALL = "/accounts/{account_id}/terms"


@routes.get(_ALL, roles(PAYERS, SelfService.PAY, ahead=(ACCOUNT,)))
def terms(visit: Visit) -> Answer:
    """What holds, what was asked for and what became of it, and the form."""
    return _page(visit, None, ())


@routes.post(_ALL + "/check", _PAY)
def check(visit: Visit) -> Answer:
    typed, now = Typed.of(visit.form), _held(visit)
    try:
        asked, why = typed.asked(now, visit.account.currency, visit.words)
        check_asked(asked, now, services.terms_requests(visit.records).of_account(visit.account.account_id))
    except Refusal as refusal:
        return _page(visit, typed, refusal.problems)
    t, currency = visit.words, visit.account.currency
    facts = [*facts_of(asked, currency, t), (t("plan.why"), t(f"terms.why.{why}"))]
    before, key = facts_of(now, currency, t), secrets.token_urlsafe(24)
    return page(visit, "terms_check", facts=facts, before=before, typed=typed, request_key=key, tab="invoices")


@routes.post(_ALL, _PAY)
def ask(visit: Visit) -> Answer:
    typed, desk = Typed.of(visit.form), services.terms_requests(visit.records)
    try:
        asked, why = typed.asked(_held(visit), visit.account.currency, visit.words)
        desk.ask(visit.account.account_id, asked, why, visit.sent("request_key")[:100], visit.actor)
    except Refusal as refusal:
        if not refusal.problems:
            raise
        return _page(visit, typed, refusal.problems)
    return see_other(f"{visit.home}/terms")


@routes.post(_ALL + "/{request_id}/withdraw", _PAY)
def withdraw(visit: Visit) -> Answer:
    request_id, desk = check_id(visit.params["request_id"], "trq"), services.terms_requests(visit.records)
    desk.withdraw(visit.account.account_id, request_id, whole(visit.sent("seen")), visit.actor)
    return see_other(f"{visit.home}/terms")


def _held(visit: Visit) -> Asked:
    item = visit.records.get(visit.account.account_id, ACCOUNT)
    if item is None:
        raise NotFound("no such account")
    return held(account_from(item))


def _page(visit: Visit, typed: Typed | None, problems: Sequence[Problem]) -> Answer:
    now, t, seat = _held(visit), visit.words, visit.account
    rows = rows_of(services.terms_requests(visit.records).of_account(seat.account_id), seat.time_zone, t)
    told = [(p.field, t.known(f"problem.{p.code}", "problem.other")) for p in problems]
    shown = {"facts": facts_of(now, seat.currency, t), "rows": rows, "typed": typed or typed_of(now, seat.currency, t)}
    shown |= {"whys": whys(t), "currency": seat.currency, "problems": told}
    return page(visit, "terms", status=422 if told else 200, tab="invoices", **shown)
