"""At which rate a quote converts prices and books invoices on a day."""

from __future__ import annotations

from datetime import date

from saldo.exchange.model import DayRate
from saldo.exchange.rules import quoted_first, rate_between
from saldo.kernel.exchange import ExchangeRate
from saldo.quotes.model import Booking, PriceRates


def told_as(booking: Booking) -> tuple[str, str]:
    """Which way round rates are told: (base, counter)."""
    if isinstance(booking.at, ExchangeRate):
        return booking.at.base, booking.at.counter
    return quoted_first(booking.at.policy, booking.currency, booking.ledger)


def booked_at(booking: Booking, day: date) -> ExchangeRate:
    """Refusal `no_exchange_rate`."""
    if isinstance(booking.at, ExchangeRate):
        return booking.at
    return published(booking.at, booking.ledger, booking.currency, day)


def published(asked: PriceRates, one: str, other: str, on: date) -> ExchangeRate:
    """The rate between two currencies on a day, across the source's base where it quotes neither against the other."""
    own, foreign = quoted_first(asked.policy, other, one)
    known = sorted((rate for rate in asked.rates if rate.on <= on), key=lambda rate: rate.on)
    found: dict[str, DayRate | None] = {rate.currency: rate for rate in known}
    return rate_between(own, foreign, found, asked.policy, on)
