"""Paying: choose, check, confirm; then the gateway's own page takes over."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.filters import date_from
from functions.portal.presenters.paying import (
    ANOTHER,
    CreditView,
    Wanted,
    allocations_from,
    check_view,
    choice_view,
    credit_view,
    means_of,
    payables_of,
    wanted_from,
)
from functions.portal.proving import proof_problem
from functions.portal.visit import Visit
from saldo.access.model_visibility import SelfService
from saldo.access.rules import PAYERS, needs_step_up
from saldo.invoicing import open_list
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.reading import open_rows
from saldo.invoicing.records import OPEN_LIST
from saldo.invoicing.wallet_records import WALLET
from saldo.kernel.errors import Problem, Problems, Refusal
from saldo.kernel.money import Money
from saldo.ledger.records import BALANCE
from saldo.payments import records_approvals
from saldo.payments.model import Allocation, Payable, Payment, PaymentStatus
from saldo.payments.netting import Netting, Setting
from saldo.payments.opening import Wish, basis_minor
from saldo.payments.reading import headers_of, payable
from saldo.payments.records_methods import methods_of
from saldo.payments.rules import discounts_taken, validated
from saldo.payments.rules_approvals import levels_for
from saldo.payments.scheduled import scheduled_id

routes = Routes("paying")
_OF_THE_MEANS = {"method_unusable": "method", "invalid_day": "on", "later_by_stored": "on"}
AT_THE_GATEWAY = frozenset({PaymentStatus.STARTED, PaymentStatus.REQUIRES_ACTION})


@routes.get("/accounts/{account_id}/pay", roles(PAYERS, SelfService.PAY, ahead=(BALANCE, WALLET, OPEN_LIST)))
def choose(visit: Visit) -> Answer:
    """`pay` names invoices; `all=overdue` and `all=open` choose for the reader. `amount` fills in what one invoice is
    paid with."""
    visit = replace(visit, store=visit.records.remembering())
    rows = open_list.rows_of(visit.records, visit.account.account_id)
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
    return choice_page(visit, rows, wanted, ())


@routes.post("/accounts/{account_id}/pay/check", roles(PAYERS, SelfService.PAY))
def check(visit: Visit) -> Answer:
    rows, wanted = open_rows(visit.records, visit.account.account_id), wanted_from(visit.form)
    chosen, payables, amount, problems = _decided(visit, rows, wanted)
    if problems or amount is None:
        return choice_page(visit, rows, wanted, problems)
    key = secrets.token_urlsafe(24)
    return _check_page(visit, payables, chosen, wanted, key, needs_step_up(visit.who, amount, visit.now), [])


@routes.post("/accounts/{account_id}/pay/change", roles(PAYERS, SelfService.PAY))
def change(visit: Visit) -> Answer:
    """Back from the check with everything as it was filled in."""
    rows = open_rows(visit.records, visit.account.account_id)
    return choice_page(visit, rows, wanted_from(visit.form), ())


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
        if on := _later(visit):
            return _scheduled(visit, chosen, wanted.reason, on)
        if visit.sent("credit") == "use" and not _approvers(visit, chosen):
            return _netted(visit, chosen, rows, wanted)
        payment = _started(visit, chosen, wanted.reason)
    except Refusal as refusal:
        if refusal.code == "approval_needed":
            return _ask_others(visit, chosen, wanted.reason)
        if field := _OF_THE_MEANS.get(refusal.code):
            text = visit.words.known(f"refusal.{refusal.code}", "failure.422.text")
            return _check_again(visit, chosen, rows, wanted, text, field)
        if refusal.code != "invalid_allocations":
            raise
        return choice_page(visit, rows, wanted, refusal.problems)
    return _onward(visit, payment)


def _onward(visit: Visit, payment: Payment) -> Answer:
    to_pay = payment.checkout_url if payment.status in AT_THE_GATEWAY else ""
    return see_other(to_pay or f"{visit.home}/payments/{payment.id}")


def _netted(visit: Visit, chosen: Sequence[Allocation], rows: Sequence[InvoiceRow], wanted: Wanted) -> Answer:
    """Credit pays its part in the unit that starts the payment of the rest; where it pays for all, no payment does."""
    netting, account_id, key = services.payments().netting, visit.account.account_id, visit.sent("request_key")
    rest, setting = netting.known(account_id, key), None
    if rest is None:
        setting = netting.prepare(account_id, chosen, wanted.reason, key)
        if str(setting.found.minor) != visit.sent("credit_minor"):
            return _check_again(visit, chosen, rows, wanted, visit.words("check.credit_changed"), "credit")
        rest = setting.found.rest
        if not rest:
            netting.settle(setting, visit.actor)
    if not rest:
        shown = f"/{chosen[0].invoice_id}" if len(chosen) == 1 else "?status=paid"
        return see_other(f"{visit.home}/invoices{shown}")
    return _onward(visit, _started(visit, rest, wanted.reason, setting))


def _later(visit: Visit) -> date | None:
    """The later day that was chosen; None for now. Refusal `invalid_day`, `later_by_stored`."""
    problems = Problems()
    on = date_from(visit.sent("on")[:10], "on", problems)
    if problems or (on is not None and on < visit.today):
        raise Refusal("invalid_day", "this is no day to come")
    if on is None or on == visit.today:
        return None
    if not _method(visit):
        raise Refusal("later_by_stored", "a later day needs a stored method")
    return on


def _method(visit: Visit) -> str:
    sent = visit.sent("method")[:64]
    return "" if sent == ANOTHER else sent


def _scheduled(visit: Visit, chosen: Sequence[Allocation], reason: str, on: date) -> Answer:
    """Recorded for its day; where others must agree they are asked now, and it starts on its day if they have."""
    wish = Wish(
        visit.account.account_id, tuple(chosen), visit.actor, visit.sent("request_key"), "", reason, "", _method(visit)
    )
    if _approvers(visit, chosen):
        own_key = f"scheduled-{scheduled_id(wish.account_id, wish.request_key)}"
        wish = replace(wish, approval_id=services.approvals().ask(replace(wish, request_key=own_key)).id)
    services.scheduled().schedule(wish, on)
    return see_other(f"{visit.home}/scheduled?done=scheduled")


def _approvers(visit: Visit, chosen: Sequence[Allocation]) -> int:
    """How many others must agree to it, by the account's own rules."""
    policy_key = records_approvals.policy_key(visit.account.account_id)
    policy = records_approvals.policy_from(visit.records.get(*policy_key))
    if policy is None:
        return 0
    headers = headers_of(visit.records, visit.account.account_id, chosen)
    payables = {i: payable(header) for i, header in headers.items()}
    minor, currency = sum(a.minor for a in chosen), next(iter(payables.values())).currency
    return len(levels_for(policy, currency, basis_minor(minor, chosen, payables)))


