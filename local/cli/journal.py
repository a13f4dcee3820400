"""`saldo journal rebuild`."""

from __future__ import annotations

from typing import Any

import click

from local.cli.site import Sites, store_of
from local.cli.voice import Voice, speaks_json
from saldo.ledger.daily_sums import DailySums


@click.group(name="journal")
def journal_group() -> None:
    """What is folded from the journal of a customer."""


@journal_group.command()
@click.argument("account_id")
@click.pass_obj
@speaks_json
def rebuild(sites: Sites, voice: Voice, account_id: str) -> None:
    """Count an account's entries and add up the days of its journal anew, from the entries themselves."""
    entries = DailySums(store_of(sites.of(account_id))).rebuild(account_id)
    answer: dict[str, Any] = {"account_id": account_id, "entries": entries}
    voice.answer(answer, lambda console: console.print(f"{entries:,} entries"))
