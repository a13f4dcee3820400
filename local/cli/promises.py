"""`saldo promises limits`, `set`, `list`."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import click
from rich.console import Console

from local.cli.orders import by, clerk
from local.cli.site import Sites, store_of
from local.cli.voice import Voice, speaks_json, table
from saldo.kernel.errors import Refusal
from saldo.promises import records
from saldo.promises.limits import PromiseLimits
from saldo.promises.model import Limits, LimitsPolicy, Promise
from saldo.promises.reading import promises_of

_entity = click.option("--entity", "entity_id", required=True, help="Legal entity whose customers promise.")


@click.group(name="promises")
def promises_group() -> None:
    """Promises to pay and payment plans."""


@promises_group.command(name="limits")
@_entity
@click.pass_obj
@speaks_json
def show(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Show within which limits a seller's customers promise without being asked."""
    _answer(voice, _limits(sites, entity_id).policy(entity_id))


@promises_group.command(name="set")
@_entity
@click.option("--segment", default="", help="Only for customers of this segment.")
@click.option("--account", "account_id", default="", help="Only for this account; goes before everything else.")
@click.option("--days", "most_days", type=int, help="The last day is at most so many after the earliest due date.")
@click.option("--sum", "most_minor", type=int, help="Of one promise, in minor units of the account's currency; 0: any.")
@click.option("--at-once", "most_at_once", type=int, help="Promises of an account at one time; 0: each is asked for.")
@click.option("--after-broken", "months_after_broken", type=int, help="Months after a broken one without another.")
@click.option("--instalments", "most_instalments", type=int, help="1 allows promises, but no plans.")
@click.option("--grace", "grace_days", type=int, help="What comes so many days late is still in time.")
@click.option("--reason", required=True)
@by
@click.pass_obj
@speaks_json
def set_limits(
    sites: Sites, voice: Voice, entity_id: str, segment: str, account_id: str, reason: str, person: str, **asked: Any
) -> None:
    """Change limits; what is not named stays. What was promised before holds."""
    given = {name: value for name, value in asked.items() if value is not None}
    if segment and account_id:
        raise Refusal("invalid_input", "say either --segment or --account")
    limits = _limits(sites, entity_id)
    policy = limits.policy(entity_id)
    if account_id:
        limits.set_own(account_id, replace(limits.own(account_id) or policy.limits, **given), clerk(person), reason)
    else:
        policy = _changed(policy, segment, given)
        limits.set(entity_id, policy, clerk(person), reason)
    _answer(voice, policy)


@promises_group.command(name="list")
@click.argument("account_id", metavar="ACCOUNT")
@click.pass_obj
@speaks_json
def list_promises(sites: Sites, voice: Voice, account_id: str) -> None:
    """List the promises of an account, the latest first."""
    found = promises_of(store_of(sites.of(account_id)), account_id)
    voice.answer({"promises": [asdict(one) for one in found]}, lambda console: _show(console, found))


def _limits(sites: Sites, owner_id: str) -> PromiseLimits:
    from saldo.kernel.clock import system_clock

    return PromiseLimits(store_of(sites.of(owner_id)), system_clock)


def _changed(policy: LimitsPolicy, segment: str, given: dict[str, int]) -> LimitsPolicy:
    new = replace(policy.of(segment), **given)
    if not segment:
        return replace(policy, limits=new)
    return replace(policy, segments={**policy.segments, segment: new})


def _answer(voice: Voice, policy: LimitsPolicy) -> None:
    names = list(Limits.__dataclass_fields__)
    kinds = {"everybody": policy.limits, **policy.segments}
    rows = [(kind, *(str(getattr(limits, name)) for name in names)) for kind, limits in kinds.items()]
    headings = ("customers", *(name.replace("_", " ") for name in names))
    voice.answer(records.policy_fields(policy), lambda console: console.print(table(*headings, rows=rows)))


def _show(console: Console, found: list[Promise]) -> None:
    rows = [(p.id, p.state.value, str(p.until_on), str(len(p.instalments)), str(p.minor), p.currency) for p in found]
    console.print(table("promise", "state", "last day", "instalments", "minor", "", rows=rows))
