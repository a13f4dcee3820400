"""Orders that wait for a person: what does not agree, and accepting or refusing them by the room's own use cases."""

from __future__ import annotations

from collections.abc import Mapping

from functions.portal.answers import Answer, see_other
from functions.portal.forms import whole
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.reading import names_of
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import plain
from saldo.orders.model_orders import FATAL, Order, OrderStatus
from saldo.orders.records_orders import DISCREPANCY_PREFIX, owner_key
from saldo.storage.items import Item

routes = Routes("orders")
PAGE = 100
_ONE = "/staff/{entity_id}/orders/{order_id}"
# Said beside the order, for whoever decides on it.
_SAID_HERE = frozenset({"reason_required", "second_person_needed", "cannot_be_accepted", "changed_meanwhile"})


@routes.get("/staff/{entity_id}/orders", staff(rules.READ))
def orders(visit: StaffVisit) -> Answer:
    t, got = visit.words, visit.records.query(visit.at.entity_id, prefix=DISCREPANCY_PREFIX, limit=PAGE)
    names = names_of(visit, (item["account_id"] for item in got.items))
    rows = [_row(visit, item, names) for item in got.items]
    heads = columns(t("staff.order"), t("staff.party"), t("column.account"), t("column.amount") + "|strong")
    table = Table("orders", t("staff.queue.orders"), heads, rows, t("staff.nothing_waits"))
    return page(
        visit, "staff_sheet", tab="orders", view=Sheet(t("staff.nav.orders"), t("staff.orders_lead"), tables=(table,))
    )


def _row(visit: StaffVisit, item: Item, names: Mapping[str, str]) -> Row:
    amount = visit.words.money(item["amount_minor"], item["currency"]) if item["currency"] else "–"
    cells = (
        item["purchase_order"] or item["order_id"],
        item["party"],
        names[item["account_id"]],
        amount,
    )
    wrong = "; ".join(d["message"] for d in item["discrepancies"][:3])
    return Row(cells, f"{visit.home}/orders/{item['order_id']}", wrong)


@routes.get(_ONE, staff(rules.READ, (owner_key("", "{order_id}")[1],)))
def order(visit: StaffVisit) -> Answer:
    return _order_page(visit, _find(visit))


@routes.post(_ONE + "/accept", staff(rules.WORK_ON_ORDERS))
def accept(visit: StaffVisit) -> Answer:
    """As they were asked for; a price below ours takes two people, and the page then says who was the first."""
    return _decided(visit, services.decisions().accept)


@routes.post(_ONE + "/refuse", staff(rules.WORK_ON_ORDERS))
def refuse(visit: StaffVisit) -> Answer:
    return _decided(visit, services.decisions().refuse)


def _decided(visit: StaffVisit, decide: object) -> Answer:
    assert callable(decide), "accept or refuse"
    seen = whole(visit.sent("version")) or None
    try:
        decide(visit.at.entity_id, visit.params["order_id"], visit.actor, visit.sent("note")[:300], version=seen)
    except Refusal as refusal:
        if refusal.code not in _SAID_HERE:
            raise
        return _order_page(visit, _find(visit), [("note", visit.words(f"refusal.{refusal.code}"))])
    return see_other(f"{visit.home}/orders/{visit.params['order_id']}")


def _find(visit: StaffVisit) -> Order:
    return services.orders().find(visit.at.entity_id, visit.params["order_id"], visit.records)


def _order_page(visit: StaffVisit, found: Order, problems: list[tuple[str, str]] | None = None) -> Answer:
    t = visit.words
    names = services.names({a.actor_id for a in found.approvals})
    facts = [
        (t("column.status"), t(f"staff.order_state.{found.status}")),
        (t("staff.party"), found.request.party),
        (t("column.account"), found.account_id),
        (t("staff.received"), t.moment(found.received_at, visit.at.time_zone)),
        (t("column.amount"), t.money(found.amount_minor, found.currency) if found.currency else "–"),
        (t("staff.first_person"), ", ".join(names[a.actor_id] for a in found.approvals)),
    ]
    wrong = [Row((d.line or "–", d.message)) for d in found.discrepancies]
    lines = [
        Row(
            (
                x.asked.number,
                x.asked.sku or x.asked.buyer_sku,
                plain(x.asked.quantity),
                t(f"staff.order_state.{x.status}"),
            )
        )
        for x in found.lines
    ]
    heads = columns(t("staff.line"), t("staff.article"), t("column.quantity") + "|money", t("column.status"))
    tables = (
        Table("wrong", t("staff.discrepancies"), columns(t("staff.line"), t("column.what")), wrong, t("staff.agrees")),
        Table("lines", t("staff.lines"), heads, lines, t("staff.no_lines")),
    )
    above = ((t("staff.nav.orders"), f"{visit.home}/orders"),)
    view = Sheet(found.request.purchase_order or found.id, above=above, facts=facts, tables=tables)
    open_ = found.status is OrderStatus.HELD and visit.may(rules.WORK_ON_ORDERS)
    fatal = any(d.code in FATAL for d in found.discrepancies)
    values = {"view": view, "one": found, "open": open_, "fatal": fatal, "problems": problems or []}
    return page(visit, "staff_order", tab="orders", status=422 if problems else 200, **values)
