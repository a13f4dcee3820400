"""`saldo bill`, `saldo runs`, `saldo run show`, `saldo run retry`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local.cli.site import Site, Sites, attempts_of, latest_of, sellers_of, store_of
from local.cli.voice import Json, Voice, amounts, said_dry, speaks_json, table
from saldo.invoicing.run.model import Attempt, RunState, SetAside, run_id_of
from saldo.invoicing.run.number import set_aside_of
from saldo.invoicing.run.open import latest_attempt
from saldo.invoicing.run.starter import RunStarter
from saldo.kernel.clock import instant_text, system_clock
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money

STEPS = {
    "OpenRun": "opening",
    "BillBatches": "billing accounts",
    "NumberInvoices": "numbering",
    "IssueBatches": "issuing",
    "ReconcileRun": "reconciling with the ledger",
    "CloseRun": "closing",
}
_POLL_S = 0.25


@click.command()
@click.option("--entity", "entity_id", required=True, help="Legal entity whose customers are billed.")
@click.option("--as-of", metavar="DATE", help="Bill everything due by this day (default: today).")
@click.option("--dry-run", is_flag=True, help="Reckon, compare with the last run, and issue nothing.")
@click.pass_obj
@speaks_json
def bill(sites: Sites, voice: Voice, entity_id: str, as_of: str | None, dry_run: bool) -> None:
    """Start an invoice run and follow it to its end. Starting it again is harmless."""
    site = sites.of(entity_id)
    day = as_of or instant_text(system_clock())
    answer_run(site, voice, run(site, voice, entity_id, day, dry_run=dry_run))


def run(site: Site, voice: Voice, entity_id: str, as_of: str, *, dry_run: bool = False) -> Attempt:
    """Start the state machine, show its progress, and return the attempt when it has ended.

    Raises Refusal `run_failed` with the reason when it failed.
    """
    if "T" not in as_of:
        day_from(as_of)
    starter = RunStarter(site.client("stepfunctions"), site.state_machine_arn, system_clock)
    arn = starter.start(entity_id, as_of, dry_run=dry_run)
    ended = follow(site.client("stepfunctions"), arn, voice)
    if ended["status"] != "SUCCEEDED":
        raise Refusal("run_failed", _reason(ended, entity_id, as_of))
    opened: dict[str, Any] = json.loads(ended["output"])
    return latest_of(store_of(site), opened["run_id"])


def day_from(text: str) -> date:
    """A day as it is typed; Refusal `invalid_date`."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refusal("invalid_date", f"{text!r} is not a date written as YYYY-MM-DD") from error


