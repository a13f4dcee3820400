"""`saldo invoice`, `credit`, `rebill`, `draft`, `late-charges` and `template`: documents that staff bring about."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from local.cli.accounts import staff
from local.cli.site import Site, Sites, billing_of, store_of, tax_of
from local.cli.typed import number
from local.cli.voice import Voice, speaks_json, table
from saldo.accounts.arrangements import Arrangements
from saldo.documents.looks import Looks
from saldo.documents.model import Look
from saldo.documents.rules_look import look_of
from saldo.invoicing.approvals import Approvals, Proposal
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.late_charges import LateCharges
from saldo.invoicing.records import InvoiceHeader
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.rules_templates import TemplateRule
from saldo.invoicing.run.now import Invoices, OneOff
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import plain
from saldo.kernel.ids import new_id
from saldo.kernel.money import Money
from saldo.orders.items import Items
from saldo.orders.model import Item, WaitingItem

_REQUEST = click.option("--request", default="", help="Names the wish for ever: the same again changes nothing.")
_REASON = click.option("--reason", type=click.Choice([reason.value for reason in Reason]), required=True)


def _named(request: str) -> str:
    return request or new_id("req", system_clock()).removeprefix("req_")


@click.command()
@click.argument("account_id")
@click.option("--item", "items", multiple=True, metavar="TEXT=PRICE", help="What is sold, and its net price.")
@click.option("--tax-category", default="standard", show_default=True)
@click.option("--purchase-order", default="", help="The buyer's, where invoices are split by it.")
@click.option("--cost-centre", default="", help="The buyer's, where invoices are split by it.")
@_REQUEST
@click.pass_obj
@speaks_json
def invoice(
    sites: Sites,
    voice: Voice,
    account_id: str,
    items: tuple[str, ...],
    tax_category: str,
    purchase_order: str,
    cost_centre: str,
    request: str,
) -> None:
    """Invoice an account now: these items, and what is due or waits on it."""
    site = sites.of(account_id)
    sold = tuple(
        replace(_item(text, tax_category), purchase_order=purchase_order, cost_centre=cost_centre) for text in items
    )
    invoices = Invoices(billing_of(site), system_clock)
    done = invoices.issue_now(OneOff(account_id, _named(request), sold, staff()))
    aside = [{"code": s.code, "reason": s.reason} for s in done.set_aside]
    attempt = done.attempt
    document = {"run_id": attempt.run_id, "invoices": list(done.invoices), "first_number": attempt.first_number}
    waiting = [w.item.id for w in Items(store_of(site), system_clock).waiting(account_id)] if aside else []

    def show(console: Console) -> None:
        for reason in aside:
            console.print(f"Not invoiced: {reason['code']}: {reason['reason'].removeprefix(reason['code'] + ': ')}")
        if waiting:
            console.print("What waits on the account is billed once that is mended; do not ask for it again:")
            console.print(", ".join(waiting))
            console.print(f"Take it back: saldo items withdraw {account_id} ITEM --reason …")
        if done.invoices:
            console.print(f"Issued {attempt.first_number} ({', '.join(done.invoices)})")
        elif not aside:
            console.print("Nothing is due or waits on this account.")

    voice.answer({**document, "set_aside": aside, "waiting": waiting}, show)


@click.group(name="items")
def items_group() -> None:
    """What waits to be invoiced once: one-off items, milestones, deliveries, interest."""


@items_group.command(name="list")
@click.argument("account_id", metavar="ACCOUNT")
@click.pass_obj
@speaks_json
def list_items(sites: Sites, voice: Voice, account_id: str) -> None:
    """Items that wait on an account, and from which day on they are billed."""
    _answer_items(voice, Items(store_of(sites.of(account_id)), system_clock).waiting(account_id))


@items_group.command(name="withdraw")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("item_id", metavar="ITEM")
@click.option("--reason", required=True, help="Why it is not to be billed; goes on record.")
@click.pass_obj
@speaks_json
def withdraw_item(sites: Sites, voice: Voice, account_id: str, item_id: str, reason: str) -> None:
    """Take back what staff asked for and no invoice has yet."""
    items = Items(store_of(sites.of(account_id)), system_clock)
    items.withdraw(account_id, item_id, staff(), reason)
    _answer_items(voice, items.waiting(account_id))


def _answer_items(voice: Voice, waiting: list[WaitingItem]) -> None:
    told = [
        {
            "id": w.item.id,
            "name": next(iter(w.item.names.values()), ""),
            "unit_price": plain(w.item.unit_price),
            "quantity": plain(w.item.quantity),
            "tax_category": w.item.tax_category,
            "bill_on": w.bill_on.isoformat(),
            "origin": w.origin,
        }
        for w in waiting
    ]
    columns = ("item", "name", "price", "quantity", "tax category", "from", "asked for by")
    drawn = table(*columns, rows=[tuple(t.values()) for t in told], numbers=("price", "quantity"))
    voice.answer({"items": told}, lambda console: console.print(drawn if told else "Nothing waits on this account."))


def _item(text: str, tax_category: str) -> Item:
    name, _, price = text.rpartition("=")
    try:
        return Item("", {"en": name.strip()}, number(price.strip()), tax_category=tax_category)
    except ValueError as error:
        raise Refusal("invalid_item", f"{text!r} is not TEXT=PRICE") from error


@click.command()
@click.argument("account_id")
@click.argument("invoice_id")
@_REASON
@click.option("--line", "lines", multiple=True, metavar="LINE=AMOUNT", help="What to take back of a line, before tax.")
@click.option("--net", metavar="AMOUNT", help="What to take back before tax, spread over the lines.")
@click.option("--total", metavar="AMOUNT", help="What to take back with its tax, such as 11.90.")
@click.option("--note", default="", help="A sentence for the customer.")
@_REQUEST
@click.pass_obj
@speaks_json
def credit(
    sites: Sites,
    voice: Voice,
    account_id: str,
    invoice_id: str,
    reason: str,
    lines: tuple[str, ...],
    net: str | None,
    total: str | None,
    note: str,
    request: str,
) -> None:
    """Issue a credit note for an invoice; without an amount for all that is left of it. Amounts are in major units."""
    site = sites.of(account_id)
    currency = Arrangements(store_of(site), system_clock).account(account_id).currency
    net_minor, total_minor = (None if text is None else Money.parse(text, currency).minor for text in (net, total))
    by_line = {name: Money.parse(text, currency).minor for name, _, text in (line.partition("=") for line in lines)}
    asked = CreditRequest(
        account_id, invoice_id, _named(request), Reason(reason), staff(), note, by_line, net_minor, total_minor
    )
    header = _corrections(site).credit(asked)
    voice.answer({"data": [_told(header)]}, lambda console: _show(console, [header]))


@click.command()
@click.argument("account_id")
@click.argument("invoice_id")
@_REASON
@click.option("--note", default="", help="A sentence for the customer.")
@_REQUEST
@click.pass_obj
@speaks_json
def rebill(sites: Sites, voice: Voice, account_id: str, invoice_id: str, reason: str, note: str, request: str) -> None:
    """Take an invoice back whole and issue it again to the billing profile of now."""
    asked = CreditRequest(account_id, invoice_id, _named(request), Reason(reason), staff(), note)
    found = _corrections(sites.of(account_id)).rebill(asked)
    voice.answer({"data": [_told(header) for header in found]}, lambda console: _show(console, list(found)))


def _corrections(site: Site) -> Corrections:
    return Corrections(store_of(site), system_clock, tax_of(site))


def _told(header: InvoiceHeader) -> dict[str, object]:
    names = ("invoice_id", "number", "currency", "net_minor", "tax_minor", "total_minor", "open_minor", "of_invoice")
    return {"document": header.document.value} | {name: getattr(header, name) for name in names}


def _show(console: Console, headers: list[InvoiceHeader]) -> None:
    rows = [
        (h.number, h.document.value, str(Money(h.total_minor, h.currency)), str(Money(h.open_minor, h.currency)))
        for h in headers
    ]
    console.print(table("number", "document", "total", "open", rows=rows, numbers=("total", "open")))


@click.group(name="draft")
def draft_group() -> None:
    """Invoices that are looked at before they are issued."""


@draft_group.command(name="list")
@click.option("--entity", "entity_id", required=True)
@click.pass_obj
@speaks_json
def list_drafts(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Proposals that nobody has said anything about."""
    desk = Approvals(store_of(sites.of(entity_id)), system_clock)
    found = [desk.proposal(account_id) for account_id in desk.waiting(entity_id)]
    voice.answer({"data": [_proposed(p) for p in found]}, lambda console: _show_drafts(console, found))


