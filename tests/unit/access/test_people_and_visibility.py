"""Links, challenges, people and what they see: pure decisions."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.access.links import link_from
from saldo.access.model import Failures, Role
from saldo.access.model_people import Member, People
from saldo.access.model_visibility import Document, SelfService, Visibility
from saldo.access.proof_of_work import ProofOfWork
from saldo.access.rules import asks_challenge
from saldo.access.rules_people import check_invitation, other_admin
from saldo.access.rules_visibility import sees, visibility_from, visibility_text
from saldo.kernel.errors import Refusal

TODAY = date(2026, 11, 23)
VISIBILITIES = st.builds(
    Visibility,
    st.booleans(),
    st.integers(0, 240),
    st.frozensets(st.sampled_from(Document)),
    st.frozensets(st.sampled_from(SelfService)),
)


@given(VISIBILITIES)
def test_visibility_comes_back_from_its_text(visibility: Visibility) -> None:
    assert visibility_from(visibility_text(visibility)) == visibility


@given(VISIBILITIES, st.integers(1, 10**9), st.dates(date(2000, 1, 1), TODAY))
def test_what_is_owed_is_always_seen(visibility: Visibility, minor: int, issued_on: date) -> None:
    in_sight = sees(visibility, TODAY)
    item = {"kind": "invoice", "open_minor": minor, "issued_on": issued_on.isoformat()}
    assert in_sight is None or in_sight(item)


def test_the_first_day_of_the_months_is_seen_and_the_day_before_is_not() -> None:
    in_sight = sees(Visibility(months=3), TODAY)
    assert in_sight is not None
    days = [in_sight({"kind": "invoice", "open_minor": 0, "issued_on": d}) for d in ("2026-08-23", "2026-08-22")]
    assert days == [True, False]


@given(st.text(max_size=200))
def test_no_text_is_taken_for_a_link_that_is_none(text: str) -> None:
    link = link_from(text)
    assert link is None or text.startswith(f"{link.owner_id}.{link.id}.")


def test_a_solution_is_for_one_question_alone() -> None:
    work = ProofOfWork(bits=8)
    answer = next(str(n) for n in range(10**5) if work.holds("one", str(n)))
    others = [about for about in map(str, range(200)) if work.holds(about, answer)]
    assert len(others) < 10
    assert not any(work.holds("one", wrong) for wrong in ("", "-1", "1e3", "٣", "9" * 16))


def test_the_challenge_comes_before_the_lock() -> None:
    assert not asks_challenge(Failures(2, 19))
    assert asks_challenge(Failures(3, 0)) and asks_challenge(Failures(0, 20))


def member(name: str, role: Role, suspended: bool = False) -> Member:
    return Member("acct_eu_a", "org_eu_a", name, role, suspended, f"{name}@a.example", name)


def test_a_suspended_admin_is_none_who_could_stay() -> None:
    members = [member("a", Role.ACCOUNT_ADMIN), member("b", Role.ACCOUNT_ADMIN, suspended=True)]
    with pytest.raises(Refusal, match="last_admin"):
        other_admin(members, "a")
    assert other_admin([*members, member("c", Role.ACCOUNT_ADMIN)], "a").user_id == "c"


@pytest.mark.parametrize("email", ["", "a", "a@b", "a b@c.de", "a@b.c\n@d.de", "a@b..", "<a@b.de>", "a@b.de,c@d.de"])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(Refusal, match="invalid_invitation"):
        check_invitation(People((), ()), email, "Name")
