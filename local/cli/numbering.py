"""`saldo numbering show`, `set`, `unset`: how a seller's documents are numbered."""

from __future__ import annotations

import click

from local.cli.orders import by, clerk
from local.cli.site import Site, Sites, store_of
from local.cli.voice import Voice, speaks_json, table
from saldo.invoicing.numbering import change_numbering
from saldo.invoicing.records_numbers import read_seller
from saldo.invoicing.rules_numbers import Numbering, Restart, SeriesRule, SeriesType
from saldo.kernel.clock import system_clock

_entity = click.option("--entity", "entity_id", required=True, help="The legal entity that sells.")
_type = click.option("--type", "kind", type=click.Choice([t.value for t in SeriesType]), required=True)


@click.group(name="numbering")
def numbering_group() -> None:
    """How a seller's documents are numbered."""


@numbering_group.command()
@_entity
@click.pass_obj
@speaks_json
def show(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Show the rule of each type of document, and whether it is the seller's own or its country's."""
    _answer(voice, sites.of(entity_id), entity_id)


@numbering_group.command(name="set")
@_entity
@_type
@click.option("--pattern", required=True, help="Such as {prefix}-{year}-{n:06}; may name type, customer and month.")
@click.option("--restart", type=click.Choice([r.value for r in Restart]), default=Restart.YEAR.value, show_default=True)
@click.option(
    "--year-begins", type=int, default=1, show_default=True, help="Month with which a year of numbers begins."
)
@click.option("--longest", type=int, default=0, help="Most characters of a number (default: any).")
@by
@click.pass_obj
@speaks_json
def set_rule(
    sites: Sites,
    voice: Voice,
    entity_id: str,
    kind: str,
    pattern: str,
    restart: str,
    year_begins: int,
    longest: int,
    person: str,
) -> None:
    """Number documents of a type by a rule from now on; numbers that are taken stay."""
    rule = SeriesRule(pattern, Restart(restart), year_begins, longest)
    _change(sites, entity_id, SeriesType(kind), rule, person)
    _answer(voice, sites.of(entity_id), entity_id)


@numbering_group.command()
@_entity
@_type
@by
@click.pass_obj
@speaks_json
def unset(sites: Sites, voice: Voice, entity_id: str, kind: str, person: str) -> None:
    """Number documents of a type as the seller's country has it."""
    _change(sites, entity_id, SeriesType(kind), None, person)
    _answer(voice, sites.of(entity_id), entity_id)


def _change(sites: Sites, entity_id: str, kind: SeriesType, rule: SeriesRule | None, person: str) -> None:
    store = store_of(sites.of(entity_id))
    rules = {k: r for k, r in read_seller(store, entity_id).numbering.rules.items() if k is not kind}
    wanted = Numbering({**rules, kind: rule} if rule else rules)
    change_numbering(store, system_clock, entity_id, wanted, clerk(person))


def _answer(voice: Voice, site: Site, entity_id: str) -> None:
    seller = read_seller(store_of(site), entity_id)
    found = {kind: seller.numbering.rule_for(kind, seller.country) for kind in SeriesType}
    rules = [
        {
            "type": kind.value,
            "pattern": rule.pattern,
            "restart": rule.restart.value,
            "year_begins": rule.year_begins,
            "longest": rule.longest,
            "own": kind in seller.numbering.rules,
        }
        for kind, rule in found.items()
    ]
    rows = [
        (kind.value, rule.pattern, rule.restart.value, "own" if kind in seller.numbering.rules else seller.country)
        for kind, rule in found.items()
        if kind is not SeriesType.ONE_OFF or kind in seller.numbering.rules
    ]
    if SeriesType.ONE_OFF not in seller.numbering.rules:
        rows.append((SeriesType.ONE_OFF.value, "", "", "numbered as invoices are"))
    drawn = table("type", "pattern", "restarts", "whose", rows=rows)
    voice.answer({"rules": rules}, lambda console: console.print(drawn))
