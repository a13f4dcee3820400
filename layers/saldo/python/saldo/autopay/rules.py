"""What is collected when, and why not. Values in, values out: the page's preview and the day's run ask the same."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

from saldo.autopay.model import (
    DEBIT_MOVES,
    PENDING,
    Case,
    Debit,
    DebitState,
    LeftOut,
    Line,
    Owed,
    Plan,
    Planned,
    Rule,
    When,
)
from saldo.kernel.errors import Problems, Refusal
from saldo.payments.model import Allocation

MOST_LINES = 30  # of one debit: each has a guard in its unit
MOST_EXCLUDED = 200
# How many days after a failure it is tried again, attempt by attempt, by the gateway's reason. What is not here is not
# tried again: the payer must do something first.
RETRIES: Mapping[str, tuple[int, ...]] = {
    "insufficient_funds": (3, 7),
    "card_declined": (3,),
    "processing_error": (1, 3),
}


def check_rule(rule: Rule) -> None:
    """Refusal `invalid_rule` naming every problem."""
    problems = Problems()
    if not 1 <= rule.notice_days <= 30:
        problems.add("notice_days", "out_of_range", "a debit is announced 1 to 30 days before")
    if rule.when is When.BEFORE and not 1 <= rule.days <= 60:
        problems.add("days", "out_of_range", "must be 1 to 60 days before the due date")
    if rule.when is When.MONTHLY and not 1 <= rule.day <= 31:
        problems.add("day", "out_of_range", "must be a day of the month")
    if rule.cap_minor < 0:
        problems.add("cap", "not_above_zero", "a cap is above zero")
    if len(rule.excluded) > MOST_EXCLUDED:
        problems.add("excluded", "too_many", f"at most {MOST_EXCLUDED} invoices are left out")
    problems.refuse_if_any("nothing can be collected by this rule", "invalid_rule")


def plan_of(case: Case, on: date) -> Plan:
    """What will be announced and collected, as things stand on the day `on`, beyond what was announced already.

    A debit is never sooner than its notice after the announcement. Invoices of one day are one debit, by due date, up
    to the cap: what does not fit whole is left out. A debit that failed is tried again only for reasons that pass.
    """
    by_day: dict[date, list[tuple[Owed, int]]] = defaultdict(list)
    left_out = []
    for invoice in sorted(case.invoices, key=lambda i: (i.due_on, i.number, i.invoice_id)):
        found = _day_of(case, invoice, on)
        if isinstance(found, str):
            if found:
                left_out.append(_left_out(invoice, found))
        else:
            by_day[found[0]].append((invoice, found[1]))
    planned = []
    for day, invoices in sorted(by_day.items()):
        lines, over = _within_cap(case.rule, invoices, day)
        left_out += [_left_out(invoice, code) for invoice, code in over]
        if lines:
            planned.append(Planned(day - timedelta(days=case.rule.notice_days), day, lines))
    return Plan(tuple(planned), tuple(left_out))


def announced_now(plan: Plan, on: date) -> tuple[Planned, ...]:
    """Those whose day of announcement has come."""
    return tuple(p for p in plan.planned if p.announce_on <= on)


def _day_of(case: Case, invoice: Owed, on: date) -> tuple[date, int] | str:
    """The day of an invoice's debit and its attempt; else the code of why there is none, "" when one is pending."""
    rule = case.rule
    if not rule.is_on:
        return "off"
    if invoice.currency != rule.currency:
        return "other_currency"
    if against := _against(case, invoice.invoice_id):
        return against
    earliest = on + timedelta(days=rule.notice_days)
    last = _last_attempt(case, invoice.invoice_id)
    if last is None:
        return (_wanted(rule, invoice, earliest), 1) if case.can_charge else "no_method"
    debit, line = last
    if debit.state in PENDING:
        return ""
    if debit.state is DebitState.CANCELLED:
        return "cancelled"
    if not case.can_charge:
        return "no_method"
    if debit.state is DebitState.FAILED:
        waits = RETRIES.get(debit.code, ())
        if line.attempt > len(waits):
            return "given_up"
        return max(debit.debit_on + timedelta(days=waits[line.attempt - 1]), earliest), line.attempt + 1
    return max(_wanted(rule, invoice, earliest), earliest), line.attempt + 1


