"""`saldo audit verify` and `saldo audit link`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import click
from rich.console import Console

from local.cli.site import Site, Sites, store_of
from local.cli.voice import Voice, speaks_json, table
from saldo.audit.anchors import AuditAnchors, Proof
from saldo.audit.chain import AuditChain
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import Refusal
from saldo.storage.files import Files


@click.group(name="audit")
def audit_group() -> None:
    """Who did what, beyond doubt."""


@audit_group.command()
@click.option("--owner", "owner_id", default="", help="One owner (account, entity, user …); else every one.")
@click.option("--from", "from_text", default="", metavar="DATE", help="Records and roots from this day on.")
@click.pass_obj
@speaks_json
def verify(sites: Sites, voice: Voice, owner_id: str, from_text: str) -> None:
    """Prove the audit chains against their records and the anchored roots, or name the first broken link of each.

    Exit status 1 when one is broken.
    """
    from_on = _day(from_text) if from_text else None
    proofs: dict[str, Proof] = {}
    for site in [sites.of(owner_id)] if owner_id else sites.all():
        with voice.console.status(f"proving region {site.region_code}"):
            proofs[site.region_code] = anchors_of(site).prove(owner_id or None, from_on)
    document = {"regions": {code: asdict(proof) for code, proof in proofs.items()}}
    voice.answer(document, lambda console: _show(console, proofs))
    if any(proof.breaks for proof in proofs.values()):
        raise SystemExit(1)


@audit_group.command()
@click.option("--owner", "owner_id", required=True, help="Whose records to link.")
@click.pass_obj
@speaks_json
def link(sites: Sites, voice: Voice, owner_id: str) -> None:
    """Link what the stream missed of one owner."""
    linked = AuditChain(store_of(sites.of(owner_id)), system_clock).catch_up(owner_id)
    answer: dict[str, Any] = {"owner_id": owner_id, "linked": linked}
    voice.answer(answer, lambda console: console.print(f"{linked} records linked"))


def anchors_of(site: Site) -> AuditAnchors:
    files = Files(site.client("s3"), site.audit_bucket)
    return AuditAnchors(store_of(site), system_clock, files, site.region_code)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refusal("invalid_date", f"{text!r} is not a date written as YYYY-MM-DD") from error


def _show(console: Console, proofs: dict[str, Proof]) -> None:
    rows = [(code, b.owner_id, b.kind, str(b.seq), b.what) for code, p in proofs.items() for b in p.breaks]
    if rows:
        console.print(table("region", "owner", "what was done", "link", "where", rows=rows))
    for code, p in proofs.items():
        days = f"{len(p.days)} days anchored, {p.days[0]} to {p.days[-1]}" if p.days else "no day anchored yet"
        late = f", {p.late} linked over a day after their time" if p.late else ""
        mark = f"[bold red]✗ {len(p.breaks)} broken[/]" if p.breaks else "[green]✓ proven[/]"
        counted = f"{p.records:,} records in {p.links:,} links of {p.owners:,} owners"
        console.print(f"{code}: {mark}, {counted}{late}; {days}", soft_wrap=True)
