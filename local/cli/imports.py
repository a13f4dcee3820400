"""`saldo usage import` and `saldo import invoices`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from local.cli.site import Site, Sites
from local.cli.voice import Json, Voice, amounts, speaks_json, table
from saldo.kernel.errors import Problem, Refusal, Unavailable

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(name="usage")
def usage_group() -> None:
    """Usage events."""


@usage_group.command(name="import")
@click.argument("file", type=_FILE)
@click.option("--entity", "entity_id", required=True, help="Legal entity whose customers used something.")
@click.option("--again", is_flag=True, help="Give rows that an earlier import of this file rejected another chance.")
@click.option("--backfill", is_flag=True, help="Mark these as events of the past that another system recorded.")
@click.pass_obj
@speaks_json
def import_usage(sites: Sites, voice: Voice, file: Path, entity_id: str, again: bool, backfill: bool) -> None:
    """Import usage events from a CSV or CloudEvents file (.csv, .ndjson). The same file again changes nothing."""
    site = sites.of(entity_id)
    key = upload(site, file, "usage")
    with voice.console.status("importing usage"):
        summary = invoke(
            site, "import_usage", {"entity_id": entity_id, "key": key, "again": again, "backfill": backfill}
        )
    errors = report_of(site, summary)
    voice.answer({**summary, "errors": errors}, lambda console: _show_usage(console, summary, errors, entity_id))


@click.group(name="import")
def import_group() -> None:
    """What other systems hold."""


@import_group.command(name="invoices")
@click.argument("file", type=_FILE)
@click.option("--entity", "entity_id", required=True, help="Legal entity that issued them.")
@click.option("--preset", default="saldo", show_default=True, help="Whose columns the file has: saldo, late-payments.")
@click.option("--currency", default="", help="Currency of rows that name none (default: the seller's).")
@click.option("--country", default="", help="Country of new customers that name none (default: the seller's).")
@click.option("--skip-bad-rows", is_flag=True, help="Import the good rows of a file that has bad ones.")
@click.option("--preview", is_flag=True, help="Check the whole file and write nothing.")
@click.pass_obj
@speaks_json
def import_invoices(sites: Sites, voice: Voice, file: Path, entity_id: str, **options: Any) -> None:
    """Import invoices of another system with their settlements: all of them, or none when a row is bad."""
    site = sites.of(entity_id)
    key = upload(site, file, "invoices")
    with voice.console.status("importing invoices"):
        summary = invoke(site, "import_invoices", {"entity_id": entity_id, "key": key, **options})
    errors = report_of(site, summary)
    voice.answer({**summary, "errors": errors}, lambda console: _show_invoices(console, summary, errors, options))
    if summary["rejected"] and not summary["committed"] and not options["preview"]:
        raise SystemExit(1)


def upload(site: Site, file: Path, kind: str) -> str:
    """Put a file where imports are read from; its key begins with its hash, so the same file has the same key."""
    with file.open("rb") as body:
        digest = hashlib.file_digest(body, "sha256").hexdigest()
        body.seek(0)
        key = f"{kind}/{digest[:16]}-{file.name}"
        site.client("s3").put_object(Bucket=site.imports_bucket, Key=key, Body=body)
    return key


def invoke(site: Site, function: str, event: Json) -> dict[str, Any]:
    """Call a deployed function and return its answer; its refusals and failures are raised as our own."""
    answer = site.client("lambda").invoke(FunctionName=site.functions[function], Payload=json.dumps(event).encode())
    told: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise Unavailable(f"{function} failed: {told.get('errorMessage', told)}")
    if "refused" in told:
        refused = told["refused"]
        raise Refusal(refused["code"], refused["message"], [Problem(**p) for p in refused["problems"]])
    return told


def report_of(site: Site, summary: Json) -> list[dict[str, Any]]:
    """Every rejected row, from the report that lies beside the file."""
    if not summary["report_key"]:
        return []
    body = site.client("s3").get_object(Bucket=site.imports_bucket, Key=summary["report_key"])["Body"]
    return [json.loads(line) for line in body.iter_lines() if line]


def _show_usage(console: Console, summary: Json, errors: list[dict[str, Any]], entity_id: str) -> None:
    if summary["repeated"]:
        console.print("This file was imported before; nothing was changed. Its figures were:")
    per_meter = ", ".join(f"{count:,} {meter}" for meter, count in sorted(summary["meters"].items()))
    console.print(
        f"[bold]{summary['accepted']:,}[/] of {summary['rows']:,} rows accepted"
        + (f" ({per_meter})" if per_meter else "")
        + f", {summary['duplicates']:,} duplicates, [bold]{summary['rejected']:,}[/] rejected"
    )
    show_errors(console, errors)
    if errors:
        console.print(f"These rows are kept; mend them: saldo usage quarantine --entity {entity_id}")


def _show_invoices(console: Console, summary: Json, errors: list[dict[str, Any]], options: Json) -> None:
    if summary["repeated"]:
        console.print("This file was imported before; nothing was changed. Its figures were:")
    done = "imported" if summary["committed"] else "would be imported"
    console.print(
        f"[bold]{summary['imported']:,}[/] of {summary['rows']:,} invoices {done} ({amounts(summary['totals'])}), "
        f"{summary['settled']:,} of them with settlements, for {summary['customers']:,} new customers; "
        f"{summary['unchanged']:,} were here already; [bold]{summary['rejected']:,}[/] rejected"
    )
    show_errors(console, errors)
    if summary["rejected"] and not summary["committed"] and not options["preview"]:
        console.print("Nothing was written. Mend these rows, or import the others with --skip-bad-rows.")


def show_errors(console: Console, errors: list[dict[str, Any]]) -> None:
    rows = [
        (str(e["row"]) if i == 0 else "", p["field"], p["code"], p["message"])
        for e in errors
        for i, p in enumerate(e["problems"])
    ]
    if rows:
        console.print(table("line", "field", "code", "what is wrong", rows=rows, numbers=("line",)))
