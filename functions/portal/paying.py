"""Paying: choose, check, confirm; then the gateway's own page takes over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.failures import count_proof
from functions.portal.pages import page
from functions.portal.presenters.paying import (
    Wanted,
    allocations_from,
    check_view,
    choice_view,
    payables_of,
    wanted_from,
)
from functions.portal.visit import Visit
from saldo.access.model_visibility import SelfService
from saldo.access.rules import PAYERS, needs_step_up
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.reading import open_rows
from saldo.kernel.errors import Problem, Refusal
from saldo.kernel.money import Money
from saldo.payments.model import Allocation, Payable, Payment, PaymentStatus
from saldo.payments.opening import Wish
from saldo.payments.reading import headers_of, payable
from saldo.payments.rules import validated

routes = Routes("paying")
AT_THE_GATEWAY = frozenset({PaymentStatus.STARTED, PaymentStatus.REQUIRES_ACTION})


@routes.get("/accounts/{account_id}/pay", roles(PAYERS, SelfService.PAY))
def choose(visit: Visit) -> Answer:
    """`pay` names invoices; `all=overdue` and `all=open` choose for the reader. `amount` fills in what one invoice is
    paid with."""
    rows = open_rows(visit.records, visit.account.account_id)
    named = tuple(visit.query.get("pay", []))
    wanted = Wanted(named, {named[0]: visit.asked("amount")} if len(named) == 1 and visit.asked("amount") else {})
    if visit.asked("all"):
        late_only = visit.asked("all") == "overdue"
        currency = _currency(visit, rows, wanted)
        mine = [
            r
            for r in rows
            if r.currency == currency and r.undisputed_minor and (r.is_overdue(visit.today) or not late_only)
        ]
        wanted = Wanted(tuple(r.invoice_id for r in mine), {})
    return _choice_page(visit, rows, wanted, ())


@routes.post("/accounts/{account_id}/pay/check", roles(PAYERS, SelfService.PAY))
def check(visit: Visit) -> Answer:
    rows, wanted = open_rows(visit.records, visit.account.account_id), wanted_from(visit.form)
    chosen, amount, problems = _decided(visit, rows, wanted)
    if problems or amount is None:
        return _choice_page(visit, rows, wanted, problems)
    view = check_view(chosen, {r.invoice_id: r for r in rows}, wanted.reason, visit.words)
    return page(
        visit,
        "pay_check",
        view=view,
        request_key=secrets.token_urlsafe(24),
        asks_code=needs_step_up(visit.who, amount, visit.now),
        tab="invoices",
    )


@routes.post("/accounts/{account_id}/pay/change", roles(PAYERS, SelfService.PAY))
def change(visit: Visit) -> Answer:
    """Back from the check with everything as it was filled in."""
    rows = open_rows(visit.records, visit.account.account_id)
    return _choice_page(visit, rows, wanted_from(visit.form), ())


@routes.post("/accounts/{account_id}/pay/confirm", roles(PAYERS, SelfService.PAY))
def confirm(visit: Visit) -> Answer:
    """What was checked, and only that: a form sent twice leads to the same payment, also when it is paid by then."""
    rows, wanted = open_rows(visit.records, visit.account.account_id), wanted_from(visit.form)
    if set(wanted.chosen) != set(wanted.minors):
        raise Refusal("invalid_form", "only checked amounts can be confirmed")
    chosen = [Allocation(invoice_id, wanted.minors[invoice_id]) for invoice_id in wanted.chosen]
    asked_again = _asked_again(visit, chosen, rows, wanted)
    if asked_again is not None:
        return asked_again
    try:
        payment = _started(visit, chosen, wanted.reason)
    except Refusal as refusal:
        if refusal.code == "approval_needed":
            return _ask_others(visit, chosen, wanted.reason)
        if refusal.code != "invalid_allocations":
            raise
        return _choice_page(visit, rows, wanted, refusal.problems)
    to_pay = payment.checkout_url if payment.status in AT_THE_GATEWAY else ""
    return see_other(to_pay or f"{visit.home}/payments/{payment.id}")


def _ask_others(visit: Visit, chosen: Sequence[Allocation], reason: str) -> Answer:
    """The account's own rules ask for somebody else's approval: put it before them instead."""
    wish = Wish(visit.account.account_id, tuple(chosen), visit.actor, visit.sent("request_key"), "", reason)
    approval = services.approvals().ask(wish)
    return see_other(f"{visit.home}/approvals/{approval.id}")


def _started(visit: Visit, chosen: Sequence[Allocation], reason: str) -> Payment:
    return_url = f"{services.settings().origin}{visit.home}/payments/{{payment_id}}"
    key = visit.sent("request_key")
    return services.payments().start(visit.account.account_id, chosen, visit.actor, key, return_url, reason)


def _asked_again(
    visit: Visit, chosen: Sequence[Allocation], rows: Sequence[InvoiceRow], wanted: Wanted
) -> Answer | None:
    """The check page once more, when this amount asks for a proof that did not hold; None when all is well."""
    amount = Money(sum(a.minor for a in chosen), _currency(visit, rows, wanted))
    if not needs_step_up(visit.who, amount, visit.now):
        return None
    try:
        services.access().step_up(visit.who, visit.sent("password")[:256], visit.sent("code").replace(" ", "")[:12])
    except Refusal as refusal:
        count_proof(visit, refusal)
        return _check_again(visit, chosen, rows, wanted, refusal)
    return None


def _decided(
    visit: Visit, rows: Sequence[InvoiceRow], wanted: Wanted
) -> tuple[list[Allocation], Money | None, Sequence[Problem]]:
    """What was chosen, what it adds up to, and everything that is wrong with it."""
    by_id = {r.invoice_id: r for r in rows}
    chosen, problems = allocations_from(wanted, by_id, visit.words.language)
    try:
        amount = validated(chosen, _payables(visit, rows, chosen), wanted.reason, visit.today)
    except Refusal as refusal:
        return chosen, None, [*problems, *refusal.problems]
    return chosen, amount, problems


def _payables(visit: Visit, rows: Sequence[InvoiceRow], chosen: Sequence[Allocation]) -> dict[str, Payable]:
    """Open invoices; those to be paid in part with what paying early takes off, which the list does not carry."""
    found = payables_of(rows)
    parts = [a for a in chosen if a.invoice_id in found and a.minor < found[a.invoice_id].open_minor]
    headers = headers_of(visit.records, visit.account.account_id, parts) if parts else {}
    return found | {invoice_id: payable(header) for invoice_id, header in headers.items()}


def _choice_page(visit: Visit, rows: Sequence[InvoiceRow], wanted: Wanted, problems: Sequence[Problem]) -> Answer:
    currency = _currency(visit, rows, wanted)
    view = choice_view(rows, wanted, currency, problems, visit.today, visit.words)
    return page(visit, "pay", status=422 if problems else 200, view=view, problems=view.summary, tab="invoices")


def _currency(visit: Visit, rows: Sequence[InvoiceRow], wanted: Wanted) -> str:
    """The currency asked for, or that of the first chosen invoice, or of the first open one."""
    known = {r.invoice_id: r.currency for r in rows}
    asked = [visit.asked("currency"), *(known.get(i, "") for i in wanted.chosen)]
    fitting = [c for c in asked if c in known.values()]
    return next(iter([*fitting, *known.values(), visit.account.currency]))


def _check_again(
    visit: Visit, chosen: Sequence[Allocation], rows: Sequence[InvoiceRow], wanted: Wanted, refusal: Refusal
) -> Answer:
    """The check page once more, with what was wrong about the proof."""
    by_id = {r.invoice_id: r for r in rows}
    if not by_id.keys() >= set(wanted.chosen):
        return _choice_page(visit, rows, wanted, _decided(visit, rows, wanted)[2])
    view = check_view(chosen, by_id, wanted.reason, visit.words)
    text = visit.words.known(f"refusal.{refusal.code}", "failure.422.text")
    shared = {"view": view, "request_key": visit.sent("request_key"), "asks_code": True, "tab": "invoices"}
    return page(visit, "pay_check", status=422, problems=[("code", text)], **shared)
