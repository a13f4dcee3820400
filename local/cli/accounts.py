"""`saldo account`, `saldo subscription` and `saldo wallet`: what a seller's people arrange with a customer."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from getpass import getuser
from typing import Any

import click
from rich.console import Console

from local.cli.account_terms import COMPOUNDS, DUE_HELP, FEE_HELP, YEAR_HELP, agreed, due_said, terms_said
from local.cli.site import Sites, store_of
from local.cli.typed import DAY, number
from local.cli.voice import Voice, facts, speaks_json, table
from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import Account, DiscountTax, InvoiceSplit, LatePolicy, MonthCount, Settle
from saldo.accounts.reading_payment_terms import payment_terms_fields
from saldo.audit.model import Actor
from saldo.invoicing.model import Coupon, CouponDuration, PrepaidCredit, Wallet
from saldo.invoicing.wallets import Wallets
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import minor_of_share, plain
from saldo.kernel.exchange import rate_said
from saldo.kernel.ids import new_id
from saldo.kernel.money import Money
from saldo.kernel.periods import local_date
from saldo.subscriptions.codec import subscription_to_json
from saldo.subscriptions.model import Change, ChangeKind, CreditRule, Subscription
from saldo.subscriptions.service import Subscriptions


def staff() -> Actor:
    """Whoever sits at this terminal."""
    return Actor(id=getuser(), kind="staff")


@click.group(name="account")
def account_group() -> None:
    """How accounts get their invoices."""


@account_group.command(name="consolidate")
@click.argument("account_id")
@click.option("--into", default="", help="Account of the same organisation on whose invoice the charges come.")
@click.option("--reason", default="")
@click.pass_obj
@speaks_json
def consolidate(sites: Sites, voice: Voice, account_id: str, into: str, reason: str) -> None:
    """Have an account's charges come on another's invoices; without --into it has invoices of its own again."""
    done = Arrangements(store_of(sites.of(account_id)), system_clock).consolidate(account_id, into, staff(), reason)
    whose = f"on the invoices of {done.invoiced_to}" if done.invoiced_to else "on invoices of its own"
    document = {"account_id": account_id, "invoiced_to": done.invoiced_to}
    voice.answer(document, lambda console: console.print(f"Charges of {account_id} come {whose} from the next run on."))


@account_group.command(name="split")
@click.argument("account_id")
@click.option("--by", type=click.Choice([split.value for split in InvoiceSplit]), required=True)
@click.option("--reason", default="")
@click.pass_obj
@speaks_json
def split(sites: Sites, voice: Voice, account_id: str, by: str, reason: str) -> None:
    """Have an account get an invoice for each purchase order or cost centre."""
    Arrangements(store_of(sites.of(account_id)), system_clock).split(account_id, InvoiceSplit(by), staff(), reason)
    document = {"account_id": account_id, "invoice_split": by}
    voice.answer(document, lambda console: console.print(f"Invoices of {account_id} are split by: {by}."))


@account_group.command(name="show")
@click.argument("account_id")
@click.pass_obj
@speaks_json
def show_account(sites: Sites, voice: Voice, account_id: str) -> None:
    """Show what is arranged with an account."""
    _answer_account(voice, Arrangements(store_of(sites.of(account_id)), system_clock).account(account_id))


@account_group.command(name="terms")
@click.argument("account_id")
@click.option("--due", metavar="TERMS", help=DUE_HELP)
@click.option("--early-percent", type=number, help="Early-payment discount, in per cent of the net amount.")
@click.option("--early-days", type=int, help="Days from issue within which it is had.")
@click.option("--early-tax", type=click.Choice([t.value for t in DiscountTax]), help="When tax is on the less amount.")
@click.option(
    "--early-then", multiple=True, metavar="PERCENT/DAYS", help="A smaller one that holds longer: 2/14; several."
)
@click.option("--early-in-part/--early-whole", "early_in_part", default=None, help="Whether parts have their part.")
@click.option("--no-early", is_flag=True, help="No discount for paying early.")
@click.option("--late-policy", type=click.Choice([p.value for p in LatePolicy]), help="What late payment costs.")
@click.option("--late-percent", type=number, help="Interest (--late-policy contract).")
@click.option("--late-per-month/--late-per-year", "late_per_month", default=None, help="What that percent is for.")
@click.option("--late-from", "late_later", multiple=True, metavar="DAY=PERCENT", help="Another percent from a day on.")
@click.option(
    "--late-compounds",
    type=click.Choice(COMPOUNDS),
    help="When interest bears interest.",
)
@click.option("--late-from-grace/--late-from-due", "late_from_grace", default=None, help="Whence interest counts.")
@click.option("--late-year", metavar="DAYS", help=f"By which days a year counts: {YEAR_HELP}.")
@click.option("--late-months", type=click.Choice([m.value for m in MonthCount]), help="How months of interest count.")
@click.option(
    "--late-daily-rounding/--late-exact", "late_daily_rounding", default=None, help="Round what a day costs first."
)
@click.option("--late-most", type=number, help="The most that interest and fees are, in per cent of the debt.")
@click.option("--late-fee", "late_fees", multiple=True, metavar="FEE", help=FEE_HELP)
@click.option("--no-late-fees", is_flag=True, help="No fees besides interest.")
@click.option("--compensation/--no-compensation", default=None, help="Also the fixed sum that the law gives.")
@click.option("--grace-days", type=int, help="Days after the due date on which nothing is charged.")
@click.option(
    "--settle",
    type=click.Choice([*(s.value for s in Settle), "as_seller"]),
    help="Which invoices money settles that names none.",
)
@click.option("--review/--no-review", default=None, help="Whether staff look at invoices before they are issued.")
@click.option("--segment", help="The kind of customer, for templates and reminders.")
@click.option("--contract", help="The kind of contract, for templates.")
@click.option(
    "--credit-limit", metavar="AMOUNT", help="What may be owed at most, in the account's currency; 0 for none."
)
@click.option(
    "--price-rate", "price_rates", multiple=True, metavar="RATE", help="Bill prices at this: '1 EUR = 1.10 USD'."
)
@click.option("--no-price-rates", is_flag=True, help="Bill prices in other currencies at the seller's rates.")
@click.option("--reason", default="")
@click.pass_obj
@speaks_json
def terms(sites: Sites, voice: Voice, account_id: str, reason: str, **asked: Any) -> None:
    """Change what is agreed with an account, for invoices from now on; what is not named stays."""
    arrangements = Arrangements(store_of(sites.of(account_id)), system_clock)
    account = arrangements.account(account_id)
    if asked["credit_limit"] is not None:
        asked["credit_limit_minor"] = Money.parse(asked["credit_limit"], account.currency).minor
    today = local_date(system_clock(), account.time_zone)
    asked["price_rates"] = tuple(rate_said(text, "contract", today) for text in asked["price_rates"]) or None
    if asked["no_price_rates"]:
        asked["price_rates"] = ()
    asked |= {name: asked[name] or None for name in ("early_then", "late_later", "late_fees")}
    asked["currency"] = account.currency
    wanted = agreed(account.terms, {k: v for k, v in asked.items() if v is not None})
    due = due_said(asked["due"]) if asked["due"] else None
    _answer_account(voice, arrangements.change_terms(account_id, wanted, staff(), reason, due))


def _answer_account(voice: Voice, account: Account) -> None:
    names = ("name", "currency", "country", "tax_region", "language", "deliver_by_email")
    document = {"account_id": account.id, **{name: getattr(account, name) for name in (*names, "invoiced_to")}}
    document |= {"status": account.status.value, "invoice_split": account.invoice_split.value}
    shown = facts(document | {"terms": terms_said(account)})
    document |= {"terms": asdict(account.terms), **payment_terms_fields(account.payment_terms)}
    voice.answer(document, lambda console: console.print(shown))


@click.group(name="subscription")
def subscription_group() -> None:
    """Subscriptions and their changes."""


@subscription_group.command(name="list")
@click.argument("account_id")
@click.pass_obj
@speaks_json
def list_subscriptions(sites: Sites, voice: Voice, account_id: str) -> None:
    """All subscriptions of an account, those that ended too."""
    found = Subscriptions(store_of(sites.of(account_id)), system_clock).of_account(account_id)
    voice.answer({"data": [subscription_to_json(s) for s in found]}, lambda console: _show(console, found))


@subscription_group.command(name="change")
@click.argument("account_id")
@click.argument("subscription_id")
@click.option("--kind", type=click.Choice([kind.value for kind in ChangeKind]), required=True)
@click.option("--on", "on", type=DAY, required=True, help="The first day on the new terms.")
@click.option("--plan", default="", help="Plan version to move to (--kind plan).")
@click.option("--quantity", multiple=True, metavar="COMPONENT=NUMBER", help="New quantity; +N or -N adds.")
@click.option("--credit", type=click.Choice([rule.value for rule in CreditRule]), default="unused", show_default=True)
@click.option("--id", "change_id", default="", help="Names the change for ever: the same again changes nothing.")
@click.pass_obj
@speaks_json
def change(sites: Sites, voice: Voice, account_id: str, subscription_id: str, **asked: Any) -> None:
    """Change plan or quantity, pause, resume, cancel, or renew what was cancelled and has not ended yet.

    The first run on or after its day bills it.
    """
    quantities, added = quantities_of(asked["quantity"])
    wanted = Change(
        id=asked["change_id"] or new_id("chg", system_clock()),
        kind=ChangeKind(asked["kind"]),
        effective_on=asked["on"].date(),
        plan_version_id=asked["plan"],
        quantities=quantities,
        added=added,
        credit=CreditRule(asked["credit"]),
    )
    use_case = Subscriptions(store_of(sites.of(account_id)), system_clock)
    changed = use_case.change(account_id, subscription_id, wanted, staff())
    voice.answer(subscription_to_json(changed), lambda console: _show(console, [changed]))


def quantities_of(pairs: tuple[str, ...]) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """COMPONENT=NUMBER pairs: quantities, and what +NUMBER and -NUMBER add."""
    quantities: dict[str, Decimal] = {}
    added: dict[str, Decimal] = {}
    for pair in pairs:
        name, _, typed = pair.partition("=")
        try:
            value = number(typed)
        except ValueError as error:
            raise Refusal("invalid_quantity", f"{pair!r} is not COMPONENT=NUMBER") from error
        (added if typed[:1] in "+-" else quantities)[name] = value
    return quantities, added


def _show(console: Console, found: list[Subscription]) -> None:
    rows = [
        (
            s.id,
            s.plan_version_id,
            s.status.value,
            s.next_bill_on.isoformat() if s.next_bill_on else "",
            ", ".join(f"{name} {plain(quantity)}" for name, quantity in s.quantities.items()),
            "; ".join(f"{c.effective_on} {c.kind.value}" + ("" if c.settled else " (to bill)") for c in s.changes),
        )
        for s in found
    ]
    console.print(table("subscription", "plan", "status", "next bill", "quantities", "changes", rows=rows))


@click.group(name="wallet")
def wallet_group() -> None:
    """Coupons and credit that make an account's next invoices less."""


