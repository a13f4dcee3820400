"""The choices of a seller in a quote's document."""

from __future__ import annotations

from saldo.invoicing.model import BelowZero, BillingOptions, ChangeLegs
from saldo.kernel.reading import Fields


def options_from(fields: Fields) -> BillingOptions:
    """The options named; Saldo's defaults for the others."""
    options = BillingOptions(
        change_legs=fields.choice("change_legs", ChangeLegs, ChangeLegs.LEGS),
        below_zero=fields.choice("below_zero", BelowZero, BelowZero.CREDIT_NOTE),
    )
    fields.finish()
    return options
