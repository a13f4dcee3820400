"""`saldo payments`: money that came to the seller's bank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import click
from rich.console import Console

from local.cli.orders import by, clerk
from local.cli.site import Sites, store_of
from local.cli.typed import DAY
from local.cli.voice import Voice, amounts, speaks_json, table
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import rate_in_words, rate_said
from saldo.kernel.money import Money, is_currency
from saldo.payments.bringing_back import bring_back
from saldo.payments.model import Payment
from saldo.payments.parked import ParkedEvents
from saldo.payments.receiving import MoneyCame, Receiving
from saldo.payments.simulator import SimulatedGateway
from saldo.storage.items import Item
from saldo.storage.store import Store


@click.group(name="payments")
def payments_group() -> None:
    """Money that came to the bank, and news of gateways that fit no payment."""


@payments_group.command(name="receive")
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--money", required=True, metavar="AMOUNT", help="What came, as '110.00 USD'.")
@click.option("--on", "on", type=DAY, required=True, help="The day on which it came.")
@click.option("--reference", required=True, help="Names the line of the bank statement for ever.")
@click.option("--invoice", "invoices", multiple=True, metavar="NUMBER", help="What it pays; else the oldest first.")
@click.option("--rate", default=None, metavar="RATE", help="Take it at this: '1 EUR = 1.10 USD'.")
@click.option("--credited", default=None, metavar="AMOUNT", help="What the bank made of it, where it converted it.")
@click.option("--keep", is_flag=True, help="Leave it unapplied in its own currency.")
@click.option("--reason", default="")
@by
@click.pass_obj
@speaks_json
def receive(sites: Sites, voice: Voice, account_id: str, on: datetime, person: str, **asked: Any) -> None:
    """Book money that came by bank transfer, and apply it to invoices, of whatever currency.

    The same reference again changes nothing.
    """
    came = MoneyCame(
        account_id,
        _money(asked["money"]),
        on.date(),
        asked["reference"],
        clerk(person),
        invoices=asked["invoices"],
        rate=rate_said(asked["rate"], "agreed", on.date()) if asked["rate"] else None,
        credited=_money(asked["credited"]) if asked["credited"] else None,
        keep=asked["keep"],
        reason=asked["reason"],
    )
    _answer(voice, Receiving(store_of(sites.of(account_id)), system_clock).receive(came))


def _money(text: str) -> Money:
    amount, _, currency = text.strip().rpartition(" ")
    if not is_currency(currency):
        raise Refusal("invalid_amount", f"{text!r} is no amount such as 110.00 USD")
    return Money.parse(amount, currency)


def _answer(voice: Voice, payment: Payment) -> None:
    currency, came = payment.amount.currency, payment.received
    told: dict[str, Any] = {"payment_id": payment.id, "amount": str(payment.amount)}
    told["applied"] = {a.number or a.invoice_id: str(Money(a.minor, currency)) for a in payment.applied}
    told["unapplied"] = str(Money(payment.unapplied_minor, currency))
    if came:
        told |= {"received": str(came.money), "rate": rate_in_words(came.rate)}

    def show(console: Console) -> None:
        taken = f"{came.money} at {rate_in_words(came.rate)}, taken for {payment.amount}" if came else payment.amount
        console.print(f"{payment.receipt_number}: {taken}.")
        for number, amount in told["applied"].items():
            console.print(f"  {number}: {amount}")
        if payment.unapplied_minor:
            console.print(f"  unapplied: {told['unapplied']}")

    voice.answer(told, show)


@payments_group.command(name="take-back")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("payment_id", metavar="PAYMENT")
@click.option("--on", "on", type=DAY, required=True, help="The day on which the bank took it back.")
@click.option("--reason", required=True)
@by
@click.pass_obj
@speaks_json
def take_back(
    sites: Sites, voice: Voice, account_id: str, payment_id: str, on: datetime, reason: str, person: str
) -> None:
    """The bank took back money that was reported: its entries are turned round, its invoices are open again."""
    receiving = Receiving(store_of(sites.of(account_id)), system_clock)
    payment = receiving.take_back(account_id, payment_id, on.date(), clerk(person), reason)
    told = {"payment_id": payment.id, "status": payment.status.value, "amount": str(payment.amount)}
    voice.answer(told, lambda console: console.print(f"{payment.amount} of {payment.id} was taken back."))


_PARKED = ("event_id", "news", "account_id", "subject_id", "entity_id", "reason", "occurred_at", "parked_at")


def _of_gateway(command: Callable[..., None]) -> Callable[..., None]:
    region = click.option("--region", "region_code", default="eu", show_default=True, help="Region code.")
    return region(click.option("--gateway", default=SimulatedGateway.name, show_default=True)(command))


def _parked_in(sites: Sites, region_code: str, gateway: str) -> ParkedEvents:
    return ParkedEvents(store_of(sites.in_region(region_code)), system_clock, gateway)


@payments_group.command(name="parked")
@_of_gateway
@click.pass_obj
@speaks_json
def parked(sites: Sites, voice: Voice, region_code: str, gateway: str) -> None:
    """List a gateway's news that fit no payment, whoever waits longest first."""
    _tell_parked(voice, _parked_in(sites, region_code, gateway).all())


