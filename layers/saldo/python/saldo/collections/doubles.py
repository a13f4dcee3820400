"""Reminders of a customer's double on its clock: recorded as the customer's would be, and mailed to nobody."""

from __future__ import annotations

from datetime import date

from saldo.collections import rules
from saldo.collections.service import Reminders
from saldo.invoicing.clocks import MORNING, clock_at
from saldo.invoicing.model_clock import AccountClock, RemindedThen
from saldo.storage.store import Store


class DoublesReminders:
    """Implements `saldo.invoicing.ports.DoublesReminded`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def next_on(self, clock: AccountClock, last: date) -> date | None:
        reminders = self._reminders(clock, clock.today)
        policy = reminders.policy(clock.seller_id)
        return rules.next_letter_on(reminders.case_of(clock.account_id, policy), policy, clock.today, last)

    def remind(self, clock: AccountClock, on: date) -> list[RemindedThen]:
        report = self._reminders(clock, on).remind_account(clock.seller_id, clock.account_id, on)
        return [
            RemindedThen(on, letter.id, n.invoice_id, n.number, n.step, n.due_on, n.currency, n.open_minor)
            for letter in report.reminders
            for n in letter.notices
        ]

    def _reminders(self, clock: AccountClock, day: date) -> Reminders:
        return Reminders(self._store, clock_at(self._store, clock, day, MORNING))
