"""What the areas share: the shape of a case, and money as it is written there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any  # the cases are JSON of many shapes

from saldo.kernel.exact import minor_of_share

Case = Mapping[str, Any]
Check = Callable[[Case, Case], None]


def euros(minor: int) -> Decimal:
    return Decimal(minor).scaleb(-2)


def cents(amount: object) -> int:
    return minor_of_share(Decimal(str(amount)), (1, 1), "EUR")


def one_of(expected: list[Decimal], *ways: Callable[[], list[Decimal]]) -> None:
    """The default way, or one of the options, gives what is expected."""
    assert expected in [way() for way in ways]
