"""What may be promised, how it is parted, how it stands, and what a day does with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.promises import rules
from saldo.promises.model import (
    MOVES,
    Candidate,
    Case,
    Covered,
    Due,
    Every,
    Limits,
    LimitsPolicy,
    Promise,
    PromiseState,
    StateChange,
    Wanted,
    Why,
)

TODAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def candidate(n: int = 1, minor: int = 10_000, **more: str) -> Candidate:
    return Candidate(f"inv_{n}", f"R-{n}", more.get("currency", "EUR"), TODAY, minor, more.get("promise_id", ""))


def case(*candidates: Candidate, **more: object) -> Case:
    return replace(Case(TODAY, {c.invoice_id: c for c in candidates or (candidate(),)}, Limits()), **more)  # type: ignore[arg-type]


def promise(total: int = 10_000, days: tuple[date, ...] = (TODAY + timedelta(days=7),), **more: object) -> Promise:
    parts = rules.parted(Money(total, "EUR"), days)
    covers = (Covered("inv_1", "R-1", TODAY, total),)
    made = Promise(
        *("acct_eu_a", "prm_a", "org_eu_a", "ent_eu_a", "EUR"),
        covers,
        parts,
        3,
        PromiseState.CURRENT,
        AT,
        "user_eu_a",
        Why.CASH,
        (StateChange(AT, PromiseState.CURRENT),),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def due(left: int, paid: int = 0, invoice_id: str = "inv_1") -> Due:
    return Due(invoice_id, TODAY, left, paid)


def codes(wanted: Wanted, at: Case) -> set[tuple[str, str]]:
    with pytest.raises(Refusal, match="invalid_promise") as refused:
        rules.offer(wanted, at)
    return {(p.field, p.code) for p in refused.value.problems}


def test_every_problem_of_a_wish_is_told_at_once() -> None:
    at = case(candidate(1), candidate(2, promise_id="prm_x"), candidate(3, minor=0), candidate(4, currency="USD"))
    found = codes(Wanted(("inv_1", "inv_2", "inv_3", "inv_4", "inv_9"), TODAY, count=99), at)
    assert found == {
        ("invoices", "promised_already"),
        ("invoices", "nothing_to_promise"),
        ("invoices", "currency_mix"),
        ("invoices", "unknown_invoice"),
        ("first_on", "not_ahead"),
        ("count", "out_of_range"),
    }


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (Wanted((), TODAY + timedelta(days=1)), ("invoices", "nothing_chosen")),
        (Wanted(("inv_1",), date(9999, 12, 31)), ("first_on", "too_far")),
        (Wanted(("inv_1",), TODAY + timedelta(days=720), count=2), ("first_on", "too_far")),
        (Wanted(("inv_1",), TODAY + timedelta(days=3), method_id="meth_a"), ("first_on", "too_soon")),
        (Wanted(tuple(f"inv_{n}" for n in range(21)), TODAY + timedelta(days=1)), ("invoices", "too_many_covered")),
    ],
)
def test_each_bound_is_told_with_its_field(wanted: Wanted, problem: tuple[str, str]) -> None:
    assert problem in codes(wanted, case(*(candidate(n) for n in range(21))))


def test_less_than_a_coin_an_instalment_is_no_plan() -> None:
    wanted = Wanted(("inv_1",), TODAY + timedelta(days=1), count=3)
    assert codes(wanted, case(candidate(minor=2))) == {("count", "too_small")}


@pytest.mark.parametrize(
    ("every", "days"),
    [
        (Every.WEEK, ["2026-03-31", "2026-04-07", "2026-04-14"]),
        (Every.FORTNIGHT, ["2026-03-31", "2026-04-14", "2026-04-28"]),
        (Every.MONTH, ["2026-03-31", "2026-04-30", "2026-05-31"]),
    ],
)
def test_days_are_counted_from_the_first_so_that_months_ends_do_not_drift(every: Every, days: list[str]) -> None:
    found = rules.offer(Wanted(("inv_1",), date(2026, 3, 31), 3, every), case())
    assert [one.on.isoformat() for one in found.instalments] == days
    assert [one.minor for one in found.instalments] == [3334, 3333, 3333]


@given(
    total=st.integers(1, 10**9),
    count=st.integers(1, 24),
    taken=st.integers(0, 10**9),
    paid=st.integers(0, 10**9),
    back=st.integers(0, 10**6),
)
def test_instalments_add_up_whatever_is_paid_credited_or_comes_back(
    total: int, count: int, taken: int, paid: int, back: int
) -> None:
    days = tuple(TODAY + timedelta(days=n + 1) for n in range(min(count, total)))
    made = promise(total, days)
    assert sum(one.minor for one in made.instalments) == total
    paid = min(paid, total)
    left = max(total - paid - taken, 0) + back
    rows = rules.stands(made, [due(left, paid)])
    assert sum(row.left_minor for row in rows) == left and sum(row.paid_minor for row in rows) == paid
    assert all(0 <= row.paid_minor <= row.minor for row in rows)
    begun = [row.paid_minor > 0 for row in rows if row.minor]
    assert begun == sorted(begun, reverse=True), "money pays the earliest first"


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.integers(0, 10**7))
def test_an_instalment_is_spread_over_what_is_still_to_come_and_no_further(lefts: list[int], minor: int) -> None:
    found = rules.spread(minor, [due(left, invoice_id=f"inv_{n}") for n, left in enumerate(lefts)])
    assert sum(a.minor for a in found) == min(minor, sum(lefts))
    assert all(0 < a.minor <= lefts[int(a.invoice_id[4:])] for a in found)


FIRST, SECOND = TODAY + timedelta(days=7), TODAY + timedelta(days=14)


@pytest.mark.parametrize(
    ("days", "told", "dues", "being_paid", "expected"),
    [
        (3, 0, [due(10_000)], False, ""),
        (4, 0, [due(10_000)], False, "coming 1"),
        (4, 1, [due(10_000)], False, ""),
        (7, 0, [due(10_000)], False, "coming 1"),
        (8, 1, [due(10_000)], False, "missed 1"),
        (8, 1, [due(10_000)], True, ""),
        (8, 1, [due(5_000, 5_000)], False, ""),
        (8, 1, [due(5_001, 4_999)], False, "missed 1"),
        (10, 1, [due(10_000)], False, "missed 1"),
        (11, 1, [due(10_000)], False, "broken"),
        (11, 1, [due(10_000)], True, "coming 2"),
        (11, 1, [due(5_000, 5_000)], False, "coming 2"),
        (11, 1, [due(0, 10_000)], False, "kept"),
        (1, 0, [due(0)], False, "kept"),
        (1, 0, [], False, "kept"),
    ],
)
def test_a_day_tells_misses_breaks_or_keeps(
    days: int, told: int, dues: list[Due], being_paid: bool, expected: str
) -> None:
    made = promise(days=(FIRST, SECOND), told=told)
    found = rules.day_of(made, dues, TODAY + timedelta(days=days), being_paid=being_paid)
    said = [str(found.over)] if found.over else []
    said += [f"missed {found.missed.number}"] if found.missed else []
    said += [f"coming {found.coming.number}"] if found.coming else []
    assert " ".join(said) == expected


def test_an_instalment_that_is_charged_and_was_never_announced_is_not_missed() -> None:
    made = promise(method_id="meth_a")
    found = rules.day_of(made, [due(10_000)], FIRST + timedelta(days=30), being_paid=False)
    assert found.over is None and found.coming is not None and found.missed is None


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(most_days=6), "late"),
        (Limits(most_minor=9_999), "much"),
        (Limits(most_at_once=1), "many"),
        (Limits(months_after_broken=1), "broken"),
    ],
)
def test_beyond_a_limit_somebody_is_asked_and_at_it_nobody(limits: Limits, code: str) -> None:
    before = (
        promise(id="prm_1", covers=()),
        promise(id="prm_2", covers=(), state=PromiseState.BROKEN, history=(StateChange(AT, PromiseState.BROKEN),)),
    )
    roomy = Limits(most_days=7, most_minor=10_000, most_at_once=2, months_after_broken=0)
    wanted = Wanted(("inv_1",), FIRST)
    assert rules.offer(wanted, case(limits=roomy, earlier=before)).beyond == ()
    name = {"late": "most_days", "much": "most_minor", "many": "most_at_once", "broken": "months_after_broken"}[code]
    strict = replace(roomy, **{name: getattr(limits, name)})
    assert rules.offer(wanted, case(limits=strict, earlier=before)).beyond == (code,)


@pytest.mark.parametrize("state", PromiseState)
def test_states_move_along_the_table_only(state: PromiseState) -> None:
    for there in PromiseState:
        if there in MOVES[state]:
            assert rules.into(promise(state=state), there, AT).state is there
        else:
            with pytest.raises(Refusal, match="promise_over"):
                rules.into(promise(state=state), there, AT)


def test_a_request_whose_first_day_has_come_is_not_agreed_to() -> None:
    asked = promise(state=PromiseState.ASKED)
    with pytest.raises(Refusal, match="promise_outdated"):
        rules.agreed(asked, case(today=FIRST), AT)
    with pytest.raises(Refusal, match="promise_outdated"):
        rules.agreed(asked, case(candidate(minor=0)), AT)


def test_limits_out_of_range_are_each_named() -> None:
    policy = LimitsPolicy(Limits(most_days=-1, most_instalments=0), {"public": Limits(grace_days=99)})
    with pytest.raises(Refusal) as refused:
        rules.check_limits(policy)
    assert {p.field for p in refused.value.problems} == {
        "most_days",
        "most_instalments",
        "segments.public.grace_days",
    }


def test_an_accounts_own_limits_go_before_its_segments_and_those_before_everybodys() -> None:
    policy = LimitsPolicy(Limits(1), {"public": Limits(2)})
    found = [
        rules.limits_for(policy, *asked).most_days for asked in ((Limits(3), "public"), (None, "public"), (None, ""))
    ]
    assert found == [3, 2, 1]