@wallet_group.command(name="show")
@click.argument("account_id")
@click.pass_obj
@speaks_json
def show_wallet(sites: Sites, voice: Voice, account_id: str) -> None:
    """What an account has."""
    store = store_of(sites.of(account_id))
    _answer(voice, Wallets(store, system_clock).of(account_id), _currency(sites, account_id))


@wallet_group.command(name="coupon")
@click.argument("account_id")
@click.argument("coupon_id")
@click.option("--name", required=True, help="As it stands on invoices.")
@click.option("--percent", type=number, default=None)
@click.option("--amount", type=number, default=None, help="In major units.")
@click.option("--currency", default="", help="Of the amount, where it is not the account's.")
@click.option("--duration", type=click.Choice([d.value for d in CouponDuration]), default="once", show_default=True)
@click.option("--times", type=int, default=1, help="On how many invoices a repeating one is.")
@click.option("--plan", "plans", multiple=True, help="Only on charges of this plan version.")
@click.pass_obj
@speaks_json
def give_coupon(sites: Sites, voice: Voice, account_id: str, coupon_id: str, **asked: Any) -> None:
    """Give an account a coupon."""
    coupon = Coupon(
        id=coupon_id,
        names={"en": asked["name"]},
        percent=asked["percent"],
        amount=asked["amount"],
        duration=CouponDuration(asked["duration"]),
        times=asked["times"],
        plans=frozenset(asked["plans"]),
        currency=asked["currency"],
    )
    wallet = Wallets(store_of(sites.of(account_id)), system_clock).add_coupon(account_id, coupon, staff())
    _answer(voice, wallet, _currency(sites, account_id))


