"""The overview: one sentence on what is owed, then what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from functions.portal.presenters.charts import AgingChart, aging_chart
from functions.portal.presenters.tags import Tag, due_note, invoice_tag, payment_tag
from functions.portal.words import Words
from saldo.access.model import Seat
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.open_sums import Standing
from saldo.ledger.model import LedgerAccount, OpenItem
from saldo.ledger.rules import aging
from saldo.payments.lately import PaymentRow
from saldo.payments.model import UNDER_WAY, Payment, PaymentStatus
from saldo.promises.model import Promise, PromiseState

Balances = Mapping[tuple[str, LedgerAccount], int]


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed in one currency. `overdue` is "" when nothing is."""

    total: str
    overdue: str
    sentence: str


@dataclass(frozen=True, slots=True)
class NextDue:
    invoice_id: str
    number: str
    due: str
    note: str
    amount: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class RecentPayment:
    payment_id: str
    on: str
    amount: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class Overview:
    owed: tuple[Owed, ...]
    charts: tuple[AgingChart, ...]
    next_due: tuple[NextDue, ...]
    waiting: tuple[tuple[str, str], ...]
    recent: tuple[RecentPayment, ...]
    open_count: int
    has_overdue: bool


def overview(
    standing: Standing,
    paid: Sequence[PaymentRow],
    promised: Sequence[Promise],
    home: str,
    today: date,
    zone: str,
    words: Words,
) -> Overview:
    """paid: the latest payments, newest first."""
    items = standing.items
    late = sum(item.items for item in items if item.due_on < today)
    return Overview(
        owed=tuple(_owed(items, currency, today, words) for currency in sorted({i.currency for i in items})),
        charts=tuple(aging_chart(c, b, words) for c, b in aging(items, today).items()),
        next_due=tuple(_next(row, today, words) for row in standing.next_due),
        waiting=(*_waiting(late, paid, home, words), *_promised(promised, home, today, words)),
        recent=tuple(recent_payment(p, zone, words) for p in paid),
        open_count=sum(item.items for item in items),
        has_overdue=late > 0,
    )


def _owed(items: Sequence[OpenItem], currency: str, today: date, words: Words) -> Owed:
    mine = [item for item in items if item.currency == currency]
    total = words.money(sum(item.open_minor for item in mine), currency)
    late_minor = sum(item.open_minor for item in mine if item.due_on < today)
    late = words.money(late_minor, currency)
    if not late_minor:
        return Owed(total, "", words("overview.owed", total=total))
    text = "overview.owed_all_overdue" if late == total else "overview.owed_overdue"
    return Owed(total, late, words(text, total=total, overdue=late))


def _next(row: InvoiceRow, today: date, words: Words) -> NextDue:
    amount = words.money(row.open_minor, row.currency)
    note = due_note(row, today, words)
    return NextDue(row.invoice_id, row.number, words.day(row.due_on), note, amount, invoice_tag(row, today, words))


def recent_payment(payment: Payment | PaymentRow, zone: str, words: Words) -> RecentPayment:
    """A payment in a list, dated by its settlement, or by its start."""
    at = payment.settled_at or payment.started_at
    on = words.moment(at, zone).split(",")[0]
    amount = words.money(payment.amount.minor, payment.amount.currency)
    return RecentPayment(payment.id, on, amount, payment_tag(payment.status, words))


def _promised(promises: Sequence[Promise], home: str, today: date, words: Words) -> tuple[tuple[str, str], ...]:
    """The next day of each promise that is current."""
    found = []
    for one in promises:
        if one.state is PromiseState.CURRENT:
            on = next((i.on for i in one.instalments if i.on >= today), one.until_on)
            found.append((words("overview.promised", on=words.day(on)), f"{home}/plans/{one.id}"))
    return tuple(found)


def _waiting(late: int, paid: Sequence[PaymentRow], home: str, words: Words) -> tuple[tuple[str, str], ...]:
    """Things that want doing: (what, where). late: how many invoices are overdue."""
    found = []
    if late:
        found.append((words.count("overview.late", late), f"{home}/invoices?status=overdue"))
    for payment in paid:
        amount = words.money(payment.amount.minor, payment.amount.currency)
        if payment.status in UNDER_WAY:
            found.append((words("overview.unfinished", amount=amount), f"{home}/payments/{payment.id}"))
    failed = next((p for p in paid[:1] if p.status is PaymentStatus.FAILED), None)
    if failed is not None:
        amount = words.money(failed.amount.minor, failed.amount.currency)
        found.append((words("overview.failed", amount=amount), f"{home}/payments/{failed.id}"))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class AccountLine:
    account_id: str
    name: str
    role: str
    owed: tuple[str, ...]
    credit: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountsTogether:
    """All accounts of a user, and what they come to per currency."""

    lines: tuple[AccountLine, ...]
    totals: tuple[str, ...]


def together(seats: Sequence[Seat], balances: Mapping[str, Balances], words: Words) -> AccountsTogether:
    """balances: stored balances by account id; accounts without any owe nothing."""
    totals: dict[str, int] = {}
    lines = []
    for seat in sorted(seats, key=lambda s: s.name.casefold()):
        mine = balances.get(seat.account_id, {})
        owed = {c: m for (c, a), m in mine.items() if a is LedgerAccount.RECEIVABLES}
        credit = {c: -m for (c, a), m in mine.items() if a is LedgerAccount.UNAPPLIED_CASH}
        for currency, minor in owed.items():
            totals[currency] = totals.get(currency, 0) + minor
        role = words(f"role.{seat.role}")
        lines.append(
            AccountLine(seat.account_id, seat.name, role, _each(owed, words, seat.currency), _each(credit, words))
        )
    return AccountsTogether(tuple(lines), _each(totals, words))


def _each(amounts: Mapping[str, int], words: Words, otherwise: str = "") -> tuple[str, ...]:
    found = tuple(words.money(minor, currency) for currency, minor in sorted(amounts.items()) if minor)
    return found or ((words.money(0, otherwise),) if otherwise else ())
