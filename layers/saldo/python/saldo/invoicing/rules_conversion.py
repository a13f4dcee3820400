"""Prices in another currency than the invoice's: which rate converts them, and what that makes of a line.

Each line is priced, prorated and, where it counts towards a minimum, summed up in the currency of its price; its exact
amount × rate is then rounded once, as the plan rounds. Discounts and taxes come after. No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from saldo.accounts.model import Account
from saldo.exchange.rules import price_day
from saldo.invoicing.model import BillingCase, Line, PricedIn
from saldo.invoicing.rules_charged import tallies_due
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import minor_of_share
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.rounding import rounded_ratio


def price_rate(
    case: BillingCase, currency: str, period_from: date, member: Account | None = None
) -> ExchangeRate | None:
    """The rate at which a price for a period is billed; None where it is in the invoice's currency.

    First what the account agreed on, else that of the seller's day. Refusal `no_exchange_rate`, or `currency_mismatch`
    for a seller that converts no prices.
    """
    account = member or case.account
    if currency in ("", account.currency):
        return None
    agreed = account.price_rate(currency)
    if agreed is not None:
        return agreed
    if case.prices_on is None:
        message = f"priced in {currency}, {account.id} pays {account.currency}, and no rate is agreed between the two"
        raise Refusal("currency_mismatch", message)
    on = price_day(case.prices_on, case.as_of, period_from)
    found = case.price_rates.get((currency, on))
    if found is None:
        raise Refusal("no_exchange_rate", f"no rate of {on} between {currency} and {account.currency} is known")
    return found


def rates_needed(case: BillingCase) -> set[tuple[str, date]]:
    """Currency and day of every rate that billing this case asks for."""
    if case.prices_on is None:
        return set()
    return {
        (currency, price_day(case.prices_on, case.as_of, period_from))
        for account, currency, period_from in _foreign(case)
        if currency != account.currency and account.price_rate(currency) is None
    }


def is_priced_elsewhere(case: BillingCase) -> bool:
    """Whether anything of it is priced in another currency than the invoice's."""
    return any(currency != account.currency for account, currency, _ in _foreign(case))


def _foreign(case: BillingCase) -> Iterator[tuple[Account, str, date]]:
    """Whose price is in which currency for a period from which day; those in the account's own are among them."""
    accounts = {case.account.id: case.account}
    for item in case.due:
        account = item.member or case.account
        accounts[account.id] = account
        for charged in item.charged:
            yield account, charged.version.currency, charged.period.full.start
        for over in tallies_due(item):
            yield account, over.version.currency, over.period.period.start
    for late in case.late:
        account = late.member or case.account
        accounts[account.id] = account
        if late.usage.window.terms.rate is None:
            yield account, late.version.currency, late.usage.window.period.start
    for part in case.tallies.values():
        if part.days is not None:
            yield accounts.get(part.key.account_id, case.account), part.currency, part.days.start
    for coupon in case.wallet.coupons:
        if coupon.currency:
            yield case.account, coupon.currency, case.as_of


def converted(line: Line, currency: str, invoiced_in: str, rate: ExchangeRate | None) -> Line:
    """A line as rated in the currency of its price, as it is invoiced; the same line where nothing is converted."""
    if rate is None:
        return line
    return at_rate(line._replace(priced_in=PricedIn(currency, line.net_minor, rate)), invoiced_in, rate)


def at_rate(line: Line, invoiced_in: str, rate: ExchangeRate) -> Line:
    """A converted line at another rate; what it is in the currency of its price stays."""
    assert line.priced_in is not None, "only what is priced in another currency is converted"
    moved = line._replace(priced_in=replace(line.priced_in, rate=rate), residual_minor=0)
    return moved._replace(net_minor=minor_of_share(line.exact, moved.part, invoiced_in, line.rounding))


def with_net(line: Line, net_minor: int, of_net: int, of_price: int) -> Line:
    """A line as the part of another that it comes to: net_minor of of_net, and as much of what that is priced at."""
    moved = line._replace(net_minor=net_minor, residual_minor=line.residual_minor + net_minor - line.net_minor)
    if line.priced_in is None or net_minor == line.net_minor:
        return moved
    return moved._replace(priced_in=replace(line.priced_in, minor=rounded_part(of_price, net_minor, of_net)))


def rounded_part(whole: int, part: int, of: int) -> int:
    """As much of a whole as `part` is `of` another amount, rounded half up; nothing of nothing."""
    return rounded_ratio(whole * part * (1 if of > 0 else -1), abs(of)) if of else 0