@wallet_group.command(name="credit")
@click.argument("account_id")
@click.argument("credit_id")
@click.argument("amount", type=number)
@click.option("--free", is_flag=True, help="Given away; else it is taken out of the customer's unapplied cash.")
@click.option("--expires-on", type=DAY, default=None, help="The first day on which it cannot be used any more.")
@click.option("--priority", type=int, default=0, help="Drawn before those with greater numbers.")
@click.option("--component", "components", multiple=True, help="It pays for these alone; may be given several times.")
@click.option("--reason", default="")
@click.pass_obj
@speaks_json
def give_credit(sites: Sites, voice: Voice, account_id: str, credit_id: str, amount: Decimal, **asked: Any) -> None:
    """Give an account prepaid credit."""
    currency = _currency(sites, account_id)
    expires: Any = asked["expires_on"]
    credit = PrepaidCredit(
        id=credit_id,
        balance_minor=minor_of_share(amount, (1, 1), currency),
        granted_on=system_clock().date(),
        expires_on=expires.date() if expires else None,
        priority=asked["priority"],
        paid=not asked["free"],
        components=frozenset(asked["components"]),
    )
    use_case = Wallets(store_of(sites.of(account_id)), system_clock)
    _answer(voice, use_case.grant(account_id, credit, staff(), asked["reason"]), currency)


