"""One invoice as staff see it, its PDF, and a credit note, or the whole of it billed again: asked, checked, issued or
put before a second person."""

from __future__ import annotations

import secrets

from functions.portal.answers import PDF, Answer, download, see_other
from functions.portal.forms import whole
from functions.portal.presenters.expected import besides, expected_payment
from functions.portal.presenters.invoice_history import history_of
from functions.portal.presenters.paying import typed_amount
from functions.portal.presenters.tables import stretch
from functions.portal.presenters.tags import invoice_tag
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.reading import note_read
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.access.model_proposals import Proposal
from saldo.invoicing import reading
from saldo.invoicing.corrections import CreditRequest
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.reading import Invoice
from saldo.invoicing.records import body_key, header_key
from saldo.invoicing.rules_corrections import Reason, is_of_older_details
from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.periods import local_date

routes = Routes("credits")
_INVOICE = "/staff/{entity_id}/accounts/{account_id}/invoices/{invoice_id}"
_IDS = "", "{invoice_id}"
_READ = tuple(sk for _, sk in (header_key(*_IDS), body_key(*_IDS), *besides(*_IDS)))
REASONS = tuple(r for r in Reason if r not in (Reason.TAX, Reason.MASTER_DATA))


@routes.get(_INVOICE, staff(rules.READ, customers=_READ))
def invoice(visit: StaffVisit) -> Answer:
    found = _read(visit)
    note_read(visit, visit.customer["pk"], "invoice.viewed", found.header.invoice_id)
    return _invoice_page(visit, found)


@routes.get(_INVOICE + "/pdf", staff(rules.READ, customers=_READ))
def pdf(visit: StaffVisit) -> Answer:
    """The document as the customer has it, by the use case that makes it for them."""
    header = _read(visit).header
    body = services.document(header.account_id, {"invoice_id": header.invoice_id})
    note_read(visit, header.account_id, "invoice.downloaded", header.invoice_id)
    return download(body, PDF, f"{header.number}.pdf")


@routes.post(_INVOICE + "/credit/check", staff(rules.ASK_FOR_CREDITS))
def check(visit: StaffVisit) -> Answer:
    """What it would come to, and whether it takes a second person; nothing is written."""
    found = _read(visit)
    try:
        asked = _asked(visit, found, secrets.token_hex(16))
        told = services.credits().preview(asked)
    except Refusal as refusal:
        return _invoice_page(visit, found, refusal)
    t = visit.words
    amounts = (
        (t("staff.credit.net"), told.net_minor),
        (t("staff.credit.tax"), told.tax_minor),
        (t("staff.again.credited" if told.again else "staff.credit.total"), told.total.minor),
    )
    facts = [(t("column.number"), found.header.number), (t("staff.credit.reason"), t(f"staff.reason.{asked.reason}"))]
    facts += [(name, t.money(minor, told.total.currency)) for name, minor in amounts]
    facts += (
        [(t("staff.content.bills_minor"), t.money(told.again.total_minor, told.total.currency))] if told.again else []
    )
    facts.append((t("staff.credit.why"), _why(visit)))
    view = Sheet(t("staff.credit.check"), above=_above(visit), facts=facts)
    sent = {name: visit.sent(name) for name in ("reason", "amount", "again")} | {"request": asked.request}
    values = {"view": view, "sent": sent | {"why": _why(visit)}, "two": told.takes_two, "to": _path(visit, found)}
    return page(visit, "staff_credit_check", status=200, tab="customers", **values)


@routes.post(_INVOICE + "/credit", staff(rules.ASK_FOR_CREDITS))
def credit(visit: StaffVisit) -> Answer:
    found = _read(visit)
    asked = _asked(visit, found, visit.sent("request")[:64])
    outcome = services.credits().ask(visit.at.entity_id, asked, _why(visit)[:300])
    if isinstance(outcome, Proposal):
        return see_other(f"{visit.home}/proposals/{outcome.id}")
    done = "again" if asked.again else "credit"
    return see_other(f"{visit.account_home}/invoices/{outcome.invoice_id}?done={done}")


def _read(visit: StaffVisit) -> Invoice:
    ids = visit.customer["pk"], check_id(visit.params["invoice_id"], "inv")
    return reading.invoice(visit.records, *ids, besides(*ids))


def _path(visit: StaffVisit, found: Invoice) -> str:
    return f"{visit.account_home}/invoices/{found.header.invoice_id}"


def _above(visit: StaffVisit) -> tuple[tuple[str, str], ...]:
    t = visit.words
    return (t("staff.customers"), f"{visit.home}/customers"), (visit.customer["name"], visit.account_home)


