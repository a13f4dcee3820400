"""One invoice without signing in: what it is, and paying it. Anything more asks to sign in."""

from __future__ import annotations

import secrets
from dataclasses import replace

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import PUBLIC, Routes, roles
from functions.portal.pages import page
from functions.portal.paying import AT_THE_GATEWAY
from functions.portal.presenters.invoices import invoice_view
from functions.portal.presenters.seller import bank_details
from functions.portal.signing_in import start_page
from functions.portal.visit import Visit
from functions.portal.words import language_for
from saldo.access.rules_people import ADMINS
from saldo.audit.model import Actor
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.periods import local_date
from saldo.payments.model import Allocation
from saldo.payments.pay_links import Payable

routes = Routes("pay_link")
_TOLD = frozenset({"approval_needed", "gateway_refused"})


@routes.get("/pay/{token}", PUBLIC)
def look(visit: Visit) -> Answer:
    found = services.pay_links().look(visit.params["token"])
    services.pay_links().note_opened(found, _actor(visit))
    return _page(visit, found)


@routes.post("/pay/{token}", PUBLIC)
def pay(visit: Visit) -> Answer:
    """All that is open, and only what the page showed; the same form leads to the same payment."""
    found = services.pay_links().look(visit.params["token"])
    key, header = visit.sent("request_key"), found.invoice.header
    if found.is_being_paid and not services.pay_links().has_begun(header.account_id, key):
        return _page(visit, found, "changed")
    if visit.sent("minor") != str(header.undisputed_minor) or header.undisputed_minor <= 0:
        return _page(visit, found, "changed")
    chosen, return_url = [Allocation(header.invoice_id, header.undisputed_minor)], f"{services.settings().origin}/paid"
    try:
        payment = services.payments().start(header.account_id, chosen, _actor(visit), key, return_url)
    except Refusal as refusal:
        if refusal.code not in _TOLD:
            raise
        return _page(visit, found, refusal.code)
    return see_other(payment.checkout_url if payment.status in AT_THE_GATEWAY else "/paid")


@routes.get("/paid", PUBLIC)
def paid(visit: Visit) -> Answer:
    """Where the gateway leads back to: it knows of no invoice, so that its address says nothing."""
    return page(visit, "paid")


@routes.post("/accounts/{account_id}/invoices/{invoice_id}/pay-link/revoke", roles(ADMINS))
def revoke(visit: Visit) -> Answer:
    return _changed(visit, services.pay_links().revoke)


@routes.post("/accounts/{account_id}/invoices/{invoice_id}/pay-link/allow", roles(ADMINS))
def allow(visit: Visit) -> Answer:
    return _changed(visit, services.pay_links().allow_again)


def _changed(visit: Visit, change: object) -> Answer:
    assert callable(change)
    invoice_id = check_id(visit.params["invoice_id"], "inv")
    change(visit.account.account_id, invoice_id, visit.actor)
    return see_other(f"{visit.home}/invoices/{invoice_id}")


def _actor(visit: Visit) -> Actor:
    """Nobody by name: whoever holds the link."""
    return Actor("pay_link", "link", visit.correlation_id, visit.origin.address)


def _page(visit: Visit, found: Payable, problem: str = "") -> Answer:
    header, zone = found.invoice.header, found.account["time_zone"]
    spoken = visit.asked("lang") or found.account["language"]
    visit = replace(visit, words=replace(visit.words, language=language_for(spoken, visit.words.language)))
    seller = found.invoice.others.get((header.entity_id, "entity"))
    values = {
        "view": invoice_view(found.invoice, local_date(visit.now, zone), zone, visit.words),
        "bank": bank_details(seller, header, visit.now, visit.words),
        "seller": seller["name"] if seller else "",
        "token": visit.params["token"],
        "minor": header.undisputed_minor,
        "is_being_paid": found.is_being_paid,
        "told_text": visit.words(f"pay_link.told.{problem}") if problem else "",
        "request_key": visit.sent("request_key") or secrets.token_urlsafe(24),
    }
    answer = start_page(visit, "pay_link", **values)
    return replace(answer, status=422) if problem else answer
