"""At which rate a quote converts prices and books invoices on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from saldo.exchange.model import DayRate
from saldo.exchange.rules import quoted_first, rate_between
from saldo.kernel.exchange import ExchangeRate
from saldo.quotes.model import PriceRates


@dataclass(frozen=True, slots=True)
class Booking:
    """The ledger's currency and the rate at which documents are booked in it: one (`fixed`), or that of each day."""

    currency: str
    ledger: str
    fixed: ExchangeRate | None = None
    rates: PriceRates | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """Which way round rates are told: (base, counter)."""
        if self.fixed is not None:
            return self.fixed.base, self.fixed.counter
        assert self.rates is not None
        return quoted_first(self.rates.policy, self.currency, self.ledger)

    def on(self, day: date) -> ExchangeRate:
        """Refusal `no_exchange_rate`."""
        if self.fixed is not None:
            return self.fixed
        assert self.rates is not None
        return published(self.rates, self.ledger, self.currency, day)


def published(asked: PriceRates, one: str, other: str, on: date) -> ExchangeRate:
    """The rate between two currencies on a day, across the source's base where it quotes neither against the other."""
    own, foreign = quoted_first(asked.policy, other, one)
    known = sorted((rate for rate in asked.rates if rate.on <= on), key=lambda rate: rate.on)
    found: dict[str, DayRate | None] = {rate.currency: rate for rate in known}
    return rate_between(own, foreign, found, asked.policy, on)
