"""`saldo usage quarantine|repair|replay|drop|report|live|limits|limit|unlimit|keep-in-files`."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import click
from rich.console import Console

from local.cli.imports import usage_group as usage_group
from local.cli.orders import by, clerk
from local.cli.site import Sites, billing_ahead_of, counted_in_files, store_of
from local.cli.typed import number
from local.cli.voice import Json, Voice, speaks_json, table
from saldo.audit.model import Actor
from saldo.invoicing.forecast import Forecasts
from saldo.invoicing.thresholds import Thresholds
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import plain
from saldo.usage.accept import limit_producer
from saldo.usage.model_quarantine import HeldRow
from saldo.usage.model_thresholds import Measure, Then, Threshold
from saldo.usage.quarantine import Quarantine
from saldo.usage.reconciliation import Reconciliation
from saldo.usage.rules_limits import Limit
from saldo.usage.service import Usage

_OPERATOR = Actor("command_line", "staff")
_ORIGIN_SHOWN = 24  # of a file's 64 characters; a batch's id is longer, and told apart by these as well
_entity = click.option("--entity", "entity_id", required=True, help="Legal entity whose customers used something.")


@usage_group.command(name="quarantine")
@_entity
@click.option("--origin", default="", help="Only rows of this file or batch, as the list shows it.")
@click.option("--code", default="", help="Only rows with this problem, such as unknown_meter.")
@click.pass_obj
@speaks_json
def quarantine(sites: Sites, voice: Voice, entity_id: str, origin: str, code: str) -> None:
    """List rows that were not accepted, with everything wrong with them."""
    rooms = _quarantine(sites, entity_id)
    held = rooms.rows(entity_id, origin=origin and rooms.origin_named(entity_id, origin), code=code)
    voice.answer({"rows": [h.as_dict() for h in held]}, lambda console: _show_rows(console, held))


@usage_group.command(name="repair")
@_entity
@click.argument("origin")
@click.argument("row", type=int)
@click.option("--set", "changes", multiple=True, required=True, metavar="FIELD=VALUE", help="A field as it should be.")
@click.pass_obj
@speaks_json
def repair(sites: Sites, voice: Voice, entity_id: str, origin: str, row: int, changes: tuple[str, ...]) -> None:
    """Give a row of the quarantine other fields; `saldo usage replay` then tries it again."""
    fields = dict(_change(text) for text in changes)
    rooms = _quarantine(sites, entity_id)
    held = rooms.repair(entity_id, rooms.origin_named(entity_id, origin), row, fields, _OPERATOR)
    told = ", ".join(f"{name}={value}" for name, value in held.row.fields.items())
    again = f"saldo usage replay --entity {entity_id} --origin {held.origin[:_ORIGIN_SHOWN]} --row {row}"
    voice.answer(held.as_dict(), lambda console: console.print(f"Row {row} is now {told}.\nTry it: {again}"))


@usage_group.command(name="replay")
@_entity
@click.option("--origin", default="", help="Only rows of this file or batch, as the list shows it.")
@click.option("--row", "rows", type=int, multiple=True, help="Only these rows.")
@click.pass_obj
@speaks_json
def replay(sites: Sites, voice: Voice, entity_id: str, origin: str, rows: tuple[int, ...]) -> None:
    """Try rows of the quarantine again. Doing it twice changes nothing."""
    quarantined = _quarantine(sites, entity_id)
    known = origin and quarantined.origin_named(entity_id, origin)
    done = quarantined.replay(entity_id, origin=known, rows=rows)
    told = {"tried": done.tried, "accepted": done.accepted, "duplicates": done.duplicates, "left": done.left}
    answer = {**told, "rejected": [h.as_dict() for h in done.rejected]}

    def show(console: Console) -> None:
        console.print(f"[bold]{done.left}[/] of {done.tried} rows left the quarantine, {done.accepted} newly accepted")
        _show_rows(console, done.rejected)

    voice.answer(answer, show)


@usage_group.command(name="drop")
@_entity
@click.argument("origin")
@click.argument("row", type=int)
@click.option("--reason", required=True, help="Why nobody will repair it; goes on record.")
@click.pass_obj
@speaks_json
def drop(sites: Sites, voice: Voice, entity_id: str, origin: str, row: int, reason: str) -> None:
    """Let a row of the quarantine go for good."""
    rooms = _quarantine(sites, entity_id)
    rooms.drop(entity_id, rooms.origin_named(entity_id, origin), row, reason, _OPERATOR)
    voice.answer({"dropped": {"origin": origin, "row": row}}, lambda console: console.print(f"Row {row} is gone."))


@usage_group.command(name="report")
@click.argument("owner")
@click.pass_obj
@speaks_json
def report(sites: Sites, voice: Voice, owner: str) -> None:
    """What became of every usage event of OWNER, an account or a legal entity: accepted = billed + carried + waiting.

    Ends with status 1 when a window does not add up.
    """
    site = sites.of(owner)
    reconciliation = Reconciliation(store_of(site), counted_in_files(site))
    found = reconciliation.of_account(owner) if owner.startswith("acct_") else list(reconciliation.of_entity(owner))
    answer = {"meters": [m.as_dict() for m in found], "balanced": all(m.balanced for m in found)}
    voice.answer(answer, lambda console: _show_report(console, answer))
    if not answer["balanced"]:
        raise SystemExit(1)


@usage_group.command(name="live")
@click.argument("account")
@click.option("--at", type=click.DateTime(), default=None, help="As if it were this moment (UTC); default: now.")
@click.pass_obj
@speaks_json
def live(sites: Sites, voice: Voice, account: str, at: datetime | None) -> None:
    """Usage of ACCOUNT so far, and what its next invoice is likely to be."""
    now = at.replace(tzinfo=UTC) if at else system_clock()
    answer = Forecasts(billing_ahead_of(sites.of(account)), lambda: now).next_invoice(account).as_dict()
    voice.answer(answer, lambda console: _show_live(console, answer))


def _quarantine(sites: Sites, entity_id: str) -> Quarantine:
    return Quarantine(store_of(sites.of(entity_id)), system_clock)


def _change(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Refusal("invalid_input", f"{text!r} is not FIELD=VALUE")
    return name.strip(), value.strip()


def _show_rows(console: Console, held: tuple[HeldRow, ...] | list[HeldRow]) -> None:
    rows = [
        (h.origin[:_ORIGIN_SHOWN] if i == 0 else "", str(h.row.number) if i == 0 else "", p.field, p.code, p.message)
        for h in held
        for i, p in enumerate(h.problems)
    ]
    if rows:
        console.print(table("origin", "row", "field", "code", "what is wrong", rows=rows, numbers=("row",)))
    else:
        console.print("No rows.")


def _show_report(console: Console, answer: Json) -> None:
    names = ("accepted", "billed", "carried", "waiting", "rejected")
    rows = [
        (
            m["account_id"],
            m["meter_id"],
            w["period"],
            *(f"{w[n]:,}" for n in names),
            w["quantity_billed"],
            "yes" if w["balanced"] else "[bold red]no[/]",
        )
        for m in answer["meters"]
        for w in m["windows"]
    ]
    rows += [
        (m["account_id"], m["meter_id"], "never billed", f"{m['outside']:,}", "", "", "", "", "", "yes")
        for m in answer["meters"]
        if m["outside"]
    ]
    rows += [
        (m["account_id"], m["meter_id"], "open", f"{m['open']:,}", "", "", "", f"{m['rejected']:,}", "", "yes")
        for m in answer["meters"]
        if m["open"] or m["rejected"]
    ]
    drawn = table("account", "meter", "window", *names, "quantity", "adds up", rows=rows, numbers=(*names, "quantity"))
    console.print(drawn)


def _show_live(console: Console, answer: Json) -> None:
    rows = [
        (m["meter_id"], m["period"], m["so_far"], m["forecast"], m["method"].replace("_", " "), m["last_period"] or "–")
        for m in answer["meters"]
    ]
    console.print(
        table("meter", "period", "so far", "forecast", "by", "last", rows=rows, numbers=("so far", "forecast", "last"))
    )
    so_far, expected = answer["so_far"], answer["expected"]
    net = f"{so_far['net']} {answer['currency']} so far, {expected['net']} expected (net)"
    total = f"about {expected['total']} with tax" if expected["total"] else "its tax is not known yet"
    console.print(f"Next invoice on {answer['on']}: {net}; {total}")


@usage_group.command(name="producer")
@click.argument("producer")
@_entity
@click.option("--per-second", type=click.IntRange(1), required=True, help="Events a second, for ever on.")
@click.option("--at-once", type=click.IntRange(1), required=True, help="Events that may come at once after a pause.")
@by
@click.pass_obj
@speaks_json
def producer(
    sites: Sites, voice: Voice, producer: str, entity_id: str, per_second: int, at_once: int, person: str
) -> None:
    """How fast PRODUCER (an API key's name) may send usage. Over it the answer is 429 and when to try again."""
    limit = Limit(per_second, at_once)
    limit_producer(store_of(sites.of(entity_id)), system_clock, entity_id, producer, limit, clerk(person))
    told = {"producer": producer, "per_second": per_second, "at_once": at_once}
    words = f"{producer} may send {per_second:,} events a second, {at_once:,} at once."
    voice.answer(told, lambda console: console.print(words))


@usage_group.command(name="keep-in-files")
@click.argument("account_id", metavar="ACCOUNT")
@_entity
@by
@click.pass_obj
@speaks_json
def keep_in_files(sites: Sites, voice: Voice, account_id: str, entity_id: str, person: str) -> None:
    """Keep an account's usage in files from now on and for ever: for millions of events a month."""
    usage = Usage(store_of(sites.of(entity_id)), system_clock)
    changed = usage.keep_in_files(entity_id, account_id, clerk(person))
    words = f"Usage of {account_id} lies in files {'from now on' if changed else 'already'}."
    voice.answer({"account_id": account_id, "changed": changed}, lambda console: console.print(words))


@usage_group.command(name="limits")
@click.argument("account_id", metavar="ACCOUNT")
@click.pass_obj
@speaks_json
def limits(sites: Sites, voice: Voice, account_id: str) -> None:
    """What an account's usage and cost are watched for, by the seller or by itself."""
    _tell_limits(voice, account_id, _thresholds(sites, account_id))


@usage_group.command(name="limit")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("limit_id", metavar="ID")
@click.option("--cost", default="", help="Next invoice before tax, in major units.")
@click.option("--quantity", default="", help="Quantity of METER in its period.")
@click.option("--percent", default="", help="Percent of what the price of METER includes, commits to or is capped at.")
@click.option("--meter", default="", help="With --quantity and --percent.")
@click.option("--block", is_flag=True, help="Whoever provides the service is to stop as well: a spend cap.")
@by
@click.pass_obj
@speaks_json
def limit(
    sites: Sites,
    voice: Voice,
    account_id: str,
    limit_id: str,
    cost: str,
    quantity: str,
    percent: str,
    meter: str,
    block: bool,
    person: str,
) -> None:
    """Watch an account: it is told by mail, and the seller by an event, once in each period. ID names the limit."""
    given = [(Measure(n), v) for n, v in (("cost", cost), ("quantity", quantity), ("percent", percent)) if v]
    if len(given) != 1:
        raise Refusal("invalid_input", "give one of --cost, --quantity and --percent")
    rooms = _thresholds(sites, account_id)
    (measure, at) = given[0]
    then = Then.BLOCK if block else Then.ALERT
    rooms.put(account_id, Threshold(limit_id, measure, _number(at), meter, then), clerk(person))
    _tell_limits(voice, account_id, rooms)


@usage_group.command(name="unlimit")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("limit_id", metavar="ID")
@by
@click.pass_obj
@speaks_json
def unlimit(sites: Sites, voice: Voice, account_id: str, limit_id: str, person: str) -> None:
    """Watch for that limit no more."""
    rooms = _thresholds(sites, account_id)
    rooms.remove(account_id, limit_id, clerk(person))
    _tell_limits(voice, account_id, rooms)


def _thresholds(sites: Sites, account_id: str) -> Thresholds:
    site = sites.of(account_id)
    return Thresholds(store_of(site), Forecasts(billing_ahead_of(site), system_clock), system_clock)


def _number(text: str) -> Decimal:
    try:
        return number(text)
    except ValueError as error:
        raise Refusal("invalid_input", str(error)) from error


def _tell_limits(voice: Voice, account_id: str, rooms: Thresholds) -> None:
    there = rooms.of_account(account_id)
    told = [
        {
            "id": t.id,
            "measure": t.measure.value,
            "meter_id": t.meter_id,
            "at": plain(t.at),
            "then": t.then.value,
            "own": t.own,
        }
        for t in there
    ]
    rows = [
        (t.id, t.meter_id or "next invoice", t.measure, plain(t.at), t.then, "customer" if t.own else "seller")
        for t in there
    ]
    drawn = table("id", "of", "measure", "at", "then", "set by", rows=rows, numbers=("at",))
    answer = {"account_id": account_id, "limits": told}
    voice.answer(answer, lambda console: console.print(drawn if rows else "No limits."))
