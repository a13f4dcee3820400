"""Where staff begin: their legal entities, and what waits there."""

from __future__ import annotations

from functions.portal.answers import Answer, see_other
from functions.staff import rules, services
from functions.staff.endpoint import ANY_STAFF, Routes, staff
from functions.staff.pages import page
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.access import records_proposals
from saldo.access.rules_staff import entities_of
from saldo.accounts.agenda import requests_agenda
from saldo.disputes.records import queue_agenda
from saldo.invoicing.approvals import review_agenda
from saldo.invoicing.run.records import attempt_from
from saldo.kernel.clock import instant_text
from saldo.orders.records_orders import DISCREPANCY_PREFIX
from saldo.support.records import tickets_agenda
from saldo.usage.records_quarantine import PREFIX as QUARANTINE

routes = Routes("work")
MOST = 100


@routes.get("/staff", ANY_STAFF)
def entities(visit: StaffVisit) -> Answer:
    ids = entities_of(visit.who.staff, visit.now)
    if len(ids) == 1 and not visit.asked("all"):
        return see_other(f"/staff/{ids[0]}")
    found = services.store().within(*ids).get_many([(i, "entity") for i in ids])
    rows = [Row((found[i, "entity"]["name"],), f"/staff/{i}") for i in ids if (i, "entity") in found]
    t = visit.words
    table = Table("entities", t("staff.entities"), columns(t("staff.entity")), rows, t("staff.nothing"))
    return page(visit, "staff_sheet", view=Sheet(t("staff.entities"), tables=(table,)))


@routes.get("/staff/{entity_id}", staff(rules.READ))
def work(visit: StaffVisit) -> Answer:
    """What waits: each line leads to its queue."""
    store, entity_id, t = visit.records, visit.at.entity_id, visit.words

    def count(pk: str, prefix: str = "", agenda: bool = False, first: str | None = None) -> int:
        found = store.query(pk, prefix=prefix, agenda=agenda, first=first, limit=MOST, fields=("pk",))
        return len(found.items)

    latest = store.query(entity_id, prefix="run#", newest_first=True, limit=1).items
    aside = attempt_from(latest[0]).set_aside if latest else 0
    waiting = records_proposals.waiting_agenda(entity_id)
    queues = (
        ("proposals", count(waiting, agenda=True, first=instant_text(visit.now))),
        ("disputes", count(queue_agenda(entity_id), agenda=True)),
        ("promises", count(requests_agenda(entity_id), agenda=True)),
        ("orders", count(entity_id, DISCREPANCY_PREFIX)),
        ("drafts", count(review_agenda(entity_id), agenda=True)),
        ("runs", aside),
        ("tickets", count(tickets_agenda(entity_id), agenda=True)),
        ("usage", count(entity_id, QUARANTINE)),
    )
    rows = [
        Row((t(f"staff.queue.{name}"), f"{n}+" if n >= MOST else str(n)), f"{visit.home}/{name}")
        for name, n in queues
        if n
    ]
    heads = columns(t("staff.queue"), t("staff.count") + "|money")
    table = Table("queues", t("staff.waiting"), heads, rows, t("staff.nothing_waits"))
    return page(visit, "staff_sheet", tab="work", view=Sheet(t("staff.work"), t("staff.work_lead"), tables=(table,)))
