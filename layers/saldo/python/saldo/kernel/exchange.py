"""Exchange rates, frozen with their source and date, and amounts carried from one currency to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from saldo.kernel.errors import Refusal
from saldo.kernel.money import CurrencyMismatch, Money
from saldo.kernel.rounding import Rounding


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """What one unit of `base` is worth in `counter`: 1 base = `rate` counter. `source` and `on` say whose and when.

    Raises Refusal `invalid_rate` for a rate that is not above zero.
    """

    base: str
    counter: str
    rate: Decimal
    source: str
    on: date

    def __post_init__(self) -> None:
        if not self.rate.is_finite() or self.rate <= 0:
            raise Refusal("invalid_rate", f"{self.rate} {self.counter} per {self.base} is not a rate")

    def convert(self, money: Money, rounding: Rounding = Rounding.HALF_UP) -> Money:
        """The same amount in the other of the two currencies, rounded once to its minor unit."""
        if money.currency == self.base:
            return Money.of_major(Fraction(money.as_decimal()) * Fraction(self.rate), self.counter, rounding)
        if money.currency == self.counter:
            return Money.of_major(Fraction(money.as_decimal()) / Fraction(self.rate), self.base, rounding)
        raise CurrencyMismatch(money.currency, f"{self.base} and {self.counter}")


def realised_difference(amount: Money, booked: ExchangeRate, paid: ExchangeRate) -> Money:
    """What settling an amount at another rate than it was booked at costs, in the ledger's currency.

    Above zero a loss, below a gain. amount: what was paid, in the document's currency; below zero for a refund.
    """
    return booked.convert(amount) - paid.convert(amount)
