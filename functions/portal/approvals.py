"""Payments that wait for somebody else: asking, agreeing, declining, standing in."""

from __future__ import annotations

from datetime import date

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.approvals import approval_view, approvals_view
from functions.portal.presenters.filters import date_from
from functions.portal.proving import proof_problem
from functions.portal.visit import Visit
from saldo.access.model_people import People
from saldo.access.model_visibility import SelfService
from saldo.access.records_people import LAST, people_from
from saldo.access.rules import PAYERS, READERS, needs_step_up
from saldo.invoicing.reading import rows_by_id
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.money import Money
from saldo.payments import records_approvals as records
from saldo.payments import rules_approvals
from saldo.payments.approvals import APPROVERS
from saldo.payments.model import PaymentStatus
from saldo.payments.model_approvals import Approval, Decider, Delegation
from saldo.storage.store import Page

routes = Routes("approvals")
_SHOWN = 400
_AT_THE_GATEWAY = frozenset({PaymentStatus.STARTED, PaymentStatus.REQUIRES_ACTION})


@routes.get("/accounts/{account_id}/approvals", roles(READERS, SelfService.PAY))
def approvals(visit: Visit) -> Answer:
    return _list_page(visit, [])


@routes.get("/accounts/{account_id}/approvals/{approval_id}", roles(READERS, SelfService.PAY))
def approval(visit: Visit) -> Answer:
    return _approval_page(visit, [])


@routes.post("/accounts/{account_id}/approvals/{approval_id}/agree", roles(READERS, SelfService.PAY))
def agree(visit: Visit) -> Answer:
    found = _found(visit)
    if visit.sent("content") != found.content:
        raise Refusal("changed_meanwhile", "this is not what was shown")
    if _asks_proof(visit, found) and (problem := proof_problem(visit)):
        return _approval_page(visit, [("code", problem)])
    services.approvals().agree(found.account_id, found.id, _decider(visit), visit.actor)
    return _back(visit)


@routes.post("/accounts/{account_id}/approvals/{approval_id}/decline", roles(READERS, SelfService.PAY))
def decline(visit: Visit) -> Answer:
    found = _found(visit)
    try:
        services.approvals().decline(found.account_id, found.id, _decider(visit), visit.actor, visit.sent("reason"))
    except Refusal as refusal:
        if refusal.code != "reason_required":
            raise
        return _approval_page(visit, [("reason", visit.words("problem.decline_reason"))])
    return _back(visit)


@routes.post("/accounts/{account_id}/approvals/{approval_id}/withdraw", roles(PAYERS, SelfService.PAY))
def withdraw(visit: Visit) -> Answer:
    services.approvals().withdraw(visit.account.account_id, _found(visit).id, visit.actor)
    return _back(visit)


@routes.post("/accounts/{account_id}/approvals/{approval_id}/start", roles(PAYERS, SelfService.PAY))
def start(visit: Visit) -> Answer:
    """Exactly what was agreed to; the gateway's page takes over."""
    found = _found(visit)
    return_url = f"{services.settings().origin}{visit.home}/payments/{{payment_id}}"
    try:
        payment = services.approvals().start(services.payments(), found.account_id, found.id, visit.actor, return_url)
    except Refusal as refusal:
        if refusal.code != "approval_void":
            raise
        return _approval_page(visit, [("approval", visit.words("refusal.approval_void"))])
    to_pay = payment.checkout_url if payment.status in _AT_THE_GATEWAY else ""
    return see_other(to_pay or f"{visit.home}/payments/{payment.id}")


