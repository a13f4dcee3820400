"""Named roundings of exact ratios to whole numbers."""

from __future__ import annotations

from enum import StrEnum

from saldo.kernel.errors import Refusal


class Rounding(StrEnum):
    """The roundings Saldo knows, away from zero or towards it. HALF_UP goes away from zero on a tie, HALF_DOWN towards
    it; HALF_UP is the default."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    HALF_DOWN = "half_down"
    DOWN = "down"
    UP = "up"


def rounded_ratio(numerator: int, denominator: int, rounding: Rounding = Rounding.HALF_UP) -> int:
    """numerator / denominator as a whole number. denominator: above zero. Ties go as the rounding says."""
    if denominator <= 0:
        raise Refusal("invalid_ratio", "a denominator is above zero")
    whole, rest = divmod(abs(numerator), denominator)
    if rest and rounding is not Rounding.DOWN:
        twice = 2 * rest
        up = rounding is Rounding.UP or twice > denominator
        up = up or (twice == denominator and (rounding is Rounding.HALF_UP or whole % 2 == 1))
        whole += up
    return -whole if numerator < 0 else whole
