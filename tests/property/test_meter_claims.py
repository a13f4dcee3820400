"""Two subscriptions of an account, whatever becomes of them: what a sale lets through, no run sets aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.invoicing.model import BillingCase
from saldo.invoicing.rules import check_case, due_of
from saldo.kernel.errors import Refusal
from saldo.subscriptions.model import Change, Subscription
from saldo.subscriptions.rules_changes import with_change
from saldo.subscriptions.rules_meters import claims_of, clashes_of
from tests.property.examples import examples
from tests.property.test_change_properties import SMALL, START, VERSIONS, changes
from tests.unit.invoicing.scenes import BUYER, SELLER, sold

END = date(2028, 1, 1)


def with_all(subscription: Subscription, found: Sequence[Change]) -> Subscription:
    for change in found:
        on = max(change.effective_on, subscription.started_on)
        subscription = with_change(subscription, replace(change, effective_on=on))
    return subscription


def is_set_aside(*subscriptions: Subscription) -> bool:
    due = tuple(due_of(one, VERSIONS[one.plan_version_id], END, VERSIONS) for one in subscriptions)
    try:
        check_case(BillingCase(BUYER, SELLER, due, {}, END))
    except Refusal as refusal:
        assert refusal.code == "meter_claimed_twice"
        return True
    return False


@settings(max_examples=examples(80), deadline=None)
@given(changes(), changes(), st.integers(0, 150))
def test_two_clash_where_they_are_sold_if_and_only_if_a_run_would_bill_a_day_of_a_meter_twice(
    ones: list[Change], others: list[Change], later: int
) -> None:
    first = with_all(sold(SMALL, START), ones)
    second = with_all(replace(sold(SMALL, START + timedelta(days=later)), id="sub_2"), others)
    clashes = clashes_of(second, None, [first], VERSIONS)
    assert bool(clashes) == is_set_aside(first, second)
    claimed = claims_of(first, VERSIONS), claims_of(second, VERSIONS)
    assert all(any(clash.claim.within(one) for one in claims) for clash in clashes for claims in claimed)


@settings(max_examples=examples(40), deadline=None)
@given(changes(), changes(), st.integers(0, 150), st.integers(0, 4))
def test_a_change_clashes_with_what_it_adds_alone(
    one: list[Change], other: list[Change], later: int, last: int
) -> None:
    """Nothing new is found once all is on record; and whoever is let through, change by change, never clashes."""
    first, second = sold(SMALL, START), replace(sold(SMALL, START + timedelta(days=later)), id="sub_2")
    first = with_all(first, one)
    if clashes_of(second, None, [first], VERSIONS):
        return
    for change in other[: last + 1]:
        after = with_all(second, [change])
        if not clashes_of(after, second, [first], VERSIONS):
            second = after
    assert not is_set_aside(first, second)
    assert not clashes_of(second, second, [first], VERSIONS)