@routes.post("/accounts/{account_id}/approvals/stand-in", roles(APPROVERS))
def stand_in(visit: Visit) -> Answer:
    problems = Problems()
    days = [date_from(visit.sent(name), name, problems) for name in ("from", "until")]
    for name, day in zip(("from", "until"), days, strict=True):
        if day is None and not any(p.field == name for p in problems.found):
            problems.add(name, "invalid_date", "enter a date")
    try:
        problems.refuse_if_any("nobody can stand in like this", "invalid_delegation")
        from_on, until_on = (day or date.min for day in days)
        delegation = Delegation(visit.who.user_id, visit.sent("to")[:100], from_on, until_on)
        services.approvals().stand_in(visit.account.account_id, delegation, visit.actor)
    except Refusal as refusal:
        if refusal.code != "invalid_delegation":
            raise
        return _list_page(visit, [(p.field, visit.words(f"problem.{p.code}")) for p in refusal.problems])
    return see_other(f"{visit.home}/approvals?done=stand_in")


@routes.post("/accounts/{account_id}/approvals/come-back", roles(APPROVERS))
def come_back(visit: Visit) -> Answer:
    services.approvals().come_back(visit.account.account_id, visit.who.user_id, visit.actor)
    return see_other(f"{visit.home}/approvals?done=come_back")


def _back(visit: Visit) -> Answer:
    return see_other(f"{visit.home}/approvals/{visit.params['approval_id']}")


def _found(visit: Visit) -> Approval:
    approval_id = check_id(visit.params["approval_id"], "appr")
    item = visit.records.get(*records.approval_key(visit.account.account_id, approval_id))
    if item is None:
        raise NotFound("no such approval")
    return records.approval_from(item)


def _decider(visit: Visit) -> Decider:
    return Decider(visit.who.user_id, visit.account.role in APPROVERS)


def _asks_proof(visit: Visit, found: Approval) -> bool:
    return needs_step_up(visit.who, Money(found.amount_minor, found.currency), visit.now)


def _read(visit: Visit) -> tuple[Page, People]:
    """Approvals, newest first, who stands in for whom, and the account's people: one range of its records, one call."""
    account_id, first = visit.account.account_id, records.PREFIX
    read = visit.records.query(account_id, first=first, last=LAST, limit=_SHOWN, newest_first=True, consistent=True)
    return read, people_from(read.items, services.sealer(), visit.now)


def _list_page(visit: Visit, problems: list[tuple[str, str]]) -> Answer:
    """Whoever may approve also says who stands in for them."""
    read, people = _read(visit)
    view = approvals_view(read.items, people, visit.who.user_id, visit.account.time_zone, visit.words)
    done = visit.asked("done")
    notice = visit.words(f"approvals.done.{done}") if done in ("stand_in", "come_back") else ""
    may_delegate = visit.account.role in APPROVERS
    typed = {name: visit.sent(name)[:100] for name in ("to", "from", "until")}
    values = {"view": view, "notice": notice, "may_delegate": may_delegate, "typed": typed, "tab": "approvals"}
    return page(visit, "approvals", status=422 if problems else 200, problems=problems, **values)


def _approval_page(visit: Visit, problems: list[tuple[str, str]]) -> Answer:
    approval_id, seat = check_id(visit.params["approval_id"], "appr"), visit.account
    read, people = _read(visit)
    known = next((item for item in read.items if item.get("approval_id") == approval_id), None)
    if known is None and read.cursor is None:
        raise NotFound("no such approval")
    found = records.approval_from(known) if known else _found(visit)
    standing = [records.delegation_from(item) for item in read.items if item["kind"] == "delegation"]
    unnamed = [a.invoice_id for a in found.allocations if not a.number]  # asked for before numbers were kept
    rows = rows_by_id(visit.records, seat.account_id, unnamed[:100])
    may = rules_approvals.on_behalf(found, _decider(visit), standing, visit.now, visit.today)
    view = approval_view(found, rows, people, visit.who.user_id, seat.time_zone, visit.now, visit.words)
    asks = may is not None and _asks_proof(visit, found)
    values = {"view": view, "may": may is not None, "asks_proof": asks, "content": found.content, "tab": "approvals"}
    return page(visit, "approval", status=422 if problems else 200, problems=problems, **values)