def _against(case: Case, invoice_id: str) -> str:
    """Why an invoice is not collected whatever its dates say; "" when nothing speaks against it."""
    rule, code = case.rule, case.held.get(invoice_id, "")
    if invoice_id in rule.excluded:
        return "excluded"
    if (code == "disputed" and not rule.skips_disputed) or (code == "promised" and not rule.skips_promised):
        return ""
    return code


def _last_attempt(case: Case, invoice_id: str) -> tuple[Debit, Line] | None:
    tried = [(d, line) for d in case.debits for line in d.lines if line.invoice_id == invoice_id]
    return max(tried, key=lambda pair: pair[1].attempt, default=None)


def _wanted(rule: Rule, invoice: Owed, earliest: date) -> date:
    if rule.when is When.MONTHLY:
        return _next_day(rule.day, earliest)
    wanted = invoice.due_on - timedelta(days=rule.days if rule.when is When.BEFORE else 0)
    if soonest := _discount_on(rule, invoice, earliest):
        wanted = min(wanted, soonest[0])
    return max(wanted, earliest)


def _next_day(day: int, earliest: date) -> date:
    """The first `day` of a month from `earliest` on; a month without it has its last day instead."""
    found = earliest.replace(day=min(day, monthrange(earliest.year, earliest.month)[1]))
    if found >= earliest:
        return found
    following = earliest.replace(day=1) + timedelta(days=32)
    return following.replace(day=min(day, monthrange(following.year, following.month)[1]))


def _within_cap(
    rule: Rule, invoices: list[tuple[Owed, int]], day: date
) -> tuple[tuple[Line, ...], list[tuple[Owed, str]]]:
    lines: list[Line] = []
    over: list[tuple[Owed, str]] = []
    for invoice, attempt in invoices:
        minor = amount_on(rule, invoice, day)
        if rule.cap_minor and sum(line.minor for line in lines) + minor > rule.cap_minor:
            over.append((invoice, "over_cap"))
        elif len(lines) == MOST_LINES:
            over.append((invoice, "next_debit"))
        else:
            lines.append(Line(invoice.invoice_id, invoice.number, minor, attempt))
    return tuple(lines), over


def amount_on(rule: Rule, invoice: Owed, day: date) -> int:
    """What a debit of that day takes for an invoice: what is open, less a discount that still holds."""
    discounted = _discount_on(rule, invoice, day)
    return discounted[1] if discounted else invoice.open_minor


def _discount_on(rule: Rule, invoice: Owed, day: date) -> tuple[date, int] | None:
    """The largest discount that a debit of this day, or of one after it, still takes."""
    return next((one for one in invoice.early if day <= one[0]), None) if rule.takes_discounts else None


def _left_out(invoice: Owed, code: str) -> LeftOut:
    return LeftOut(invoice.invoice_id, invoice.number, invoice.open_minor, invoice.currency, code)


def to_charge(case: Case, debit: Debit, on: date) -> tuple[Allocation, ...] | str:
    """What an announced debit takes on its day: never more of an invoice than was announced or is owed, nothing that is
    held back or left out by now; the code of why there is nothing to take."""
    if not case.rule.is_on:
        return "off"
    if not case.can_charge:
        return "no_method"
    owed = {invoice.invoice_id: invoice for invoice in case.invoices}
    codes, found = [], []
    for line in debit.lines:
        invoice = owed.get(line.invoice_id)
        code = _against(case, line.invoice_id) if invoice else "paid"
        if code or invoice is None:
            codes.append(code)
        else:
            found.append(Allocation(line.invoice_id, min(line.minor, amount_on(case.rule, invoice, on))))
    if case.rule.cap_minor and sum(a.minor for a in found) > case.rule.cap_minor:
        return "over_cap"
    return tuple(found) or codes[0]


def check_move(old: DebitState, new: DebitState) -> None:
    """Refusal `debit_over` for a step that DEBIT_MOVES does not list."""
    if new not in DEBIT_MOVES[old]:
        raise Refusal("debit_over", "this debit has been taken, or will not be")
