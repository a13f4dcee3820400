"""Who must agree to a payment, and who may."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.kernel.errors import Refusal
from saldo.payments.model import Allocation
from saldo.payments.model_approvals import (
    Approval,
    ApprovalPolicy,
    ApprovalState,
    Decider,
    Delegation,
    Level,
    Step,
)
from saldo.payments.records_approvals import approval_from, approval_item, policy_from, policy_item
from saldo.payments.rules_approvals import agreed, check_policy, check_startable, content_of, levels_for, on_behalf

NOW, TODAY = datetime(2026, 11, 23, 9, tzinfo=UTC), date(2026, 11, 23)
POLICY = ApprovalPolicy({"EUR": (Level(100_000), Level(1_000_000, ("cfo",)))})
APPROVAL = Approval(
    "acct_eu_a", "appr_1", "payer", (Allocation("inv_1", 5),), "EUR", 5, "", "key-12345",
    content_of([Allocation("inv_1", 5)], ""), NOW, NOW + timedelta(days=14), (Step(()), Step(("cfo",))),
)  # fmt: skip
PEOPLE = st.sampled_from(["payer", "a", "b", "c", "cfo"])
DELEGATIONS = st.lists(st.builds(Delegation, PEOPLE, PEOPLE, st.just(TODAY), st.just(TODAY)), max_size=4)


def test_a_level_begins_above_its_amount_and_other_currencies_are_free() -> None:
    assert levels_for(POLICY, "EUR", 100_000) == ()
    assert len(levels_for(POLICY, "EUR", 100_001)) == 1 and len(levels_for(POLICY, "EUR", 1_000_001)) == 2
    assert levels_for(POLICY, "USD", 10**9) == () == levels_for(None, "EUR", 10**9)


@given(st.lists(st.tuples(PEOPLE, st.booleans()), max_size=8), DELEGATIONS)
def test_whatever_order_people_come_in_nobody_counts_twice_and_the_payer_never(
    deciders: list[tuple[str, bool]], delegations: list[Delegation]
) -> None:
    approval = APPROVAL
    for user_id, is_approver in deciders:
        behalf = on_behalf(approval, Decider(user_id, is_approver), delegations, NOW, TODAY)
        if behalf is not None:
            approval = agreed(approval, user_id, behalf, NOW)
    acted = [step.by for step in approval.steps if step.by]
    spoken_for = [step.in_place_of or step.by for step in approval.steps if step.by]
    assert "payer" not in acted + spoken_for
    assert len(set(acted)) == len(acted) and len(set(spoken_for)) == len(spoken_for)
    assert (approval.state is ApprovalState.AGREED) == (len(acted) == 2)
    if approval.state is ApprovalState.AGREED:
        assert spoken_for[1] == "cfo"


def test_only_what_was_agreed_to_starts_and_only_by_its_payer_and_in_time() -> None:
    complete = replace(APPROVAL, state=ApprovalState.AGREED)
    check_startable(complete, complete.content, "payer", NOW)
    wrong = [
        (APPROVAL, complete.content, "payer", NOW),
        (complete, content_of([Allocation("inv_1", 6)], ""), "payer", NOW),
        (complete, complete.content, "a", NOW),
        (complete, complete.content, "payer", NOW + timedelta(days=14)),
    ]
    for case in wrong:
        with pytest.raises(Refusal, match="approval_void"):
            check_startable(*case)
    with pytest.raises(Refusal, match="approval_needed"):
        check_startable(None, complete.content, "payer", NOW)


@pytest.mark.parametrize("levels", [(), (Level(5), Level(5)), (Level(9), Level(3)), (Level(-1),), (Level(1),) * 6])
def test_a_policy_that_makes_no_sense_is_refused(levels: tuple[Level, ...]) -> None:
    with pytest.raises(Refusal, match="invalid_policy"):
        check_policy(ApprovalPolicy({"EUR": levels}))


def test_records_come_back_as_they_were() -> None:
    half = agreed(APPROVAL, "a", "b", NOW)
    assert approval_from(approval_item(half)) == half
    assert policy_from(policy_item("acct_eu_a", POLICY)) == POLICY
