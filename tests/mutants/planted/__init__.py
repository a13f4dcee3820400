"""All planted bugs, floor by floor.

How to add one: a short, stable piece of the product's text, what somebody might have written there instead, and the
narrowest tests that ought to notice. `make mutants ONLY=<name>` tries it.
"""

from __future__ import annotations

from tests.mutants.model import Mutant
from tests.mutants.planted import (
    agreed,
    billing,
    doors,
    ground,
    money,
    own_taxes,
    paying,
    places,
    telling,
    terms,
    usage,
    ways_in,
)

MUTANTS: tuple[Mutant, ...] = (
    *ground.MUTANTS,
    *own_taxes.MUTANTS,
    *usage.MUTANTS,
    *billing.MUTANTS,
    *agreed.MUTANTS,
    *money.MUTANTS,
    *paying.MUTANTS,
    *places.MUTANTS,
    *terms.MUTANTS,
    *doors.MUTANTS,
    *ways_in.MUTANTS,
    *telling.MUTANTS,
)
