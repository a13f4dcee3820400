"""Reminders of a customer's double on its clock: recorded as the customer's would be, and mailed to nobody."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from saldo.accounts.records import entity_from
from saldo.collections import rules
from saldo.collections.service import Reminders
from saldo.invoicing.model_clock import AccountClock, RemindedThen
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound
from saldo.kernel.periods import zone_named
from saldo.storage.store import Store

# When real reminders are decided, on the seller's clock (infra/cdk/runs.py).
_HOUR = time(9)


class DoublesReminders:
    """Implements `saldo.invoicing.ports.DoublesReminded`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def next_on(self, clock: AccountClock, last: date) -> date | None:
        reminders = Reminders(self._store, self._nine_on(clock, clock.today))
        policy = reminders.policy(clock.seller_id)
        return rules.next_letter_on(reminders.case_of(clock.account_id, policy), policy, clock.today, last)

    def remind(self, clock: AccountClock, on: date) -> list[RemindedThen]:
        reminders = Reminders(self._store, self._nine_on(clock, on))
        report = reminders.remind_account(clock.seller_id, clock.account_id, on)
        return [
            RemindedThen(on, letter.id, n.invoice_id, n.number, n.step, n.due_on, n.currency, n.open_minor)
            for letter in report.reminders
            for n in letter.notices
        ]

    def _nine_on(self, clock: AccountClock, day: date) -> Clock:
        item = self._store.get(clock.seller_id, "entity")
        if item is None:
            raise NotFound(f"no such legal entity: {clock.seller_id}")
        instant = datetime.combine(day, _HOUR, zone_named(entity_from(item).time_zone)).astimezone(UTC)
        return lambda: instant