@draft_group.command(name="approve")
@click.argument("account_id")
@click.option("--print", "seen", required=True, help="The fingerprint that the list shows.")
@click.pass_obj
@speaks_json
def approve_draft(sites: Sites, voice: Voice, account_id: str, seen: str) -> None:
    """Let the next run issue a proposal as it was seen."""
    done = Approvals(store_of(sites.of(account_id)), system_clock).approve(account_id, seen, staff())
    voice.answer(_proposed(done), lambda console: _show_drafts(console, [done]))


@draft_group.command(name="hold")
@click.argument("account_id")
@click.option("--print", "seen", required=True, help="The fingerprint that the list shows.")
@click.option("--reason", required=True)
@click.pass_obj
@speaks_json
def hold_draft(sites: Sites, voice: Voice, account_id: str, seen: str, reason: str) -> None:
    """Keep a proposal from being issued until it is another."""
    done = Approvals(store_of(sites.of(account_id)), system_clock).hold(account_id, seen, staff(), reason)
    voice.answer(_proposed(done), lambda console: _show_drafts(console, [done]))


def _proposed(proposal: Proposal) -> dict[str, object]:
    totals = [{"currency": b.currency, "total_minor": b.total_minor} for b in proposal.bodies]
    return {
        "account_id": proposal.account_id,
        "invoices": totals,
        "state": proposal.state.value,
        "print": proposal.print,
        "as_of": proposal.as_of.isoformat(),
    }


