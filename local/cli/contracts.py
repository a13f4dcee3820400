"""`saldo contracts`: sign, amend, accept milestones, release what was kept back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from local.cli.orders import by, clerk, document_in
from local.cli.site import Sites, store_of
from local.cli.typed import DAY
from local.cli.voice import Voice, amounts, speaks_json, table
from saldo.kernel.clock import system_clock
from saldo.orders.contracts import Contracts
from saldo.orders.model_contracts import Contract
from saldo.orders.reading import amendment_from_json, contract_from_json
from saldo.orders.rules_contracts import milestone_amounts
from saldo.orders.showing import invoices_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_account = click.option("--account", "account_id", required=True, help="Account that the contract is with.")
_document = click.option("--document", required=True, help="The record of acceptance.")
_on = click.option("--on", "day", type=DAY, required=True, help="The day it was accepted for.")
_reason = click.option("--reason", required=True, help="Why, for those who look at it later.")


@click.group(name="contracts")
def contracts_group() -> None:
    """Contracts: agreed prices, milestones, acceptance."""


@contracts_group.command()
@click.argument("file", type=_FILE)
@click.option("--entity", "entity_id", required=True, help="Legal entity that sells.")
@by
@click.pass_obj
@speaks_json
def sign(sites: Sites, voice: Voice, file: Path, entity_id: str, person: str) -> None:
    """Put the contract written in a JSON FILE on record. Again changes nothing."""
    contract = contract_from_json(document_in(file), entity_id)
    contracts = _contracts(sites, entity_id)
    contracts.sign(contract, clerk(person))
    _answer(sites, voice, contracts.get(contract.account_id, contract.id))


@contracts_group.command(name="list")
@_account
@click.pass_obj
@speaks_json
def list_contracts(sites: Sites, voice: Voice, account_id: str) -> None:
    """An account's contracts."""
    found = _contracts(sites, account_id).of_account(account_id)
    rows = [(c.id, c.title, c.starts_on.isoformat(), str(c.terms[-1].ends_on or "–"), c.status.value) for c in found]
    voice.answer(
        {"contracts": [asdict(c) for c in found]},
        lambda console: console.print(table("contract", "title", "from", "until", "status", rows=rows)),
    )


@contracts_group.command()
@click.argument("contract_id")
@_account
@click.pass_obj
@speaks_json
def show(sites: Sites, voice: Voice, contract_id: str, account_id: str) -> None:
    """One contract with its milestones."""
    _answer(sites, voice, _contracts(sites, account_id).get(account_id, contract_id))


@contracts_group.command()
@click.argument("contract_id")
@click.argument("file", type=_FILE)
@_account
@_reason
@by
@click.pass_obj
@speaks_json
def amend(sites: Sites, voice: Voice, contract_id: str, file: Path, account_id: str, reason: str, person: str) -> None:
    """Let the terms written in a JSON FILE hold from their day on."""
    contracts = _contracts(sites, account_id)
    before = contracts.get(account_id, contract_id)
    terms, milestones = amendment_from_json(document_in(file), before.currency)
    _answer(sites, voice, contracts.amend(account_id, contract_id, terms, milestones, clerk(person), reason))


@contracts_group.command()
@click.argument("contract_id")
@click.argument("milestone_id")
@_account
@_on
@_document
@by
@click.pass_obj
@speaks_json
def accept(
    sites: Sites,
    voice: Voice,
    contract_id: str,
    milestone_id: str,
    account_id: str,
    day: datetime,
    document: str,
    person: str,
) -> None:
    """A milestone was accepted: the next run bills it, and services that waited for it start."""
    on = day.date()
    contracts = _contracts(sites, account_id)
    _answer(sites, voice, contracts.accept(account_id, contract_id, milestone_id, on, document, clerk(person)))


@contracts_group.command(name="take-back")
@click.argument("contract_id")
@click.argument("milestone_id")
@_account
@_reason
@by
@click.pass_obj
@speaks_json
def take_back(
    sites: Sites, voice: Voice, contract_id: str, milestone_id: str, account_id: str, reason: str, person: str
) -> None:
    """Take an acceptance back that is not billed yet; after that it takes a credit note."""
    contracts = _contracts(sites, account_id)
    _answer(sites, voice, contracts.take_back(account_id, contract_id, milestone_id, clerk(person), reason))


@contracts_group.command()
@click.argument("contract_id")
@_account
@_on
@_document
@by
@click.pass_obj
@speaks_json
def release(
    sites: Sites, voice: Voice, contract_id: str, account_id: str, day: datetime, document: str, person: str
) -> None:
    """The final acceptance: the next run bills all that was kept back."""
    on = day.date()
    _answer(sites, voice, _contracts(sites, account_id).release(account_id, contract_id, on, document, clerk(person)))


@contracts_group.command()
@click.argument("contract_id")
@_account
@_reason
@by
@click.pass_obj
@speaks_json
def end(sites: Sites, voice: Voice, contract_id: str, account_id: str, reason: str, person: str) -> None:
    """End a contract: no order is matched with it any more."""
    _answer(sites, voice, _contracts(sites, account_id).end(account_id, contract_id, clerk(person), reason))


def _contracts(sites: Sites, owner_id: str) -> Contracts:
    return Contracts(store_of(sites.of(owner_id)), system_clock)


def _answer(sites: Sites, voice: Voice, contract: Contract) -> None:
    shares = milestone_amounts(contract)
    invoiced = invoices_of(store_of(sites.of(contract.account_id)), contract)

    def say(console: Console) -> None:
        console.print(f"{contract.id}: {contract.title}, [bold]{contract.status}[/], version {contract.version}")
        rows = [
            (
                m.id,
                m.status.value,
                amounts({contract.currency: shares.get(m.id, 0)}),
                str(m.due_on or ""),
                m.item_id,
                invoiced.get(m.id, ""),
            )
            for m in contract.milestones
        ]
        columns = ("milestone", "status", "amount", "due", "billed as", "on invoice")
        console.print(table(*columns, rows=rows, numbers=("amount",)))

    voice.answer(asdict(contract) | {"amounts_minor": shares, "invoices": invoiced}, say)
