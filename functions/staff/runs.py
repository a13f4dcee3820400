"""Invoice runs: how far they are, who was set aside and why, and trying those again."""

from __future__ import annotations

from datetime import date

from functions.portal.answers import Answer, see_other
from functions.portal.forms import whole
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.audit.model import AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.run.model import Attempt, RunState, SetAside, run_id_of
from saldo.invoicing.run.number import attempt_with_aside
from saldo.invoicing.run.records import attempt_from
from saldo.kernel.clock import instant_from
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.units import Unit

routes = Routes("runs")
PAGE = 30


@routes.get("/staff/{entity_id}/runs", staff(rules.READ))
def runs(visit: StaffVisit) -> Answer:
    t, got = (
        visit.words,
        visit.records.query(
            visit.at.entity_id, prefix="run#", newest_first=True, limit=PAGE, cursor=visit.asked("cursor") or None
        ),
    )
    rows = [_row(visit, attempt_from(item)) for item in got.items]
    heads = columns(t("staff.run"), t("column.status"), t("staff.accounts") + "|money", t("nav.invoices") + "|money",
                    t("staff.set_aside") + "|strong")  # fmt: skip
    more = f"{visit.home}/runs?cursor={got.cursor}" if got.cursor else ""
    table = Table("runs", t("staff.nav.runs"), heads, rows, t("staff.no_runs"), more=more)
    return page(visit, "staff_sheet", tab="runs", view=Sheet(t("staff.nav.runs"), tables=(table,)))


def _row(visit: StaffVisit, a: Attempt) -> Row:
    t = visit.words
    figures = (t.number(a.accounts), t.number(a.invoices), t.number(a.set_aside))
    href = f"{visit.home}/runs/{a.run_id}?attempt={a.number}"
    return Row(
        (t.day(a.as_of), t(f"staff.run_state.{a.state}"), *figures), href, t("staff.dry_run") if a.dry_run else ""
    )


@routes.get("/staff/{entity_id}/runs/{run_id}", staff(rules.READ))
def run(visit: StaffVisit) -> Answer:
    """One attempt: what it came to, and each account that was set aside with its reason."""
    attempt, aside = _attempt(visit)
    t, zone = visit.words, visit.at.time_zone
    closed = t.moment(instant_from(attempt.closed_at), zone) if attempt.closed_at else ""
    facts = [
        (t("column.status"), t(f"staff.run_state.{attempt.state}")),
        (t("staff.opened"), t.moment(instant_from(attempt.opened_at), zone)),
        (t("staff.closed"), closed),
        (t("staff.accounts"), t.number(attempt.accounts)),
        (t("nav.invoices"), t.number(attempt.invoices)),
        (t("staff.numbers"), " – ".join(filter(None, (attempt.first_number, attempt.last_number)))),
        (t("staff.error"), attempt.error),
    ]
    facts += [(currency, t.money(minor, currency)) for currency, minor in sorted(attempt.totals.items())]
    rows = [Row((s.account_id, s.code, s.reason), f"{visit.home}/accounts/{s.account_id}") for s in aside]
    heads = columns(t("column.account"), t("staff.code"), t("staff.audit.reason"))
    table = Table("aside", t("staff.set_aside"), heads, rows, t("staff.nobody_aside"))
    above = ((t("staff.nav.runs"), f"{visit.home}/runs"),)
    view = Sheet(t("staff.run_of", on=t.day(attempt.as_of)), above=above, facts=facts, tables=(table,))
    again = bool(aside) and attempt.state is not RunState.OPEN and visit.may(rules.RUN_INVOICES)
    return page(visit, "staff_run", tab="runs", view=view, again=again, as_of=attempt.as_of.isoformat())


def _attempt(visit: StaffVisit) -> tuple[Attempt, list[SetAside]]:
    run_id, number = visit.params["run_id"], whole(visit.asked("attempt") or "1")
    if not run_id.startswith(f"run_{visit.at.entity_id.removeprefix('ent_')}_") or not number:
        raise NotFound
    attempt, aside = attempt_with_aside(services.store().within(run_id), run_id, number)
    if attempt.entity_id != visit.at.entity_id:
        raise NotFound
    return attempt, aside


@routes.post("/staff/{entity_id}/runs/again", staff(rules.RUN_INVOICES))
def again(visit: StaffVisit) -> Answer:
    """Run the day again: it bills those who are still due, which are those set aside. Repeating is harmless."""
    try:
        as_of = date.fromisoformat(visit.sent("as_of"))
    except ValueError as error:
        raise Refusal("invalid_form", "not a date") from error
    run_id = run_id_of(visit.at.entity_id, as_of)
    record = AuditRecord(visit.at.entity_id, visit.now, visit.actor, "run.asked_again", run_id)
    services.store().write_one(Unit(f"again {run_id}").put(audit_item(record)))
    services.run_starter().start(visit.at.entity_id, as_of.isoformat())
    return see_other(f"{visit.home}/runs")
