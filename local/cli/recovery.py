"""`saldo drill`, `saldo keys`, `saldo customer` and `saldo queues`: bring back, lock away, erase, try again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
from rich.console import Console

from local.cli.accounts import staff
from local.cli.site import Site, Sites, keys_of, store_of
from local.cli.voice import Voice, amounts, speaks_json, table
from saldo.accounts.erasure import Erasure
from saldo.accounts.shredding import Shredding
from saldo.kernel.clock import instant_from, instant_text, system_clock
from saldo.kernel.errors import Refusal
from saldo.recovery.dead_letters import DeadLetters
from saldo.recovery.drill import RestoreDrill
from saldo.recovery.model import DrillReport
from saldo.storage.files import Files
from saldo.storage.key_rotation import Rewrapped, counted, renew, rewrap

_REGION = click.option("--region", "region_code", default="eu", show_default=True, help="Region code.")


@click.group(name="drill")
def drill_group() -> None:
    """Practise for the bad day."""


@drill_group.command(name="restore")
@_REGION
@click.option("--at", default="", help="Instant to restore (2026-11-25T12:00:00Z); the latest there is without.")
@click.option("--keep", is_flag=True, help="Leave the copies where they are.")
@click.pass_obj
@speaks_json
def restore(sites: Sites, voice: Voice, region_code: str, at: str, keep: bool) -> None:
    """Restore a copy of the records as of an instant, prove it, and delete it. Exit status 1 when it does not hold."""
    site = sites.in_region(region_code)
    drill = RestoreDrill(
        site.client("dynamodb"),
        site.client("kms"),
        table=site.table,
        keys_table=site.keys_table,
        kms_key_id=site.kms_key_id,
        region_code=site.region_code,
        clock=system_clock,
    )
    with voice.console.status("restoring") as status:
        report = drill.run(_instant(at), lambda step: status.update(step), keep=keep)
    voice.answer(report.as_document(), lambda console: _show_drill(console, report))
    if report.findings:
        raise SystemExit(1)


def _instant(text: str) -> datetime | None:
    try:
        return instant_from(text) if text else None
    except ValueError:
        raise Refusal(
            "invalid_instant", "--at takes an instant with its offset, such as 2026-11-25T12:00:00Z"
        ) from None


def _show_drill(console: Console, report: DrillReport) -> None:
    sealed, replayed = report.sealed, report.replayed
    console.print(f"{report.table}: {report.records:,} records as of {instant_text(report.at)}")
    rows = [
        (
            t.entity_id,
            f"{t.entries:,}",
            amounts({t.currency: t.turnover_minor}),
            amounts({t.currency: t.receivables_minor}),
        )
        for t in report.totals
    ]
    numbers = ("entries", "turnover", "owed")
    console.print(table("seller", *numbers, rows=rows, numbers=numbers))
    console.print(
        f"sealed fields: {sealed.opened:,} opened, {sealed.erased:,} erased, {sealed.unreadable:,} unreadable "
        f"(keys from {sealed.keys_from}; {sealed.shredded_again} shredded since, and again)"
    )
    told = ", ".join(f"{times} {outcome}" for outcome, times in sorted(replayed.first.items())) or "none"
    console.print(f"gateway events told to the copy: {told}; {replayed.not_kept} not kept")
    rpo = "unknown, the copy has no change" if report.rpo_s is None else f"{report.rpo_s:,.3f} s"
    console.print(f"[bold]RPO[/] {rpo} (newest change {report.newest_change_at or '–'}; {report.lost} changes lost)")
    steps = ", ".join(f"{name} {seconds:,.1f}" for name, seconds in report.seconds.items())
    console.print(f"[bold]RTO[/] {report.rto_s:,.1f} s ({steps})")
    if report.kept:
        console.print(f"kept: {', '.join(report.kept)}")
    if report.findings:
        found = [(f.check, f.owner_id, f.message) for f in report.findings]
        console.print(table("check", "owner", "what is wrong", rows=found))
    console.print(f"[bold]{len(report.findings)}[/] findings")


@click.group(name="keys")
def keys_group() -> None:
    """Data keys of customers, and what wraps them."""


@keys_group.command(name="show")
@_REGION
@click.pass_obj
@speaks_json
def show_keys(sites: Sites, voice: Voice, region_code: str) -> None:
    """Count data keys by the KMS key that wraps them."""
    keys = keys_of(sites.in_region(region_code))
    found, current = counted(keys), keys.current_wrapper()
    rows = [(name, f"{times:,}", "current" if name == current else "") for name, times in sorted(found.items())]
    document = {"current": current, "keys": dict(sorted(found.items()))}
    voice.answer(document, lambda console: console.print(table("wrapped by", "keys", "", rows=rows, numbers=("keys",))))


@keys_group.command(name="rewrap")
@_REGION
@click.option("--wrapped-before", default="", help="Also those wrapped before this instant, whatever wraps them.")
@click.pass_obj
@speaks_json
def rewrap_keys(sites: Sites, voice: Voice, region_code: str, wrapped_before: str) -> None:
    """Wrap every data key anew under the current KMS key. May be stopped at any time, and repeated."""
    keys = keys_of(sites.in_region(region_code))
    before = _instant(wrapped_before)
    with voice.console.status("wrapping") as status:

        def told(so_far: Rewrapped) -> None:
            status.update(f"{so_far.wrapped:,} wrapped anew, {so_far.current:,} current")

        done = rewrap(keys, wrapped_before=instant_text(before) if before else "", told=told)
    line = f"{done.wrapped:,} wrapped anew, {done.current:,} were current, {done.shredded:,} are shredded."
    voice.answer(asdict(done), lambda console: console.print(line))


@keys_group.command(name="renew")
@click.argument("organisation_id")
@click.pass_obj
@speaks_json
def renew_key(sites: Sites, voice: Voice, organisation_id: str) -> None:
    """Give a customer a new data key for what is sealed from now on; what was sealed before stays readable."""
    version = renew(keys_of(sites.of(organisation_id)), organisation_id)
    document = {"organisation_id": organisation_id, "version": version}
    voice.answer(
        document, lambda console: console.print(f"{organisation_id} seals with version {version} from now on.")
    )


@click.group(name="customer")
def customer_group() -> None:
    """What the law may ask for a customer."""


@customer_group.command(name="shred")
@click.argument("organisation_id")
@click.option("--reason", required=True)
@click.option("--confirm", required=True, help="The organisation's id once more.")
@click.option("--certificates", is_flag=True, help="Also files that prove why no tax was charged.")
@click.pass_obj
@speaks_json
def shred(sites: Sites, voice: Voice, organisation_id: str, reason: str, confirm: str, certificates: bool) -> None:
    """Destroy a customer's data key, and with it all personal fields, for ever, and the files it handed in.

    Amounts and the journal stay. May be stopped and repeated.
    """
    if confirm != organisation_id:
        raise Refusal("not_confirmed", "--confirm must name the same organisation; nothing was erased")
    site = sites.of(organisation_id)
    files = Files(site.client("s3"), site.environment()["SALDO_UPLOADS_BUCKET"])
    erasure = Erasure(store_of(site), keys_of(site), system_clock, files)
    done = erasure.erase(organisation_id, staff(), reason, certificates=certificates)
    kept = f"{done.certificates_kept} certificates are kept for the tax office: --certificates ends them too."
    lines = (
        f"The data key of {organisation_id} is gone since {done.shredded_at}.",
        f"{done.files_deleted} versions of files were deleted.",
        *([kept] if done.certificates_kept else []),
    )
    document = {"organisation_id": organisation_id, **asdict(done)}
    voice.answer(document, lambda console: console.print("\n".join(lines)))


@customer_group.command(name="hold")
@click.argument("organisation_id")
@click.option("--release", is_flag=True, help="End the hold.")
@click.option("--reason", required=True)
@click.pass_obj
@speaks_json
def hold(sites: Sites, voice: Voice, organisation_id: str, release: bool, reason: str) -> None:
    """Put a customer under legal hold: nothing of it may be erased."""
    _shredding(sites, organisation_id).hold(organisation_id, not release, staff(), reason)
    document = {"organisation_id": organisation_id, "held": not release}
    state = "no longer held" if release else "held"
    voice.answer(document, lambda console: console.print(f"{organisation_id} is {state}."))


def _shredding(sites: Sites, organisation_id: str) -> Shredding:
    site = sites.of(organisation_id)
    return Shredding(store_of(site), keys_of(site), system_clock)


@click.group(name="queues")
def queues_group() -> None:
    """Messages that were given up."""


def _letters(site: Site) -> DeadLetters:
    prefix = site.table.removesuffix("records")
    return DeadLetters(site.client("sqs"), site.client("lambda"), prefix)


@queues_group.command(name="list")
@_REGION
@click.pass_obj
@speaks_json
def list_queues(sites: Sites, voice: Voice, region_code: str) -> None:
    """List dead-letter queues: how many messages wait, and what takes them back."""
    found = _letters(sites.in_region(region_code)).all()
    rows = [(q.name, str(q.messages), q.goes_to or "by hand") for q in found]
    document: dict[str, Any] = {"queues": [asdict(q) for q in found]}
    drawn = table("queue", "messages", "goes back to", rows=rows, numbers=("messages",))
    voice.answer(document, lambda console: console.print(drawn))


@queues_group.command(name="redrive")
@click.argument("queue")
@_REGION
@click.pass_obj
@speaks_json
def redrive(sites: Sites, voice: Voice, queue: str, region_code: str) -> None:
    """Send what waits in a dead-letter queue back to where it came from. Exit status 1 when some was not taken."""
    with voice.console.status("sending back") as status:
        letters = _letters(sites.in_region(region_code))
        done = letters.redrive(queue, lambda so_far: status.update(f"{so_far.sent} sent back"))
    line = f"{done.sent} sent back, {done.left} left (see docs/runbooks/dead-letters.md), {done.refused} not taken."
    voice.answer(asdict(done), lambda console: console.print("\n".join([line, *done.reasons]), markup=False))
    if done.refused:
        raise SystemExit(1)
