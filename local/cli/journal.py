"""`saldo journal rebuild`."""

from __future__ import annotations

from typing import Any

import click

from local.cli.site import Sites, store_of
from local.cli.voice import Voice, speaks_json
from saldo.invoicing import habits, open_list
from saldo.ledger.daily_sums import DailySums
from saldo.payments.lately import LatestPayments


@click.group(name="journal")
def journal_group() -> None:
    """What is folded from the journal of a customer, and from its payments."""


@journal_group.command()
@click.argument("account_id")
@click.pass_obj
@speaks_json
def rebuild(sites: Sites, voice: Voice, account_id: str) -> None:
    """Count an account's entries and add up the days of its journal anew, from the entries themselves; and look through
    its payments for the latest, and its invoices for when it pays. What is open, and kept, is read anew by the next
    look."""
    store = store_of(sites.of(account_id))
    entries = DailySums(store).rebuild(account_id)
    LatestPayments(store).rebuild(account_id)
    habits.rebuild(store, account_id)
    open_list.forget(store, account_id)
    answer: dict[str, Any] = {"account_id": account_id, "entries": entries}
    voice.answer(answer, lambda console: console.print(f"{entries:,} entries"))
