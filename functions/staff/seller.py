"""The seller's own bank account: where customers pay to. Changing it takes two people."""

from __future__ import annotations

import secrets

from functions.portal.answers import Answer, see_other
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.tables import Sheet
from functions.staff.visit import StaffVisit
from saldo.access.model_proposals import ProposalKind, Wish
from saldo.access.model_staff import StaffRole
from saldo.accounts.seller_details import BankDetails, checked_bank
from saldo.kernel.errors import Refusal

routes = Routes("seller")
_FIELDS = ("bank_name", "iban", "bic")
MAY_AGREE = frozenset({StaffRole.FINANCE_APPROVER.value})


@routes.get("/staff/{entity_id}/seller", staff(rules.CHANGE_SELLER))
def seller(visit: StaffVisit) -> Answer:
    entity = visit.who.found[visit.at.entity_id, "entity"]
    return _page(visit, {name: entity[name] for name in _FIELDS})


@routes.post("/staff/{entity_id}/seller/check", staff(rules.CHANGE_SELLER))
def check(visit: StaffVisit) -> Answer:
    sent = {name: visit.sent(name)[:60] for name in _FIELDS}
    t, why = visit.words, visit.sent("why")[:300]
    try:
        bank = checked_bank(BankDetails(**sent))
        if not why:
            raise Refusal("reason_required", "say why")
    except Refusal as refusal:
        named = [(p.field, t.known(f"problem.{p.code}", "staff.required")) for p in refusal.problems]
        return _page(visit, sent, named or [("why", t("refusal.reason_required"))])
    facts = [(t(f"staff.content.{name}"), getattr(bank, name)) for name in _FIELDS] + [(t("staff.credit.why"), why)]
    view = Sheet(t("staff.credit.check"), above=((t("staff.bank"), f"{visit.home}/seller"),), facts=facts)
    kept = {name: getattr(bank, name) for name in _FIELDS} | {"why": why, "request": secrets.token_hex(16)}
    return page(
        visit, "staff_credit_check", view=view, sent=kept, two=True, to=f"{visit.home}/seller", verb="ask", tab="seller"
    )


@routes.post("/staff/{entity_id}/seller/ask", staff(rules.CHANGE_SELLER))
def ask(visit: StaffVisit) -> Answer:
    bank = checked_bank(BankDetails(**{name: visit.sent(name) for name in _FIELDS}))
    content = {name: getattr(bank, name) for name in _FIELDS}
    entity_id, kind = visit.at.entity_id, ProposalKind.BANK_DETAILS
    wish = Wish(entity_id, kind, entity_id, content, visit.sent("why"), MAY_AGREE, visit.sent("request")[:64])
    return see_other(f"{visit.home}/proposals/{services.proposals().ask(wish, visit.actor).id}")


def _page(visit: StaffVisit, values: dict[str, str], problems: list[tuple[str, str]] | None = None) -> Answer:
    view = Sheet(visit.words("staff.bank"), visit.words("staff.bank_lead"))
    told = {"view": view, "values": values, "why": visit.sent("why"), "problems": problems or [], "tab": "seller"}
    return page(visit, "staff_seller", status=422 if problems else 200, **told)
