"""Ids say what they name; errors say everything at once."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.ids import check_id, derived_id, new_id
from saldo.kernel.regions import region_of


def test_ids_sort_by_the_time_they_were_made() -> None:
    early, late = new_id("pay", datetime(2026, 1, 1, tzinfo=UTC)), new_id("pay", datetime(2026, 1, 2, tzinfo=UTC))
    assert early < late
    assert new_id("pay", datetime(2026, 1, 1, tzinfo=UTC)) != early


def test_the_same_identity_yields_the_same_id_and_another_one_another() -> None:
    on = date(2026, 1, 31)
    assert derived_id("inv", on, "a", "b") == derived_id("inv", on, "a", "b")
    assert derived_id("inv", on, "a", "b") != derived_id("inv", on, "ab", "")
    assert derived_id("inv", on, "a").startswith("inv_20260131")


@pytest.mark.parametrize("value", ["acct_", "org_eu_1", "acct_EU_1", "acct_eu/../x", "", "acct_eu_1#2"])
def test_a_value_that_is_not_such_an_id_is_refused(value: str) -> None:
    with pytest.raises(Refusal, match="invalid_id"):
        check_id(value, "acct")


def test_an_owners_id_names_its_home_region() -> None:
    assert region_of("acct_us_01") == "us"
    for value in ("acct_fr_01", "inv_eu_1", "acct", ""):
        with pytest.raises(Refusal):
            region_of(value)


def test_every_problem_is_named_at_once() -> None:
    problems = Problems()
    problems.refuse_if_any()
    problems.add("name", "missing", "name is missing")
    problems.add("lines[1].quantity", "negative", "quantity is below zero")
    with pytest.raises(Refusal) as refused:
        problems.refuse_if_any()
    assert [p.field for p in refused.value.problems] == ["name", "lines[1].quantity"]
    assert "lines[1].quantity" in str(refused.value)
