"""Notices are not written anywhere: they follow from the trail and from the invoices. Values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta

from saldo.access.model_notices import NoticeChoices, NoticeKind, Way
from saldo.access.model_visibility import SelfService
from saldo.access.rules import PAYERS
from saldo.access.rules_notices import RULES, wants
from saldo.access.rules_visibility import sees
from saldo.accounts.model import BankStatement
from saldo.audit.model import AuditRecord
from saldo.kernel.clock import instant_text
from saldo.kernel.periods import local_date, zone_named
from saldo.notices.model import IssuedInvoice, Notice, Reader

KEPT = timedelta(days=90)
NEW_TO_NEWCOMERS = timedelta(days=7)
SOON = timedelta(days=3)
_K = NoticeKind

# Acts of the trail that are news, and what they are called among people's choices.
_ACTS: Mapping[str, NoticeKind] = {
    "payment.started": _K.PAYMENT_STARTED,
    "payment.settled": _K.PAYMENT_SUCCEEDED,
    "payment.failed": _K.PAYMENT_FAILED,
    "autopay.debit_failed": _K.PAYMENT_FAILED,
    "credit.paid_back": _K.REFUNDED,
    "autopay.announced": _K.DEBIT_ANNOUNCED,
    "method.expiry_told": _K.METHOD_EXPIRING,
    "approval.asked": _K.APPROVAL_ASKED,
    "approval.agreed": _K.APPROVAL_DECIDED,
    "approval.declined": _K.APPROVAL_DECIDED,
    "approval.voided": _K.APPROVAL_DECIDED,
    "dispute.opened": _K.DISPUTE_MOVED,
    "dispute.message": _K.DISPUTE_MOVED,
    "dispute.withdrawn": _K.DISPUTE_MOVED,
    "dispute.reopened": _K.DISPUTE_MOVED,
    "dispute.refused": _K.DISPUTE_MOVED,
    "dispute.credited": _K.DISPUTE_MOVED,
    "promise.made": _K.PROMISE_MOVED,
    "promise.asked": _K.PROMISE_MOVED,
    "promise.agreed": _K.PROMISE_MOVED,
    "promise.refused": _K.PROMISE_MOVED,
    "promise.cancelled": _K.PROMISE_MOVED,
    "promise.kept": _K.PROMISE_MOVED,
    "promise.broken": _K.PROMISE_MOVED,
    "promise.told": _K.PROMISE_MOVED,
    "terms.request_decided": _K.TERMS_DECIDED,
    "subscription.renewal_announced": _K.RENEWAL_ANNOUNCED,
    "certificate_request.accepted": _K.CERTIFICATE_DECIDED,
    "certificate_request.refused": _K.CERTIFICATE_DECIDED,
    "ticket.answered": _K.TICKET_ANSWERED,
    "alert.sent": _K.LIMIT_REACHED,
    "alert.failed": _K.LIMIT_REACHED,
    "profile.changed": _K.ACCOUNT_CHANGED,
    "terms.changed": _K.ACCOUNT_CHANGED,
    "visibility.set": _K.ACCOUNT_CHANGED,
    "subscription.started": _K.ACCOUNT_CHANGED,
    "subscription.changed": _K.ACCOUNT_CHANGED,
    "invitation.accepted": _K.ACCOUNT_CHANGED,
    "member.role_changed": _K.ACCOUNT_CHANGED,
    "member.suspended": _K.ACCOUNT_CHANGED,
    "member.restored": _K.ACCOUNT_CHANGED,
    "member.removed": _K.ACCOUNT_CHANGED,
    "member.joined_by_sso": _K.ACCOUNT_CHANGED,
    "consent.given": _K.ACCOUNT_CHANGED,
    "consent.revoked": _K.ACCOUNT_CHANGED,
}
_OWN_ACTS = frozenset({"passkey.added", "passkey.removed", "totp.confirmed", "sign_in.blocked"})
_NEW_BROWSER = "new_browser"
# Kinds whose pages an account's visibility may have taken away.
_NEEDS = {
    _K.METHOD_EXPIRING: SelfService.METHODS,
    _K.DEBIT_ANNOUNCED: SelfService.AUTOPAY,
    _K.APPROVAL_ASKED: SelfService.PAY,
    _K.APPROVAL_DECIDED: SelfService.PAY,
    _K.DISPUTE_MOVED: SelfService.DISPUTES,
}
_PAYMENTS = frozenset({_K.PAYMENT_STARTED, _K.PAYMENT_SUCCEEDED, _K.PAYMENT_FAILED})


def is_news(record: AuditRecord) -> bool:
    """Whether a record of an account's trail, or of a user's own, may be told of to somebody."""
    return record.action in _ACTS or _is_own(record)


def _is_own(record: AuditRecord) -> bool:
    risks = record.after.get("risk", ())
    is_new = record.action == "session.began" and any(str(r).startswith(_NEW_BROWSER) for r in risks)
    return is_new or record.action in _OWN_ACTS


def of_trail(records: Iterable[AuditRecord], reader: Reader, now: datetime) -> Iterator[Notice]:
    """What happened to an account. What readers did themselves is no news to them."""
    is_seen = sees(reader.visibility, local_date(now, reader.zone))
    for record in records:
        kind = _ACTS.get(record.action)
        if kind is None or record.actor.id == reader.user_id or not _may_see(reader, kind):
            continue
        if "reader_id" in record.after:
            continue  # a copy of a mail, whose first is on the trail too
        # Seen like the payment itself, as if that had started at this moment.
        as_payment = {"kind": "payment", "started_at": instant_text(record.at)}
        if kind in _PAYMENTS and is_seen and not is_seen(as_payment):
            continue
        yield _of_act(record, kind)


def of_bank(statement: BankStatement | None, reader: Reader) -> Iterator[Notice]:
    """That the seller's account to pay to is another one: for those who pay."""
    if statement is not None and statement.before and reader.role in PAYERS:
        number, at, ending, since = statement.number, statement.at, statement.before, statement.since
        yield Notice(reader.account_id, _K.ACCOUNT_CHANGED, at, "bank", str(number), ending, due_on=since)


