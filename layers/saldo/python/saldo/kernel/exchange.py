"""Exchange rates, frozen with their source and date, and amounts carried from one currency to another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from saldo.kernel.errors import Refusal
from saldo.kernel.exact import plain
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

    def other(self, currency: str) -> str:
        """The one of the two currencies that is not this."""
        return self.counter if currency == self.base else self.base

    def ratio(self, currency: str) -> tuple[int, int]:
        """By what an amount in a currency is multiplied to be one in the other: (numerator, denominator), exact."""
        numerator, denominator = self.rate.as_integer_ratio()
        if currency == self.base:
            return numerator, denominator
        if currency == self.counter:
            return denominator, numerator
        raise CurrencyMismatch(currency, f"{self.base} and {self.counter}")

    def convert(self, money: Money, rounding: Rounding = Rounding.HALF_UP) -> Money:
        """The same amount in the other of the two currencies, rounded once to its minor unit."""
        exact = Fraction(money.as_decimal()) * Fraction(*self.ratio(money.currency))
        return Money.of_major(exact, self.other(money.currency), rounding)

    def convert_part(self, reached: int, part: Money) -> int:
        """What a part of an amount is worth, in minor units, when so much of it was told before: the parts of an amount
        add up to the whole converted once."""
        before, after = Money(reached, part.currency), Money(reached + part.minor, part.currency)
        return self.convert(after).minor - self.convert(before).minor


@dataclass(frozen=True, slots=True)
class Booked:
    """At which rate what is open of a document is booked in the seller's own currency, and how much of that is left."""

    rate: ExchangeRate
    minor: int

    def part(self, minor: int, open_: Money) -> int:
        """What so much of what is open is booked at, in minor units: all of it takes the last cent booked for it."""
        return self.minor if minor == open_.minor else self.rate.convert(Money(minor, open_.currency)).minor

    def less(self, minor: int, open_: Money) -> Booked:
        """What is left once so much of what is open is settled."""
        return Booked(self.rate, self.minor - self.part(minor, open_))


def rate_in_words(rate: ExchangeRate) -> str:
    """A rate as commands and messages name it: 1 EUR = 1.175 USD (ECB, 2025-12-31)."""
    return f"1 {rate.base} = {plain(rate.rate)} {rate.counter} ({rate.source}, {rate.on.isoformat()})"


_SAID = re.compile(r"(?:1 +)?([A-Z]{3}) *= *([0-9.]+) *([A-Z]{3})")


def rate_said(text: str, source: str, on: date) -> ExchangeRate:
    """A rate as people write it: `1 EUR = 1.10 USD`. Refusal `invalid_rate`."""
    found = _SAID.fullmatch(text.strip())
    if found is None or found[1] == found[3] or found[2].count(".") > 1 or not found[2].strip("."):
        raise Refusal("invalid_rate", f"{text!r} is no rate such as 1 EUR = 1.10 USD")
    return ExchangeRate(found[1], found[3], Decimal(found[2]), source, on)


def rate_row(rate: ExchangeRate) -> list[str]:
    """A rate as records keep it: [base, counter, rate, source, date]."""
    return [rate.base, rate.counter, plain(rate.rate), rate.source, rate.on.isoformat()]


def rate_from_row(row: Sequence[str]) -> ExchangeRate:
    """The rate that `rate_row` wrote."""
    return ExchangeRate(row[0], row[1], Decimal(row[2]), row[3], date.fromisoformat(row[4]))
