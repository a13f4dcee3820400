"""How prices in other currencies than the document's are converted, and the rates for it, from a quote's document."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from saldo.accounts.model import Account
from saldo.exchange.model import DayRate, PriceDay, RatePolicy
from saldo.exchange.rules import check_policy
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ONE
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import is_currency
from saldo.kernel.reading import Fields
from saldo.quotes.model import PriceRates


class ConvertedAt(StrEnum):
    """The days of `PriceDay`, or the rates of a CONTRACT, whatever the day's are."""

    INVOICE = "invoice"
    PERIOD = "period"
    MONTH_END = "month_end"
    CONTRACT = "contract"


def prices_from(document: Fields, account: Account) -> tuple[PriceRates | None, Account]:
    """The part `prices`: rates of days; or, as terms of the account, those of its contract."""
    if not document.has("prices"):
        return None, account
    fields = document.child("prices")
    at = fields.choice("converted_at", ConvertedAt, ConvertedAt.INVOICE)
    published = day_rates_from(fields)
    fields.finish()
    policy = published.policy
    if at is not ConvertedAt.CONTRACT:
        return replace(published, policy=replace(policy, prices_on=PriceDay(at.value))), account
    rates = published.rates
    agreed = tuple(ExchangeRate(policy.base, rate.currency, rate.rate, policy.source, rate.on) for rate in rates)
    return None, replace(account, terms=replace(account.terms, price_rates=agreed))


def day_rates_from(fields: Fields) -> PriceRates:
    """The `rates` of days that a source publishes against its base."""
    policy = _policy(fields)
    found = tuple(_rate(one) for one in fields.children("rates"))
    known = [rate for rate in found if rate.rate > 0 and is_currency(rate.currency) and rate.currency != policy.base]
    return PriceRates(policy, tuple(known))


def _policy(fields: Fields) -> RatePolicy:
    policy = RatePolicy(fields.text("source", "ECB"), fields.text("base", "EUR"), fields.integer("most_days", 7))
    try:
        check_policy(policy)
    except Refusal as refusal:
        fields.problems.extend(refusal.problems, fields.path)
    return policy


def _rate(fields: Fields) -> DayRate:
    rate = DayRate(fields.text("currency"), fields.day("on"), fields.decimal("rate", ONE))
    if not is_currency(rate.currency):
        fields.problems.add(fields.at("currency"), "invalid_currency", "must be an ISO 4217 code such as USD")
    if rate.rate <= 0:
        fields.problems.add(fields.at("rate"), "not_above_zero", "must be above zero")
    fields.finish()
    return rate