def _why(visit: StaffVisit) -> str:
    """The two forms of the page have each a field for it."""
    return visit.sent("why") or visit.sent("why_again")


def _asked(visit: StaffVisit, found: Invoice, request: str) -> CreditRequest:
    header = found.header
    if visit.sent("again"):
        problems = Problems()
        if not 0 < len(_why(visit)) <= 300:
            problems.add("why_again", "reason_required", "say why")
        problems.refuse_if_any()
        return CreditRequest(header.account_id, header.invoice_id, request, Reason.MASTER_DATA, visit.actor, again=True)
    reason, total = asked_credit(visit, header.currency)
    return CreditRequest(header.account_id, header.invoice_id, request, reason, visit.actor, total_minor=total)


def asked_credit(visit: StaffVisit, currency: str) -> tuple[Reason, int | None]:
    """Why, and how much with its tax in minor units of the currency; None where no amount is named.

    Refusal `invalid_input` names every field at fault."""
    problems, amount = Problems(), visit.sent("amount")
    reason = next((r for r in REASONS if r.value == visit.sent("reason")), None)
    if reason is None:
        problems.add("reason", "reason_required", "choose why")
    if not 0 < len(visit.sent("why")) <= 300:
        problems.add("why", "reason_required", "say why")
    total: int | None = None
    if amount:
        try:
            total = typed_amount(amount, currency, visit.words.language)
        except Refusal:
            problems.add("amount", "invalid_amount", "not an amount")
    problems.refuse_if_any()
    assert reason is not None, "a missing reason was refused"
    return reason, total


def _invoice_page(visit: StaffVisit, found: Invoice, refusal: Refusal | None = None) -> Answer:
    t, header, zone = visit.words, found.header, visit.customer["time_zone"]
    today = local_date(visit.now, zone)
    row = InvoiceRow(**{name: getattr(header, name) for name in InvoiceRow.__dataclass_fields__})
    facts = [
        (t("column.status"), invoice_tag(row, today, t).text),
        (t("column.issued_on"), t.day(row.issued_on)),
        (t("column.due_on"), t.day(row.due_on)),
        (t("column.total_minor"), t.money(header.total_minor, header.currency)),
        (t("column.open_minor"), t.money(header.open_minor, header.currency)),
        *([told] if (told := expected_payment(header, found.others, today, t))[1] else []),
    ]
    view = Sheet(header.number, above=_above(visit), facts=facts, tables=(_lines(visit, found),))
    problems = _problems(visit, refusal) if refusal else []
    values = {"view": view, "problems": problems, "to": _path(visit, found), "currency": header.currency}
    values["life"] = history_of(header, found.others, today, zone, t, to_staff=True)
    values |= {"sent": {name: visit.sent(name) for name in ("reason", "amount", "why")}, "tab": "customers"}
    may_again = is_of_older_details(header, int(visit.customer["profile_version"]))
    values |= {"may_again": may_again, "why_again": visit.sent("why_again")}
    values["notice"] = t(f"staff.{done}.done") if (done := visit.asked("done")) in ("again", "credit") else ""
    reasons = [(r.value, t(f"staff.reason.{r}")) for r in REASONS]
    return page(visit, "staff_invoice", status=422 if refusal else 200, reasons=reasons, **values)


def _problems(visit: StaffVisit, refusal: Refusal) -> list[tuple[str, str]]:
    if refusal.problems and refusal.code == "invalid_input":
        return [(p.field, visit.words.known(f"problem.{p.code}", f"refusal.{p.code}")) for p in refusal.problems]
    field = "why_again" if visit.sent("again") else "amount"
    return [(field, visit.words.known(f"refusal.{refusal.code}", "failure.422.text"))]


def _lines(visit: StaffVisit, found: Invoice) -> Table:
    t = visit.words
    lines = found.body.lines if found.body else ()
    here = stretch(len(lines), whole(visit.asked("lines")))
    rows = [
        Row((t.of(line.names), t.number(line.quantity), t.amount(line.net_minor, found.header.currency)))
        for line in here.of(lines)
    ]
    more = f"{_path(visit, found)}?lines={here.page + 1}" if here.page < here.pages else ""
    heads = columns(t("staff.line"), t("column.quantity") + "|money", t("staff.credit.net") + "|strong")
    title = (
        t("pager.rows", first=t.number(here.first), last=t.number(here.last), count=t.number(here.count))
        if here.pages > 1
        else t("staff.lines")
    )
    return Table("lines", title, heads, rows, t("staff.no_lines"), found.header.currency, more)
