"""What a run billed against what was expected of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.catalog.model import PerUnit
from saldo.catalog.records import plan_version_item
from saldo.invoicing.run import account_parts
from saldo.invoicing.run.expected import Comparison, Unexpected, unexpected_totals
from saldo.invoicing.run.model import Drafted
from saldo.invoicing.run.open import latest_of_seller
from saldo.invoicing.run.records import drafted_from, result_item
from tests.simulation.world import ENTITY, VERSION, World, founding_items

JAN, FEB = date(2026, 1, 1), date(2026, 2, 1)
THIRD = Fraction(30, 100)
A, B, NEW = "acct_eu_a", "acct_eu_b", "acct_eu_new"


def _drafts(*billed: tuple[str, int] | tuple[str, int, str]) -> list[Drafted]:
    """account, what comes again, currency (EUR)."""
    return [
        Drafted(account, f"inv_{n}", next(iter(currency), "EUR"), minor + 190, minor, regular_minor=minor)
        for n, (account, minor, *currency) in enumerate(billed)
    ]


def _compared(before: list[Drafted], now: list[Drafted], set_aside: Sequence[str] = ()) -> list[Unexpected]:
    compared = Comparison()
    compared.add(before, now, set_aside)
    return compared.unexpected(THIRD)


@pytest.mark.parametrize(
    ("before", "now", "off"),
    [
        (1000, 1300, False), (1000, 700, False), (1000, 1301, True), (1000, 699, True), (1000, 0, True),
        (-1000, -1200, False), (-1000, 500, True),
    ],
)  # fmt: skip
def test_a_run_is_unexpected_when_it_lies_beyond_the_tolerance(before: int, now: int, off: bool) -> None:
    found = _compared(_drafts((A, before)), _drafts((A, now)))
    assert found == ([Unexpected("EUR", before, now)] if off else [])


def test_accounts_that_are_new_or_set_aside_are_not_compared_and_one_that_is_billed_nothing_is() -> None:
    both = _drafts((A, 1000), (B, 9000))
    assert _compared(_drafts((A, 1000)), _drafts((A, 1000), (NEW, 9000))) == []
    assert _compared(both, _drafts((A, 1000)), [B]) == [], "which has an alarm of its own"
    assert _compared(both, _drafts((A, 1000)), [A]) == [Unexpected("EUR", 10_000, 1000)], "billed by another attempt"
    assert _compared(both, _drafts((A, 1000))) == [Unexpected("EUR", 10_000, 1000)]


def test_a_currency_that_is_gone_is_unexpected_and_a_new_one_is_not() -> None:
    assert _compared(_drafts((A, 5)), _drafts((A, 7, "USD"))) == [Unexpected("EUR", 5, 0)]


def test_what_an_account_was_billed_at_once_counts_together() -> None:
    assert _compared(_drafts((A, 600), (A, 400)), _drafts((A, 500), (A, 500))) == []
    assert _compared(_drafts((A, 600), (A, -600)), _drafts((A, 500))) == [], "nothing came again before"


def test_very_many_accounts_are_compared_a_part_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = _with_a_lost_price(accounts=9)
    whole = _told(world)
    most, add = [0], Comparison.add

    def counted(self: Comparison, before: Iterable[Drafted], *more: Any) -> None:
        held = list(before)
        most.append(len(held))
        add(self, held, *more)

    monkeypatch.setattr(Comparison, "add", counted)
    monkeypatch.setattr(account_parts, "HELD_AT_ONCE", 2)
    assert _told(world) == whole != []
    assert len(most) == 6 and sum(most) == 9 > max(most)


@given(st.lists(st.text("abc", min_size=1), unique=True), st.integers(1, 5))
def test_each_account_is_in_one_part(accounts: list[str], at_once: int) -> None:
    with patch.object(account_parts, "HELD_AT_ONCE", at_once):
        parts = account_parts.parts_of(len(accounts))
    assert all(sum(part(account) for part in parts) == 1 for account in accounts)
    assert len(parts) * at_once >= len(accounts)


def _told(world: World, tolerance: Fraction = THIRD) -> list[Unexpected]:
    closed = latest_of_seller(world.store, ENTITY.id)
    assert closed is not None
    return unexpected_totals(world.store, closed, tolerance)


def _with_a_lost_price(accounts: int) -> World:
    """All is free in February."""
    world = World()
    world.found(accounts)
    world.run(JAN)
    free = tuple(replace(one, price=PerUnit(Decimal(0))) for one in VERSION.components)
    world.lay([plan_version_item(ENTITY.id, replace(VERSION, components=free))])
    world.run(FEB)
    return world


def _in_february(world: World) -> list[Unexpected]:
    world.found(3)
    world.run(JAN)
    assert _told(world) == [], "nothing to compare with"
    return _told(world) if world.run(FEB) else []


def test_a_run_like_the_one_before_is_as_expected_though_that_one_billed_two_months_at_once() -> None:
    world = World()
    assert _in_february(world) == []
    (off,) = _told(world, Fraction(-1))
    assert off.expected_minor == off.billed_minor > 0


def test_growth_alone_is_expected() -> None:
    world = World()
    world.found(3)
    world.run(JAN)
    world.store.put_many(list(founding_items(12, date(2026, 1, 1))))
    world.run(FEB)
    assert _told(world) == []


def test_a_lost_price_is_told() -> None:
    (off,) = _told(_with_a_lost_price(accounts=3))
    assert off.billed_minor == 0 < off.expected_minor


def test_what_attempts_of_before_did_not_put_on_record_is_not_compared() -> None:
    draft = Drafted("acct_eu_a", "inv_1", "EUR", 1190, 1190, regular_minor=1000)
    item = result_item("run_1", 1, "00000", (draft,))
    assert drafted_from(item) == (draft,)
    item["drafts"][0].pop()
    assert drafted_from(item)[0].regular_minor is None
