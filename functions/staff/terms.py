"""Requests of customers for other payment terms: one whole, refused, or put before a second person."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from functions.portal.answers import Answer, see_other
from functions.portal.forms import whole
from functions.portal.presenters.terms import facts_of, limit_text, terms_tag
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.kernel.clock import instant_from
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.storage.items import Item
from saldo.terms.model import TermsRequest, TermsState, WhyNot
from saldo.terms.records import PREFIX

routes = Routes("terms")
_ONE = "/staff/{entity_id}/accounts/{account_id}/terms/{request_id}"


def requests_table(visit: StaffVisit, items: Sequence[Item], names: Mapping[str, str]) -> Table:
    """What customers ask for, the oldest first; `items`: of the agenda of requests. `names`: of accounts."""
    t, rows = visit.words, []
    for item in items:
        if item["kind"] != "terms_request":
            continue
        age = t.number((visit.now - instant_from(item["agenda_on"])).days)
        limit = limit_text(item["total_minor"], item["currency"], t)
        href = f"{visit.home}/accounts/{item['account_id']}/terms/{item['sk'].removeprefix(PREFIX)}"
        rows.append(Row((names[item["account_id"]], t(f"terms.why.{item['reason']}"), age, limit), href))
    heads = columns(t("column.account"), t("plan.why"), t("staff.dispute_age") + "|money", t("terms.limit") + "|money")
    return Table("terms", t("terms.requests"), heads, rows, t("staff.nothing_waits"))


@routes.get(_ONE, staff(rules.READ))
def request(visit: StaffVisit) -> Answer:
    return _page(visit, _found(visit))


@routes.post(_ONE + "/propose", staff(rules.DECIDE_PROMISES))
def propose(visit: StaffVisit) -> Answer:
    found, seen, why = _found(visit), whole(visit.sent("seen")), visit.sent("why")[:300]
    asked = (found.account_id, found.id, seen, visit.actor, why, visit.sent("request")[:64])
    try:
        made = services.terms_requests().propose(services.proposals(), *asked)
    except Refusal as refusal:
        if refusal.code != "reason_required":
            raise
        return _page(visit, found, [("why", visit.words("refusal.reason_required"))])
    return see_other(f"{visit.home}/proposals/{made.id}")


@routes.post(_ONE + "/refuse", staff(rules.DECIDE_PROMISES))
def refuse(visit: StaffVisit) -> Answer:
    found, sent = _found(visit), visit.sent("why_not")
    if sent not in set(WhyNot):
        return _page(visit, found, [("why_not", visit.words("refusal.reason_required"))])
    seen = whole(visit.sent("seen"))
    services.terms_requests().refuse(found.account_id, found.id, seen, WhyNot(sent), visit.actor)
    return see_other(f"{visit.account_home}/terms/{found.id}")


def _found(visit: StaffVisit) -> TermsRequest:
    request_id = check_id(visit.params["request_id"], "trq")
    return services.terms_requests(visit.records).get(visit.customer["pk"], request_id)


def _page(visit: StaffVisit, found: TermsRequest, problems: list[tuple[str, str]] | None = None) -> Answer:
    t, zone = visit.words, visit.customer["time_zone"]
    above = ((t("staff.nav.promises"), f"{visit.home}/promises"), (visit.customer["name"], visit.account_home))
    before = [(f"{t('terms.now')}: {name}", value) for name, value in facts_of(found.before, found.currency, t)]
    facts = [(t("column.status"), terms_tag(found.state, t).text), *facts_of(found.asked, found.currency, t), *before]
    facts += [(t("plan.why"), t(f"terms.why.{found.why}")), (t("terms.asked_at"), t.moment(found.asked_at, zone))]
    facts += [(t("plan.why_not"), t(f"terms.why_not.{found.why_not}"))] if found.why_not else []
    view = Sheet(t("terms.request"), above=above, facts=facts)
    why_nots = [("", t("dispute.choose")), *((w.value, t(f"terms.why_not.{w}")) for w in WhyNot)]
    values = {"view": view, "one": found, "waits": found.state is TermsState.ASKED, "why_nots": why_nots}
    values |= {"why": visit.sent("why"), "problems": problems or [], "request": secrets.token_hex(16)}
    to = f"{visit.account_home}/terms/{found.id}"
    return page(visit, "staff_terms", status=422 if problems else 200, to=to, tab="promises", **values)
