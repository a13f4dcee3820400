"""`saldo seller taxes`: what a seller says of taxes itself, over the rates that come with Saldo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from local.cli.orders import by, clerk, document_in
from local.cli.selling import seller_group
from local.cli.site import Sites, store_of
from local.cli.voice import Voice, said_dry, speaks_json, table
from saldo.kernel.clock import instant_text, system_clock
from saldo.tax.model import OwnRatesVersion
from saldo.tax.own_rates import SellerTaxes
from saldo.tax.rules_own import told_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COLUMNS = ("jurisdiction", "tax", "categories", "rate", "from", "until", "besides")


@seller_group.group(name="taxes")
def taxes_group() -> None:
    """Own tax rates, which hold over those that come with Saldo (docs/quote.md, Taxes)."""


@taxes_group.command(name="put")
@click.argument("entity_id", metavar="ENTITY")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--reason", default="", help="Why, for those who look at it later.")
@by
@click.pass_obj
@speaks_json
def put(sites: Sites, voice: Voice, entity_id: str, file: Path, dry_run: bool, reason: str, person: str) -> None:
    """Have the rates of a JSON FILE hold, all of them, in the place of those before; what is issued stays as it is."""
    taxes = SellerTaxes(store_of(sites.of(entity_id)), system_clock)
    found = taxes.put(entity_id, document_in(file), clerk(person), reason, dry_run=dry_run)
    answer: dict[str, Any] = {"entity_id": entity_id, "version": found.version, "changed": found.changed}
    answer |= {"dry_run": dry_run, "new": found.new, "gone": found.gone, "not_charged": list(found.not_charged)}

    def show(console: Console) -> None:
        if not found.changed:
            console.print("These rates are on record already.")
        for title, rows in (("New", found.new), ("Gone", found.gone)):
            if rows:
                console.print(_drawn(rows, title))
        for place in found.not_charged:
            console.print(f"[bold]{place}[/]: nothing is charged there until the seller is registered there.")
        if dry_run:
            said_dry(console)
        elif found.changed:
            console.print(f"Version {found.version} holds from now on.")

    voice.answer(answer, show)


@taxes_group.command(name="show")
@click.argument("entity_id", metavar="ENTITY")
@click.option("--version", type=int, default=0, help="One that held before, as an invoice names it.")
@click.pass_obj
@speaks_json
def show(sites: Sites, voice: Voice, entity_id: str, version: int) -> None:
    """The rates that hold, as `put` takes them, and who put which version on record when."""
    taxes = SellerTaxes(store_of(sites.of(entity_id)), system_clock)
    found = taxes.version(entity_id, version) if version else taxes.current(entity_id)
    versions = taxes.versions(entity_id)
    answer: dict[str, Any] = {"entity_id": entity_id, "version": found[0].version if found else 0}
    answer |= {"document": {"currency": found[0].currency, "rates": found[1]} if found else {"rates": []}}
    answer |= {"versions": [_version(v) for v in versions]}

    def draw(console: Console) -> None:
        if found is None:
            console.print("The rates that come with Saldo hold alone.")
        else:
            console.print(_drawn(found[1], f"Version {found[0].version}, amounts in {found[0].currency}"))
            rows = [tuple(map(str, _version(v).values())) for v in versions]
            console.print(table("version", "rates", "since", "by", "why", rows=rows, numbers=("version", "rates")))

    voice.answer(answer, draw)


def _version(v: OwnRatesVersion) -> dict[str, Any]:
    told = {"version": v.version, "rates": v.number_of_rates, "since": instant_text(v.since)}
    return told | {"by": v.by, "reason": v.reason}


def _drawn(rates: Sequence[Mapping[str, Any]], title: str) -> Any:
    return table(*_COLUMNS, rows=[told_of(row) for row in rates], numbers=("rate",), title=title)