@payments_group.command(name="drop")
@click.argument("event_id", metavar="EVENT")
@_of_gateway
@click.option("--reason", required=True)
@by
@click.pass_obj
@speaks_json
def drop(sites: Sites, voice: Voice, event_id: str, region_code: str, gateway: str, reason: str, person: str) -> None:
    """Try a parked event no more. It is kept, with who dropped it and why."""
    _tell_parked(voice, _parked_in(sites, region_code, gateway).drop(event_id, clerk(person), reason))


def _tell_parked(voice: Voice, found: Sequence[Item]) -> None:
    told = [{name: item[name] for name in (*_PARKED, "amount_minor", "currency") if name in item} for item in found]
    named = ("event_id", "news", "account_id", "subject_id", "reason", "parked_at")
    money = [amounts({one["currency"]: one["amount_minor"]}) if "currency" in one else "" for one in told]
    rows = [(*(one[name] for name in named), amount) for one, amount in zip(told, money, strict=True)]
    drawn = table("event", "news", "account", "of", "why", "since", "amount", rows=rows, numbers=("amount",))
    voice.answer({"parked": told}, lambda console: console.print(drawn))


@payments_group.command(name="bring-back")
@click.option(
    "--from", "spoiled", required=True, metavar="TABLE", help="The table that was spoiled, under its name now."
)
@_of_gateway
@by
@click.pass_obj
@speaks_json
def bring_back_payments(sites: Sites, voice: Voice, spoiled: str, region_code: str, gateway: str, person: str) -> None:
    """After a restore: begin again the payments that were begun after the restored instant.

    The next sweep asks the gateway what became of each. Repeating it changes nothing.
    """
    site = sites.in_region(region_code)
    if spoiled == site.table:
        raise Refusal("same_table", "--from names the table that was spoiled, not the one that was restored")
    lost = Store(site.client("dynamodb"), spoiled)
    done = bring_back(lost, store_of(site), system_clock, gateway, clerk(person))

    def told(payment: Payment) -> dict[str, str]:
        known = {"account_id": payment.account_id, "payment_id": payment.id, "amount": str(payment.amount)}
        return known | {"gateway": payment.gateway}

    def show(console: Console) -> None:
        console.print(f"{len(done.begun)} begun again.")
        for payment in done.by_hand:
            console.print(f"  by hand: {payment.id} of {payment.account_id}, {payment.amount} ({payment.gateway})")

    by_hand = [told(payment) for payment in done.by_hand]
    voice.answer({"begun": [told(payment) for payment in done.begun], "by_hand": by_hand}, show)
