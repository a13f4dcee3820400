"""Whatever was made or set goes with the audit record of it: each kind of record by its own."""

from __future__ import annotations

from typing import Any

import pytest

from saldo.insight.checks_beginnings import BEGUN_BY, SET_BY, what_was_made_is_audited, what_was_set_is_audited
from saldo.insight.model import Owner

OWNER, DOUBLE = "acct_eu_one", "acct_eu_test_one"
_NAMED = (
    *("subscription_id", "order_id", "contract_id", "invitation_id", "approval_id", "method_id", "scheduled_id"),
    *("debit_id", "promise_id", "request_id", "dispute_id", "ticket_id", "reminder_id", "bundle_id", "invoice_id"),
    *("difference_id", "subject_id", "plan_id"),
)
_LISTED = ("changes", "coupons", "credits", "thresholds")


def record(kind: str, owner: str = OWNER) -> dict[str, Any]:
    named = dict.fromkeys(_NAMED, "one") | {field: [{"id": "one"}] for field in _LISTED}
    return named | {"pk": owner, "sk": f"{kind}#one", "kind": kind, "version": 2}


def audit(action: str, subject: str) -> dict[str, Any]:
    return {"pk": OWNER, "sk": f"audit#{action}", "kind": "audit", "action": action, "subject_id": subject}


def found(owner_id: str, *items: dict[str, Any]) -> list[str]:
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        by_kind.setdefault(item["kind"], []).append(item)
    owner = Owner(owner_id, by_kind)
    told = [*what_was_made_is_audited(owner), *what_was_set_is_audited(owner)]
    assert {violation.invariant for violation in told} <= {24}
    return [violation.message for violation in told]


@pytest.mark.parametrize("kind", [*BEGUN_BY, *SET_BY])
def test_a_record_without_the_audit_record_of_it_is_named(kind: str) -> None:
    begun = [actions for _, actions in BEGUN_BY.get(kind, ())] or [(SET_BY[kind],)]
    told = found(OWNER, record(kind))
    assert len(told) == len(begun)
    assert all(kind in one and actions[0] in one for one, actions in zip(told, begun, strict=True))


@pytest.mark.parametrize("kind", BEGUN_BY)
def test_each_of_the_actions_by_which_it_may_begin_will_do(kind: str) -> None:
    for turn in range(2):
        record_ = record(kind)
        begun = [(s, actions[min(turn, len(actions) - 1)]) for by, actions in BEGUN_BY[kind] for s in by(record_)]
        assert found(OWNER, record_, *(audit(action, f"{subject} more") for subject, action in begun)) == []
        others = [audit(action, "another") for _, action in begun]
        assert len(found(OWNER, record_, *others)) == len(begun)


@pytest.mark.parametrize("kind", SET_BY)
def test_a_setting_goes_with_its_own_action(kind: str) -> None:
    assert found(OWNER, record(kind), audit(SET_BY[kind], "anything")) == []
    assert len(found(OWNER, record(kind), audit("another.action", kind))) == 1


def test_each_change_and_each_coupon_is_held_against_a_record_of_its_own() -> None:
    sold = record("subscription") | {"changes": [{"id": "one"}, {"id": "other"}]}
    told = found(OWNER, sold, audit("subscription.started", "one"), audit("subscription.changed", "one other"))
    assert told == []
    told = found(OWNER, sold, audit("subscription.started", "one"), audit("subscription.changed", "sub_1 one"))
    assert told == ["subscription#one: subscription.changed of other has no audit record"]


def test_the_first_profile_came_with_its_account() -> None:
    assert found(OWNER, record("profile") | {"version": 1}) == []


def test_what_has_no_name_of_its_own_is_held_against_nothing() -> None:
    """A plan's version of one subscription alone, the plan of a run, an approval that is no payer's."""
    assert found(OWNER, record("plan") | {"sk": "plan#~core~one"}) == []
    run = record("plan")
    del run["plan_id"]
    approval = record("approval")
    del approval["approval_id"]
    assert found(OWNER, run, approval) == []


@pytest.mark.parametrize("kind", ["subscription", "rate_policy"])
def test_a_double_has_no_records_of_how_it_came_to_be_there(kind: str) -> None:
    assert found(DOUBLE, record(kind, DOUBLE)) == []
