"""`saldo orders`: bring orders in, look at what waits, decide."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from local.cli.accounts import staff
from local.cli.imports import invoke, report_of, show_errors, upload
from local.cli.site import Site, Sites, store_of
from local.cli.typed import DAY, number
from local.cli.voice import Json, Voice, amounts, speaks_json, table
from saldo.audit.model import Actor
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import Refusal
from saldo.orders.decisions import Decisions
from saldo.orders.model_orders import Order, Reference, ReferenceKind
from saldo.orders.reading import order_from_json
from saldo.orders.records_orders import discrepancy_fields
from saldo.orders.service import Orders
from saldo.orders.showing import progress_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_entity = click.option("--entity", "entity_id", required=True, help="Legal entity that was ordered from.")
_reason = click.option("--reason", required=True, help="Why, for those who look at it later.")
_line = click.option("--line", "lines", multiple=True, help="Only these lines (default: all that are held).")
by = click.option("--by", "person", default="", help="Who decides (default: the user of this machine).")


def clerk(person: str) -> Actor:
    """Who decides: the person named, else whoever sits at this terminal."""
    return replace(staff(), id=person) if person else staff()


def document_in(file: Path) -> Any:
    """The JSON document of a file; Refusal `not_json`."""
    try:
        return json.loads(file.read_text("utf-8"), parse_float=Decimal)
    except ValueError as error:
        raise Refusal("not_json", f"{file} is not a JSON document: {error}") from error


@click.group(name="orders")
def orders_group() -> None:
    """Orders: import, look at discrepancies, accept, refuse."""


@orders_group.command(name="import")
@click.argument("file", type=_FILE)
@_entity
@click.option("--skip-bad-rows", is_flag=True, help="Take the good orders of a CSV that has bad rows.")
@click.option("--preview", is_flag=True, help="Check the whole file and write nothing.")
@click.pass_obj
@speaks_json
def import_orders(sites: Sites, voice: Voice, file: Path, entity_id: str, **options: Any) -> None:
    """Import orders from a CSV or X12 850 file (.csv, .edi). The same file again changes nothing."""
    site = sites.of(entity_id)
    key = upload(site, file, "orders")
    with voice.console.status("importing orders"):
        summary = invoke(site, "import_orders", {"entity_id": entity_id, "key": key, **options})
    errors = report_of(site, summary)
    answer = {**summary, "errors": errors, "acknowledgement": _acknowledgement(site, summary)}
    voice.answer(answer, lambda console: _show_import(console, answer, entity_id, preview=options["preview"]))
    if summary["rejected"] and not summary["committed"] and not options["preview"]:
        raise SystemExit(1)


@orders_group.command(name="list")
@_entity
@click.option("--since", type=DAY, default=None, help="First day of order (default: 30 days ago).")
@click.option("--until", type=DAY, default=None, help="Last day of order (default: today).")
@click.pass_obj
@speaks_json
def list_orders(sites: Sites, voice: Voice, entity_id: str, since: datetime | None, until: datetime | None) -> None:
    """A seller's orders by day of order."""
    today = system_clock().date()
    first = since.date() if since else today - timedelta(days=30)
    last = until.date() if until else today
    found = list(_orders(sites, entity_id).of_seller(entity_id, first, last + timedelta(days=1)))
    rows = [
        (o.id, o.request.order_on.isoformat(), o.request.purchase_order, o.account_id or "?", o.status.value, _money(o))
        for o in found
    ]
    columns = ("order", "on", "purchase order", "account", "status", "net")
    voice.answer(
        {"orders": [_order_json(o) for o in found]},
        lambda console: console.print(table(*columns, rows=rows, numbers=("net",))),
    )


