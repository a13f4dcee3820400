"""What the seller says of taxes itself: the rates that hold over those that come with Saldo, and how they came about.
To read; they are put on record by `saldo seller taxes put`."""

from __future__ import annotations

from datetime import date

from functions.portal.answers import Answer
from functions.portal.forms import whole
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.tax.model import OwnRatesVersion
from saldo.tax.own_rates import SellerTaxes
from saldo.tax.records import VERSIONS, own_rates_key
from saldo.tax.rules_own import told_of

routes = Routes("taxes")


@routes.get("/staff/{entity_id}/taxes", staff(rules.READ, ahead=(own_rates_key("")[1],)))
def taxes(visit: StaffVisit) -> Answer:
    return _page(visit, None)


@routes.get("/staff/{entity_id}/taxes/{version}", staff(rules.READ, ahead=(f"{VERSIONS}{{version:0>6}}",)))
def version(visit: StaffVisit) -> Answer:
    """One that held before, as an invoice names it. NotFound, also for what is no number."""
    return _page(visit, whole(visit.params["version"]))


def _page(visit: StaffVisit, number: int | None) -> Answer:
    """number: of a version; None: as it is now."""
    t, found = visit.words, SellerTaxes(visit.records, services.clock)
    versions, entity_id = found.versions(visit.at.entity_id), visit.at.entity_id
    shown = found.current(entity_id) if number is None else found.version(entity_id, number)
    rows = [_row(visit, told_of(row)) for row in shown[1]] if shown else []
    heads = columns(
        t("staff.tax.where"),
        t("staff.tax.name"),
        t("staff.tax.categories"),
        t("staff.tax.percent") + "|money",
        t("staff.effective") + "|day",
        t("staff.tax.until") + "|day",
        t("staff.tax.besides"),
    )
    title = f"{t('staff.version')} {shown[0].version}" if shown else t("staff.nav.taxes")
    tables = (
        Table("rates", title, heads, rows, t("staff.tax.none"), currency=shown[0].currency if shown else ""),
        _history(visit, versions),
    )
    above = () if number is None else ((t("staff.nav.taxes"), f"{visit.home}/taxes"),)
    view = Sheet(t("staff.nav.taxes") if number is None else title, t("staff.tax.lead"), above=above, tables=tables)
    return page(visit, "staff_sheet", tab="taxes", view=view)


def _row(visit: StaffVisit, told: tuple[str, ...]) -> Row:
    """A rate, its days as people read them."""
    days = (visit.words.day(date.fromisoformat(day)) if day else "" for day in told[4:6])
    return Row((*told[:4], *days, *told[6:]))


def _history(visit: StaffVisit, versions: list[OwnRatesVersion]) -> Table:
    t, names = visit.words, services.names({v.by for v in versions})
    rows = [
        Row(
            (t.number(v.version), t.number(v.number_of_rates), t.moment(v.since, visit.at.time_zone), names[v.by]),
            f"{visit.home}/taxes/{v.version}",
            v.reason,
        )
        for v in versions
    ]
    heads = columns(t("staff.version"), t("staff.tax.rates") + "|money", t("staff.tax.since"), t("staff.tax.by"))
    return Table("versions", t("staff.tax.versions"), heads, rows, t("staff.tax.none"))
