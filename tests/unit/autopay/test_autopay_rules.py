"""What is collected when, and why not: the page's preview and the day's run ask the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.autopay.model import Case, Debit, DebitState, Line, Owed, Rule, When
from saldo.autopay.rules import announced_now, check_rule, plan_of, to_charge
from saldo.kernel.errors import Refusal
from saldo.payments.model import Allocation

TODAY = date(2026, 11, 10)
RULE = Rule("acct_eu_1", "ent_eu_1", "EUR", notice_days=5)


def owed(n: int, due_on: date, minor: int = 10_000, **more: object) -> Owed:
    return Owed(f"inv_{n}", f"N-{n}", "EUR", date(2026, 11, 1), due_on, minor, **more)  # type: ignore[arg-type]


def debit(state: DebitState, code: str = "", attempt: int = 1, on: date = TODAY) -> Debit:
    lines = (Line("inv_1", "N-1", 10_000, attempt),)
    return Debit("acct_eu_1", f"deb_{attempt}", "ent_eu_1", "EUR", TODAY, on, lines, state=state, code=code)


def days(case: Case, on: date = TODAY) -> list[date]:
    return [p.debit_on for p in plan_of(case, on).planned]


def codes(case: Case) -> list[str]:
    return [one.code for one in plan_of(case, TODAY).left_out]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (RULE, date(2026, 11, 30)),
        (replace(RULE, when=When.BEFORE, days=3), date(2026, 11, 27)),
        (replace(RULE, when=When.MONTHLY, day=20), date(2026, 11, 20)),
        (replace(RULE, when=When.MONTHLY, day=12), date(2026, 12, 12)),
        (replace(RULE, when=When.MONTHLY, day=31), date(2026, 11, 30)),
    ],
)
def test_an_invoice_is_collected_on_the_day_that_its_rule_names(rule: Rule, expected: date) -> None:
    assert days(Case(rule, (owed(1, date(2026, 11, 30)),))) == [expected]


def test_an_invoice_that_is_late_already_still_gets_its_notice() -> None:
    (planned,) = plan_of(Case(RULE, (owed(1, date(2026, 10, 1)),)), TODAY).planned
    assert (planned.announce_on, planned.debit_on) == (TODAY, TODAY + timedelta(days=5))


def test_a_discount_is_taken_while_it_holds_and_not_after() -> None:
    invoice = owed(1, date(2026, 12, 10), early=((date(2026, 11, 20), 9_800),))
    (planned,) = plan_of(Case(RULE, (invoice,)), TODAY).planned
    assert planned.debit_on == date(2026, 11, 20) and planned.minor == 9_800
    (later,) = plan_of(Case(RULE, (invoice,)), date(2026, 11, 18)).planned
    assert later.debit_on == date(2026, 12, 10) and later.minor == 10_000


def test_of_discounts_in_steps_the_largest_that_can_still_be_had_is_taken() -> None:
    steps = (date(2026, 11, 20), 9_700), (date(2026, 11, 27), 9_800)
    invoice = owed(1, date(2026, 12, 10), early=steps)
    for on, found in ((TODAY, steps[0]), (date(2026, 11, 18), steps[1])):
        (planned,) = plan_of(Case(RULE, (invoice,)), on).planned
        assert (planned.debit_on, planned.minor) == found


def test_invoices_of_one_day_are_one_debit_up_to_the_cap() -> None:
    due = date(2026, 11, 30)
    case = Case(replace(RULE, cap_minor=25_000), (owed(1, due), owed(2, due), owed(3, due)))
    plan = plan_of(case, TODAY)
    assert [line.invoice_id for line in plan.planned[0].lines] == ["inv_1", "inv_2"]
    assert [(one.invoice_id, one.code) for one in plan.left_out] == [("inv_3", "over_cap")]


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (Case(replace(RULE, excluded=("inv_1",)), ()), "excluded"),
        (Case(RULE, (), held={"inv_1": "disputed"}), "disputed"),
        (Case(RULE, (), held={"inv_1": "promised"}), "promised"),
        (Case(RULE, (), held={"inv_1": "payment_under_way"}), "payment_under_way"),
        (Case(replace(RULE, skips_disputed=False), (), held={"inv_1": "payment_under_way"}), "payment_under_way"),
        (Case(RULE, (), can_charge=False), "no_method"),
        (Case(replace(RULE, currency="USD"), ()), "other_currency"),
        (Case(replace(RULE, is_on=False), ()), "off"),
        (Case(RULE, (), (debit(DebitState.CANCELLED),)), "cancelled"),
        (Case(RULE, (), (debit(DebitState.FAILED, "expired_card"),)), "given_up"),
        (Case(RULE, (), (debit(DebitState.FAILED, "insufficient_funds", 3),)), "given_up"),
    ],
)
def test_what_is_not_collected_says_why(case: Case, code: str) -> None:
    whole = replace(case, invoices=(owed(1, date(2026, 11, 30)),))
    assert codes(whole) == [code] and days(whole) == []


def test_what_a_person_wants_collected_in_spite_of_a_dispute_is() -> None:
    case = Case(replace(RULE, skips_disputed=False), (owed(1, date(2026, 11, 30)),), held={"inv_1": "disputed"})
    assert days(case) == [date(2026, 11, 30)]


@pytest.mark.parametrize(("attempt", "wait"), [(1, 5), (2, 7)])
def test_a_debit_that_failed_for_lack_of_money_is_tried_again_with_notice(attempt: int, wait: int) -> None:
    case = Case(RULE, (owed(1, TODAY),), (debit(DebitState.FAILED, "insufficient_funds", attempt),))
    (planned,) = plan_of(case, TODAY).planned
    assert planned.debit_on == TODAY + timedelta(days=wait) and planned.lines[0].attempt == attempt + 1


@pytest.mark.parametrize("state", [DebitState.ANNOUNCED, DebitState.STARTING, DebitState.STARTED])
def test_an_invoice_with_a_debit_pending_is_not_planned_again(state: DebitState) -> None:
    plan = plan_of(Case(RULE, (owed(1, TODAY),), (debit(state),)), TODAY)
    assert plan.planned == () and plan.left_out == ()


def test_a_debit_never_takes_more_than_was_announced_or_is_owed() -> None:
    announced = debit(DebitState.ANNOUNCED)
    assert to_charge(Case(RULE, (owed(1, TODAY, 4_000),)), announced, TODAY) == (Allocation("inv_1", 4_000),)
    assert to_charge(Case(RULE, (owed(1, TODAY, 40_000),)), announced, TODAY) == (Allocation("inv_1", 10_000),)
    assert to_charge(Case(RULE, ()), announced, TODAY) == "paid"


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (Case(replace(RULE, excluded=("inv_1",)), (owed(1, TODAY),)), "excluded"),
        (Case(RULE, (owed(1, TODAY),), held={"inv_1": "disputed"}), "disputed"),
        (Case(replace(RULE, is_on=False), (owed(1, TODAY),)), "off"),
        (Case(replace(RULE, cap_minor=1), (owed(1, TODAY),)), "over_cap"),
        (Case(RULE, (owed(1, TODAY),), can_charge=False), "no_method"),
    ],
)
def test_what_changed_since_the_notice_is_not_collected(case: Case, code: str) -> None:
    assert to_charge(case, debit(DebitState.ANNOUNCED), TODAY) == code


def test_a_rule_that_makes_no_sense_names_everything() -> None:
    with pytest.raises(Refusal) as refused:
        check_rule(replace(RULE, when=When.BEFORE, days=0, notice_days=0, cap_minor=-1))
    assert {p.field for p in refused.value.problems} == {"notice_days", "days", "cap"}


RULES = st.builds(
    lambda when, n, day, notice, cap: Rule("acct_eu_1", "ent_eu_1", "EUR", when, n, day, "", cap, notice),
    st.sampled_from(When), st.integers(1, 60), st.integers(1, 31), st.integers(1, 30),
    st.sampled_from([0, 5_000, 30_000]),
)  # fmt: skip
DATES = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@given(RULES, st.lists(st.tuples(DATES, st.integers(1, 20_000)), max_size=6), DATES)
def test_every_debit_has_its_notice_and_every_invoice_is_somewhere_once(
    rule: Rule, dues: list[tuple[date, int]], on: date
) -> None:
    case = Case(rule, tuple(owed(n, due_on, minor) for n, (due_on, minor) in enumerate(dues)))
    plan = plan_of(case, on)
    for planned in plan.planned:
        assert planned.announce_on >= on
        assert planned.debit_on - planned.announce_on == timedelta(days=rule.notice_days)
        assert not rule.cap_minor or planned.minor <= rule.cap_minor
    found = [line.invoice_id for p in plan.planned for line in p.lines] + [one.invoice_id for one in plan.left_out]
    assert sorted(found) == sorted(i.invoice_id for i in case.invoices)


@given(RULES, DATES, st.integers(1, 20_000), DATES)
def test_what_the_preview_names_comes_on_its_day_when_nothing_changes(
    rule: Rule, due_on: date, minor: int, on: date
) -> None:
    """Asked again on the day of the announcement, the same debit comes out."""
    case = Case(rule, (owed(1, due_on, minor),))
    for planned in plan_of(case, on).planned:
        assert planned in announced_now(plan_of(case, planned.announce_on), planned.announce_on)
