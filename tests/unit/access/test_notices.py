"""What people are told follows from one table and from what they chose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.access.model import Role
from saldo.access.model_notices import Mail, NoticeChoices, NoticeKind, Way
from saldo.access.notes import NoteKind
from saldo.access.rules_notices import RULES, can_choose, kinds_for, wants

KINDS, WAYS = st.sampled_from(NoticeKind), st.sampled_from(Way)
CHOICES = st.dictionaries(st.tuples(KINDS, WAYS), st.booleans()).map(NoticeChoices)


def test_every_kind_has_a_rule_and_somebody_who_is_told() -> None:
    assert set(RULES) == set(NoticeKind) and all(rule.roles for rule in RULES.values())


def test_by_default_people_get_what_is_for_them_and_no_copies_of_the_accounts_documents() -> None:
    nothing_chosen = NoticeChoices()
    mailed = {kind for kind in NoticeKind if wants(nothing_chosen, kind, Way.EMAIL)}
    assert mailed == {kind for kind, rule in RULES.items() if rule.mail is Mail.PERSON}
    assert all(wants(nothing_chosen, kind, Way.PORTAL) for kind in NoticeKind)


@pytest.mark.parametrize("kind", [NoticeKind.SECURITY, NoticeKind.DEBIT_ANNOUNCED])
@pytest.mark.parametrize("way", Way)
def test_security_and_what_the_law_asks_for_cannot_be_switched_off(kind: NoticeKind, way: Way) -> None:
    assert not can_choose(kind, way) and wants(NoticeChoices({(kind, way): False}), kind, way)


@given(choices=CHOICES, kind=KINDS, way=WAYS)
def test_a_choice_counts_exactly_where_there_is_one(choices: NoticeChoices, kind: NoticeKind, way: Way) -> None:
    usual = wants(NoticeChoices(), kind, way)
    chosen = choices.chosen.get((kind, way), usual)
    assert wants(choices, kind, way) is (chosen if can_choose(kind, way) else usual)


def test_people_choose_only_what_their_roles_are_told() -> None:
    assert NoticeKind.APPROVAL_ASKED not in kinds_for([Role.VIEWER]) and NoticeKind.OVERDUE in kinds_for([Role.VIEWER])
    assert kinds_for([Role.VIEWER, Role.ACCOUNT_ADMIN]) == tuple(RULES) and kinds_for([]) == ()


def test_mail_that_somebody_asked_for_is_no_matter_of_choice_and_all_other_mail_is() -> None:
    asked_for = {NoteKind.INVITATION, NoteKind.SIGN_IN_LINK, NoteKind.SIGN_IN_WITH_CODE, NoteKind.BUNDLE_READY}
    assert {kind for kind in NoteKind if kind.notice is None} == asked_for
    assert all(RULES[kind.notice].mail is Mail.PERSON for kind in NoteKind if kind.notice)
