"""When an invoice is expected to be paid, and why, in words for its payer and for staff."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from functions.portal.presenters import invoice_history
from functions.portal.words import Words
from saldo.invoicing.habits import habit_from
from saldo.invoicing.records import InvoiceHeader
from saldo.invoicing.rules_habit import Because, Expected, expected
from saldo.ledger.records import BALANCE
from saldo.payments.scheduled import scheduled_for_key, scheduled_on
from saldo.storage.items import Item, Key


def keys_of(account_id: str, invoice_id: str) -> tuple[Key, ...]:
    """What it is told from, besides the invoice."""
    return (account_id, BALANCE), scheduled_for_key(account_id, invoice_id)


def besides(account_id: str, invoice_id: str) -> tuple[Key, ...]:
    """What an invoice's page is told from, besides it: its history, and when it is expected to be paid."""
    return (*invoice_history.keys_of(account_id, invoice_id), *keys_of(account_id, invoice_id))


def expected_payment(header: InvoiceHeader, others: Mapping[Key, Item], today: date, words: Words) -> tuple[str, str]:
    """(name, when and why); the latter empty where nothing is asked for, or nothing can be said. others: the records of
    `keys_of` that are there."""
    name = words("expected.title")
    if header.undisputed_minor <= 0:
        return name, ""
    balance, waiting = (others.get(key) for key in keys_of(header.account_id, header.invoice_id))
    found = expected(
        header.due_on,
        habit_from(balance),
        today,
        scheduled_on=scheduled_on(waiting, header.undisputed_minor),
        promised_on=header.promises[-1].until_on if header.promised_minor and header.promises else None,
    )
    return name, _said(found, words)


def _said(found: Expected, words: Words) -> str:
    if found.because is Because.UNKNOWN:
        return ""
    on = words.day(found.on) if found.on else ""
    if found.because not in (Because.HABIT, Because.LATER):
        return words(f"expected.{found.because}", on=on)
    if found.days == 0:
        usual = words("expected.usual.on_time")
    else:
        usual = words.count(f"expected.usual.{'after' if found.days > 0 else 'before'}", abs(found.days))
    return words(f"expected.{found.because}", on=on, usual=usual)
