"""Reminding of open invoices: the letters of a day, and whether they still hold when they are mailed."""

from __future__ import annotations

import json
from datetime import date
from unittest.mock import patch

from saldo.collections.model import DEFAULT_STEPS, ReminderPolicy
from saldo.collections.service import Reminders
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.rules_corrections import Reason
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import daily, invoke, messages, workflow
from tests.simulation.workflows.corrections import TAX
from tests.simulation.workflows.scenes import CLERK, account_id, billed, open_invoices, pay, until

# Invoices of 1 January are due on the 31st, a Saturday; a week later it is Saturday again, so letters go on Monday.
FIRST = date(2026, 2, 9)


def issue(region: Region, on: date = FIRST) -> None:
    until(region, on, hour=8)
    daily(region, "collections.issue_reminders", on.isoformat())


def mail(region: Region, n: int) -> None:
    """What the event of a letter brings about."""
    with region.undisturbed():
        (letter, *_) = Reminders(region.store, region.clock).of_account(account_id(n))
    detail = {"account_id": account_id(n), "correlation_id": letter.id, "reminder_id": letter.id}
    message = json.dumps({"detail-type": "reminder.issued", "detail": detail})
    invoke("delivery.deliver", messages(message))


@workflow("remind: a day", prepare=billed)
def a_day(region: Region) -> None:
    issue(region)


@workflow("remind: a day in parts", prepare=billed)
def in_parts(region: Region) -> None:
    """As where a seller has more customers than one call can look at."""
    with patch("functions.collections.issue_reminders.AT_ONCE", 1):
        issue(region)


def reminded(region: Region) -> None:
    """Letters are decided; before they are mailed one customer starts to pay, and one is let off."""
    billed(region)
    issue(region)
    pay(region, 1, "form-key-1")
    invoice_id, _ = open_invoices(region, 2)[0]
    Corrections(region.store, region.clock, TAX).credit(
        CreditRequest(account_id(2), invoice_id, "r1", Reason.GOODWILL, CLERK)
    )


@workflow("deliver: reminders", prepare=reminded)
def deliver(region: Region) -> None:
    for n in range(3):
        mail(region, n)


@workflow("remind: set the schedule", prepare=billed)
def set_schedule(region: Region) -> None:
    policy = ReminderPolicy(DEFAULT_STEPS[1:], {"public": ()}, gap_days=3)
    if Reminders(region.store, region.clock).policy(ENTITY_ID) != policy:  # a person looks before doing it again
        Reminders(region.store, region.clock).set_policy(ENTITY_ID, policy, CLERK)
