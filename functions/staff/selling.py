"""What the seller sells, and how its documents look: plans with versions of their prices, and templates. To read."""

from __future__ import annotations

from urllib.parse import unquote

from functions.portal.answers import PDF, Answer, download
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.catalog.model import PlanVersion
from saldo.catalog.price_codec import price_to_json
from saldo.catalog.service import Catalog
from saldo.invoicing.records_templates import choice_from, templates_key

routes = Routes("selling")


@routes.get("/staff/{entity_id}/catalog", staff(rules.READ, ahead=(templates_key("")[1],)))
def catalog(visit: StaffVisit) -> Answer:
    t, store, entity_id = visit.words, visit.records, visit.at.entity_id
    rows = [_row(visit, v) for v in Catalog(store, services.clock).versions_of(entity_id)]
    heads = columns(
        t("staff.plan_version"),
        t("staff.version") + "|money",
        t("column.currency"),
        t("staff.effective") + "|day",
        t("staff.components"),
    )
    choice = choice_from(store.get(*templates_key(entity_id)))
    looks = [
        Row((f"{name}@{version}",), f"{visit.home}/templates/{name}@{version}")
        for name, version in sorted(choice.versions.items())
    ]
    tables = (
        Table("plans", t("staff.nav.catalog"), heads, rows, t("staff.no_plans")),
        Table("templates", t("staff.templates"), columns(t("staff.template")), looks, t("staff.no_templates")),
    )
    return page(visit, "staff_sheet", tab="catalog", view=Sheet(t("staff.nav.catalog"), tables=tables))


def _row(visit: StaffVisit, v: PlanVersion) -> Row:
    t = visit.words
    names = ", ".join(t.of(c.names) for c in v.components)
    return Row((v.id, t.number(v.version), v.currency, t.day(v.effective_on), names), f"{visit.home}/catalog/{v.id}")


@routes.get("/staff/{entity_id}/catalog/{version_id}", staff(rules.READ))
def version(visit: StaffVisit) -> Answer:
    """One version: each component with its price, as it was published."""
    t = visit.words
    found = Catalog(visit.records, services.clock).plan_version(visit.at.entity_id, visit.params["version_id"])
    rows = [
        Row((t.of(c.names), c.kind.value, c.timing.value, _price(price_to_json(c.price)))) for c in found.components
    ]
    heads = columns(t("staff.component"), t("staff.charge"), t("staff.timing"), t("staff.price"))
    facts = [(t("staff.effective"), t.day(found.effective_on)), (t("column.currency"), found.currency)]
    table = Table("components", t("staff.components"), heads, rows, t("staff.no_plans"))
    above = ((t("staff.nav.catalog"), f"{visit.home}/catalog"),)
    return page(visit, "staff_sheet", tab="catalog", view=Sheet(found.id, above=above, facts=facts, tables=(table,)))


@routes.get("/staff/{entity_id}/templates/{template}", staff(rules.READ))
def template(visit: StaffVisit) -> Answer:
    """What a published template looks like: a PDF of made-up charges in the reader's language."""
    name = unquote(visit.params["template"])[:80]
    wanted = {"entity_id": visit.at.entity_id, "template": name, "language": visit.words.language}
    return download(services.rendered(wanted), PDF, f"{name}.pdf")


def _price(told: object) -> str:
    """A price in its own fields: `model per_unit, price 12`."""
    if isinstance(told, dict):
        return ", ".join(f"{name} {_price(value)}" for name, value in told.items() if value not in (None, "", [], {}))
    return "; ".join(map(_price, told)) if isinstance(told, list) else str(told)
