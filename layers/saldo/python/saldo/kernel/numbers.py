"""Numbers as people, files and other systems write them, and which ones we reckon with."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from saldo.kernel.errors import Problems

MOST_DIGITS = 40
# As JSON and spreadsheets write one: Decimal itself would also take 1_000, blanks around it and digits of any script.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def number_in(text: str) -> Decimal | None:
    """The number that a text is, whether it `fits` or not; None for anything else.

    >>> number_in("0.05"), number_in("1_000")
    (Decimal('0.05'), None)
    """
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what any number has
        return Decimal("Infinity")


def fits(value: Decimal) -> bool:
    """Finite, at most 40 digits, and neither so large nor so small that exact arithmetic would get long."""
    return value.is_finite() and len(value.as_tuple().digits) <= MOST_DIGITS and abs(value.adjusted()) <= MOST_DIGITS


def check_number(found: Problems, field: str, number: Decimal) -> None:
    """Adds the problem of a number that does not fit, or is below zero."""
    if not fits(number):
        found.add(field, "too_long", f"must be finite and have at most {MOST_DIGITS} digits")
    elif number < 0:
        found.add(field, "negative", "must be zero or more")
