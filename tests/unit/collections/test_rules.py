"""Which step of which invoice a customer is reminded of on a day, and what keeps a letter back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.collections.model import AccountCase, DunningStep, Notice, OpenInvoice, Reminder, ReminderPolicy
from saldo.collections.rules import (
    MOST_NOTICES,
    check_policy,
    decide,
    due_dates,
    is_weekend,
    next_letter_on,
    with_history,
)
from saldo.kernel.clock import instant_from
from saldo.kernel.errors import Refusal

DUE = date(2026, 11, 17)  # a Tuesday
ISSUED = date(2026, 10, 18)
PLAIN = ReminderPolicy()


def invoice(n: int = 1, due_on: date = DUE, minor: int = 11900, issued_on: date = ISSUED) -> OpenInvoice:
    return OpenInvoice(f"inv_{n}", f"RW-{n}", "EUR", issued_on, due_on, minor)


def case(*invoices: OpenInvoice, **more: Any) -> AccountCase:
    fields: dict[str, Any] = {"segment": "", "mailed": True, **more}
    return AccountCase("acct_eu_a", invoices=invoices or (invoice(),), **fields)


def steps(one: AccountCase, on: date, policy: ReminderPolicy = PLAIN) -> list[str]:
    return [notice.step for notice in decide(one, policy, on).notices]


def why(one: AccountCase, on: date, policy: ReminderPolicy = PLAIN) -> list[str]:
    decision = decide(one, policy, on)
    assert not decision.notices
    return [left.code for left in decision.left_out]


def letter(on: date, *notices: Notice) -> Reminder:
    return Reminder("acct_eu_a", "ent_eu_s", f"rem_{on:%Y%m%d}", on, instant_from("2026-11-17T08:00:00Z"), notices)


def lived(
    one: AccountCase, first: date, days: list[int], policy: ReminderPolicy = PLAIN
) -> list[tuple[date, str, str]]:
    """What is sent when the daily job runs on these days from the first on: day, invoice, step."""
    earlier: list[Reminder] = []
    for day in sorted({first + timedelta(days=n) for n in days}):
        notices = decide(with_history(one, earlier, one.held), policy, day).notices
        if notices:
            earlier.append(letter(day, *notices))
    return [(told.on, n.invoice_id, n.step) for told in earlier for n in told.notices]


def test_an_invoice_is_announced_asked_for_and_chased_on_the_days_of_its_steps() -> None:
    sent = lived(case(), date(2026, 11, 1), list(range(90)))
    assert [(f"{on:%d.%m.}", step) for on, _, step in sent] == [
        ("16.11.", "upcoming"),  # Saturday the 14th would have been its day
        ("18.11.", "due"),  # a day late, so that no two letters follow on each other
        ("24.11.", "first"),
        ("01.12.", "second"),
        ("17.12.", "last"),
    ]


def test_a_day_that_was_missed_is_caught_up_with_the_latest_step_alone() -> None:
    assert steps(case(), date(2026, 12, 2)) == ["second"]
    assert why(
        with_history(case(), [letter(date(2026, 12, 2), *decide(case(), PLAIN, date(2026, 12, 2)).notices)], {}),
        date(2026, 12, 4),
    ) == ["given"]


def test_old_debts_of_a_seller_who_moves_in_are_not_all_chased_on_the_first_day() -> None:
    assert why(case(invoice(due_on=date(2025, 3, 1), issued_on=date(2025, 2, 1))), date(2026, 11, 17)) == ["lapsed"]


def test_nothing_is_said_before_its_day_nor_of_a_step_that_came_before_the_invoice_itself() -> None:
    assert why(case(), date(2026, 11, 10)) == ["not_yet"]
    short = invoice(due_on=DUE, issued_on=DUE - timedelta(days=1))
    assert why(case(short), DUE - timedelta(days=1)) == ["not_yet"]
    assert steps(case(short), DUE) == ["due"]


def test_a_renamed_schedule_does_not_go_back_to_an_earlier_step() -> None:
    had = replace(case(), given={"inv_1": {"second": 14}})
    other = ReminderPolicy((DunningStep("friendly", 10), DunningStep("firm", 20)))
    assert why(had, date(2026, 12, 1), other) == ["given"]
    assert steps(had, date(2026, 12, 7), other) == ["firm"]


@pytest.mark.parametrize(
    ("more", "on", "code"),
    [
        ({"mailed": False}, DUE, "no_mail"),
        ({"held": {"inv_1": "payment_under_way"}}, DUE, "payment_under_way"),
        ({"unapplied": {"EUR": 11900}}, DUE, "unapplied_cash"),
        ({}, date(2026, 11, 21), "given"),
        ({"last_on": DUE - timedelta(days=1)}, DUE, "too_soon"),
        ({"segment": "public"}, DUE, "no_steps"),
    ],
)
def test_what_keeps_a_letter_back_is_told_by_its_code(more: dict[str, Any], on: date, code: str) -> None:
    given_due = {"given": {"inv_1": {"due": 0}}} if code == "given" else {}
    policy = ReminderPolicy(segments={"public": ()})
    assert why(case(**more, **given_due), on, policy) == [code]


def test_nothing_goes_out_at_weekends() -> None:
    saturday = invoice(due_on=date(2026, 11, 21))
    assert why(case(saturday), date(2026, 11, 21)) == why(case(saturday), date(2026, 11, 22)) == ["weekend"]
    assert steps(case(saturday), date(2026, 11, 23)) == ["due"]


def test_money_that_is_less_than_what_is_asked_for_or_in_another_currency_keeps_nothing_back() -> None:
    assert steps(case(unapplied={"EUR": 11899, "USD": 1_000_000}), DUE) == ["due"]


def test_several_invoices_of_a_day_are_one_letter_and_the_oldest_come_first() -> None:
    one, other = invoice(1, DUE), invoice(2, DUE - timedelta(days=7))
    assert [(n.invoice_id, n.step) for n in decide(case(one, other), PLAIN, DUE).notices] == [
        ("inv_2", "first"),
        ("inv_1", "due"),
    ]
    many = decide(case(*(invoice(n) for n in range(50))), PLAIN, DUE)
    assert (len(many.notices), {left.code for left in many.left_out}) == (MOST_NOTICES, {"next_letter"})


def test_a_segment_has_steps_of_its_own() -> None:
    policy = ReminderPolicy(segments={"patient": (DunningStep("late", 20),)})
    assert why(case(segment="patient"), DUE, policy) == ["not_yet"]
    assert steps(case(segment="patient"), DUE + timedelta(days=20), policy) == ["late"]
    assert steps(case(segment="other"), DUE, policy) == ["due"]


def test_the_last_step_says_that_it_is() -> None:
    (last,) = decide(case(), PLAIN, DUE + timedelta(days=30)).notices
    assert (last.step, last.is_last) == ("last", True)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40)), min_size=1, max_size=5),
    st.lists(st.integers(0, 140), max_size=90),
    st.integers(0, 9),
)
def test_whatever_days_the_job_runs_each_step_comes_once_in_order_and_never_too_close(
    dates: list[tuple[int, int]], days: list[int], gap: int
) -> None:
    begin = date(2026, 1, 1)
    issued = [begin + timedelta(days=n) for n, _ in dates]
    open_ = [
        invoice(i, due_on=on + timedelta(days=terms), issued_on=on)
        for i, (on, (_, terms)) in enumerate(zip(issued, dates, strict=True))
    ]
    policy = ReminderPolicy(gap_days=gap)
    sent = lived(case(*open_), begin, days, policy)
    assert len({(invoice_id, step) for _, invoice_id, step in sent}) == len(sent)
    order = [step.name for step in policy.steps]
    for one in open_:
        had = [(on, order.index(step)) for on, invoice_id, step in sent if invoice_id == one.invoice_id]
        assert had == sorted(had) and len({index for _, index in had}) == len(had)
        assert all(on > one.issued_on and not is_weekend(on) for on, _ in had)
    on = sorted({day for day, _, _ in sent})
    assert all((later - day).days >= max(gap, 1) for day, later in pairwise(on))


@given(st.integers(-20, 60))
def test_only_due_dates_that_can_matter_are_read(days: int) -> None:
    on = DUE + timedelta(days=days)
    bounds = due_dates(PLAIN, on)
    assert bounds is not None
    if decide(case(), PLAIN, on).notices:
        assert bounds[0] <= DUE <= bounds[1]


def test_the_next_letter_is_found_or_there_is_none() -> None:
    assert next_letter_on(case(), PLAIN, date(2026, 11, 1), date(2026, 11, 30)) == date(2026, 11, 16)
    assert next_letter_on(case(), PLAIN, date(2026, 11, 1), date(2026, 11, 12)) is None
    assert next_letter_on(case(), PLAIN, date(2026, 11, 30), date(2026, 11, 1)) is None


def test_a_schedule_that_cannot_be_kept_is_refused_with_every_problem() -> None:
    bad = ReminderPolicy(
        (DunningStep("a", 5), DunningStep("a", 5)), {"x": (DunningStep("not a word", 900),)}, gap_days=-1
    )
    with pytest.raises(Refusal) as refused:
        check_policy(bad)
    assert refused.value.code == "invalid_schedule"
    assert [(p.field, p.code) for p in refused.value.problems] == [
        ("steps", "not_rising"),
        ("steps", "repeated_name"),
        ("segments.x[0].name", "invalid_name"),
        ("segments.x[0].days", "out_of_range"),
        ("gap_days", "out_of_range"),
    ]


def test_what_is_promised_for_another_day_is_left_out_and_says_so() -> None:
    promised = replace(invoice(), promise_id="prm_a")
    found = decide(case(promised), ReminderPolicy(), DUE + timedelta(days=7))
    assert (found.notices, [one.code for one in found.left_out]) == ((), ["promised"])


def test_what_is_in_dispute_is_in_no_letter_beside_what_is_owed() -> None:
    disputed = replace(invoice(1), disputed_minor=11900)
    assert why(case(disputed), DUE) == ["disputed"]
    decision = decide(case(disputed, invoice(2)), PLAIN, DUE)
    assert [notice.invoice_id for notice in decision.notices] == ["inv_2"]
    assert [(left.invoice_id, left.code) for left in decision.left_out] == [("inv_1", "disputed")]
