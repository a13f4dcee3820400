"""`saldo check`, `saldo trace` and `saldo mail`."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from email.header import decode_header, make_header
from typing import Any

import click
from rich.console import Console

from local.cli.site import NotHere, Sites, store_of
from local.cli.voice import Voice, speaks_json, table
from saldo.insight.invariants import NOT_CHECKED, NOT_CHECKED_OF, TITLES, Report, check_all
from saldo.insight.trace import story_of
from saldo.kernel.clock import instant_text


@click.command()
@click.pass_obj
@speaks_json
def check(sites: Sites, voice: Voice) -> None:
    """Check every invariant over every record of both regions. Exit status 1 when one is broken."""
    reports: dict[str, Report] = {}
    for site in sites.all():
        with voice.console.status(f"checking region {site.region_code}"):
            reports[site.region_code] = check_all(store_of(site), now=datetime.now(UTC))
    broken = [{"region": code, **asdict(v)} for code, report in reports.items() for v in report.violations]
    counted: Counter[str] = sum((r.counted for r in reports.values()), Counter())
    document = {
        "violations": broken,
        "records": dict(sorted(counted.items())),
        "not_checked": {str(number): reason for number, reason in sorted(NOT_CHECKED.items())},
        "not_checked_of": {str(number): reason for number, reason in sorted(NOT_CHECKED_OF.items())},
    }
    voice.answer(document, lambda console: _show_check(console, broken, counted))
    if broken:
        raise SystemExit(1)


def _show_check(console: Console, broken: list[dict[str, Any]], counted: Counter[str]) -> None:
    for number, title in TITLES.items():
        wrong = [b for b in broken if b["invariant"] == number]
        mark = f"[bold red]✗ {len(wrong)}[/]" if wrong else "[dim]–[/]" if number in NOT_CHECKED else "[green]✓[/]"
        why = NOT_CHECKED.get(number) or NOT_CHECKED_OF.get(number)
        reason = f" [dim]({why})[/]" if why else ""
        console.print(f"{number:3} {mark} {title}{reason}", soft_wrap=True)
    if broken:
        rows = [(str(b["invariant"]), b["region"], b["owner_id"], b["message"]) for b in broken]
        console.print(table("", "region", "owner", "what is wrong", rows=rows))
    console.print(f"{counted.total():,} records, [bold]{len(broken)}[/] violations")


@click.command()
@click.argument("correlation_id")
@click.pass_obj
@speaks_json
def trace(sites: Sites, voice: Voice, correlation_id: str) -> None:
    """Tell what one click led to: records and log lines that carry its id (it stands in any log line of the click).

    Reads every record and log of both regions, as only a machine of one's own may. On AWS, ask X-Ray for
    `annotation.correlation_id = "…"`, and CloudWatch Logs for the id. Exit status 1 when nothing carries it.
    """
    story: list[dict[str, Any]] = []
    for site in sites.all():
        with voice.console.status(f"reading region {site.region_code}"):
            found = story_of(correlation_id, store_of(site).scan(), lines_with(site.client("logs"), correlation_id))
        story += [{"region": site.region_code, **asdict(moment)} for moment in found]
    rows = [(m["at"], m["kind"], m["what"], m["where"], _facts(m["facts"])) for m in story]
    drawn = table("when", "", "what", "where", "", rows=rows)
    voice.answer({"trace": story}, lambda console: console.print(drawn if rows else "Nothing carries this id."))
    if not story:
        raise SystemExit(1)


def lines_with(logs: Any, text: str) -> Iterator[dict[str, Any]]:
    """JSON lines of all of a region's log groups in which the text stands."""
    for groups in logs.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=group["logGroupName"], filterPattern=f'"{text}"'
            )
            for line in (event["message"] for page in pages for event in page["events"]):
                at = line.find("{")
                if text in line and at >= 0:
                    with suppress(ValueError):
                        yield json.loads(line[at:])


def _facts(facts: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in facts.items())


@click.command()
@click.option("--to", "recipient", default="", help="Only mail to this address.")
@click.option("--last", default=20, show_default=True, help="How many, the newest last.")
@click.pass_obj
@speaks_json
def mail(sites: Sites, voice: Voice, recipient: str, last: int) -> None:
    """List the mail that was sent from this machine."""
    sent = [m for m in _sent(sites.all()[0].aws_url) if not recipient or recipient in m["to"]][-last:]
    rows = [(m["at"], ", ".join(m["to"]), m["subject"]) for m in sent]
    drawn = table("sent", "to", "subject", rows=rows)
    voice.answer({"mail": sent}, lambda console: console.print(drawn if rows else "No mail was sent yet."))


def _sent(aws_url: str) -> list[dict[str, Any]]:
    """Every mail the emulator took, oldest first."""
    try:
        with urllib.request.urlopen(f"{aws_url}/_ministack/ses/messages", timeout=10) as answer:  # noqa: S310 - own port
            told = json.loads(answer.read())
    except OSError as error:
        raise NotHere(str(error)) from error
    sent = [_message(m) for messages in told["messages"].values() for m in messages]
    return sorted(sent, key=lambda m: str(m["at"]))


def _message(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": instant_text(datetime.fromtimestamp(told["Timestamp"], UTC)),
        "from": told["Source"],
        "to": told["To"],
        "subject": str(make_header(decode_header(told["Subject"]))),
        "text": told["BodyText"],
    }
