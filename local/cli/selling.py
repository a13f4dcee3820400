"""`saldo seller`, `saldo catalog`, `saldo customer open` and `saldo subscription start`: what a seller begins with."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from local.cli.accounts import quantities_of, subscription_group
from local.cli.orders import by, clerk, document_in
from local.cli.recovery import customer_group
from local.cli.site import Site, Sites, bank_statements_of, sealer_of, store_of
from local.cli.typed import DAY
from local.cli.voice import Voice, facts, said_dry, speaks_json, table
from saldo.accounts.bank_statements import checked
from saldo.accounts.model import LegalEntity
from saldo.accounts.reading import customer_from_json, seller_from_json
from saldo.accounts.service import Accounts
from saldo.catalog.codec import plan_version_to_json
from saldo.catalog.price_lists import Entry, PriceList, PriceLists, price_list_from
from saldo.catalog.service import Catalog
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.ids import new_id
from saldo.kernel.periods import Unit
from saldo.kernel.reading import Fields, read
from saldo.storage.web import WebService
from saldo.subscriptions.codec import maybe_term, subscription_to_json
from saldo.subscriptions.model import Alignment, Term
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.service import Subscriptions
from saldo.usage.codec import meter_from, meter_to_json
from saldo.usage.model import Meter
from saldo.usage.service import Usage

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(name="seller")
def seller_group() -> None:
    """The legal entities that sell."""


@seller_group.command(name="put")
@click.argument("file", type=_FILE)
@by
@click.pass_obj
@speaks_json
def put_seller(sites: Sites, voice: Voice, file: Path, person: str) -> None:
    """Put the legal entity written in a JSON FILE on record, or what has changed of it; its bank details are signed."""
    entity = seller_from_json(document_in(file))
    site = sites.of(entity.id)
    accounts = _accounts(site)
    before = _known(accounts, entity.id)
    if before is not None and _bank_of(before) != _bank_of(entity):
        raise Refusal("second_person_needed", "bank details are changed by two people, on the pages for staff")
    entity = bank_statements_of(site).signed(entity, before)
    changed = before != entity
    if changed:
        accounts.register_entity(entity, clerk(person))
    words = f"{entity.name} is on record{'' if changed else ' already'}."
    voice.answer({"entity_id": entity.id, "changed": changed}, lambda console: console.print(words))


@seller_group.command(name="show")
@click.argument("entity_id", metavar="ENTITY")
@click.pass_obj
@speaks_json
def show_seller(sites: Sites, voice: Voice, entity_id: str) -> None:
    """A legal entity as documents name it."""
    told = asdict(_accounts(sites.of(entity_id)).entity(entity_id))
    shown = told | {"bank_statement": {n: v for n, v in (told["bank_statement"] or {}).items() if n != "signed"}}
    voice.answer(told, lambda console: console.print(facts(shown)))


@seller_group.command(name="verify")
@click.argument("file", type=_FILE)
@click.option("--keys", required=True, help="The portal's key set: its address (/.well-known/jwks.json), or a file.")
@speaks_json
def verify_details(voice: Voice, file: Path, keys: str) -> None:
    """Check signed bank details (FILE, as payers download them) against the portal's keys."""
    told = checked(file.read_text("utf-8", "replace"), _key_set_at(keys))
    bank, rows = told["bank"], [("seller", told["seller"]["name"]), ("number", str(told["statement"]))]
    rows += [("bank", bank["name"]), ("iban", bank["iban"]), ("bic", bank["bic"]), ("since", told["since"])]

    def show(console: Console) -> None:
        console.print(table("what", "is", rows=rows))
        console.print("The signature holds.")

    voice.answer({"holds": True, **told}, show)


@click.group(name="catalog")
def catalog_group() -> None:
    """Products, plans, prices and meters."""


