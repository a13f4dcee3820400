"""Which roles staff have at a moment, and who may be the second person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.access import rules_proposals as proposals
from saldo.access import rules_staff as rules
from saldo.access.model import UserStatus
from saldo.access.model_proposals import Decider, ProposalKind, ProposalState, Wish
from saldo.access.model_staff import Elevation, Post, Staff, StaffRole
from saldo.audit.model import Actor
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HERE, THERE = "ent_eu_here", "ent_eu_there"
roles = st.frozensets(st.sampled_from(StaffRole))


def staff(*held: StaffRole, entity_id: str = HERE, **more: object) -> Staff:
    posts = tuple(Post(entity_id, role, NOW) for role in sorted(held))
    return replace(Staff("staff_eu_one", "en", posts, NOW), **more)  # type: ignore[arg-type]  # fields by name


def raised(role: StaffRole, until: datetime, entity_id: str = HERE) -> tuple[Elevation, ...]:
    return (Elevation("prop_1", entity_id, role, until, "month end", "staff_eu_two"),)


@given(roles)
def test_roles_at_one_legal_entity_say_nothing_of_another(held: frozenset[StaffRole]) -> None:
    one = staff(*held)
    assert rules.roles_at(one, HERE, NOW) == held and rules.roles_at(one, THERE, NOW) == frozenset()
    assert rules.roles_at(replace(one, status=UserStatus.SUSPENDED), HERE, NOW) == frozenset()


@given(roles, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_role_lasts_as_long_as_its_last_review(held: frozenset[StaffRole], after: timedelta) -> None:
    kept = rules.roles_at(staff(*held), HERE, NOW + after)
    assert kept == (held if after <= rules.UNREVIEWED else frozenset())


def test_a_role_for_a_time_ends_by_the_clock_and_stands_on_a_standing_one() -> None:
    until = NOW + timedelta(hours=1)
    one = staff(StaffRole.SUPPORT, elevations=raised(StaffRole.AR_ANALYST, until))
    assert StaffRole.AR_ANALYST in rules.roles_at(one, HERE, until - timedelta(seconds=1))
    assert rules.roles_at(one, HERE, until) == {StaffRole.SUPPORT}
    assert rules.roles_at(replace(one, posts=()), HERE, NOW) == frozenset()


def test_two_peoples_roles_are_refused_together_however_they_come() -> None:
    apart = {frozenset({StaffRole.ADMINISTRATOR, StaffRole.FINANCE_APPROVER})}
    apart |= {frozenset({StaffRole.AUDITOR, r}) for r in StaffRole if r is not StaffRole.AUDITOR}
    for pair in map(frozenset, combinations(StaffRole, 2)):
        one, other = sorted(pair)
        assert rules.may_be_raised_to(staff(one), HERE, other, NOW) == (pair not in apart)
        if pair in apart:
            with pytest.raises(Refusal, match="roles_apart"):
                rules.check_posts(staff(one, other).posts)
        else:
            rules.check_posts(staff(one, other).posts)
    rules.check_posts([Post(HERE, StaffRole.AUDITOR, NOW), Post(THERE, StaffRole.SUPPORT, NOW)])


def test_nobody_is_raised_to_what_they_have_or_where_they_have_nothing() -> None:
    assert not rules.may_be_raised_to(staff(StaffRole.SUPPORT), HERE, StaffRole.SUPPORT, NOW)
    assert not rules.may_be_raised_to(staff(StaffRole.SUPPORT), THERE, StaffRole.AR_ANALYST, NOW)


def wish(**changes: object) -> Wish:
    fields: dict[str, object] = {
        "owner_id": HERE, "kind": ProposalKind.CREDIT_NOTE, "subject_id": "inv_1", "content": {"a": 1},
        "reason": "agreed", "may_agree": frozenset({"finance_approver"}), "request": "r1",
        "amount": Money(60_000, "EUR"),
    }  # fmt: skip
    return Wish(**(fields | changes))  # type: ignore[arg-type]  # fields by name


def second(who: str = "staff_eu_two", *held: str) -> Decider:
    return Decider(Actor(who, "staff"), frozenset(held or ("finance_approver",)))


@given(st.sampled_from(["content", "amount", "reason", "subject_id", "owner_id", "kind"]))
def test_whatever_is_agreed_to_is_in_the_hash(name: str) -> None:
    others = {
        "content": {"a": 2}, "amount": Money(60_001, "EUR"), "reason": "other", "subject_id": "inv_2",
        "owner_id": THERE, "kind": ProposalKind.REFUND,
    }  # fmt: skip
    one = proposals.proposed(wish(), "staff_eu_one", NOW)
    assert one.digest != proposals.proposed(wish(**{name: others[name]}), "staff_eu_one", NOW).digest
    assert one.digest != proposals.proposed(wish(), "staff_eu_three", NOW).digest
    again = proposals.proposed(wish(), "staff_eu_one", NOW)
    assert (again.id, again.digest) == (one.id, one.digest)


@given(roles, st.booleans(), st.timedeltas(timedelta(0), timedelta(days=14)))
def test_only_another_person_with_a_named_role_in_time_may_agree(
    held: frozenset[StaffRole], own: bool, after: timedelta
) -> None:
    one = proposals.proposed(wish(), "staff_eu_one", NOW)
    who = Decider(Actor("staff_eu_one" if own else "staff_eu_two", "staff"), frozenset(r.value for r in held))
    allowed = not own and StaffRole.FINANCE_APPROVER in held and after < proposals.LIVES
    assert proposals.may_agree(one, who, NOW + after) == allowed
    try:
        proposals.check_second(one, who)
        proposals.check_open(one, one.digest, NOW + after)
    except Refusal:
        assert not allowed
    else:
        assert allowed


def test_what_was_decided_or_changed_is_not_agreed_to() -> None:
    one = proposals.proposed(wish(), "staff_eu_one", NOW)
    for state in (ProposalState.DONE, ProposalState.REFUSED, ProposalState.WITHDRAWN, ProposalState.AGREED):
        with pytest.raises(Refusal, match="proposal_decided"):
            proposals.check_open(replace(one, state=state), one.digest, NOW)
        assert not proposals.may_agree(replace(one, state=state), second(), NOW)
    with pytest.raises(Refusal, match="changed_meanwhile"):
        proposals.check_open(one, "0" * 64, NOW)


def test_a_proposal_says_why_and_who_may_agree() -> None:
    for changes, code in (
        ({"reason": " "}, "reason_required"),
        ({"reason": "x" * 301}, "reason_required"),
        ({"may_agree": frozenset()}, "nobody_may_agree"),
    ):
        with pytest.raises(Refusal, match=code):
            proposals.proposed(wish(**changes), "staff_eu_one", NOW)


def test_a_credit_note_takes_two_above_its_limit_and_always_without_one() -> None:
    assert not proposals.needs_second(Money(50_000, "EUR")) and proposals.needs_second(Money(50_001, "EUR"))
    assert proposals.needs_second(Money(0, "JPY"))
