"""`saldo choices show`, `set`: how a seller bills where there is more than one right way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any  # options as click hands them over

import click

from local.cli.orders import by, clerk
from local.cli.site import Sites, store_of
from local.cli.typed import number
from local.cli.voice import Voice, facts, speaks_json
from saldo.accounts.model import Settle
from saldo.invoicing.choices import change_choices, choices_of
from saldo.invoicing.model import BelowZero, BillingOptions, ChangeLegs, NetRounding, PayableRounding, PrepaidOrder
from saldo.invoicing.rules_tolerance import Tolerance
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import plain
from saldo.kernel.money import Money
from saldo.kernel.rounding import Rounding
from saldo.tax.model import TaxRounding

_entity = click.option("--entity", "entity_id", required=True, help="The legal entity that sells.")
_LIMITS = "EUR amount=1.00,percent=2,clerk=5.00"
_TOLERATED = "What a payment may leave of an invoice to be written off, the lowest of these"
_CHOICES = {
    "change_legs": ChangeLegs,
    "below_zero": BelowZero,
    "net_rounding": NetRounding,
    "prepaid": PrepaidOrder,
    "tax_rounding": TaxRounding,
    "tax_mode": Rounding,
    "settle": Settle,
}


@click.group(name="choices")
def choices_group() -> None:
    """How a seller bills where there is more than one right way (docs/quote.md, Options)."""


@choices_group.command()
@_entity
@click.pass_obj
@speaks_json
def show(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Show what a seller has chosen."""
    _answer(voice, choices_of(store_of(sites.of(entity_id)), entity_id))


def _choices(command: Any) -> Any:
    for name, choice in reversed(_CHOICES.items()):
        option = "--" + name.replace("_", "-")
        command = click.option(option, name, type=click.Choice([one.value for one in choice]), default=None)(command)
    return command


@choices_group.command(name="set")
@_entity
@_choices
@click.option("--coins", default=None, metavar="MONEY", help="Round what is to be paid: '0.05 CHF'.")
@click.option("--coins-mode", type=click.Choice([m.value for m in Rounding]), default=Rounding.HALF_UP.value)
@click.option("--no-coins", is_flag=True, help="Round nothing of what is to be paid.")
@click.option("--tolerance", "tolerances", multiple=True, metavar="LIMITS", help=f"{_TOLERATED}: '{_LIMITS}'; several.")
@click.option("--no-tolerance", is_flag=True, help="Write nothing off that payments leave.")
@by
@click.pass_obj
@speaks_json
def set_choices(sites: Sites, voice: Voice, entity_id: str, person: str, **asked: Any) -> None:
    """Bill so from now on; what is not named stays."""
    store = store_of(sites.of(entity_id))
    given: dict[str, Any] = {name: choice(asked[name]) for name, choice in _CHOICES.items() if asked[name] is not None}
    if asked["no_coins"]:
        given["payable_rounding"] = None
    elif asked["coins"]:
        given["payable_rounding"] = _coins(asked["coins"], Rounding(asked["coins_mode"]))
    now = choices_of(store, entity_id)
    before = {} if asked["no_tolerance"] else dict(now.tolerances)
    given["tolerances"] = tuple(sorted((before | dict(map(_tolerance, asked["tolerances"]))).items()))
    wanted = replace(now, **given)
    change_choices(store, system_clock, entity_id, wanted, clerk(person))
    _answer(voice, wanted)


def _coins(text: str, mode: Rounding) -> PayableRounding:
    amount, _, currency = text.strip().partition(" ")
    if len(currency) != 3:
        raise Refusal("not_a_coin", f"{text!r} is no coin such as '0.05 CHF'")
    return PayableRounding(currency, Money.parse(amount, currency).minor, mode)


def _tolerance(text: str) -> tuple[str, Tolerance]:
    currency, _, limits = text.strip().partition(" ")
    told = dict(part.strip().partition("=")[::2] for part in limits.split(","))
    try:
        money = {name: Money.parse(told[name], currency).minor for name in ("amount", "clerk") if name in told}
        percent = number(told["percent"]) if "percent" in told else None
    except (ValueError, Refusal) as error:
        raise Refusal("invalid_input", f"{text!r} is no tolerance such as '{_LIMITS}'") from error
    if told.keys() - {"amount", "percent", "clerk"}:
        raise Refusal("invalid_input", f"{text!r} is no tolerance such as '{_LIMITS}'")
    return currency, Tolerance(money.get("amount"), percent, money.get("clerk"))


def _limits(currency: str, one: Tolerance) -> str:
    amounts = (("amount", one.amount_minor), ("clerk", one.clerk_minor))
    said = [f"{name}={Money(minor, currency).as_decimal()}" for name, minor in amounts if minor is not None]
    return ",".join([*said, *([f"percent={plain(one.percent)}"] if one.percent is not None else [])])


def _answer(voice: Voice, options: BillingOptions) -> None:
    document: dict[str, Any] = {name: getattr(options, name).value for name in _CHOICES}
    to = options.payable_rounding
    document["tolerances"] = [f"{currency} {_limits(currency, one)}" for currency, one in options.tolerances]
    document["coins"] = f"{Money(to.to_minor, to.currency)} {to.mode.value}" if to else None
    voice.answer(document, lambda console: console.print(facts(document)))
