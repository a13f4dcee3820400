"""Drafts that are looked at before they are issued, and usage rows that were not accepted.

A draft's approval is no Proposal: nobody asked for it (a run froze it), holding it refuses nothing, and what uses it up
is the next run of the account, by its fingerprint. Folding it in would make a run a person.
"""

from __future__ import annotations

from datetime import date

from functions.portal.answers import Answer, see_other
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.reading import names_of
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.invoicing.approvals import review_agenda
from saldo.invoicing.model import InvoiceBody
from saldo.usage.records_quarantine import PREFIX, held_row_from

routes = Routes("drafts")
PAGE = 100
_ONE = "/staff/{entity_id}/accounts/{account_id}/draft"


@routes.get("/staff/{entity_id}/drafts", staff(rules.READ))
def drafts(visit: StaffVisit) -> Answer:
    t, got = visit.words, visit.records.query(review_agenda(visit.at.entity_id), agenda=True, limit=PAGE)
    names = names_of(visit, (item["pk"] for item in got.items))
    rows = [
        Row((names[i["pk"]], t.day(date.fromisoformat(i["agenda_on"]))), f"{visit.home}/accounts/{i['pk']}/draft")
        for i in got.items
    ]
    heads = columns(t("column.account"), t("staff.proposed_on") + "|day")
    table = Table("drafts", t("staff.queue.drafts"), heads, rows, t("staff.nothing_waits"))
    return page(visit, "staff_sheet", tab="work", view=Sheet(t("staff.queue.drafts"), tables=(table,)))


@routes.get(_ONE, staff(rules.READ))
def draft(visit: StaffVisit) -> Answer:
    t, found = visit.words, services.approvals().proposal(visit.customer["pk"])
    facts = [(t("staff.proposed_on"), t.day(found.as_of)), (t("column.status"), t(f"staff.draft.{found.state}"))]
    facts += [(t("staff.note"), found.reason)]
    tables = tuple(_table(visit, n, body) for n, body in enumerate(found.bodies))
    view = Sheet(
        visit.customer["name"], above=((t("staff.queue.drafts"), f"{visit.home}/drafts"),), facts=facts, tables=tables
    )
    return page(visit, "staff_draft", tab="work", view=view, seen=found.print)


def _table(visit: StaffVisit, n: int, body: InvoiceBody) -> Table:
    t, currency = visit.words, body.currency
    rows = [Row((t.of(x.names), t.number(x.quantity), t.amount(x.net_minor, currency))) for x in body.lines]
    rows.append(Row((t("staff.credit.tax"), "", t.amount(body.tax_minor, currency))))
    rows.append(Row((t("staff.credit.total"), "", t.amount(body.total_minor, currency))))
    heads = columns(t("staff.line"), t("column.quantity") + "|money", t("column.amount") + "|strong")
    return Table(f"draft-{n}", t("staff.lines"), heads, rows, t("staff.no_lines"), currency)


@routes.post(_ONE + "/approve", staff(rules.JUDGE_DRAFTS))
def approve(visit: StaffVisit) -> Answer:
    services.approvals().approve(visit.customer["pk"], visit.sent("seen")[:64], visit.actor)
    return see_other(f"{visit.home}/drafts")


@routes.post(_ONE + "/hold", staff(rules.JUDGE_DRAFTS))
def hold(visit: StaffVisit) -> Answer:
    services.approvals().hold(visit.customer["pk"], visit.sent("seen")[:64], visit.actor, visit.sent("note"))
    return see_other(f"{visit.home}/drafts")


@routes.get("/staff/{entity_id}/usage", staff(rules.READ))
def usage(visit: StaffVisit) -> Answer:
    """Rows in quarantine with every problem; they are repaired and replayed by `saldo usage`."""
    t, got = visit.words, visit.records.query(visit.at.entity_id, prefix=PREFIX, limit=PAGE)
    found = [held_row_from(item) for item in got.items]
    rows = [
        Row((f"{h.origin[:12]} {h.row.number}", "; ".join(f"{p.field}: {p.code}" for p in h.problems))) for h in found
    ]
    table = Table(
        "usage", t("staff.queue.usage"), columns(t("staff.usage_row"), t("staff.code")), rows, t("staff.nothing_waits")
    )
    return page(visit, "staff_sheet", tab="work", view=Sheet(t("staff.queue.usage"), tables=(table,)))
