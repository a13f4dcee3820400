"""A run's totals against those of a month before."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from saldo.invoicing.run.expected import Unexpected, compared, unexpected_totals
from saldo.invoicing.run.model import RunState
from saldo.invoicing.run.open import latest_of_seller
from tests.simulation.world import ENTITY, World

JAN, FEB = date(2026, 1, 1), date(2026, 2, 1)
THIRD = Fraction(30, 100)


@pytest.mark.parametrize(
    ("before", "now", "off"),
    [
        (1000, 1300, False), (1000, 700, False), (1000, 1301, True), (1000, 699, True), (1000, 0, True),
        (-1000, -1200, False), (-1000, 500, True),
    ],
)  # fmt: skip
def test_a_total_is_unexpected_when_it_lies_beyond_the_tolerance(before: int, now: int, off: bool) -> None:
    found = compared({"EUR": before}, {"EUR": now}, THIRD)
    assert found == ([Unexpected("EUR", before, now)] if off else [])


def test_a_currency_that_is_gone_is_unexpected_and_a_new_one_is_not() -> None:
    assert compared({"EUR": 5}, {"USD": 7}, THIRD) == [Unexpected("EUR", 5, 0)]


def test_a_run_is_compared_with_the_same_day_a_month_before() -> None:
    world = World()
    world.found(3, started_on=JAN)
    world.run(JAN)
    first = latest_of_seller(world.store, ENTITY.id)
    assert first is not None and first.state is RunState.CLOSED
    assert unexpected_totals(world.store, first, THIRD) == []  # nothing to compare with
    world.run(FEB)
    second = latest_of_seller(world.store, ENTITY.id)
    assert second is not None and second.as_of == FEB
    assert unexpected_totals(world.store, second, Fraction(1)) == []
    (off,) = unexpected_totals(world.store, second, Fraction(-1))
    assert (off.before_minor, off.now_minor) == (first.totals["EUR"], second.totals["EUR"])
