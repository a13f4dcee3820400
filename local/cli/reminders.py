"""`saldo reminders show`, `set`, `preview`, `list`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import click
from rich.console import Console

from local.cli.orders import by, clerk
from local.cli.runs import day_from
from local.cli.site import Sites, store_of
from local.cli.voice import Voice, speaks_json, table
from saldo.collections.model import Decision, DunningStep, Reminder, ReminderPolicy
from saldo.collections.records import policy_fields
from saldo.collections.service import Reminders
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money

_entity = click.option("--entity", "entity_id", required=True, help="Legal entity whose customers are reminded.")


@click.group(name="reminders")
def reminders_group() -> None:
    """When customers are reminded of open invoices."""


@reminders_group.command()
@_entity
@click.pass_obj
@speaks_json
def show(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Show a seller's schedule."""
    _answer(voice, _reminders(sites, entity_id).policy(entity_id))


@reminders_group.command(name="set")
@_entity
@click.option("--step", "steps", multiple=True, metavar="NAME=DAYS", help="Days after the due date, below 0 before it.")
@click.option("--none", is_flag=True, help="Remind of nothing.")
@click.option("--unset", is_flag=True, help="Go back to the steps of everybody (--segment), or to Saldo's own.")
@click.option("--segment", default="", help="Only for customers of this segment.")
@click.option("--gap", "gap_days", type=int, default=None, help="Least days between two letters to one account.")
@click.option("--reason", default="")
@by
@click.pass_obj
@speaks_json
def set_schedule(sites: Sites, voice: Voice, entity_id: str, reason: str, person: str, **asked: Any) -> None:
    """Replace the steps of a seller's schedule. An invoice never has a step of one name twice."""
    reminders = _reminders(sites, entity_id)
    policy = _changed(reminders.policy(entity_id), **asked)
    reminders.set_policy(entity_id, policy, clerk(person), reason)
    _answer(voice, policy)


@reminders_group.command()
@_entity
@click.option("--on", "on", default="", metavar="DATE", help="Which day (default: today, where the seller is).")
@click.pass_obj
@speaks_json
def preview(sites: Sites, voice: Voice, entity_id: str, on: str) -> None:
    """Show what would be sent on a day, and why not more. Writes nothing."""
    as_of = day_from(on).isoformat() if on else ""
    found = list(_reminders(sites, entity_id).preview(entity_id, as_of))
    letters = [{"account_id": d.account_id, "notices": [asdict(n) for n in d.notices]} for d in found if d.notices]
    left_out = [{"account_id": d.account_id, **asdict(one)} for d in found for one in d.left_out]
    voice.answer({"letters": letters, "left_out": left_out}, lambda console: _show_preview(console, found))


@reminders_group.command(name="list")
@click.argument("account_id", metavar="ACCOUNT")
@click.pass_obj
@speaks_json
def list_reminders(sites: Sites, voice: Voice, account_id: str) -> None:
    """List the letters that an account had, the latest first."""
    found = _reminders(sites, account_id).of_account(account_id)
    voice.answer({"reminders": [asdict(one) for one in found]}, lambda console: _show_letters(console, found))


def _reminders(sites: Sites, owner_id: str) -> Reminders:
    return Reminders(store_of(sites.of(owner_id)), system_clock)


def _changed(
    policy: ReminderPolicy, *, steps: tuple[str, ...], none: bool, unset: bool, segment: str, gap_days: int | None
) -> ReminderPolicy:
    if (bool(steps), none, unset).count(True) > 1 or not (steps or none or unset or gap_days is not None):
        raise Refusal(
            "invalid_input", "say one of --step NAME=DAYS (once or more), --none, --unset; or --gap DAYS alone"
        )
    if gap_days is not None:
        policy = replace(policy, gap_days=gap_days)
    if not (steps or none or unset):
        return policy
    if not segment:
        return replace(policy, steps=ReminderPolicy().steps if unset else _steps(steps))
    others = {name: own for name, own in policy.segments.items() if name != segment}
    return replace(policy, segments=others if unset else {**others, segment: _steps(steps)})


def _steps(texts: Sequence[str]) -> tuple[DunningStep, ...]:
    found = []
    for text in texts:
        name, _, days = text.partition("=")
        try:
            found.append(DunningStep(name, int(days)))
        except ValueError as error:
            raise Refusal("invalid_step", f"{text!r} is not NAME=DAYS") from error
    return tuple(sorted(found, key=lambda step: step.days))


def _answer(voice: Voice, policy: ReminderPolicy) -> None:
    schedules = {"everybody": policy.steps, **{f"segment {name}": s for name, s in sorted(policy.segments.items())}}
    rows = [
        (whose if i == 0 else "", step.name, f"{step.days:+d}" if step.days else "on the due date")
        for whose, steps in schedules.items()
        for i, step in enumerate(steps or (DunningStep("no reminders", 0),))
    ]

    def draw(console: Console) -> None:
        console.print(table("for", "step", "days after the due date", rows=rows))
        console.print(f"At least {policy.gap_days} days between two letters to one account; none at weekends.")

    voice.answer(policy_fields(policy), draw)


def _show_preview(console: Console, found: list[Decision]) -> None:
    rows = [
        (d.account_id, n.number, n.due_on.isoformat(), str(Money(n.open_minor, n.currency)), f"[bold]{n.step}[/]")
        for d in found
        for n in d.notices
    ]
    rows += [(d.account_id, one.number, "", "", f"not now: {one.code}") for d in found for one in d.left_out]
    drawn = table("account", "invoice", "due on", "open", "", rows=rows, numbers=("open",))
    console.print(drawn if rows else "Nothing is open.")


def _show_letters(console: Console, found: list[Reminder]) -> None:
    rows = [
        (
            letter.on.isoformat(),
            notice.number,
            notice.step,
            str(Money(notice.open_minor, notice.currency)),
            f"withdrawn: {notice.withdrawn}" if notice.withdrawn else "",
        )
        for letter in found
        for notice in letter.notices
    ]
    drawn = table("on", "invoice", "step", "open then", "", rows=rows, numbers=("open then",))
    console.print(drawn if rows else "No reminders yet.")
