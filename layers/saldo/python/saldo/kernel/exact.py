"""Exact decimal arithmetic: an operation that would have to drop a digit raises instead."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

from saldo.kernel.money import Exact, minor_digits
from saldo.kernel.rounding import Rounding, rounded_ratio

# Prices and quantities are held to 40 digits each at the edge (`numbers.fits`); products and sums of them fit.
_EXACT = Context(prec=400, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])

ZERO = Decimal(0)
ONE = Decimal(1)

times = _EXACT.multiply
plus = _EXACT.add
minus = _EXACT.subtract
whole_division = _EXACT.divmod
shifted = _EXACT.scaleb  # by powers of ten; Decimal's own method rounds to 28 digits


def total(values: Iterable[Decimal]) -> Decimal:
    """The exact sum; 0 for none."""
    result = ZERO
    for value in values:
        result = plus(result, value)
    return result


def plain(value: Decimal) -> str:
    """A decimal as plain text without exponent or trailing zeros: 0.05, 1200, 0."""
    if not value:
        return "0"
    text = str(value)  # cheaper than a format, and the same but for exponents
    if "E" in text:
        text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def minor_of_share(
    amount: Decimal, share: tuple[int, int], currency: str, rounding: Rounding = Rounding.HALF_UP
) -> int:
    """Major units × share (numerator, denominator) in minor units of the currency, rounded this once.

    >>> minor_of_share(Decimal("24.95"), (9, 31), "EUR")
    724
    """
    numerator, denominator = amount.as_integer_ratio()
    return rounded_ratio(numerator * share[0] * 10 ** minor_digits(currency), denominator * share[1], rounding)


def rounded_to(digits: int, value: Exact, rounding: Rounding = Rounding.HALF_UP) -> Decimal:
    """The number with so many digits after the point, however long it is before it."""
    numerator, denominator = value.as_integer_ratio()
    return shifted(Decimal(rounded_ratio(numerator * 10**digits, denominator, rounding)), -digits)


def part_of(value: Decimal, days: int, of: int, digits: int = 12) -> Decimal:
    """value × days / of, rounded half up to so many digits after the point."""
    numerator, denominator = value.as_integer_ratio()
    return shifted(Decimal(rounded_ratio(numerator * days * 10**digits, denominator * of)), -digits)