def _ask_others(visit: Visit, chosen: Sequence[Allocation], reason: str) -> Answer:
    """The account's own rules ask for somebody else's approval: put it before them instead."""
    wish = Wish(visit.account.account_id, tuple(chosen), visit.actor, visit.sent("request_key"), "", reason)
    approval = services.approvals().ask(wish)
    return see_other(f"{visit.home}/approvals/{approval.id}")


def _started(visit: Visit, chosen: Sequence[Allocation], reason: str, netting: Setting | None = None) -> Payment:
    return_url = f"{services.settings().origin}{visit.home}/payments/{{payment_id}}"
    key = visit.sent("request_key")
    asked = (chosen, visit.actor, key, return_url, reason, "", _method(visit))
    return services.payments().start(visit.account.account_id, *asked, netting=netting)


def _asked_again(
    visit: Visit, chosen: Sequence[Allocation], rows: Sequence[InvoiceRow], wanted: Wanted
) -> Answer | None:
    """The check page once more, when this amount asks for a proof that did not hold; None when all is well."""
    amount = Money(sum(a.minor for a in chosen), _currency(visit, rows, wanted))
    if not needs_step_up(visit.who, amount, visit.now):
        return None
    problem = proof_problem(visit)
    return _check_again(visit, chosen, rows, wanted, problem) if problem else None


