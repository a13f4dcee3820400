"""Interest and fixed sums for late payment: by law or contract, each once, exact over any number of months."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.accounts.model import LatePolicy, LateTerms, TaxStatus, Terms
from saldo.accounts.records import account_from, account_item, terms_from, terms_text
from saldo.audit.model import Actor
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.late_charges import LateCharges
from saldo.invoicing.rules_late_law import REFERENCE_RATES, ReferenceRate
from saldo.invoicing.rules_late_payment import Debt, LateCase, charges_on
from saldo.kernel.errors import Refusal
from saldo.kernel.money import round_exact
from saldo.kernel.periods import add_months
from saldo.storage.flags import Flags
from tests.simulation.world import ENTITY, World

JAN, FEB, MAR, APR = (date(2026, m, 1) for m in (1, 2, 3, 4))
CLERK = Actor("user_eu_clerk", "staff")
STATUTORY = LateTerms(LatePolicy.STATUTORY, compensation=True)


def case(terms: LateTerms = STATUTORY, country: str = "DE", status: TaxStatus = TaxStatus.BUSINESS) -> LateCase:
    return LateCase(terms, country, status, REFERENCE_RATES)


def debt(
    minor: int = 1_000_000, due_on: date = date(2025, 4, 30), *paid: tuple[date, int], currency: str = "EUR"
) -> Debt:
    return Debt("inv_1", currency, due_on, ((date(2025, 4, 1), minor), *((on, -m) for on, m in paid)))


def minor_by_id(found: Debt, on: date, how: LateCase, disputed: int = 0) -> dict[str, int]:
    return {c.id: c.money.minor for c in charges_on(found, how, on, disputed)}


def test_german_law_gives_nine_points_above_the_base_rate_and_forty_euros() -> None:
    found = minor_by_id(debt(), date(2025, 8, 1), case())
    # 2.27 % + 9 until the end of June: 10,000.00 × 11.27 % × 31 / 365; from July on 1.27 % + 9
    assert found == {
        "interest-inv_1-202505": 9572,
        "interest-inv_1-202506": 9263,
        "interest-inv_1-202507": 8722,
        "latefee-inv_1": 4000,
    }


def test_british_law_keeps_the_rate_of_the_half_year_and_pays_by_the_size_of_the_debt() -> None:
    found = minor_by_id(debt(currency="GBP"), date(2025, 8, 1), case(country="GB"))
    # 4.75 % + 8 throughout; £100 for £10,000 and more
    assert found["interest-inv_1-202507"] == 10829 and found["latefee-inv_1"] == 10000


def test_irish_law_keeps_the_rate_too_and_its_sums_are_of_debts_not_exceeding_a_bound() -> None:
    found = minor_by_id(debt(), date(2025, 8, 1), case(country="IE"))
    # 3.15 % + 8 throughout; 70 euros up to 10,000, 100 beyond it
    assert found["interest-inv_1-202507"] == 9470 and found["latefee-inv_1"] == 7000
    assert minor_by_id(debt(1_000_001), date(2025, 6, 1), case(country="IE"))["latefee-inv_1"] == 10000


def test_belgian_law_rounds_the_percent_up_to_half_a_point() -> None:
    found = minor_by_id(debt(), date(2025, 8, 1), case(country="BE"))
    # 3.15 % + 8 are 11.5 % until the end of June; 2.15 % + 8 are 10.5 %
    assert found["interest-inv_1-202505"] == 9767 and found["interest-inv_1-202507"] == 8918


def test_french_law_gives_ten_points_and_consumers_have_no_rule_there() -> None:
    assert minor_by_id(debt(), date(2025, 6, 1), case(country="FR"))["interest-inv_1-202505"] == 11168
    with pytest.raises(Refusal, match="no_statutory_rate"):
        charges_on(debt(), case(country="FR", status=TaxStatus.CONSUMER), date(2025, 6, 1))


def test_a_german_consumer_pays_five_points_and_no_fixed_sum() -> None:
    found = minor_by_id(debt(), date(2025, 6, 1), case(status=TaxStatus.CONSUMER))
    assert found == {"interest-inv_1-202505": 6175}


def test_a_contract_has_its_own_rate_and_none_means_none() -> None:
    agreed = LateTerms(LatePolicy.CONTRACT, Decimal(12))
    assert minor_by_id(debt(), date(2025, 6, 1), case(agreed, country="XX")) == {"interest-inv_1-202505": 10192}
    assert minor_by_id(debt(), date(2025, 6, 1), case(LateTerms())) == {}


def test_only_whole_months_that_are_over_are_charged() -> None:
    assert minor_by_id(debt(), date(2025, 5, 31), case(LateTerms(LatePolicy.STATUTORY))) == {}


def test_interest_agreed_by_the_month_adds_up_to_whole_months_from_the_due_date() -> None:
    monthly = LateTerms(LatePolicy.CONTRACT, Decimal("1.5"), per_month=True)
    assert terms_from(terms_text(Terms(late=monthly))) == Terms(late=monthly)
    found = minor_by_id(debt(1_000_000, date(2025, 4, 30)), date(2025, 8, 1), case(monthly, country="XX"))
    # on 31 May a month and a day of 31 are over, on 30 June two months, on 31 July three and a day of 31
    assert list(found.values()) == [15_484, 14_516, 15_484]


def test_within_the_days_of_grace_nothing_is_charged_and_after_them_all_days_are() -> None:
    patient = LateTerms(LatePolicy.CONTRACT, Decimal(12), grace_days=40)
    assert minor_by_id(debt(), date(2025, 6, 1), case(patient)) == {}
    assert sorted(minor_by_id(debt(), date(2025, 7, 1), case(patient))) == [
        "interest-inv_1-202505",
        "interest-inv_1-202506",
    ]
    paid = debt(1_000_000, date(2025, 4, 30), (date(2025, 6, 2), 1_000_000))
    assert minor_by_id(paid, date(2025, 7, 1), case(patient)) == {}, "it was paid within the days of grace"


def test_disputed_parts_and_interest_itself_bear_no_interest() -> None:
    half = minor_by_id(debt(), date(2025, 6, 1), case(LateTerms(LatePolicy.STATUTORY)), 500_000)
    assert half == {"interest-inv_1-202505": 4786}
    assert minor_by_id(debt(), date(2025, 6, 1), case(), 1_000_000) == {}
    assert minor_by_id(replace(debt(), bears_none=1_000_000), date(2025, 6, 1), case()) == {}


def test_a_fixed_sum_in_another_currency_is_not_guessed() -> None:
    with pytest.raises(Refusal, match="compensation_currency"):
        charges_on(debt(currency="USD"), case(), date(2025, 6, 1))


def test_a_half_year_whose_reference_rate_is_not_on_record_is_not_guessed() -> None:
    late = Debt("inv_1", "EUR", date(2026, 6, 30), ((date(2026, 6, 1), 100_000),))
    with pytest.raises(Refusal, match="reference_rate_missing"):
        charges_on(late, case(), date(2026, 8, 1))


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 10_000_000),
    st.dates(date(2024, 1, 1), date(2025, 1, 31)),
    st.lists(st.tuples(st.integers(1, 300), st.integers(1, 100)), max_size=4),
    st.integers(1, 11),
    st.decimals(Decimal("0.1"), Decimal(30), places=2),
)
def test_the_months_add_up_to_the_interest_on_every_single_day(
    minor: int, due_on: date, payments: list[tuple[int, int]], months: int, percent: Decimal
) -> None:
    paid, left = [], minor
    for days, share in sorted(payments):
        part = left * share // 100
        left -= part
        paid.append((date.fromordinal(due_on.toordinal() + days), -part))
    one = Debt("inv_1", "EUR", due_on, ((due_on, minor), *paid))
    end = add_months(due_on.replace(day=1), months)
    charged = charges_on(one, case(LateTerms(LatePolicy.CONTRACT, percent)), end)
    naive = sum(
        Fraction(percent) * one.open_on(date.fromordinal(day)) / 36500
        for day in range(due_on.toordinal() + 1, end.toordinal())
    )
    assert sum(c.money.minor for c in charged) == round_exact(Fraction(naive))


def test_the_day_of_payment_still_bears_interest_and_payment_on_the_due_day_bears_none() -> None:
    agreed = case(LateTerms(LatePolicy.CONTRACT, Decimal("3.65")))
    paid = debt(1_000_000, date(2025, 4, 30), (date(2025, 5, 20), 1_000_000))
    assert minor_by_id(paid, date(2025, 7, 1), agreed) == {"interest-inv_1-202505": 20 * 100}
    in_time = debt(1_000_000, date(2025, 4, 30), (date(2025, 4, 30), 1_000_000))
    assert minor_by_id(in_time, date(2025, 7, 1), agreed) == {}


class Late:
    """A customer with an invoice of 1 January, due on the 31st, that nobody pays."""

    def __init__(self, terms: LateTerms) -> None:
        self.world = World()
        (self.account,) = self.world.found(1, started_on=JAN)
        self.world.run(JAN)
        account = account_from(self.world.store.get(self.account, "account") or {})
        self.world.store.put_many([account_item(replace(account, terms=Terms(late=terms)))])
        self.charges = LateCharges(self.world.store, self.world.clock)


def test_a_run_bills_interest_once_without_tax_and_interest_bears_none() -> None:
    late = Late(STATUTORY)
    late.world.run(FEB)
    late.world.now = datetime(2026, 3, 1, 1, tzinfo=UTC)
    report = late.charges.assess(ENTITY.id)
    assert [c.split("-")[0] for c in report.added] == ["interest", "latefee"] and report.left_out == []
    assert late.charges.assess(ENTITY.id).added == []
    late.world.run(MAR)
    items = [i for i in late.world.store.scan() if i["kind"] == "body"]
    bodies = sorted((body_from_bytes(i["body"]) for i in items), key=lambda b: b.issued_on)
    lines = {line.names["en"]: line for line in bodies[-1].lines}
    interest = lines["Interest for late payment of invoice RW-2026-000001, 02/2026"]
    assert (interest.net_minor, lines["Compensation for late payment of invoice RW-2026-000001"].net_minor) == (
        53,
        4000,
    )
    assert {(t.treatment.value, t.reason) for t in interest.taxes} == {("outside", "no_supply")}
    # the invoice of March, all unpaid, is late from April on: its interest and fixed sum bear nothing
    late.world.now = datetime(2026, 6, 1, 1, tzinfo=UTC)
    late.charges.assess(ENTITY.id)
    told = {i["sk"]: Decimal(i["unit_price"]) for i in late.world.store.scan() if i["kind"] == "item"}
    may = {sk: price for sk, price in told.items() if sk.endswith("202605")}
    # three invoices of the same charges; with interest on 40.53 of interest and fixed sum the last would bear 93 cents
    assert len(may) == 3 and set(may.values()) == {Decimal("0.58"), Decimal("0.59")}
    assert check_all(late.world.store).violations == []


def test_an_account_without_late_terms_is_left_alone() -> None:
    late = Late(LateTerms())
    late.world.now = datetime(2026, 3, 1, 1, tzinfo=UTC)
    assert late.charges.assess(ENTITY.id).added == []


def test_an_account_that_the_flag_holds_back_is_left_alone_whatever_its_terms_say() -> None:
    late = Late(STATUTORY)
    late.world.run(FEB)
    late.world.now = datetime(2026, 3, 1, 1, tzinfo=UTC)
    held = Flags("eu", lambda: {"late_charges": {"default": False}})
    charges = LateCharges(
        late.world.store, late.world.clock, charged=lambda account: held.on("late_charges", account.terms.segment)
    )
    assert charges.assess(ENTITY.id).added == []
    assert late.charges.assess(ENTITY.id).added != []


def test_what_cannot_be_told_is_reported_and_charged_once_the_rate_is_on_record() -> None:
    late = Late(LateTerms(LatePolicy.STATUTORY))
    late.world.now = datetime(2026, 8, 1, 1, tzinfo=UTC)
    assert {code for _, _, code in late.charges.assess(ENTITY.id).left_out} == {"reference_rate_missing"}
    rate = ReferenceRate("DE", date(2026, 7, 1), date(2027, 1, 1), Decimal("1.02"))
    late.charges.add_reference_rate(rate, CLERK)
    late.charges.add_reference_rate(rate, CLERK)
    with pytest.raises(Refusal, match="rate_known"):
        late.charges.add_reference_rate(replace(rate, percent=Decimal(2)), CLERK)
    report = late.charges.assess(ENTITY.id)
    assert [c.rsplit("-", 1)[1] for c in report.added] == ["202602", "202603", "202604", "202605", "202606", "202607"]
