"""Differences: records that do not agree, found by the hourly look; who looks into which, and what they found."""

from __future__ import annotations

from functions.portal.answers import Answer, see_other
from functions.portal.presenters.tags import Tag
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.reconciliation.model import Difference, DifferenceState
from saldo.reconciliation.service import Differences

routes = Routes("differences")
_ONE = "/staff/{entity_id}/differences/{difference_id}"
MOST = 200


@routes.get("/staff/{entity_id}/differences", staff(rules.READ))
def differences(visit: StaffVisit) -> Answer:
    """What is there, the oldest first; then what is gone."""
    t, found = visit.words, _desk(visit).of(visit.at.entity_id, MOST)
    names = services.names({one.taken_by for one in found} - {""})
    rows = [_row(visit, one, names.get(one.taken_by, "")) for one in found]
    heads = columns(
        *(t("staff.difference"), t("staff.difference_of"), t("staff.difference_since") + "|day"),
        *(t("column.status") + "|tag", t("staff.taken_by")),
    )
    table = Table("differences", t("staff.nav.differences"), heads, rows, t("staff.differences_none"))
    view = Sheet(t("staff.nav.differences"), t("staff.differences_lead"), tables=(table,))
    return page(visit, "staff_sheet", tab="differences", view=view)


def _row(visit: StaffVisit, one: Difference, taken_by: str) -> Row:
    since = visit.words.moment(one.found_at, visit.at.time_zone)
    cells = (_title(visit, one), one.owner_id, since, _tag(visit, one), taken_by)
    return Row(cells, f"{visit.home}/differences/{one.id}")


def _title(visit: StaffVisit, one: Difference) -> str:
    return visit.words.known(f"staff.difference.{one.invariant}", "staff.difference.other")


def _tag(visit: StaffVisit, one: Difference) -> Tag:
    return Tag(
        "late" if one.state is DifferenceState.OPEN else "over", visit.words(f"staff.difference_state.{one.state}")
    )


@routes.get(_ONE, staff(rules.READ))
def difference(visit: StaffVisit) -> Answer:
    return _page(visit, _desk(visit).one(*_ids(visit)))


@routes.post(_ONE, staff(rules.SETTLE_DIFFERENCES))
def take(visit: StaffVisit) -> Answer:
    try:
        _desk(visit).take(*_ids(visit), visit.actor, visit.sent("note"))
    except Refusal as refusal:
        if refusal.code != "invalid_note":
            raise
        problems = [(p.field, visit.words(f"problem.{p.code}")) for p in refusal.problems]
        return _page(visit, _desk(visit).one(*_ids(visit)), problems)
    return see_other(f"{visit.home}/differences/{visit.params['difference_id']}")


def _desk(visit: StaffVisit) -> Differences:
    return Differences(visit.records, services.clock)


def _ids(visit: StaffVisit) -> tuple[str, str]:
    return visit.at.entity_id, check_id(visit.params["difference_id"], "dif")


def _page(visit: StaffVisit, one: Difference, problems: list[tuple[str, str]] | None = None) -> Answer:
    t, zone = visit.words, visit.at.time_zone
    facts = [
        (t("column.status"), t(f"staff.difference_state.{one.state}")),
        (t("staff.difference_of"), one.owner_id),
        (t("staff.difference_since"), t.moment(one.found_at, zone)),
        (t("staff.difference_gone_at"), t.moment(one.gone_at, zone) if one.gone_at else ""),
        (t("staff.taken_by"), services.names({one.taken_by} - {""}).get(one.taken_by, "")),
        (t("staff.difference_note"), one.note),
    ]
    above = ((t("staff.nav.differences"), f"{visit.home}/differences"),)
    values = {
        "view": Sheet(_title(visit, one), above=above, facts=facts),
        "what": one.what,
        "owner": f"{visit.home}/accounts/{one.owner_id}" if one.owner_id.startswith("acct_") else "",
        "is_open": one.state is DifferenceState.OPEN,
        "note": visit.sent("note") if problems else one.note,
        "to": f"{visit.home}/differences/{one.id}",
        "problems": problems or [],
    }
    return page(visit, "staff_difference", status=422 if problems else 200, tab="differences", **values)
