"""Stored payment methods, bank transfer, and payments that start on a later day."""

from __future__ import annotations

import secrets

from functions.portal import services
from functions.portal.answers import JWT, Answer, download, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.methods import method_row, methods_view, scheduled_rows
from functions.portal.presenters.seller import signed_view, transfer_details
from functions.portal.proving import asks_proof, proof_problem
from functions.portal.records_of_reading import note_read
from functions.portal.visit import Visit
from saldo.access.model_visibility import SelfService
from saldo.access.rules import PAYERS
from saldo.accounts.records import bank_statement_from
from saldo.kernel.errors import NotFound
from saldo.payments import scheduled
from saldo.payments.records_methods import methods_of
from saldo.storage.items import Item

routes = Routes("methods")
_DONE = ("default", "removed", "scheduled", "cancelled")
_PAY = roles(PAYERS, SelfService.PAY)


@routes.get("/accounts/{account_id}/methods", _PAY)
def methods(visit: Visit) -> Answer:
    view = methods_view(methods_of(visit.records, visit.account.account_id), visit.today, visit.words)
    return page(visit, "methods", view=view, notice=_notice(visit), tab="payments")


@routes.get("/accounts/{account_id}/methods/add", _PAY)
def add_form(visit: Visit) -> Answer:
    return _add_page(visit, [])


@routes.post("/accounts/{account_id}/methods/add", _PAY)
def add(visit: Visit) -> Answer:
    """What is typed next is typed at the gateway; who may charge the account is worth a proof."""
    if problem := proof_problem(visit):
        return _add_page(visit, [("code", problem)])
    back = f"{services.settings().origin}{visit.home}/methods"
    key = visit.sent("request_key")
    method = services.payments().methods.begin(visit.account.account_id, visit.actor, key, back)
    return see_other(method.url or f"{visit.home}/methods")


@routes.get("/accounts/{account_id}/methods/transfer", _PAY)
def transfer(visit: Visit) -> Answer:
    """The seller's bank details with the reference that ties a transfer to this account."""
    seller = _seller(visit)
    bank = transfer_details(seller, visit.account.account_id, visit.now, visit.words)
    signed = signed_view(bank_statement_from(seller), services.settings().origin, visit.words)
    return page(visit, "transfer", tab="payments", bank=bank, signed=signed)


@routes.get("/accounts/{account_id}/methods/transfer/signed", _PAY)
def signed_details(visit: Visit) -> Answer:
    """The seller's signed bank details, for the payer's own system to check (RFC 7519)."""
    statement = bank_statement_from(_seller(visit))
    if statement is None:
        raise NotFound("nobody signed this seller's bank details")
    note_read(visit, "bank_details.downloaded", visit.account.entity_id)
    return download(statement.signed, JWT, f"bank-details-{visit.account.entity_id}-{statement.number}.jwt")


@routes.get("/accounts/{account_id}/methods/{method_id}", _PAY)
def method(visit: Visit) -> Answer:
    found = methods_of(visit.records, visit.account.account_id)
    one = found.find(visit.params["method_id"])
    if one is None:
        raise NotFound("no such payment method")
    row = method_row(one, found, visit.today, visit.words)
    return page(visit, "method", row=row, tab="payments")


@routes.post("/accounts/{account_id}/methods/{method_id}/default", _PAY)
def make_default(visit: Visit) -> Answer:
    services.payments().methods.choose_default(visit.account.account_id, visit.params["method_id"], visit.actor)
    return see_other(f"{visit.home}/methods?done=default")


@routes.post("/accounts/{account_id}/methods/{method_id}/remove", _PAY)
def remove(visit: Visit) -> Answer:
    services.payments().methods.remove(visit.account.account_id, visit.params["method_id"], visit.actor)
    return see_other(f"{visit.home}/methods?done=removed")


@routes.get("/accounts/{account_id}/scheduled", _PAY)
def scheduled_payments(visit: Visit) -> Answer:
    items = visit.records.query_all(visit.account.account_id, prefix=scheduled.PREFIX)
    rows = scheduled_rows([scheduled.scheduled_from(item) for item in items], visit.words)
    return page(visit, "scheduled", rows=rows, notice=_notice(visit), tab="payments")


@routes.post("/accounts/{account_id}/scheduled/{scheduled_id}/cancel", _PAY)
def cancel(visit: Visit) -> Answer:
    services.scheduled().cancel(visit.account.account_id, visit.params["scheduled_id"], visit.actor)
    return see_other(f"{visit.home}/scheduled?done=cancelled")


def _seller(visit: Visit) -> Item:
    item = visit.records.get(visit.account.entity_id, "entity")
    if item is None:
        raise NotFound("no such seller")
    return item


def _add_page(visit: Visit, problems: list[tuple[str, str]]) -> Answer:
    key = visit.sent("request_key") or secrets.token_urlsafe(24)
    shown = {"request_key": key, "asks_proof": asks_proof(visit), "problems": problems}
    return page(visit, "method_add", status=422 if problems else 200, tab="payments", **shown)


def _notice(visit: Visit) -> str:
    done = visit.asked("done")
    return visit.words(f"methods.done.{done}") if done in _DONE else ""
