"""What people type after options: `type=number`, `type=DAY`."""

from __future__ import annotations

from decimal import Decimal

import click

from saldo.kernel.numbers import MOST_DIGITS, fits, number_in

DAY = click.DateTime(formats=["%Y-%m-%d"])


def number(text: str) -> Decimal:
    """A number such as 0.05; ValueError for anything else."""
    found = number_in(text)
    if found is None or not fits(found):
        raise ValueError(f"{text!r} is not a number of at most {MOST_DIGITS} digits")
    return found
