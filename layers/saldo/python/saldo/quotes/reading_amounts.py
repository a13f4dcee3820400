"""Amounts of a quote's document: told in major units, held in minor ones."""

from __future__ import annotations

from saldo.kernel.exact import minor_of_share
from saldo.kernel.reading import Fields


def minor_from(fields: Fields, name: str, currency: str, *, signed: bool = False) -> int:
    """An amount in minor units, half up; a problem below zero, but for one that may be (`signed`)."""
    amount = fields.decimal(name)
    if amount < 0 and not signed:
        fields.problems.add(fields.at(name), "negative", "must be zero or more")
    return minor_of_share(amount, (1, 1), currency)


def maybe_minor(fields: Fields, name: str, currency: str, *, signed: bool = False) -> int | None:
    """The same; None where it is not told."""
    return minor_from(fields, name, currency, signed=signed) if fields.has(name) else None