def _show_drafts(console: Console, found: list[Proposal]) -> None:
    rows = [
        (p.account_id, p.state.value, ", ".join(str(Money(b.total_minor, b.currency)) for b in p.bodies), p.print)
        for p in found
    ]
    console.print(table("account", "state", "invoices", "print", rows=rows))


@click.command(name="late-charges")
@click.option("--entity", "entity_id", required=True)
@click.pass_obj
@speaks_json
def late_charges(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Add interest and fixed sums for late payment, for the next run to bill. Nothing is added twice."""
    report = LateCharges(store_of(sites.of(entity_id)), system_clock).assess(entity_id)
    left_out = [{"account_id": a, "invoice_id": i, "code": code} for a, i, code in report.left_out]

    def show(console: Console) -> None:
        console.print(f"{len(report.added)} charges added")
        for row in left_out:
            console.print(f"Left out: {row['account_id']} {row['invoice_id']}: {row['code']}")
        if left_out:
            console.print(
                "What to do about each: docs/runbooks/late-charges-left-out.md; then again, nothing comes twice."
            )

    voice.answer({"added": report.added, "left_out": left_out}, show)


@click.group(name="template")
def template_group() -> None:
    """How invoices look."""


_LOOK = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@template_group.command(name="preview")
@_LOOK
@click.option("--entity", "entity_id", required=True)
@click.option("--language", default="en", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where the PDF goes.")
@click.pass_obj
@speaks_json
def preview_template(sites: Sites, voice: Voice, file: Path, entity_id: str, language: str, out: Path) -> None:
    """Make a PDF of made-up charges in the template of a JSON file. Nothing is stored."""
    pdf = Looks(store_of(sites.of(entity_id)), system_clock).preview(entity_id, _look(file), language)
    out.write_bytes(pdf)
    voice.answer({"bytes": len(pdf)}, lambda console: console.print(f"{out}"))


@template_group.command(name="publish")
@click.argument("name")
@_LOOK
@click.option("--entity", "entity_id", required=True)
@click.pass_obj
@speaks_json
def publish_template(sites: Sites, voice: Voice, name: str, file: Path, entity_id: str) -> None:
    """Publish the next version of a template; `standard` is for all that no rule names another for."""
    done = Looks(store_of(sites.of(entity_id)), system_clock).publish(entity_id, name, _look(file), staff())
    voice.answer({"template": done}, lambda console: console.print(f"{done} is in use for documents from now on"))


@template_group.command(name="choose")
@click.option("--entity", "entity_id", required=True)
@click.option("--rule", "rules", multiple=True, metavar="TEMPLATE:CONTRACT:COUNTRY:SEGMENT", help="Empty fits any.")
@click.pass_obj
@speaks_json
def choose_template(sites: Sites, voice: Voice, entity_id: str, rules: tuple[str, ...]) -> None:
    """Say which accounts' documents get which template; the most specific rule goes. These replace all rules before."""
    found = [TemplateRule(*[*text.split(":"), "", "", ""][:4]) for text in rules]
    Looks(store_of(sites.of(entity_id)), system_clock).choose(entity_id, found, staff())
    voice.answer({"rules": len(found)}, lambda console: console.print(f"{len(found)} rules"))


def _look(file: Path) -> Look:
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refusal("invalid_template", f"{file.name} is no JSON: {error}") from error
    return look_of(fields if isinstance(fields, dict) else {"document": fields})
