"""Interest that compounds, percents of later days, fees and a cap: agreed with an account, charged as quotes say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import LateFee, LatePolicy, LateTerms, MonthCount, TaxStatus, Terms
from saldo.accounts.records import terms_from, terms_text
from saldo.accounts.rules import COMPOUNDING, check_terms
from saldo.audit.model import Actor
from saldo.insight.invariants import check_all
from saldo.invoicing.rules_interest import Owed, late_charges
from saldo.invoicing.rules_late_law import REFERENCE_RATES
from saldo.invoicing.rules_late_payment import Debt, LateCase, charges_on
from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.periods import Unit, add_months
from saldo.kernel.reading import Fields
from saldo.quotes.reading_late import late_from
from tests.simulation.test_late_charges import Late
from tests.simulation.world import ENTITY

CLERK = Actor("user_eu_clerk", "staff")
DUE = date(2025, 1, 31)
TWELVE = LateTerms(LatePolicy.CONTRACT, Decimal(12))
REMINDING = LateFee(10, amount_minor=500, every_days=30, times=2)


def charged(terms: LateTerms, on: date, minor: int = 100_000, *moves: tuple[date, int]) -> dict[str, int]:
    debt = Debt("inv_1", "EUR", DUE, ((date(2025, 1, 1), minor), *moves))
    case = LateCase(terms, "DE", TaxStatus.BUSINESS, REFERENCE_RATES)
    return {charge.id.replace("inv_1-", ""): charge.money.minor for charge in charges_on(debt, case, on)}


def test_interest_bears_interest_where_that_is_agreed() -> None:
    monthly = charged(replace(TWELVE, per_month=True, percent=Decimal(1), compounds=Unit.MONTH), date(2025, 5, 1))
    assert sum(monthly.values()) > sum(
        charged(replace(TWELVE, per_month=True, percent=Decimal(1)), date(2025, 5, 1)).values()
    )
    assert sum(monthly.values()) == 3_030, "three whole months of one per cent, each on the interest before"


def test_a_percent_of_later_days_holds_from_its_day() -> None:
    falling = replace(TWELVE, later=((date(2025, 3, 1), Decimal(6)),))
    assert charged(falling, date(2025, 4, 1)) == {"interest-202502": 921, "interest-202503": 509}


def test_interest_may_count_from_the_end_of_grace() -> None:
    patient = replace(TWELVE, grace_days=28)
    assert charged(patient, date(2025, 4, 1)) == {"interest-202502": 921, "interest-202503": 1019}
    assert charged(replace(patient, from_grace=True), date(2025, 4, 1)) == {"interest-202503": 1019}


def test_a_fee_is_charged_on_each_day_on_which_it_falls_due() -> None:
    reminded = replace(TWELVE, fees=(REMINDING, LateFee(10, percent=Decimal(1), most_minor=700)))
    assert charged(reminded, date(2025, 2, 12)) == {"latefee-20250211": 1200}
    assert charged(reminded, date(2025, 4, 1)) == {
        "latefee-20250211": 1200,
        "interest-202502": 921,
        "latefee-20250313": 500,
        "interest-202503": 1019,
    }
    paid = charged(reminded, date(2025, 4, 1), 100_000, (date(2025, 2, 20), -100_000))
    assert "latefee-20250313" not in paid, "nothing was late any more"


def test_interest_and_fees_together_stop_at_the_most() -> None:
    capped = replace(TWELVE, most_percent=Decimal(2), fees=(REMINDING,))
    assert charged(capped, date(2025, 6, 1)) == {
        "latefee-20250211": 500,
        "interest-202502": 921,
        "latefee-20250313": 500,
        "interest-202503": 79,
    }


FEES = st.builds(
    LateFee,
    after_days=st.integers(0, 60),
    amount_minor=st.integers(1, 2_000),
    percent=st.sampled_from([Decimal(0), Decimal("0.5")]),
    every_days=st.sampled_from([None, 7, 30]),
    times=st.sampled_from([None, 1, 3]),
)
COUNTING: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {
            "year_days": st.sampled_from([None, 360, 366]),
            "thirty_days": st.booleans(),
            "daily_rounding": st.booleans(),
        }
    ),
    st.fixed_dictionaries({"calendar_year": st.just(True), "daily_rounding": st.booleans()}),
    st.fixed_dictionaries({"months": st.sampled_from(MonthCount)}),
    st.fixed_dictionaries({"compounds": st.sampled_from(COMPOUNDING), "year_days": st.sampled_from([None, 360])}),
)
SIMPLE = st.builds(
    LateTerms,
    policy=st.just(LatePolicy.CONTRACT),
    percent=st.decimals(Decimal("0.1"), 20, places=1),
    per_month=st.booleans(),
    grace_days=st.integers(0, 40),
    from_grace=st.booleans(),
    later=st.sampled_from([(), ((date(2025, 4, 15), Decimal(3)),)]),
    most_percent=st.sampled_from([None, Decimal(1), Decimal(5)]),
    fees=st.lists(FEES, max_size=2).map(tuple),
)
AGREED = st.builds(lambda late, counting: replace(late, **counting), SIMPLE, COUNTING)
PART = st.tuples(st.integers(1, 300), st.integers(1, 99))


@settings(max_examples=100, deadline=None)
@given(AGREED, st.integers(1, 1_000_000), st.integers(1, 11), st.one_of(st.none(), PART))
def test_what_is_charged_month_by_month_comes_to_what_a_quote_says_and_nothing_is_charged_otherwise_later(
    terms: LateTerms, minor: int, months: int, part: tuple[int, int] | None
) -> None:
    check_terms(Terms(late=terms), "EUR")
    assert terms_from(terms_text(Terms(late=terms))) == Terms(late=terms)
    end = add_months(date(2025, 2, 1), months)
    # Whether a debt outlasts its grace is known on the day after: a run looks back then, a quote ends with the day.
    assume(DUE + timedelta(days=terms.grace_days + 1) != end)
    last, moves, owed = end - timedelta(days=1), list[tuple[date, int]](), list[Owed]()
    on, paid = (DUE + timedelta(days=part[0]), minor * part[1] // 100) if part else (last, 0)
    if part and on < last:
        moves, owed = [(on, -paid)], [Owed(on, last, minor - paid)]
    found = charged(terms, end, minor, *moves)
    for earlier in (add_months(end, -1), end - timedelta(days=5)):
        before = charged(terms, earlier, minor, *moves)
        assert {id_: found.get(id_) for id_ in before} == before
    assert all(one > 0 for one in found.values())
    problems = Problems()
    rule = late_from(Fields(quoted_as(terms), problems), "EUR")
    problems.refuse_if_any("not read", "invalid_input")
    quoted = late_charges([Owed(DUE, min(on, last), minor), *owed], "EUR", rule)
    assert sum(found.values()) == quoted.interest_minor + quoted.fees_minor


def quoted_as(terms: LateTerms) -> dict[str, Any]:
    """What a quote's document says of the same interest and fees."""
    said: dict[str, Any] = {"percent": str(terms.percent), "per": "month" if terms.per_month else "year"}
    said |= {
        name: True for name in ("from_grace", "calendar_year", "thirty_days", "daily_rounding") if getattr(terms, name)
    }
    said |= {"grace_days": terms.grace_days, "months": terms.months.value}
    said |= {"year_days": terms.year_days} if terms.year_days else {}
    said |= {"compounds": terms.compounds.value} if terms.compounds else {}
    said |= {"most_percent": str(terms.most_percent)} if terms.most_percent else {}
    said["later"] = [{"from_on": on.isoformat(), "percent": str(percent)} for on, percent in terms.later]
    said["fees"] = [
        {"after_days": fee.after_days, "amount": f"{Decimal(fee.amount_minor) / 100}", "percent": str(fee.percent)}
        | {name: value for name, value in (("every_days", fee.every_days), ("times", fee.times)) if value}
        for fee in terms.fees
    ]
    return said


