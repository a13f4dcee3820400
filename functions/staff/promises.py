"""Requests of a seller's customers to pay later: the queue, one whole, and deciding it; the seller's limits."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from functions.portal.answers import Answer, see_other
from functions.portal.forms import whole
from functions.portal.presenters.plans import plan_view
from functions.portal.presenters.tags import promise_tag
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.reading import names_of
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.terms import requests_table
from functions.staff.visit import StaffVisit
from saldo.access.model_proposals import Proposal
from saldo.accounts.agenda import requests_agenda
from saldo.kernel.clock import instant_from
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.periods import local_date
from saldo.promises.deciding import takes_two
from saldo.promises.model import Limits, Promise, PromiseState, WhyNot
from saldo.promises.reading import dues_of, headers_of, promise_of, promises_of
from saldo.promises.records import PREFIX, limits_key, policy_from, promise_key
from saldo.storage.items import Item

routes = Routes("promises")
PAGE = 100
_ONE = "/staff/{entity_id}/accounts/{account_id}/promises/{promise_id}"


@routes.get("/staff/{entity_id}/promises", staff(rules.READ, ahead=(limits_key("")[1],)))
def promises(visit: StaffVisit) -> Answer:
    """What customers ask for, the oldest first; below it within which limits nobody has to ask."""
    t, entity_id = visit.words, visit.at.entity_id
    got = visit.records.query(requests_agenda(entity_id), agenda=True, limit=PAGE)
    accounts = names_of(visit, (item["account_id"] for item in got.items))
    heads = columns(t("column.number"), t("plan.why"), t("column.account"), t("staff.dispute_age") + "|money")
    heads += columns(t("plan.total") + "|strong")
    queue = Table(
        "promises",
        t("staff.nav.promises"),
        heads,
        [_row(visit, i, accounts) for i in got.items if i["kind"] == "promise"],
        t("staff.nothing_waits"),
    )
    policy = policy_from(visit.records.get(*limits_key(entity_id)))
    kinds = {"": policy.limits, **policy.segments}
    names = columns(t("staff.limits.of"), *(f"{t(f'staff.limits.{name}')}|money" for name in _LIMITS))
    rows = [_limits_row(visit, segment, limits) for segment, limits in kinds.items()]
    limits = Table("limits", t("staff.limits.title"), names, rows, "")
    view = Sheet(
        t("staff.nav.promises"),
        t("staff.promises_lead"),
        tables=(queue, requests_table(visit, got.items, accounts), limits),
    )
    return page(visit, "staff_sheet", tab="promises", view=view)


_LIMITS = tuple(Limits.__dataclass_fields__)


def _limits_row(visit: StaffVisit, segment: str, limits: Limits) -> Row:
    t = visit.words
    cells = [segment or t("staff.limits.everybody")]
    for name in _LIMITS:
        value = getattr(limits, name)
        is_sum = name == "most_minor"
        cells.append((t.money(value, visit.at.currency) if value else "–") if is_sum else t.number(value))
    return Row(tuple(cells))


def _row(visit: StaffVisit, item: Item, names: Mapping[str, str]) -> Row:
    t, promise_id = visit.words, item["sk"].removeprefix(PREFIX)
    age = t.number((visit.now - instant_from(item["agenda_on"])).days)
    amount = t.money(item["total_minor"], item["currency"])
    cells = (item["number"], t(f"plan.why.{item['reason']}"), names[item["account_id"]], age, amount)
    return Row(cells, f"{visit.home}/accounts/{item['account_id']}/promises/{promise_id}")


def of_account(visit: StaffVisit) -> Table:
    """All promises of one account, for its page."""
    t = visit.words
    rows = [
        Row(
            (
                ", ".join(c.number for c in p.covers[:3]),
                t.day(p.until_on),
                promise_tag(p.state, t),
                t.money(p.minor, p.currency),
            ),
            f"{visit.account_home}/promises/{p.id}",
        )
        for p in promises_of(visit.records, visit.customer["pk"])
    ]
    heads = columns(
        t("column.number"), t("plan.until") + "|day", t("column.status") + "|tag", t("plan.total") + "|strong"
    )
    return Table("promises", t("plans.title"), heads, rows, t("plans.none"))


@routes.get(_ONE, staff(rules.READ, customers=(promise_key("", "{promise_id}")[1],)))
def promise(visit: StaffVisit) -> Answer:
    return _page(visit, _found(visit))


@routes.post(_ONE + "/agree", staff(rules.DECIDE_PROMISES))
def agree(visit: StaffVisit) -> Answer:
    """At once, or before a second person where the sum asks for one."""
    found = _found(visit)
    try:
        request, why = visit.sent("request")[:64] or secrets.token_hex(16), visit.sent("why")[:300]
        seen = whole(visit.sent("seen"))
        made = services.deciding().ask(found.account_id, found.id, seen, visit.actor, why, request)
    except Refusal as refusal:
        if refusal.code != "reason_required":
            raise
        return _page(visit, found, [("why", visit.words("refusal.reason_required"))])
    if isinstance(made, Proposal):
        return see_other(f"{visit.home}/proposals/{made.id}")
    return see_other(f"{visit.account_home}/promises/{found.id}")


@routes.post(_ONE + "/refuse", staff(rules.DECIDE_PROMISES))
def refuse(visit: StaffVisit) -> Answer:
    found, sent = _found(visit), visit.sent("why_not")
    if sent not in set(WhyNot):
        return _page(visit, found, [("why_not", visit.words("refusal.reason_required"))])
    seen = whole(visit.sent("seen"))
    services.promises().refuse(found.account_id, found.id, seen, WhyNot(sent), visit.actor)
    return see_other(f"{visit.account_home}/promises/{found.id}")


def _found(visit: StaffVisit) -> Promise:
    return promise_of(visit.records, visit.customer["pk"], check_id(visit.params["promise_id"], "prm"))


def _page(visit: StaffVisit, found: Promise, problems: list[tuple[str, str]] | None = None) -> Answer:
    t, zone = visit.words, visit.customer["time_zone"]
    dues = dues_of(found, headers_of(visit.records, found)) if found.state is PromiseState.CURRENT else ()
    one = plan_view(found, dues, local_date(visit.now, zone), zone, t)
    above = ((t("staff.nav.promises"), f"{visit.home}/promises"), (visit.customer["name"], visit.account_home))
    facts = [(t("column.status"), one.tag.text), *one.facts]
    view = Sheet(one.title, above=above, facts=facts, told=one.beyond)
    why_nots = [("", t("dispute.choose")), *((w.value, t(f"plan.why_not.{w}")) for w in WhyNot)]
    values = {"view": view, "one": one, "why_nots": why_nots, "why": visit.sent("why"), "problems": problems or []}
    values |= {"two": takes_two(found), "to": f"{visit.account_home}/promises/{found.id}", "tab": "promises"}
    return page(visit, "staff_promise", status=422 if problems else 200, request=secrets.token_hex(16), **values)