@catalog_group.command(name="put")
@click.argument("file", type=_FILE)
@click.option("--entity", "entity_id", required=True, help="Legal entity that sells.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@by
@click.pass_obj
@speaks_json
def put_catalog(sites: Sites, voice: Voice, file: Path, entity_id: str, dry_run: bool, person: str) -> None:
    """Put the products, plans and meters of a JSON FILE on record (docs/catalog.md). Again changes nothing.

    What was published never changes: a new price is a plan with an id of its own. Customers keep what they were sold.
    """
    site = sites.of(entity_id)
    catalog, usage = Catalog(store_of(site), system_clock), Usage(store_of(site), system_clock)
    entity = _accounts(site).entity(entity_id)
    wanted, meters = read(document_in(file), lambda f: _offered(f, entity), "the price list cannot be read")
    lists = PriceLists(catalog)
    entries = [*(Entry("meter", i, state) for i, state in usage.look(meters).items()), *lists.look(wanted)]
    if not dry_run:
        for meter in meters:
            usage.define_meter(meter, clerk(person))
        lists.put(wanted, clerk(person))
    told = [{"kind": e.kind, "id": e.id, "state": e.state} for e in entries]
    rows = [(e.kind, e.id, e.state) for e in entries if e.state != "unchanged"]

    def show(console: Console) -> None:
        console.print(table("what", "id", "is", rows=rows) if rows else "Everything is on record already.")
        if dry_run:
            said_dry(console)

    voice.answer({"entity_id": entity_id, "dry_run": dry_run, "entries": told}, show)


@catalog_group.command(name="show")
@click.argument("entity_id", metavar="ENTITY")
@click.pass_obj
@speaks_json
def show_catalog(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Everything a seller offers, as `put` takes it."""
    store = store_of(sites.of(entity_id))
    catalog = Catalog(store, system_clock)
    plans, versions = catalog.plans_of(entity_id), catalog.versions_of(entity_id)
    meters = Usage(store, system_clock).meters_of(entity_id)
    products = [
        {
            "id": p.id,
            "names": p.names,
            "trigger": p.trigger.value,
            "plans": [{"id": plan.id, "names": plan.names} for plan in plans if plan.product_id == p.id],
        }
        for p in catalog.products_of(entity_id)
    ]
    document: dict[str, Any] = {
        "products": products,
        "plans": [plan_version_to_json(v) for v in versions],
        "meters": [meter_to_json(m) for m in meters.values()],
    }
    rows = [
        (
            v.plan_id,
            v.id,
            v.currency,
            " ".join(v.countries) or "all",
            v.effective_on.isoformat(),
            str(len(v.components)),
        )
        for v in versions
    ]
    drawn = table("plan", "version", "currency", "sold in", "from", "charges", rows=rows, numbers=("charges",))
    voice.answer(document, lambda console: console.print(drawn))


@customer_group.command(name="open")
@click.argument("file", type=_FILE)
@by
@click.pass_obj
@speaks_json
def open_customer(sites: Sites, voice: Voice, file: Path, person: str) -> None:
    """Open the accounts of the customer written in a JSON FILE (docs/catalog.md). What is open stays so."""
    organisation, opening = customer_from_json(document_in(file))
    site = sites.of(organisation.id)
    accounts = _accounts(site)
    for account, _ in opening:
        accounts.entity(account.entity_id)
    accounts.register_organisation(organisation, clerk(person))
    told = [{"account_id": a.id, "opened": accounts.open_account(a, p, clerk(person))} for a, p in opening]
    rows = [(str(t["account_id"]), "opened" if t["opened"] else "was open") for t in told]
    answer = {"organisation_id": organisation.id, "accounts": told}
    voice.answer(answer, lambda console: console.print(table("account", "is", rows=rows)))


@subscription_group.command(name="start")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("plan_version_id", metavar="PLAN")
@click.option("--on", "on", type=DAY, required=True, help="The first day.")
@click.option("--quantity", multiple=True, metavar="COMPONENT=NUMBER", help="1 where not named.")
@click.option("--alignment", type=click.Choice([a.value for a in Alignment]), default="anniversary", show_default=True)
@click.option("--trial-end", type=DAY, help="The first day that costs something.")
@click.option("--anchor", type=DAY, help="The day that cycles are counted from, where it is another one.")
@click.option("--term", type=(int, click.Choice([u.value for u in Unit])), help="Sold for so long at a time: 12 month.")
@click.option("--notice-days", type=int, default=0, help="So many days before its end a cancellation is to come.")
@click.option("--announce-days", type=int, default=30, show_default=True, help="So long ahead the customer is told.")
@click.option("--uplift", default="0", metavar="PERCENT", help="Prices rise by it at each renewal.")
@click.option("--newest-price", is_flag=True, help="At each renewal it moves to the newest version of its plan.")
@click.option("--purchase-order", default="", help="The buyer's, where invoices are split by it.")
@click.option("--cost-centre", default="", help="The buyer's, where invoices are split by it.")
@click.option("--id", "subscription_id", default="", help="Names it for ever: the same again changes nothing.")
@by
@click.pass_obj
@speaks_json
def start(
    sites: Sites, voice: Voice, account_id: str, plan_version_id: str, on: datetime, person: str, **asked: Any
) -> None:
    """Sell a version of a plan to an account. Runs bill it from its first day on."""
    store = store_of(sites.of(account_id))
    quantities, added = quantities_of(asked["quantity"])
    if added:
        raise Refusal("invalid_quantity", "a new subscription has quantities, not additions")
    account = Accounts(store, sealer_of(sites.of(account_id)), system_clock).account(account_id)
    wanted = subscribe(
        asked["subscription_id"] or new_id("sub", system_clock()),
        account_id=account_id,
        entity_id=account.entity_id,
        plan_version=Catalog(store, system_clock).plan_version(account.entity_id, plan_version_id),
        started_on=on.date(),
        alignment=Alignment(asked["alignment"]),
        trial_days=(asked["trial_end"] - on).days if asked["trial_end"] else 0,
        anchor_on=asked["anchor"].date() if asked["anchor"] else None,
        quantities=quantities,
        term=_term(asked),
    )
    wanted = replace(wanted, purchase_order=asked["purchase_order"], cost_centre=asked["cost_centre"])
    begun = Subscriptions(store, system_clock).start(wanted, clerk(person))
    words = f"{wanted.id} {'begins' if begun else 'is there already'}: {plan_version_id} for {account.name}."
    voice.answer({"started": begun, **subscription_to_json(wanted)}, lambda console: console.print(words))


def _term(asked: dict[str, Any]) -> Term | None:
    if asked["term"] is None:
        return None
    count, unit = asked["term"]
    said = {"unit": unit, "count": count, "uplift_percent": asked["uplift"]}
    said |= {name: asked[name] for name in ("notice_days", "announce_days", "newest_price")}
    return read({"term": said}, maybe_term, "the term cannot be read")


def _key_set_at(where: str) -> list[dict[str, Any]]:
    """The keys of a set in a file, or at an address of the portal's: encrypted on its way, or on this machine."""
    if where.startswith(("https://", "http://localhost:", "http://127.0.0.1:")):
        found = WebService(where, "the portal").get("").document
    elif "://" in where:
        raise Refusal("not_encrypted", "keys are fetched by https alone")
    elif not Path(where).is_file():
        raise NotFound(f"there is no file {where}")
    else:
        found = document_in(Path(where))
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise Refusal("no_key_set", f"{where} is no set of keys")
    return keys


def _offered(fields: Fields, entity: LegalEntity) -> tuple[PriceList, list[Meter]]:
    wanted = price_list_from(fields, entity.id, fields.text("currency", entity.currency))
    meters = [meter_from(child, entity.id) for child in fields.maybe_children("meters")]
    fields.finish()
    return wanted, meters


def _accounts(site: Site) -> Accounts:
    return Accounts(store_of(site), sealer_of(site), system_clock)


def _bank_of(entity: LegalEntity) -> tuple[str, str, str]:
    return entity.bank_name, entity.iban, entity.bic


def _known(accounts: Accounts, entity_id: str) -> LegalEntity | None:
    try:
        return accounts.entity(entity_id)
    except NotFound:
        return None
