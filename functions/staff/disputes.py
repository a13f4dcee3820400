"""Disputes of a seller's customers: the queue, one with its thread, and deciding it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from functions.portal.answers import Answer, see_other
from functions.portal.forms import whole
from functions.portal.presenters.disputes import dispute_view
from functions.portal.presenters.tags import dispute_tag
from functions.portal.presenters.uploads import file_rows
from functions.portal.services import uploads
from functions.staff import rules, services
from functions.staff.credits import REASONS, asked_credit
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.reading import names_of, note_read
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.disputes.model import Dispute, DisputeState, Side
from saldo.disputes.records import dispute_key, queue_agenda, words_key
from saldo.invoicing.corrections import CreditRequest
from saldo.kernel.clock import instant_from
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.storage.items import Item
from saldo.uploads.kept import shown_key
from saldo.uploads.records import UPLOADS

routes = Routes("disputes")
PAGE = 100
_ONE = "/staff/{entity_id}/accounts/{account_id}/disputes/{dispute_id}"
_THREAD = tuple(key("", "{dispute_id}")[1] for key in (dispute_key, words_key, shown_key))


@routes.get("/staff/{entity_id}/disputes", staff(rules.READ))
def disputes(visit: StaffVisit) -> Answer:
    """What is not decided, the oldest first."""
    t, got = visit.words, visit.records.query(queue_agenda(visit.at.entity_id), agenda=True, limit=PAGE)
    names = names_of(visit, (item["account_id"] for item in got.items))
    rows = [_row(visit, item, names) for item in got.items]
    heads = columns(t("column.number"), t("dispute.reason"), t("column.account"), t("staff.dispute_age") + "|money")
    heads += columns(t("column.status") + "|tag", t("dispute.amount") + "|strong")
    table = Table("disputes", t("staff.nav.disputes"), heads, rows, t("staff.nothing_waits"))
    view = Sheet(t("staff.nav.disputes"), t("staff.disputes_lead"), tables=(table,))
    return page(visit, "staff_sheet", tab="disputes", view=view)


def _row(visit: StaffVisit, item: Item, names: Mapping[str, str]) -> Row:
    t, dispute_id = visit.words, item["sk"].removeprefix("dispute#")
    opened_at = instant_from(item["agenda_on"])
    age = t.number((visit.now - opened_at).days)
    amount, tag = t.money(item["total_minor"], item["currency"]), dispute_tag(DisputeState(item["status"]), t)
    cells = (item["number"], t(f"dispute.reason.{item['reason']}"), names[item["account_id"]], age, tag, amount)
    return Row(cells, f"{visit.home}/accounts/{item['account_id']}/disputes/{dispute_id}")


@routes.get(_ONE, staff(rules.READ, customers=(*_THREAD, UPLOADS)))
def dispute(visit: StaffVisit) -> Answer:
    found = _found(visit)
    note_read(visit, found.account_id, "dispute.viewed", found.id)
    return _page(visit, found)


@routes.post(_ONE + "/say", staff(rules.ASK_FOR_CREDITS))
def say(visit: StaffVisit) -> Answer:
    return _said(visit, "say")


@routes.post(_ONE + "/refuse", staff(rules.ASK_FOR_CREDITS))
def refuse(visit: StaffVisit) -> Answer:
    return _said(visit, "refuse")


@routes.post(_ONE + "/credit/check", staff(rules.ASK_FOR_CREDITS))
def check(visit: StaffVisit) -> Answer:
    """What the credit note would come to, and whether it takes a second person; nothing is written."""
    found = _found(visit)
    try:
        asked = _asked(visit, found, secrets.token_hex(16))
        told = services.credits().preview(asked)
        if told.total.minor > found.disputed_minor:
            raise Refusal("more_than_disputed", "a credit note for a dispute gives no more than is disputed")
    except Refusal as refusal:
        return _page(visit, found, refusal)
    t = visit.words
    facts = [
        (t("column.number"), found.number),
        (t("dispute.amount"), t.money(found.disputed_minor, found.currency)),
        (t("staff.credit.total"), t.money(told.total.minor, told.total.currency)),
        (t("staff.dispute_rest"), _refused(visit, found, told.total.minor)),
        (t("staff.credit.why"), visit.sent("why")),
    ]
    sent = {name: visit.sent(name) for name in ("reason", "amount", "why")}
    sent |= {"request": asked.request, "seen": str(found.revision)}
    view = Sheet(t("staff.credit.check"), above=_above(visit), facts=facts)
    two, to = told.takes_two, _path(visit, found)
    return page(visit, "staff_credit_check", view=view, sent=sent, two=two, to=to, tab="disputes")


@routes.post(_ONE + "/credit", staff(rules.ASK_FOR_CREDITS))
def credit(visit: StaffVisit) -> Answer:
    found = _found(visit)
    asked = _asked(visit, found, visit.sent("request")[:64])
    services.disputes().credit(services.credits(), whole(visit.sent("seen")), asked, visit.sent("why")[:300])
    return see_other(_path(visit, found))


def _said(visit: StaffVisit, verb: str) -> Answer:
    found, desk = _found(visit), services.disputes()
    act = {"say": desk.answer, "refuse": desk.refuse}[verb]
    try:
        act(found.account_id, found.id, whole(visit.sent("seen")), visit.sent("words"), visit.actor)
    except Refusal as refusal:
        if not refusal.problems:
            raise
        return _page(visit, found, refusal)
    return see_other(_path(visit, found))


def _refused(visit: StaffVisit, found: Dispute, gives_minor: int) -> str:
    rest = found.disputed_minor - gives_minor
    return visit.words.money(rest, found.currency) if rest else ""


def _found(visit: StaffVisit) -> Dispute:
    return services.disputes(visit.records).get(visit.customer["pk"], check_id(visit.params["dispute_id"], "dsp"))


def _path(visit: StaffVisit, found: Dispute) -> str:
    return f"{visit.account_home}/disputes/{found.id}"


def _above(visit: StaffVisit) -> tuple[tuple[str, str], ...]:
    t = visit.words
    return (t("staff.nav.disputes"), f"{visit.home}/disputes"), (visit.customer["name"], visit.account_home)


def _asked(visit: StaffVisit, found: Dispute, request: str) -> CreditRequest:
    """What the form says: an amount with its tax, or all that is disputed. Refusal `invalid_input`."""
    reason, total = asked_credit(visit, found.currency)
    lines = {} if total is not None or found.credited_minor else dict(found.claim.lines)
    if total is None and not lines:
        total = found.disputed_minor
    return CreditRequest(
        found.account_id,
        found.invoice_id,
        request,
        reason,
        visit.actor,
        amounts=lines,
        total_minor=total,
        dispute_id=found.id,
    )


def _page(visit: StaffVisit, found: Dispute, refusal: Refusal | None = None) -> Answer:
    t = visit.words
    view = dispute_view(found, visit.who.staff.id, visit.customer["time_zone"], t, Side.SELLER)
    facts = [
        (t("column.status"), view.tag.text),
        (t("dispute.reason"), view.reason),
        (t("dispute.amount"), view.amount),
        (t("dispute.credited"), view.credited),
    ]
    sheet = Sheet(t("dispute.of", number=found.number), above=_above(visit), facts=facts)
    sent = {name: visit.sent(name) for name in ("reason", "amount", "why", "words")}
    reasons = [("", t("dispute.choose")), *((r.value, t(f"staff.reason.{r}")) for r in REASONS)]
    values = {"view": sheet, "one": view, "sent": sent, "reasons": reasons, "to": _path(visit, found)}
    values |= {"problems": _problems(visit, refusal) if refusal else [], "currency": found.currency, "tab": "disputes"}
    about = uploads(visit.records).shown_at(found.id, found.account_id, found.invoice_id)
    values["files"] = file_rows(about, visit.account_home, True, visit.customer["time_zone"], t)
    values["invoice"] = f"{visit.account_home}/invoices/{found.invoice_id}"
    return page(visit, "staff_dispute", status=422 if refusal else 200, **values)


def _problems(visit: StaffVisit, refusal: Refusal) -> list[tuple[str, str]]:
    t = visit.words
    if refusal.problems and refusal.code in ("invalid_input", "invalid_dispute"):
        return [(p.field, t.known(f"problem.{p.code}", f"refusal.{p.code}")) for p in refusal.problems]
    return [("amount", t.known(f"refusal.{refusal.code}", "failure.422.text"))]
