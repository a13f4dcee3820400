"""Notices as rows, and people's choices as questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from functions.portal.words import Words
from saldo.access.model import Seat
from saldo.access.model_notices import Mail, NoticeChoices, NoticeKind, Way
from saldo.access.model_visibility import SelfService
from saldo.access.rules import PAYERS
from saldo.access.rules_notices import RULES, can_choose, kinds_for, wants
from saldo.kernel.clock import instant_text
from saldo.notices.model import Notice, Told

PAGE = 25
_K = NoticeKind
_PAGES: Mapping[NoticeKind, str] = {
    _K.INVOICE_READY: "invoices/{id}",
    _K.DUE_SOON: "invoices/{id}",
    _K.OVERDUE: "invoices/{id}",
    _K.PAYMENT_STARTED: "payments/{id}",
    _K.PAYMENT_SUCCEEDED: "payments/{id}",
    _K.PAYMENT_FAILED: "payments/{id}",
    _K.REFUNDED: "payments",
    _K.DEBIT_ANNOUNCED: "autopay/{id}",
    _K.METHOD_EXPIRING: "methods",
    _K.APPROVAL_ASKED: "approvals/{id}",
    _K.APPROVAL_DECIDED: "approvals/{id}",
    _K.DISPUTE_MOVED: "disputes/{id}",
    _K.PROMISE_MOVED: "plans/{id}",
    _K.TERMS_DECIDED: "terms",
    _K.RENEWAL_ANNOUNCED: "subscriptions/{id}",
    _K.CERTIFICATE_DECIDED: "certificate/{id}",
    _K.TICKET_ANSWERED: "help/{id}",
    _K.LIMIT_REACHED: "usage",
    _K.ACCOUNT_CHANGED: "activity",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """Which notices are looked at. `account_id` "" and `kind` None: all. `page` counts from 1."""

    account_id: str = ""
    kind: NoticeKind | None = None
    page: int = 1

    def at(self, page: int) -> str:
        asked = {"account": self.account_id, "kind": self.kind or "", "page": str(page) if page > 1 else ""}
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"/notifications?{query}" if query else "/notifications"


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """`until`: the instant up to which "read up to here" reads."""

    text: str
    when: str
    account: str
    href: str
    is_unread: bool
    until: str


@dataclass(frozen=True, slots=True)
class CentreView:
    """`gaps`: sentences on what is not shown. `newer`, `older`: addresses, "" where there is no such page."""

    rows: tuple[NoticeRow, ...]
    unread: str
    has_unread: bool
    gaps: tuple[str, ...]
    newer: str
    older: str
    accounts: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]


def centre_view(told: Told, wish: Wish, seats: Sequence[Seat], words: Words) -> CentreView:
    fitting = [n for n in told.notices if wish.kind in (None, n.kind)]
    page = max(1, min(wish.page, -(-len(fitting) // PAGE)))
    shown, by_id = fitting[(page - 1) * PAGE : page * PAGE], {seat.account_id: seat for seat in seats}
    every = ("", words("notifications.all"))
    return CentreView(
        rows=tuple(_row(n, told, by_id.get(n.account_id), seats, words) for n in shown),
        unread=words.count("notifications.unread", told.unread),
        has_unread=told.unread > 0,
        gaps=tuple(_gaps(told, by_id, words)),
        newer=wish.at(page - 1) if page > 1 else "",
        older=wish.at(page + 1) if page * PAGE < len(fitting) else "",
        accounts=(every, *((s.account_id, s.name) for s in seats)) if len(seats) > 1 else (),
        kinds=(every, *((k.value, words(f"notice.kind.{k}")) for k in kinds_for(s.role for s in seats))),
    )


def _row(notice: Notice, told: Told, seat: Seat | None, seats: Sequence[Seat], words: Words) -> NoticeRow:
    zone = seat.time_zone if seat else seats[0].time_zone
    account = seat.name if seat and len(seats) > 1 else ""
    is_unread, until = notice.at > told.read_from, instant_text(notice.at)
    return NoticeRow(
        _text(notice, words), words.moment(notice.at, zone), account, _href(notice, seat), is_unread, until
    )


def _text(notice: Notice, words: Words) -> str:
    amount = words.money(notice.minor, notice.currency) if notice.minor is not None and notice.currency else ""
    due = words.day(notice.due_on) if notice.due_on else ""
    if notice.number:
        return words(f"notice.{notice.kind}.{notice.what}", number=notice.number, amount=amount, due=due)
    if notice.kind is NoticeKind.DEBIT_ANNOUNCED and due:
        return words("notice.debit_announced.debit", due=due)
    if notice.kind is NoticeKind.RENEWAL_ANNOUNCED and due:
        return words("notice.renewal_announced.renewal", due=due)
    if notice.what == "session.began":
        return words("notice.security.new_browser")
    said = words.known(f"activity.of.{notice.what}", "activity.of.other")
    return words("notice.amount", said=said, amount=amount) if amount else said


def _href(notice: Notice, seat: Seat | None) -> str:
    """The page of what it is about, as far as the reader's role leads there."""
    if seat is None:
        return "/profile"
    home = f"/accounts/{seat.account_id}"
    if notice.what == "bank":
        return f"{home}/methods/transfer" if seat.visibility.allows(SelfService.PAY) else f"{home}/invoices"
    if notice.what == "autopay.debit_failed":
        return f"{home}/autopay/{notice.subject_id}" if seat.role in PAYERS else f"{home}/payments"
    return f"{home}/{_PAGES[notice.kind].format(id=notice.subject_id)}"


def _gaps(told: Told, by_id: Mapping[str, Seat], words: Words) -> Iterable[str]:
    for account_id, at in told.since.items():
        seat = by_id[account_id]
        yield words("notifications.cut", account=seat.name, since=words.moment(at, seat.time_zone))
    if told.left_out:
        yield words.count("notifications.left_out", told.left_out)


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """One kind of notice. `options`: (way, text, hint) as the part `choices` takes them; none where nothing can be
    chosen, and then `why` says why."""

    kind: str
    name: str
    why: str
    options: tuple[tuple[str, str, str], ...]
    chosen: tuple[str, ...]


def choice_rows(kinds: Sequence[NoticeKind], choices: NoticeChoices, words: Words) -> tuple[ChoiceRow, ...]:
    return tuple(_choice(kind, choices, words) for kind in kinds)


def _choice(kind: NoticeKind, choices: NoticeChoices, words: Words) -> ChoiceRow:
    rule = RULES[kind]
    ways = [way for way in Way if can_choose(kind, way)]
    own = "copy" if rule.mail is Mail.COPY else "email"
    debits = words("notifications.way.debits") if kind is NoticeKind.PAYMENT_FAILED else ""
    notes = {Way.EMAIL: debits, Way.PORTAL: ""}
    texts = {Way.EMAIL: words(f"notifications.way.{own}"), Way.PORTAL: words("notifications.way.portal")}
    return ChoiceRow(
        kind.value,
        words(f"notice.kind.{kind}"),
        words(f"notifications.must.{rule.must}") if rule.must else "",
        tuple((way.value, texts[way], notes[way]) for way in ways),
        tuple(way.value for way in ways if wants(choices, kind, way)),
    )