def follow(client: Any, arn: str, voice: Voice) -> Json:  # boto3's Step Functions client
    """Wait for an execution, showing the step it is at; returns its description."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=voice.console, transient=True) as progress:
        shown = progress.add_task("starting", total=len(STEPS))
        while True:
            described: Json = client.describe_execution(executionArn=arn)
            if described["status"] != "RUNNING":
                return described
            at = [step for step in _entered(client, arn) if step in STEPS]
            if at:
                progress.update(shown, description=STEPS[at[-1]], completed=list(STEPS).index(at[-1]))
            time.sleep(_POLL_S)


def _entered(client: Any, arn: str) -> Iterator[str]:
    events = client.get_execution_history(executionArn=arn, maxResults=200)["events"]
    for event in events:
        if event["type"].endswith("StateEntered"):
            yield event["stateEnteredEventDetails"]["name"]


def _reason(ended: Json, entity_id: str, as_of: str) -> str:
    cause = str(ended.get("cause") or "")
    with suppress(ValueError, AttributeError):
        cause = json.loads(cause).get("errorMessage", cause)
    return f"the run of {entity_id} as of {as_of} failed: {cause or ended.get('error') or ended['status']}"


def answer_run(site: Site, voice: Voice, attempt: Attempt) -> None:
    """Tell what became of an attempt: figures, set-aside accounts with reasons, differences of a dry run."""
    aside = set_aside_of(store_of(site), attempt)
    document = {"run": _document(attempt), "set_aside": [asdict(one) for one in aside]}
    voice.answer(document, lambda console: _show(console, attempt, aside))


def _document(attempt: Attempt) -> dict[str, Any]:
    fields = asdict(attempt)
    return {**fields, "attempt": fields.pop("number"), "status": fields.pop("state")}


def _show(console: Console, attempt: Attempt, aside: list[SetAside]) -> None:
    kind = "dry run" if attempt.dry_run else "run"
    console.print(f"[bold]{attempt.run_id}[/] ({kind}, attempt {attempt.number}) is [bold]{attempt.state.value}[/]")
    rows = [
        ("as of", attempt.as_of.isoformat()),
        ("invoices", f"{attempt.invoices:,}"),
        ("total", amounts(attempt.totals)),
        ("numbers", f"{attempt.first_number} to {attempt.last_number}" if attempt.first_number else "–"),
        ("set aside", f"{attempt.set_aside:,}"),
    ]
    if attempt.error:
        rows.append(("stopped by", attempt.error))
    console.print(table("", "", rows=rows))
    if aside:
        reasons = ((a.account_id, a.code, a.reason.removeprefix(f"{a.code}: ")) for a in aside)
        console.print(table("account", "code", "reason", rows=reasons, title="\nSet aside, still due"))
        console.print(f"When mended: saldo run retry {attempt.run_id}")
    if attempt.differences:
        console.print(_differences(attempt))
    if attempt.dry_run:
        said_dry(console, "issued")


def _differences(attempt: Attempt) -> Any:  # rich's Table
    rows = [
        (str(d["account_id"]), *(str(Money(int(str(d[n])), str(d["currency"]))) for n in ("before_minor", "now_minor")))
        for d in attempt.differences
    ]
    title = "\nAgainst the last run, largest differences first"
    return table("account", "before", "now", rows=rows, numbers=("before", "now"), title=title)


@click.command()
@click.option("--entity", "entity_id", default="", help="Only the runs of this legal entity.")
@click.pass_obj
@speaks_json
def runs(sites: Sites, voice: Voice, entity_id: str) -> None:
    """List invoice runs, the newest first."""
    found: list[Attempt] = []
    for site in [sites.of(entity_id)] if entity_id else sites.all():
        store = store_of(site)
        found += attempts_of(store, [entity_id] if entity_id else sellers_of(store))
    rows = [
        (a.run_id, str(a.number), a.state.value, f"{a.invoices:,}", amounts(a.totals), f"{a.set_aside:,}", a.opened_at)
        for a in found
    ]
    columns = ("run", "attempt", "status", "invoices", "total", "set aside", "opened")
    drawn = table(*columns, rows=rows, numbers=("attempt", "invoices", "total", "set aside"))
    voice.answer({"runs": [_document(a) for a in found]}, lambda console: console.print(drawn if rows else "No runs."))


@click.group(name="run")
def run_group() -> None:
    """Look at one invoice run, or have another go at it."""


@run_group.command(name="show")
@click.argument("run_id")
@click.pass_obj
@speaks_json
def show_run(sites: Sites, voice: Voice, run_id: str) -> None:
    """What became of a run, and which accounts were set aside for which reason."""
    site = sites.of(run_id)
    answer_run(site, voice, latest_of(store_of(site), run_id))


@run_group.command(name="retry")
@click.argument("run_id")
@click.pass_obj
@speaks_json
def retry_run(sites: Sites, voice: Voice, run_id: str) -> None:
    """Resume a failed run, or bill the accounts that a closed one set aside. Nothing is billed twice."""
    site = sites.of(run_id)
    last = latest_of(store_of(site), run_id)
    if last.state is RunState.OPEN:
        voice.console.print("It is still open; joining it.")
    attempt = run(site, voice, last.entity_id, last.as_of.isoformat())
    answer_run(site, voice, latest_attempt(store_of(site), run_id_of(last.entity_id, last.as_of)) or attempt)