@orders_group.command()
@click.argument("order_id")
@_entity
@click.pass_obj
@speaks_json
def show(sites: Sites, voice: Voice, order_id: str, entity_id: str) -> None:
    """One order: its lines, what was invoiced of them, what is still to come."""
    order = _orders(sites, entity_id).find(entity_id, order_id)
    lines = [
        {
            "number": p.line.asked.number,
            "sku": p.line.asked.sku or p.line.asked.buyer_sku,
            "quantity": str(p.line.asked.quantity),
            "status": p.line.status.value,
            "delivered": str(p.line.delivered),
            "ordered_minor": p.ordered_minor,
            "invoiced_minor": p.invoiced_minor,
            "to_come_minor": p.to_come_minor,
            "invoices": list(p.invoice_ids),
            "subscription": p.line.subscription_id,
            "next_bill_on": str(p.next_bill_on or ""),
        }
        for p in progress_of(store_of(sites.of(entity_id)), order)
    ]
    voice.answer({**_order_json(order), "progress": lines}, lambda console: _show_order(console, order, lines))


@orders_group.command()
@_entity
@click.pass_obj
@speaks_json
def discrepancies(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Orders that wait for a person, and why."""
    queue = list(_orders(sites, entity_id).discrepancies(entity_id))
    rows = [
        (q["order_id"] if i == 0 else "", q["purchase_order"] if i == 0 else "", d["line"], d["code"], d["message"])
        for q in queue
        for i, d in enumerate(q["discrepancies"])
    ]
    columns = ("order", "purchase order", "line", "code", "what does not agree")
    drawn = table(*columns, rows=rows)

    def show(console: Console) -> None:
        console.print(drawn if rows else "No order waits.")
        if rows:
            console.print(f"Decide: saldo orders accept (correct, refuse) ORDER --entity {entity_id} --reason …")

    shown = [{k: v for k, v in q.items() if k not in ("pk", "sk", "kind")} for q in queue]
    voice.answer({"discrepancies": shown}, show)


_VERDICTS = {
    "accept": (Decisions.accept, "Let held lines stand as they were asked for. A price below yours takes two people."),
    "refuse": (
        Decisions.refuse,
        "Call lines off: held ones, or by number accepted ones of which nothing was delivered.",
    ),
}


def _verdict(name: str) -> click.Command:
    """The command that accepts or refuses lines: both are told alike."""
    decide, meaning = _VERDICTS[name]

    @click.command(name=name, help=meaning)
    @click.argument("order_id")
    @_entity
    @_reason
    @_line
    @by
    @click.pass_obj
    @speaks_json
    def command(
        sites: Sites, voice: Voice, order_id: str, entity_id: str, reason: str, lines: tuple[str, ...], person: str
    ) -> None:
        decisions = _decisions(sites, entity_id)
        _answer(voice, decide(decisions, entity_id, order_id, clerk(person), reason, lines=lines))

    return command


for _name in _VERDICTS:
    orders_group.add_command(_verdict(_name))


@orders_group.command()
@click.argument("order_id")
@click.argument("file", type=_FILE)
@_entity
@_reason
@by
@click.pass_obj
@speaks_json
def correct(sites: Sites, voice: Voice, order_id: str, file: Path, entity_id: str, reason: str, person: str) -> None:
    """Put the order written in a JSON FILE in place of one that is held."""
    before = _orders(sites, entity_id).find(entity_id, order_id).request
    request = order_from_json(document_in(file), before.party, before.channel)
    order = _decisions(sites, entity_id).correct(entity_id, order_id, request, clerk(person), reason)
    _answer(voice, order)


@orders_group.command()
@click.argument("order_id")
@click.argument("line")
@_entity
@click.option("--on", "day", type=DAY, required=True, help="The day on which it was delivered or accepted.")
@click.option("--document", required=True, help="Delivery note or record of acceptance.")
@click.option("--quantity", type=number, default=None, help="How much of it (default: all that is left).")
@by
@click.pass_obj
@speaks_json
def deliver(
    sites: Sites,
    voice: Voice,
    order_id: str,
    line: str,
    entity_id: str,
    day: datetime,
    document: str,
    quantity: Decimal | None,
    person: str,
) -> None:
    """Say that a line was delivered or accepted: from that day on it is billed."""
    order = _decisions(sites, entity_id).deliver(
        entity_id, order_id, line, day.date(), document, clerk(person), quantity=quantity
    )
    _answer(voice, order)


@orders_group.command()
@click.argument("account_id")
@click.option("--customer", default="", help="A customer number that means this account.")
@click.option("--duns", default="", help="Its DUNS number.")
@click.option("--name", default="", help="A name as it stands on orders.")
@click.option("--party", "parties", multiple=True, help="Who may order for it, such as edi:ZZ/BUYER01.")
@_entity
@by
@click.pass_obj
@speaks_json
def know(
    sites: Sites, voice: Voice, account_id: str, entity_id: str, parties: tuple[str, ...], person: str, **named: str
) -> None:
    """Say by what an account is known on orders, and who may order for it."""
    orders, actor = _orders(sites, entity_id), clerk(person)
    for kind, value in named.items():
        if value:
            orders.know_as(entity_id, account_id, Reference(ReferenceKind(kind), value), actor)
    if parties:
        limit = orders.ordering(account_id).credit_limit_minor
        orders.set_policy(account_id, actor, credit_limit_minor=limit, trusted=frozenset(parties))
    known = sorted(orders.ordering(account_id).parties)
    voice.answer(
        {"account_id": account_id, "parties": known}, lambda c: c.print(f"may order: {', '.join(known) or '–'}")
    )


def _orders(sites: Sites, entity_id: str) -> Orders:
    return Orders(store_of(sites.of(entity_id)), system_clock)


def _decisions(sites: Sites, entity_id: str) -> Decisions:
    return Decisions(store_of(sites.of(entity_id)), system_clock)


def _money(order: Order) -> str:
    return amounts({order.currency: order.amount_minor}) if order.currency else "–"


def _order_json(order: Order) -> Json:
    return {
        "order_id": order.id,
        "account_id": order.account_id,
        "status": order.status.value,
        "currency": order.currency,
        "amount_minor": order.amount_minor,
        "version": order.version,
        "approvals": len(order.approvals),
        "discrepancies": [discrepancy_fields(d) for d in order.discrepancies],
        "request": asdict(order.request),
    }


def _answer(voice: Voice, order: Order) -> None:
    def say(console: Console) -> None:
        console.print(f"{order.id} is [bold]{order.status}[/], {_money(order)}")
        if order.approvals and order.discrepancies:
            console.print("A price below ours: a second person must accept it too.")

    voice.answer(_order_json(order), say)


def _acknowledgement(site: Site, summary: Json) -> str:
    if not summary["acknowledgement_key"]:
        return ""
    body = site.client("s3").get_object(Bucket=site.imports_bucket, Key=summary["acknowledgement_key"])["Body"]
    return str(body.read().decode())


def _show_import(console: Console, answer: Json, entity_id: str, *, preview: bool) -> None:
    if answer["repeated"]:
        console.print("This file was imported before; nothing was changed. Its figures were:")
    console.print(
        f"[bold]{answer['orders']:,}[/] orders in {answer['rows']:,} rows: {answer['placed']:,} placed, "
        f"[bold]{answer['held']:,}[/] held, {answer['unchanged']:,} here already; {answer['rejected']:,} rows rejected"
    )
    for code, count in sorted(answer["discrepancies"].items()):
        console.print(f"  {count} × {code}")
    show_errors(console, answer["errors"])
    if preview:
        console.print("A preview: nothing was written.")
    elif answer["rejected"] and not answer["committed"]:
        console.print("Nothing was written. Mend these rows, or take the good orders with --skip-bad-rows.")
    elif answer["held"]:
        console.print(f"What is held waits for you: saldo orders discrepancies --entity {entity_id}")
    if answer["acknowledgement"]:
        console.print(answer["acknowledgement"], markup=False)


def _show_order(console: Console, order: Order, lines: Sequence[Mapping[str, Any]]) -> None:
    console.print(f"{order.id}: {order.request.purchase_order} of {order.request.order_on}, [bold]{order.status}[/]")
    rows = [
        (
            x["number"],
            x["sku"],
            x["quantity"],
            x["status"],
            *(amounts({order.currency: x[name]}) for name in ("ordered_minor", "invoiced_minor", "to_come_minor")),
            x["next_bill_on"],
        )
        for x in lines
    ]
    columns = ("line", "what", "quantity", "status", "ordered", "invoiced", "to come", "next bill")
    console.print(table(*columns, rows=rows, numbers=("quantity", "ordered", "invoiced", "to come")))
    for one in order.discrepancies:
        console.print(f"  {one.line or 'order'}: {one.code} ({one.message})", markup=False)