def test_days_and_months_of_interest_count_as_agreed() -> None:
    until = date(2025, 4, 1)
    assert charged(replace(TWELVE, year_days=360), until) == {"interest-202502": 933, "interest-202503": 1034}
    assert charged(replace(TWELVE, thirty_days=True), until) == {"interest-202502": 933, "interest-202503": 1067}
    begun = replace(TWELVE, percent=Decimal(1), per_month=True, months=MonthCount.BEGUN)
    debt = Debt("inv_1", "EUR", date(2025, 1, 20), ((date(2025, 1, 1), 100_000),))
    case = LateCase(begun, "DE", TaxStatus.BUSINESS, REFERENCE_RATES)
    assert [c.money.minor for c in charges_on(debt, case, until)] == [1000, 1000, 1000]
    full = replace(case, terms=replace(begun, months=MonthCount.FULL))
    assert [(c.id, c.money.minor) for c in charges_on(debt, full, until)] == [
        ("interest-inv_1-202502", 1000),
        ("interest-inv_1-202503", 1000),
    ]
    # 100.00 at 12 % costs 3.29 cents a day: rounded to 3 cents it is 84 in February, not 92
    assert charged(replace(TWELVE, daily_rounding=True), until, 10_000) == {
        "interest-202502": 84,
        "interest-202503": 93,
    }


