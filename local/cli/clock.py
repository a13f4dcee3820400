"""`saldo clock create`, `advance`, `show`, `list`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import click
from rich.console import Console

from local.cli.imports import invoke
from local.cli.runs import day_from
from local.cli.site import Site, Sites, store_of
from local.cli.voice import Json, Voice, speaks_json, table
from saldo.invoicing.clocks import clock_of, clocks_of
from saldo.invoicing.model_clock import AccountClock
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.kernel.periods import add_months


@click.group(name="clock")
def clock_group() -> None:
    """Simulated time: a customer's double, moved through months in seconds (docs/clock.md)."""


@clock_group.command()
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--at", required=True, metavar="DATE", help="First day of the clock: subscriptions begin anew on it.")
@click.pass_obj
@speaks_json
def create(sites: Sites, voice: Voice, account_id: str, at: str) -> None:
    """Make a double of a customer, on a clock of its own. The customer stays as it is."""
    event = {"account_id": account_id, "at": day_from(at).isoformat(), "by": "saldo_command"}
    made = invoke(sites.of(account_id), "create_double", event)
    words = f"[bold]{made['account_id']}[/] is a double of {account_id}; it is {made['today']} there.\n"
    words += f"Move it: saldo clock advance {made['account_id']} --months 3"
    voice.answer(made, lambda console: console.print(words, soft_wrap=True))


@clock_group.command()
@click.argument("account_id", metavar="DOUBLE")
@click.option("--to", default="", metavar="DATE", help="Last day to go to.")
@click.option("--months", type=click.IntRange(1, 120), help="Or: how many months to go on.")
@click.pass_obj
@speaks_json
def advance(sites: Sites, voice: Voice, account_id: str, to: str, months: int | None) -> None:
    """Move a double on, day by day on which something is due: billed by a run like any other, reminded like anybody."""
    if bool(to) == bool(months):
        raise Refusal("invalid_input", "say how far: --to DATE, or --months N")
    site = sites.of(account_id)
    clock = clock_of(store_of(site), account_id)
    goal = day_from(to) if to else add_months(clock.today, months or 0)
    steps = []
    with voice.console.status(f"{clock.today}") as status:
        for step in _steps(site, account_id, goal):
            status.update(f"{step['today']}")
            steps.append(step)
    happened = {name: [one for step in steps for one in step[name]] for name in ("issued", "renewals", "reminded")}
    document: dict[str, Any] = {"account_id": account_id, "today": steps[-1]["today"], **happened}
    document["stopped"] = _stop(steps[-1])
    voice.answer(document, lambda console: _show_way(console, document))
    if document["stopped"]:
        raise SystemExit(1)


@clock_group.command()
@click.argument("account_id", metavar="DOUBLE")
@click.pass_obj
@speaks_json
def show(sites: Sites, voice: Voice, account_id: str) -> None:
    """Show what day it is for a double, and of whom it is one."""
    document = _document(clock_of(store_of(sites.of(account_id)), account_id))
    voice.answer(document, lambda console: _show(console, [document]))


@clock_group.command(name="list")
@click.option("--entity", "entity_id", required=True, help="Legal entity of whose customers they are doubles.")
@click.pass_obj
@speaks_json
def list_clocks(sites: Sites, voice: Voice, entity_id: str) -> None:
    """List the doubles of a seller's customers."""
    found = [_document(clock) for clock in clocks_of(store_of(sites.of(entity_id)), entity_id)]
    voice.answer({"clocks": found}, lambda console: _show(console, found))


def _steps(site: Site, account_id: str, goal: date) -> Iterator[dict[str, Any]]:
    """Every day on which something was due, up to the one that says that it is done, or why it stops."""
    while True:
        step = invoke(site, "advance_clock", {"account_id": account_id, "to": goal.isoformat()})
        yield step
        if step["is_done"] or step["set_aside"]:
            return


def _stop(step: Json) -> Json | None:
    return {"on": step["today"], **step["set_aside"]} if step["set_aside"] else None


def _document(clock: AccountClock) -> dict[str, str]:
    return {
        "account_id": clock.account_id,
        "seller_id": clock.seller_id,
        "of_account": clock.of_account,
        "began_on": clock.began_on.isoformat(),
        "today": clock.today.isoformat(),
    }


def _show(console: Console, clocks: list[dict[str, str]]) -> None:
    rows = [(c["account_id"], c["of_account"], c["began_on"], c["today"]) for c in clocks]
    drawn = table("double", "of", "began on", "it is there", rows=rows)
    console.print(drawn if rows else "There are no doubles.")


def _happened(document: Json) -> list[tuple[str, str, str, str]]:
    """Invoices, terms and reminders in the order of their days; those of one day as they happen, invoices first."""
    rows = [
        (one["issued_on"], one["number"], one["kind"].replace("_", " "), _money(one, "total_minor"))
        for one in document["issued"]
    ]
    rows += [(one["on"], one["subscription_id"], _of_term(one), "") for one in document["renewals"]]
    rows += [
        (one["on"], one["number"], f"reminder: {one['step']}", _money(one, "open_minor"))
        for one in document["reminded"]
    ]
    return sorted(rows, key=lambda row: row[0])


def _of_term(one: Json) -> str:
    return f"renews on {one['term_ends_on']}: told" if one["what"] == "announced" else f"term {one['what']}"


def _money(one: Json, field: str) -> str:
    return str(Money(one[field], one["currency"]))


def _show_way(console: Console, document: Json) -> None:
    rows = _happened(document)
    if rows:
        console.print(table("on", "", "", "amount", rows=rows, numbers=("amount",)))
    console.print(f"It is {document['today']} for {document['account_id']}.")
    if document["stopped"]:
        why = document["stopped"]
        reason = why["reason"].removeprefix(f"{why['code']}: ")
        console.print(f"It stops there: {why['code']}, {reason}. When mended, advance it again.", soft_wrap=True)