def _decided(
    visit: Visit, rows: Sequence[InvoiceRow], wanted: Wanted
) -> tuple[list[Allocation], Mapping[str, Payable], Money | None, Sequence[Problem]]:
    """What was chosen, of which invoices, what it adds up to, and everything that is wrong with it."""
    by_id = {r.invoice_id: r for r in rows}
    chosen, problems = allocations_from(wanted, by_id, visit.words.language)
    payables = _payables(visit, rows, chosen)
    try:
        amount = validated(chosen, payables, wanted.reason, visit.today)
    except Refusal as refusal:
        return chosen, payables, None, [*problems, *refusal.problems]
    return chosen, payables, amount, problems


def _payables(visit: Visit, rows: Sequence[InvoiceRow], chosen: Sequence[Allocation]) -> dict[str, Payable]:
    """Open invoices; those to be paid in part with what paying early takes off, which the list does not carry."""
    found = payables_of(rows)
    parts = [a for a in chosen if a.invoice_id in found and a.minor < found[a.invoice_id].open_minor]
    headers = headers_of(visit.records, visit.account.account_id, parts) if parts else {}
    return found | {invoice_id: payable(header) for invoice_id, header in headers.items()}


def choice_page(visit: Visit, rows: Sequence[InvoiceRow], wanted: Wanted, problems: Sequence[Problem]) -> Answer:
    currency = _currency(visit, rows, wanted)
    view = choice_view(rows, wanted, currency, problems, visit.today, visit.words)
    there = Netting(visit.records, services.clock).credit(visit.account.account_id, currency, visit.account.currency)
    credit = visit.words.money(there.minor, currency) if there.minor else ""
    shown = {"view": view, "problems": view.summary, "credit": credit, "tab": "invoices"}
    return page(visit, "pay", status=422 if problems else 200, **shown)


def _credit(visit: Visit, chosen: Sequence[Allocation], reason: str, request_key: str) -> CreditView | None:
    """What credit would pay of it; None for nothing."""
    found = services.payments().netting.prepare(visit.account.account_id, chosen, reason, request_key)
    return credit_view(found.found, found.currency, visit.words) if found.found.minor else None


def _currency(visit: Visit, rows: Sequence[InvoiceRow], wanted: Wanted) -> str:
    """The currency asked for, or that of the first chosen invoice, or of the first open one."""
    known = {r.invoice_id: r.currency for r in rows}
    asked = [visit.asked("currency"), *(known.get(i, "") for i in wanted.chosen)]
    fitting = [c for c in asked if c in known.values()]
    return next(iter([*fitting, *known.values(), visit.account.currency]))


def _check_again(
    visit: Visit,
    chosen: Sequence[Allocation],
    rows: Sequence[InvoiceRow],
    wanted: Wanted,
    text: str,
    field: str = "code",
) -> Answer:
    """The check page once more, with what was wrong about the proof, the method or the day."""
    if not chosen or not {r.invoice_id for r in rows} >= set(wanted.chosen):
        return choice_page(visit, rows, wanted, _decided(visit, rows, wanted)[-1])
    asks_code = field == "code" or bool(visit.sent("code") or visit.sent("passkey"))
    payables = _payables(visit, rows, chosen)
    return _check_page(visit, payables, chosen, wanted, visit.sent("request_key"), asks_code, [(field, text)])


def _check_page(
    visit: Visit,
    payables: Mapping[str, Payable],
    chosen: Sequence[Allocation],
    wanted: Wanted,
    request_key: str,
    asks_code: bool,
    problems: Sequence[tuple[str, str]],
) -> Answer:
    """What will be paid, by which of the stored methods, and who else will be asked."""
    early = discounts_taken(chosen, payables, visit.today)
    view = check_view(chosen, payables, early, wanted.reason, visit.words)
    stored = methods_of(visit.records, visit.account.account_id).paying(view.currency, visit.today)
    means = means_of(stored, visit.words)
    shown = {"view": view, "request_key": request_key, "asks_code": asks_code, "problems": problems, "means": means}
    needs = _approvers(visit, chosen)
    shown |= {"needs": needs, "typed_on": visit.sent("on")[:10]}
    shown |= {"credit": None if needs else _credit(visit, chosen, wanted.reason, request_key)}
    shown |= {"chosen_means": visit.sent("method") or (means[0][0] if means else "")}
    return page(visit, "pay_check", status=422 if problems else 200, tab="invoices", **shown)
