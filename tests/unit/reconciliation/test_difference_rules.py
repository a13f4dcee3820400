"""What a look makes of differences that were known: opened, told anew, gone, come again; never closed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.kernel.errors import Refusal
from saldo.reconciliation import rules
from saldo.reconciliation.model import MOST_TOLD, Difference, DifferenceState

AT = datetime(2026, 11, 26, 4, tzinfo=UTC)
OPEN = Difference("ent_eu_1", "dif_1", 3, "acct_eu_1", ("1 EUR",), AT)


@given(st.lists(st.tuples(st.sampled_from((3, 14)), st.sampled_from(("a", "b")), st.text(max_size=3))))
def test_one_cause_is_one_task_whatever_the_order_and_however_often_it_is_told(
    found: list[tuple[int, str, str]],
) -> None:
    told = rules.gathered(found)
    assert told == rules.gathered([*reversed(found), *found])
    assert set(told) == {(invariant, owner) for invariant, owner, _ in found}
    assert all(0 < len(what) <= MOST_TOLD for what in told.values())


def test_the_same_found_again_changes_nothing_and_keeps_who_looks_into_it() -> None:
    taken = rules.taken(OPEN, "staff_eu_1", " written twice ")
    assert (taken.taken_by, taken.note, taken.version) == ("staff_eu_1", "written twice", 2)
    assert rules.seen_again(taken, replace(OPEN, found_at=AT + timedelta(hours=1))) is taken
    told = rules.seen_again(taken, replace(OPEN, what=("2 EUR",)))
    assert (told.what, told.found_at, told.taken_by, told.version) == (("2 EUR",), AT, "staff_eu_1", 3)


def test_one_that_was_gone_begins_anew() -> None:
    gone = rules.gone(rules.taken(OPEN, "staff_eu_1", ""), AT + timedelta(hours=1))
    again = rules.seen_again(gone, replace(OPEN, found_at=AT + timedelta(days=1)))
    assert again == replace(OPEN, found_at=AT + timedelta(days=1), version=4)


def test_what_is_gone_is_nobodys_to_look_into_and_a_note_has_an_end() -> None:
    with pytest.raises(Refusal, match="difference_gone"):
        rules.taken(replace(OPEN, state=DifferenceState.GONE), "staff_eu_1", "")
    with pytest.raises(Refusal) as refused:
        rules.taken(OPEN, "staff_eu_1", "x" * 301)
    assert [(p.field, p.code) for p in refused.value.problems] == [("note", "note_too_long")]


@pytest.mark.parametrize(
    ("owner", "seller"),
    [
        ("ent_eu_1", "ent_eu_1"),
        ("ent_eu_1 INV-2026", "ent_eu_1"),
        ("acct_eu_1", "ent_eu_9"),
        ("acct_eu_2", ""),
        ("org_eu_1", ""),
    ],
)
def test_whose_books_an_owners_records_are_in(owner: str, seller: str) -> None:
    assert rules.seller_of(owner, {"acct_eu_1": "ent_eu_9"}) == seller