def _may_see(reader: Reader, kind: NoticeKind) -> bool:
    needed = _NEEDS.get(kind)
    return reader.role in RULES[kind].roles and (needed is None or reader.visibility.allows(needed))


def _of_act(record: AuditRecord, kind: NoticeKind) -> Notice:
    said = record.after
    minor, on = said.get("amount_minor", said.get("minor")), said.get("debit_on", said.get("renews_on"))
    return Notice(
        account_id=record.owner_id,
        kind=kind,
        at=record.at,
        what=record.action,
        subject_id=record.subject_id,
        minor=minor,
        currency=said.get("currency", ""),
        due_on=date.fromisoformat(on) if on else None,
    )


def of_own_trail(records: Iterable[AuditRecord]) -> Iterator[Notice]:
    """What happened to the reader's own access: a sign-in from a browser not seen before, other keys."""
    for record in records:
        if _is_own(record):
            yield Notice("", _K.SECURITY, record.at, record.action, record.subject_id)


def of_invoices(invoices: Iterable[IssuedInvoice], reader: Reader, now: datetime) -> Iterator[Notice]:
    """That an invoice is there; and, while it asks for money, that it is due soon or overdue."""
    today = local_date(now, reader.zone)
    for one in invoices:
        ready = "credit_note" if one.is_credit_note else "invoice"
        yield _of_invoice(one, reader, _K.INVOICE_READY, one.issued_at, ready, abs(one.total_minor))
        if one.is_credit_note or one.asked_minor <= 0:
            continue
        kind, from_on = _due(one.due_on, today)
        if from_on <= today:
            begins = datetime.combine(from_on, time(), zone_named(reader.zone))
            yield _of_invoice(one, reader, kind, max(begins, one.issued_at), "invoice", one.asked_minor)


def _due(due_on: date, today: date) -> tuple[NoticeKind, date]:
    """What is told of a due date, and from which day on."""
    return (_K.OVERDUE, due_on + timedelta(days=1)) if due_on < today else (_K.DUE_SOON, due_on - SOON)


def _of_invoice(one: IssuedInvoice, reader: Reader, kind: NoticeKind, at: datetime, what: str, minor: int) -> Notice:
    return Notice(reader.account_id, kind, at, what, one.invoice_id, one.number, minor, one.currency, one.due_on)


def in_order(notices: Iterable[Notice], choices: NoticeChoices, now: datetime) -> tuple[Notice, ...]:
    """Those that the reader wants to see here, newest first, each once, as far back as they are kept."""
    wanted = {n for n in notices if wants(choices, n.kind, Way.PORTAL) and now - KEPT <= n.at <= now}
    return tuple(sorted(wanted, key=lambda n: (n.at, n.kind, n.subject_id, n.what), reverse=True))


def read_from(choices: NoticeChoices, now: datetime) -> datetime:
    """What happened later is unread. Who never read any is not greeted with months of them."""
    return choices.read_until or now - NEW_TO_NEWCOMERS
