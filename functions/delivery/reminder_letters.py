"""Reminders as delivery sends them: what is owed now, in the customer's language."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

from saldo.access.model_notices import NoticeKind
from saldo.accounts.model import Account, LegalEntity
from saldo.accounts.rules_bank import change_told
from saldo.accounts.service import Accounts
from saldo.collections.model import Notice
from saldo.collections.service import Reminders, StillOwed
from saldo.delivery.model import Letter
from saldo.documents.layout import account_changed
from saldo.documents.wording import Wording, wording
from saldo.invoicing.records import InvoiceHeader, header_key
from saldo.kernel.clock import Clock
from saldo.kernel.periods import local_date
from saldo.payments.pay_links import PayLinks


class ReminderLetters:
    """Writes the letter of a reminder, as true as it is at that moment. `origin`: the portal's own."""

    def __init__(
        self, reminders: Reminders, accounts: Accounts, clock: Clock, origin: str, pay_links: PayLinks | None = None
    ) -> None:
        self._reminders, self._accounts, self._clock = reminders, accounts, clock
        self._origin, self._pay_links = origin, pay_links

    def letter(self, account_id: str, reminder_id: str) -> Letter | None:
        """None when everything it was about has been paid, or is being paid, since it was decided. NotFound."""
        owed = self._reminders.still_owed(account_id, reminder_id)
        if not owed.reminder.standing:
            return None
        account = self._accounts.account(account_id)
        seller = self._accounts.entity(owed.reminder.entity_id)
        today = local_date(self._clock(), seller.time_zone)
        return self._with_pay_link(letter_of(owed, account, seller, today, self._origin), owed)

    def _with_pay_link(self, letter: Letter, owed: StillOwed) -> Letter:
        """A letter about one invoice leads straight to its payment, where the account allows it."""
        notices = owed.reminder.standing
        if self._pay_links is None or len(notices) != 1:
            return letter
        token = self._pay_links.token(owed.reminder.account_id, notices[0].invoice_id)
        return replace(letter, url=f"{self._origin}/pay/{token}", page=letter.url) if token else letter


def letter_of(owed: StillOwed, account: Account, seller: LegalEntity, today: date, origin: str) -> Letter:
    """The letter of the notices that stand, on a day; amounts are those that are open now and not in dispute."""
    words = wording(account.language, account.country)
    notices, headers = owed.reminder.standing, owed.headers
    tone, first = _tone(notices, today), min(notice.due_on for notice in notices)
    amount = _amount(owed, words)
    portal = f"{origin}/accounts/{account.id}"
    only = f"/invoices/{notices[0].invoice_id}" if len(notices) == 1 else ""
    open_now = [(header_key(account.id, n.invoice_id), _as_read(headers[n.invoice_id])) for n in notices]
    return Letter(
        language=words.language,
        sender=seller.name,
        reply_to=seller.email,
        subject=words(f"mail_reminder_{tone}_subject", amount=amount, date=words.day(first)),
        greeting=words("mail_greeting"),
        intro=f"{words(f'mail_reminder_{tone}_intro')} {words('mail_reminder_paid')}",
        facts=(*(_fact(n, owed, today, words) for n in notices), *_total(notices, amount, words)),
        button=words("mail_button_reminder"),
        url=portal + only,
        questions=words("mail_questions"),
        closing=words("mail_closing"),
        holds_while=tuple(open_now),
        warning=_warning(owed, seller, today, words),
        notice=NoticeKind.DUE_SOON if tone in ("upcoming", "due") else NoticeKind.OVERDUE,
        stop=words("mail_stop"),
    )


def _warning(owed: StillOwed, seller: LegalEntity, today: date, words: Wording) -> str:
    """That the account to pay to has changed: shortly ago, or since one of these invoices named it."""
    first = min(owed.headers[notice.invoice_id].issued_on for notice in owed.reminder.standing)
    return account_changed(change_told(seller.bank_statement, today, first), words)


def _as_read(header: InvoiceHeader) -> dict[str, int | str | None]:
    """What must still hold of an invoice when the letter goes."""
    held = {"disputed_minor": header.disputed_minor or None, "promise_id": header.promise_id or None}
    return {"open_minor": header.open_minor, **held}


def _tone(notices: tuple[Notice, ...], today: date) -> str:
    """By the invoice that is longest due: what is not due yet is announced, not asked for."""
    first = min(notice.due_on for notice in notices)
    if first >= today:
        return "due" if first == today else "upcoming"
    return "last" if any(notice.is_last for notice in notices) else "late"


def _amount(owed: StillOwed, words: Wording) -> str:
    sums: Counter[str] = Counter()
    for notice in owed.reminder.standing:
        sums[notice.currency] += owed.headers[notice.invoice_id].undisputed_minor
    return " + ".join(words.money(minor, currency) for currency, minor in sorted(sums.items()))


def _fact(notice: Notice, owed: StillOwed, today: date, words: Wording) -> tuple[str, str]:
    amount = words.money(owed.headers[notice.invoice_id].undisputed_minor, notice.currency)
    when = "was_due" if notice.due_on < today else "is_due"
    return notice.number, words(f"mail_reminder_{when}", amount=amount, date=words.day(notice.due_on))


def _total(notices: tuple[Notice, ...], amount: str, words: Wording) -> tuple[tuple[str, str], ...]:
    return ((words("mail_reminder_total"), amount),) if len(notices) > 1 else ()