def test_what_a_day_costs_is_rounded_by_the_days_of_its_own_year() -> None:
    debt = Debt("inv_1", "EUR", date(2028, 11, 30), ((date(2028, 11, 1), 100_000),))
    terms = replace(TWELVE, percent=Decimal("0.1827"), calendar_year=True, daily_rounding=True)
    case = LateCase(terms, "DE", TaxStatus.BUSINESS, REFERENCE_RATES)
    # 0.499 cents a day in the leap year 2028, which is nothing; 0.5005 in 2029, a cent
    found = [(c.month, c.money.minor) for c in charges_on(debt, case, date(2029, 3, 1))]
    assert found == [(date(2029, 1, 1), 31), (date(2029, 2, 1), 28)]


def test_terms_that_nobody_could_keep_are_refused_with_every_reason() -> None:
    late = Late(LateTerms())
    wrong = LateTerms(
        LatePolicy.STATUTORY,
        compounds=Unit.WEEK,
        later=((date(2026, 1, 1), Decimal(101)), (date(2026, 1, 1), Decimal(1))),
        most_percent=Decimal(0),
        fees=(LateFee(-1), LateFee(1, amount_minor=5, least_minor=9, most_minor=8, every_days=0, times=0)),
    )
    with pytest.raises(Refusal, match="invalid_terms") as refused:
        Arrangements(late.world.store, late.world.clock).change_terms(late.account, Terms(late=wrong), CLERK)
    assert [(p.field.removeprefix("late."), p.code) for p in refused.value.problems] == [
        ("later", "not_agreed"),
        ("compounds", "not_agreed"),
        ("compounds", "not_supported"),
        ("most_percent", "not_above_zero"),
        ("later", "not_rising"),
        ("later[0].percent", "out_of_range"),
        ("fees[0].amount", "missing"),
        ("fees[0].after_days", "negative"),
        ("fees[1].most", "below_least"),
        ("fees[1].every_days", "below_one"),
        ("fees[1].times", "below_one"),
    ]
    for nothing in (LateTerms(fees=(REMINDING,)), LateTerms(daily_rounding=True), LateTerms(year_days=360)):
        with pytest.raises(Refusal, match="without a policy"):
            check_terms(Terms(late=nothing), "EUR")


def test_days_that_count_in_two_ways_at_once_are_refused_on_record_and_in_quotes() -> None:
    both = replace(TWELVE, year_days=0, calendar_year=True, thirty_days=True, compounds=Unit.MONTH, daily_rounding=True)
    with pytest.raises(Refusal, match="invalid_terms") as refused:
        check_terms(Terms(late=both), "EUR")
    problems = Problems()
    late_from(Fields(quoted_as(replace(both, year_days=None)) | {"year_days": 0}, problems), "EUR")
    said = [(p.field, p.code) for p in problems.found]
    assert said == [
        ("year_days", "below_one"),
        ("calendar_year", "one_of_two"),
        ("compounds", "one_of_two"),
        ("daily_rounding", "one_of_two"),
    ]
    assert [(p.field.removeprefix("late."), p.code) for p in refused.value.problems] == said


def test_a_run_bills_agreed_fees_once_each() -> None:
    late = Late(replace(TWELVE, fees=(REMINDING,)))
    late.world.run(date(2026, 2, 1))
    late.world.now = datetime(2026, 2, 20, 1, tzinfo=UTC)
    (fee,) = late.charges.assess(ENTITY.id).added
    assert fee.startswith("latefee-") and fee.endswith("-20260211")
    assert late.charges.assess(ENTITY.id).added == []
    late.world.now = datetime(2026, 3, 1, 1, tzinfo=UTC)
    late.charges.assess(ENTITY.id)
    late.world.run(date(2026, 3, 1))
    names = {i["names"]["en"] for i in late.world.store.scan() if i["kind"] == "item"}
    assert "Late fee on invoice RW-2026-000001, day 11 after the due date (2026-02-11)" in names
    assert check_all(late.world.store).violations == []