def _currency(sites: Sites, account_id: str) -> str:
    item = store_of(sites.of(account_id)).get(account_id, "account")
    if item is None:
        raise Refusal("not_found", f"no account {account_id}")
    return str(item["currency"])


def _note_of(credit: PrepaidCredit) -> str:
    limited = f", for {', '.join(sorted(credit.components))}" if credit.components else ""
    return ("paid" if credit.paid else "given") + limited


def _answer(voice: Voice, wallet: Wallet, currency: str) -> None:
    def until(day: date | None) -> str:
        return day.isoformat() if day else ""

    rows = [
        (
            "coupon",
            c.id,
            f"{plain(c.percent)} %" if c.percent is not None else f"{c.amount} {c.currency or currency}",
            f"used {c.used} times",
            until(c.until_on),
        )
        for c in wallet.coupons
    ]
    rows += [
        ("credit", c.id, str(Money(c.balance_minor, currency)), _note_of(c), until(c.expires_on))
        for c in wallet.credits
    ]
    rows += [("credit notes", "", str(Money(wallet.credit_note_minor, currency)), "", "")]
    document = {"rows": [dict(zip(("kind", "id", "worth", "note", "until"), row, strict=True)) for row in rows]}
    voice.answer(document, lambda console: console.print(table("", "id", "worth", "", "until", rows=rows)))
