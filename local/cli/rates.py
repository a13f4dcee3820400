"""`saldo rates`: exchange rates, whose rates a seller books at, and reference rates for late interest."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from local.cli.accounts import staff
from local.cli.orders import by, clerk
from local.cli.site import Sites, store_of
from local.cli.typed import DAY, number
from local.cli.voice import Voice, speaks_json, table
from saldo.exchange.model import ECB, PriceDay, RatePolicy
from saldo.exchange.service import RateImport
from saldo.invoicing.late_charges import LateCharges
from saldo.invoicing.rules_late_law import REFERENCES, ReferenceRate
from saldo.kernel.clock import system_clock
from saldo.kernel.money import Money
from saldo.payments.differences import Difference, differences_of

_entity = click.option("--entity", "entity_id", required=True, help="The legal entity that sells.")
_region = click.option("--region", required=True, help="Region code, as eu or us.")


@click.group(name="rates")
def rates_group() -> None:
    """Exchange rates, and reference rates for late interest."""


@rates_group.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_region
@click.option("--source", default=ECB, show_default=True, help="Who published them.")
@click.pass_obj
@speaks_json
def import_rates(sites: Sites, voice: Voice, file: Path, region: str, source: str) -> None:
    """Import daily rates, XML or CSV as the European Central Bank has them. The same file again changes nothing."""
    store = store_of(sites.in_region(region))
    count = RateImport(store, system_clock).import_file(source, file.read_bytes(), staff())
    voice.answer({"rates": count}, lambda console: console.print(f"{count} new rates"))


@rates_group.command()
@_entity
@click.pass_obj
@speaks_json
def policy(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Show whose rates a seller books documents in other currencies at."""
    _answer(voice, RateImport(store_of(sites.of(entity_id)), system_clock).policy(entity_id))


@rates_group.command(name="set-policy")
@_entity
@click.option("--source", default=None, help="Who publishes them.")
@click.option("--base", default=None, help="The currency that its rates are quoted against.")
@click.option("--most-days", type=int, default=None, help="How old a rate may be.")
@click.option(
    "--prices-on",
    type=click.Choice([*(day.value for day in PriceDay), "never"]),
    default=None,
    help="Convert prices in other currencies than the invoice's at the rate of this day.",
)
@click.option("--tolerance", type=number, default=None, help="Per cent by which money in another currency may miss.")
@by
@click.pass_obj
@speaks_json
def set_policy(sites: Sites, voice: Voice, entity_id: str, person: str, **asked: Any) -> None:
    """Book a seller's documents in other currencies at these rates from now on; what is not named stays."""
    rates = RateImport(store_of(sites.of(entity_id)), system_clock)
    given = {name: value for name, value in asked.items() if value is not None}
    if "prices_on" in given:
        given["prices_on"] = None if given["prices_on"] == "never" else PriceDay(given["prices_on"])
    wanted = replace(rates.policy(entity_id) or RatePolicy(), **given)
    rates.set_policy(entity_id, wanted, clerk(person))
    _answer(voice, wanted)


@rates_group.command(name="differences")
@_entity
@click.option("--from", "from_on", type=DAY, required=True, help="First day of the period.")
@click.option("--until", "until_on", type=DAY, required=True, help="First day after the period.")
@click.pass_obj
@speaks_json
def realised(sites: Sites, voice: Voice, entity_id: str, from_on: datetime, until_on: datetime) -> None:
    """What was won and lost by exchange when invoices in other currencies were paid, and what waits for a rate."""
    store = store_of(sites.of(entity_id))
    found = list(differences_of(store, entity_id, from_on.date(), until_on.date()))
    lost = Counter[str]()
    for one in found:
        lost[one.own_currency] += one.lost_minor
    waiting = len({one.payment_id for one in found if one.rate is None})
    answer = {"differences": [asdict(one) for one in found], "lost_minor": dict(lost), "payments_waiting": waiting}

    def show(console: Console) -> None:
        console.print(table(*_COLUMNS, rows=[_row(one) for one in found], numbers=_COLUMNS[3:]))
        for currency, minor in ((c, m) for c, m in lost.items() if m):
            console.print(f"{'Lost' if minor > 0 else 'Won'} in all: {Money(abs(minor), currency)}")
        console.print(f"Payments that wait for the rate of their day: {waiting}")

    voice.answer(answer, show)


_COLUMNS = ("paid on", "invoice", "rate", "paid", "booked", "worth", "lost")


def _row(one: Difference) -> tuple[str, ...]:
    own = [Money(m, one.own_currency) if m is not None else None for m in (one.booked_minor, one.paid_minor)]
    rate = f"{one.rate.rate} {one.rate.source} {one.rate.on}" if one.rate else "waits"
    lost = str(Money(one.lost_minor, one.own_currency)) if one.rate else ""
    return (
        one.on.isoformat(),
        one.invoice,
        rate,
        str(Money(one.minor, one.currency)),
        *(str(m or "") for m in own),
        lost,
    )


@rates_group.command()
@_region
@click.pass_obj
@speaks_json
def references(sites: Sites, voice: Voice, region: str) -> None:
    """List the reference rates for late interest: those that come with Saldo, and those put on record."""
    found = LateCharges(store_of(sites.in_region(region)), system_clock).reference_rates()
    rows = [(r.name, r.from_on.isoformat(), r.until_on.isoformat(), f"{r.percent} %") for r in found]
    drawn = table("name", "from", "until", "rate", rows=rows, numbers=("rate",))
    voice.answer({"references": [asdict(r) for r in found]}, lambda console: console.print(drawn))


@rates_group.command(name="add-reference")
@click.argument("name", type=click.Choice(REFERENCES))
@click.argument("percent", type=number)
@click.option("--from", "from_on", type=DAY, required=True, help="First day that it holds for.")
@click.option("--until", "until_on", type=DAY, required=True, help="First day after that.")
@_region
@by
@click.pass_obj
@speaks_json
def add_reference(
    sites: Sites,
    voice: Voice,
    name: str,
    percent: Decimal,
    from_on: datetime,
    until_on: datetime,
    region: str,
    person: str,
) -> None:
    """Put a central bank's published rate on record, for ever. The same again changes nothing."""
    rate = ReferenceRate(name, from_on.date(), until_on.date(), percent)
    LateCharges(store_of(sites.in_region(region)), system_clock).add_reference_rate(rate, clerk(person))
    words = f"{name} is {percent} % from {rate.from_on} and before {rate.until_on}."
    voice.answer(asdict(rate), lambda console: console.print(words))


_PRICES_ON = {
    PriceDay.INVOICE: "at the rate of the invoice's day",
    PriceDay.PERIOD: "at the rate of the first day of the billed cycle",
    PriceDay.MONTH_END: "at the rate of the last day of the month before the invoice",
}


def _answer(voice: Voice, found: RatePolicy | None) -> None:
    def show(console: Console) -> None:
        if found is None:
            console.print("None: documents in other currencies are booked in their own.")
        else:
            console.print(f"Rates of {found.source} against {found.base}, at most {found.most_days} days old.")
            day = _PRICES_ON[found.prices_on] if found.prices_on else "not converted"
            console.print(f"Prices in other currencies than the invoice's: {day}.")

    voice.answer({"policy": asdict(found) if found else None}, show)
