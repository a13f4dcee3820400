"""Money counts in minor units and never loses one."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from saldo.kernel.errors import Refusal
from saldo.kernel.money import CurrencyMismatch, Money, round_exact, split_by_weights, sum_money
from saldo.kernel.rounding import Rounding


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.34", "EUR", 1234), ("-0.01", "USD", -1), ("150", "JPY", 150), ("1.234", "KWD", 1234), ("7", "EUR", 700)],
)
def test_an_amount_is_read_in_the_minor_unit_of_its_currency(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.005", "EUR"),
        ("1.5", "JPY"),
        *((text, "EUR") for text in ("x", "NaN", "", "1_000")),
        ("1e999999", "JPY"),  # an integer of so many digits takes a while; one of 10^9 would take all memory
    ],
)
def test_an_amount_with_digits_the_currency_lacks_is_refused(text: str, currency: str) -> None:
    with pytest.raises(Refusal, match="invalid_amount"):
        Money.parse(text, currency)


def test_two_currencies_never_add() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(CurrencyMismatch):
        sum_money([Money(1, "EUR"), Money(1, "USD")], "EUR")


@pytest.mark.parametrize(
    ("value", "rounding", "result"),
    [
        (Fraction(5, 2), Rounding.HALF_UP, 3),
        (Fraction(-5, 2), Rounding.HALF_UP, -3),
        (Fraction(5, 2), Rounding.HALF_EVEN, 2),
        (Fraction(7, 2), Rounding.HALF_EVEN, 4),
        (Decimal("2.9"), Rounding.DOWN, 2),
        (Decimal("-2.1"), Rounding.UP, -3),
        (Decimal("2.4999999999999999999999999"), Rounding.HALF_UP, 2),
    ],
)
def test_each_rounding_does_what_its_name_says(value: Fraction | Decimal, rounding: Rounding, result: int) -> None:
    assert round_exact(value, rounding) == result


def test_a_split_gives_the_odd_cents_to_the_largest_remainders() -> None:
    assert [m.minor for m in split_by_weights(Money(100, "EUR"), [1, 1, 1])] == [34, 33, 33]
    assert [m.minor for m in split_by_weights(Money(-100, "EUR"), [1, 1, 1])] == [-34, -33, -33]
    assert [m.minor for m in split_by_weights(Money(5, "EUR"), [0, 3, 1])] == [0, 4, 1]


def test_weights_of_nothing_are_refused() -> None:
    with pytest.raises(Refusal, match="invalid_weights"):
        split_by_weights(Money(1, "EUR"), [0, 0])


def test_money_reads_with_exactly_its_currencys_digits() -> None:
    assert str(Money(5, "EUR")) == "0.05 EUR"
    assert str(Money(5, "JPY")) == "5 JPY"
    assert str(Money(-1, "KWD")) == "-0.001 KWD"
