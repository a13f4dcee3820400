"""How the numbers of a series are written: by legal entity, customer, year or month, as the law or the seller asks."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter

from saldo.kernel.errors import Refusal

FIELDS = frozenset({"prefix", "year", "month", "type", "customer", "n"})


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A pattern such as `{prefix}-{year}-{n:06}`; `{n}` must be in it, widths fill with zeros.

    Raises Refusal `invalid_number_format` for a pattern without `{n}`, with another field or that cannot be read.
    """

    pattern: str

    def __post_init__(self) -> None:
        try:
            fields = {name for _, name, _, _ in Formatter().parse(self.pattern) if name is not None}
        except ValueError as error:
            raise Refusal("invalid_number_format", f"{self.pattern!r} cannot be read: {error}") from error
        if "n" not in fields or fields - FIELDS:
            raise Refusal("invalid_number_format", f"{self.pattern!r} needs {{n}}; it may have {sorted(FIELDS)}")

    def number(self, n: int, **values: str | int) -> str:
        """The n-th number of a series, from 1. Refusal `invalid_number` below, or without a value it needs."""
        if n < 1:
            raise Refusal("invalid_number", f"numbers begin at 1, not at {n}")
        try:
            return self.pattern.format(n=n, **values)
        except (KeyError, ValueError) as error:
            raise Refusal("invalid_number", f"{self.pattern!r} cannot be filled: {error}") from error
