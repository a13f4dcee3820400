"""Interest that compounds, percents of later days, fees and a cap: agreed with an account, charged as quotes say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import LateFee, LatePolicy, LateTerms, TaxStatus, Terms
from saldo.accounts.records import terms_from, terms_text
from saldo.audit.model import Actor
from saldo.insight.invariants import check_all
from saldo.invoicing.rules_interest import LateInterest, Owed, late_charges
from saldo.invoicing.rules_late_law import REFERENCE_RATES
from saldo.invoicing.rules_late_payment import Debt, LateCase, charges_on
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Unit, add_months
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
AGREED = st.builds(
    LateTerms,
    policy=st.just(LatePolicy.CONTRACT),
    percent=st.decimals(Decimal("0.1"), 20, places=1),
    per_month=st.booleans(),
    grace_days=st.integers(0, 40),
    from_grace=st.booleans(),
    later=st.sampled_from([(), ((date(2025, 4, 15), Decimal(3)),)]),
    compounds=st.sampled_from([None, Unit.DAY, Unit.MONTH, Unit.QUARTER, Unit.YEAR]),
    most_percent=st.sampled_from([None, Decimal(1), Decimal(5)]),
    fees=st.lists(FEES, max_size=2).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(AGREED, st.integers(1, 1_000_000), st.integers(1, 10))
def test_what_is_charged_month_by_month_comes_to_what_a_quote_says_and_nothing_is_charged_otherwise_later(
    terms: LateTerms, minor: int, months: int
) -> None:
    assert terms_from(terms_text(Terms(late=terms))) == Terms(late=terms)
    end = add_months(date(2025, 2, 1), months)
    found = charged(terms, end, minor)
    for earlier in (add_months(end, -1), end - timedelta(days=5)):
        before = charged(terms, earlier, minor)
        assert {id_: found.get(id_) for id_ in before} == before
    quoted = late_charges(
        [Owed(DUE, end - timedelta(days=1), minor)],
        "EUR",
        LateInterest(
            terms.percent,
            per=Unit.MONTH if terms.per_month else Unit.YEAR,
            later=terms.later,
            fees=terms.fees,
            compounds=terms.compounds,
            grace_days=terms.grace_days,
            from_grace=terms.from_grace,
            most_percent=terms.most_percent,
        ),
    )
    assert sum(found.values()) == quoted.interest_minor + quoted.fees_minor


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
    nothing: dict[str, Any] = {"fees": (REMINDING,)}
    with pytest.raises(Refusal, match="without a policy"):
        Arrangements(late.world.store, late.world.clock).change_terms(
            late.account, Terms(late=LateTerms(**nothing)), CLERK
        )


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
    assert "Late fee on invoice RW-2026-000001, 02/2026" in names
    assert check_all(late.world.store).violations == []
