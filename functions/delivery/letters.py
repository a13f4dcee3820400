"""Letters as delivery sends them, written with the words and the PDF of the documents room."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from functions.delivery.alert_letters import AlertLetters
from functions.delivery.note_letters import NoteLetters
from functions.delivery.reminder_letters import ReminderLetters
from saldo.access.model_notices import NoticeKind
from saldo.accounts.rules_bank import change_told
from saldo.accounts.service import Accounts
from saldo.delivery.model import Letter
from saldo.documents.layout import account_changed
from saldo.documents.model import DocumentView, InvoiceView
from saldo.documents.service import Documents
from saldo.documents.wording import Wording, wording
from saldo.kernel.clock import Clock
from saldo.kernel.periods import local_date
from saldo.payments.pay_links import PayLinks


class WrittenLetters:
    """Implements `saldo.delivery.ports.Letters`."""

    def __init__(
        self,
        documents: Documents,
        reminders: ReminderLetters,
        notes: NoteLetters,
        alerts: AlertLetters,
        pay_links: PayLinks,
        accounts: Accounts,
        clock: Clock,
    ) -> None:
        self._documents, self._reminders, self._notes = documents, reminders, notes
        self._alerts, self._pay_links = alerts, pay_links
        self._accounts, self._clock = accounts, clock

    def letter(self, account_id: str, document_kind: str, document_id: str) -> Letter | None:
        if document_kind == "reminder":
            return self._reminders.letter(account_id, document_id)
        if document_kind == "note":
            return self._notes.letter(account_id, document_id)
        if document_kind == "alert":
            return self._alerts.letter(account_id, document_id)
        if document_kind in ("invoice", "credit_note"):
            view: DocumentView = self._documents.invoice_view(account_id, document_id)
            pdf = self._documents.invoice_pdf(account_id, document_id)
        else:
            view = self._documents.receipt_view(account_id, document_id)
            pdf = self._documents.receipt_pdf(account_id, document_id)
        written = letter_of(view, pdf)
        if not isinstance(view, InvoiceView) or view.payable_minor <= 0:
            return written
        written = replace(written, warning=self._warning(view))
        token = self._pay_links.token(account_id, document_id)
        return replace(written, url=pay_address(written.url, token), page=written.url) if token else written

    def _warning(self, view: InvoiceView) -> str:
        """That the account to pay to has changed: shortly ago, or since this very invoice named it."""
        seller = self._accounts.entity(view.seller.id)
        change = change_told(seller.bank_statement, local_date(self._clock(), seller.time_zone), view.issued_on)
        return account_changed(change, wording(view.language, view.buyer.country))


def pay_address(portal_url: str, token: str) -> str:
    """Where the invoice is paid without signing in, at the origin of a page of the portal."""
    parts = urlsplit(portal_url)
    return f"{parts.scheme}://{parts.netloc}/pay/{token}"


def letter_of(view: DocumentView, pdf: bytes) -> Letter:
    """The letter that goes with a document, in its language."""
    words = wording(view.language, view.buyer.country)
    kind = _kind(view)
    minor = view.payable_minor if isinstance(view, InvoiceView) else view.amount_minor
    amount = words.money(abs(minor) if kind == "credit_note" else minor, view.currency)
    button = kind if minor > 0 or kind == "credit_note" else "credit"
    return Letter(
        language=words.language,
        sender=view.seller.name,
        reply_to=view.seller.email,
        subject=words(f"mail_{kind}_subject", number=view.number, amount=amount),
        greeting=words("mail_greeting"),
        intro=_intro(view, amount, words),
        facts=_facts(view, amount, words),
        button=words(f"mail_button_{button}"),
        url=view.portal_url,
        questions=words("mail_questions"),
        closing=words("mail_closing"),
        file_name=f"{words(kind)} {view.number}.pdf".replace(" ", "-"),
        pdf=pdf,
        notice=NoticeKind.PAYMENT_SUCCEEDED if kind == "receipt" else NoticeKind.INVOICE_READY,
        stop=words("mail_stop"),
    )


def _kind(view: DocumentView) -> str:
    if not isinstance(view, InvoiceView):
        return "receipt"
    return "credit_note" if view.is_credit_note else "invoice"


def _intro(view: DocumentView, amount: str, words: Wording) -> str:
    if isinstance(view, InvoiceView):
        day = words.day(view.issued_on)
        intro = words(f"mail_{_kind(view)}_intro", number=view.number, date=day, amount=amount)
        return intro if view.payable_minor <= 0 else f"{intro} {words('mail_invoice_due', date=words.day(view.due_on))}"
    return words("mail_receipt_intro", date=words.day(view.settled_on), amount=amount)


def _facts(view: DocumentView, amount: str, words: Wording) -> tuple[tuple[str, str], ...]:
    if isinstance(view, InvoiceView):
        due = ((words("mail_due"), words.day(view.due_on)),) if view.payable_minor > 0 else ()
        number = "credit_note_number" if view.is_credit_note else "number"
        return ((words(number), view.number), (words("amount"), amount), *due)
    paid = (words("mail_paid"), words.day(view.settled_on))
    return ((words("receipt_number"), view.number), (words("amount"), amount), paid)
