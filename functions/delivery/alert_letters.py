"""Mail of a limit that was reached: which one, how far it has come, and what follows from it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from saldo.access.model_notices import NoticeKind
from saldo.accounts.model import Account, LegalEntity
from saldo.accounts.service import Accounts
from saldo.delivery.model import Letter
from saldo.documents.wording import Wording, wording
from saldo.kernel.errors import NotFound
from saldo.kernel.money import Money
from saldo.kernel.periods import Period
from saldo.storage.store import Store
from saldo.usage.ingest import meters_of
from saldo.usage.model import Meter
from saldo.usage.model_thresholds import Alert, Measure, Then
from saldo.usage.records_thresholds import ALERT_PREFIX, alert_from


class AlertLetters:
    """Writes the letter of an alert. `origin`: the portal's own."""

    def __init__(self, store: Store, accounts: Accounts, origin: str) -> None:
        self._store, self._accounts, self._origin = store, accounts, origin

    def letter(self, account_id: str, alert_id: str) -> Letter:
        """alert_id: the sort key of its record. NotFound."""
        item = self._store.get(account_id, alert_id) if alert_id.startswith(ALERT_PREFIX) else None
        if item is None:
            raise NotFound("no such alert")
        alert, account = alert_from(item), self._accounts.account(account_id)
        words = wording(account.language, account.country)
        meter = meters_of(self._store, alert.entity_id).get(alert.threshold.meter_id)
        what = _named(meter, words) if meter else words("mail_alert_next_invoice")
        return letter_of(alert, account, self._accounts.entity(alert.entity_id), what, words, self._origin)


def letter_of(alert: Alert, account: Account, seller: LegalEntity, what: str, words: Wording, origin: str) -> Letter:
    """what: the meter's name, or what is said of the whole invoice."""
    follows = "block" if alert.threshold.then is Then.BLOCK else "alert"
    facts = (
        ("what", what),
        ("period", _period(alert.period, words)),
        ("limit", _measured(alert, alert.threshold.at, words)),
        ("so_far", _measured(alert, alert.measured, words)),
    )
    return Letter(
        language=words.language,
        sender=seller.name,
        reply_to=seller.email,
        subject=words("mail_alert_subject", what=what, account=account.name),
        greeting=words("mail_greeting"),
        intro=words(f"mail_alert_{follows}_intro", account=account.name),
        facts=tuple((words(f"mail_alert_fact_{name}"), text) for name, text in facts),
        button=words("mail_alert_button"),
        url=f"{origin}/accounts/{account.id}/usage",
        questions=words("mail_questions"),
        closing=words("mail_closing"),
        notice=NoticeKind.LIMIT_REACHED,
        stop=words("mail_stop"),
    )


def _named(meter: Meter, words: Wording) -> str:
    return meter.names.get(words.language) or meter.names["en"]


def _period(text: str, words: Wording) -> str:
    """The meter's period, or the day of the invoice."""
    first, _, end = text.partition("/")
    start = date.fromisoformat(first)
    return words.period(Period(start, date.fromisoformat(end))) if end else words.day(start)


def _measured(alert: Alert, value: Decimal, words: Wording) -> str:
    if alert.threshold.measure is Measure.COST:
        return words.money(Money.parse(format(value, "f"), alert.currency).minor, alert.currency)
    return words.percent(value) if alert.threshold.measure is Measure.PERCENT else words.number(value)
