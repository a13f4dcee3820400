"""Where staff begin: their legal entities, and what waits there."""

from __future__ import annotations

from functions.portal.answers import Answer, see_other
from functions.staff import rules, services
from functions.staff.endpoint import ANY_STAFF, Routes, staff
from functions.staff.pages import page
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.access.rules_staff import entities_of
from saldo.work.waiting import MOST, WORK, counted

routes = Routes("work")


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


@routes.get("/staff/{entity_id}", staff(rules.READ, ahead=(WORK,)))
def work(visit: StaffVisit) -> Answer:
    """What waits: each line leads to its queue."""
    t, found = visit.words, counted(visit.records, services.clock, visit.at.entity_id)
    rows = [
        Row((t(f"staff.queue.{name}"), f"{n}+" if n >= MOST else str(n)), f"{visit.home}/{name}")
        for name, n in found.numbers.items()
        if n
    ]
    heads = columns(t("staff.queue"), t("staff.count") + "|money")
    lead = t("staff.work_lead", at=t.moment(found.at, visit.at.time_zone))
    table = Table("queues", t("staff.waiting"), heads, rows, t("staff.nothing_waits"))
    return page(visit, "staff_sheet", tab="work", view=Sheet(t("staff.work"), lead, tables=(table,)))
