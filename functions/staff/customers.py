"""Customers of a legal entity: found by name, number or account, and one account with what happened to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from functions.portal.answers import Answer
from functions.portal.presenters.tags import invoice_tag, payment_tag
from functions.staff import rules
from functions.staff.endpoint import Routes, staff
from functions.staff.finding import Hit, hits_of
from functions.staff.pages import page
from functions.staff.tables import Fact, Row, Sheet, Table, columns
from functions.staff.timeline import events_table
from functions.staff.visit import StaffVisit
from saldo.accounts.records_profiles import CURRENT_PROFILE
from saldo.invoicing.listing import InvoiceRow
from saldo.kernel.periods import local_date

routes = Routes("customers")
PAGE = 50
TABS = ("open", "timeline", "invoices", "payments", "promises", "contact")


@routes.get("/staff/{entity_id}/customers", staff(rules.READ))
def customers(visit: StaffVisit) -> Answer:
    wanted, t = visit.asked("q")[:80], visit.words
    found, cursor = (hits_of(visit, wanted), "") if wanted else _all(visit)
    rows = [
        Row((hit.name, hit.account_id), f"{visit.home}/accounts/{hit.account_id}{hit.place}", hit.note) for hit in found
    ]
    table = Table(
        "customers", t("staff.customers"), columns(t("staff.customer"), t("column.account")), rows, t("staff.nobody")
    )
    newer = f"{visit.home}/customers?cursor={cursor}" if cursor else ""
    return page(
        visit,
        "staff_customers",
        tab="customers",
        view=Sheet(t("staff.customers"), tables=(table,)),
        q=wanted,
        older=newer,
    )


def _all(visit: StaffVisit) -> tuple[list[Hit], str]:
    cursor = visit.asked("cursor") or None
    got = visit.records.query(visit.at.entity_id, prefix="customer#", limit=PAGE, cursor=cursor)
    return [Hit(item["account_id"], item["name"]) for item in got.items], got.cursor or ""


@routes.get("/staff/{entity_id}/accounts/{account_id}", staff(rules.READ, customers=(CURRENT_PROFILE,)))
def account(visit: StaffVisit) -> Answer:
    """One subject a view, one query each."""
    shown, t = visit.asked("show"), visit.words
    shown = shown if shown in TABS else TABS[0]
    facts, tables = _VIEWS[shown](visit)
    above = ((t("staff.customers"), f"{visit.home}/customers"),)
    told = (t("staff.details.done"),) if visit.asked("done") == "changed" else ()
    view = Sheet(visit.customer["name"], visit.customer["pk"], above, facts, tables, told)
    tabs = [(t(f"staff.show.{name}"), f"{visit.account_home}?show={name}", name == shown) for name in TABS]
    return page(visit, "staff_account", tab="customers", view=view, tabs=tabs)


_Shown = tuple[Sequence[Fact], tuple[Table, ...]]


def _open(visit: StaffVisit) -> _Shown:
    from saldo.invoicing.reading import open_rows

    return [], (_invoices_table(visit, open_rows(visit.records, visit.customer["pk"])),)


def _invoices(visit: StaffVisit) -> _Shown:
    from saldo.invoicing.listing import ListWish
    from saldo.invoicing.reading import listed

    found = listed(visit.records, visit.customer["pk"], ListWish(cursor=visit.asked("cursor")), _today(visit))
    more = f"{visit.account_home}?show=invoices&cursor={found.cursor}" if found.cursor else ""
    return [], (_invoices_table(visit, found.rows, more),)


def _invoices_table(visit: StaffVisit, found: Iterable[InvoiceRow], more: str = "") -> Table:
    t, today = visit.words, _today(visit)
    rows = []
    for row in found:
        total, left = t.money(row.total_minor, row.currency), t.money(row.open_minor, row.currency)
        cells = (row.number, t.day(row.issued_on), t.day(row.due_on), invoice_tag(row, today, t), total, left)
        rows.append(Row(cells, f"{visit.account_home}/invoices/{row.invoice_id}"))
    heads = columns(
        *(t("column.number"), t("column.issued_on") + "|day", t("column.due_on") + "|day", t("column.status") + "|tag"),
        *(t("column.total_minor") + "|money", t("column.open_minor") + "|strong"),
    )
    return Table("invoices", t("nav.invoices"), heads, rows, t("staff.no_invoices"), more=more)


def _payments(visit: StaffVisit) -> _Shown:
    from saldo.payments.records import PREFIX, payment_from

    t, zone = visit.words, visit.customer["time_zone"]
    got = visit.records.query(visit.customer["pk"], prefix=PREFIX, limit=PAGE, newest_first=True)
    rows = []
    for paid in map(payment_from, got.items):
        amount = t.money(paid.amount.minor, paid.amount.currency)
        at = t.moment(paid.settled_at or paid.started_at, zone)
        rows.append(Row((at, payment_tag(paid.status, t), paid.method, amount)))
    heads = columns(t("staff.when"), t("column.status") + "|tag", t("staff.method"), t("column.amount") + "|money")
    return [], (Table("payments", t("nav.payments"), heads, rows, t("staff.no_payments")),)


def _promises(visit: StaffVisit) -> _Shown:
    """With the terms that the account has."""
    from functions.portal.presenters.terms import facts_of
    from functions.staff.promises import of_account
    from saldo.accounts.records import account_from
    from saldo.terms.service import held

    return facts_of(held(account_from(visit.customer)), visit.customer["currency"], visit.words), (of_account(visit),)


def _timeline(visit: StaffVisit) -> _Shown:
    return [], (events_table(visit, visit.customer["pk"]),)


def _contact(visit: StaffVisit) -> _Shown:
    """Billing details, with the way to change them. They are opened, and that is put on record."""
    from functions.staff.details import facts_of

    found, may_change = facts_of(visit)
    link = (visit.words("details.change"), f"{visit.account_home}/details/change") if may_change else None
    return [(name, text, link if n == 0 else None) for n, (name, text) in enumerate(found)], ()


_VIEWS = {
    "open": _open,
    "timeline": _timeline,
    "invoices": _invoices,
    "payments": _payments,
    "promises": _promises,
    "contact": _contact,
}


def _today(visit: StaffVisit) -> date:
    return local_date(visit.now, visit.customer["time_zone"])
