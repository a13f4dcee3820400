"""Billing one account: what is charged, what is refused, and what is frozen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from saldo.accounts.model import TaxStatus
from saldo.catalog.model import Capped, Flat, Ramp, RampStep
from saldo.invoicing.codec import body_from_bytes, body_from_json, body_to_bytes, body_to_json
from saldo.invoicing.model import BillingCase, Draft, DueSubscription, InvoiceBody, NothingToBill
from saldo.invoicing.rules import bill, usage_needed
from saldo.invoicing.rules_entry import issue_entry
from saldo.invoicing.rules_soundness import problems_of
from saldo.kernel.errors import Refusal
from saldo.ledger.model import LedgerAccount
from saldo.rating.model import Share
from saldo.subscriptions.model import Alignment
from saldo.tax.model import TaxTreatment
from tests.unit.invoicing.scenes import BASE, BUYER, FULL, TAX, TOKENS, case_of, plan, sold

START = date(2023, 11, 15)


def drafted(case: BillingCase) -> InvoiceBody:
    outcome = bill(case, TAX)
    assert isinstance(outcome, Draft)
    return outcome.body


def refused(case: BillingCase) -> str:
    with pytest.raises(Refusal) as refusal:
        bill(case, TAX)
    return refusal.value.code


def test_the_first_invoice_charges_the_coming_period_and_the_setup_once() -> None:
    body = drafted(case_of(FULL, sold(FULL, START, quantities={"seats": Decimal(4)}), as_of=START))
    assert [(line.component_id, line.net_minor) for line in body.lines] == [
        ("base", 4990),
        ("seats", 5000),
        ("setup", 9900),
    ]
    assert (body.net_minor, body.tax_minor, body.total_minor) == (19890, 3779, 23669)
    assert body.due_on == date(2023, 12, 15)
    assert problems_of(body) == ()


def test_the_second_invoice_charges_usage_of_the_past_period_and_the_fees_of_the_next() -> None:
    case = case_of(FULL, sold(FULL, START), as_of=START)
    first = bill(case, TAX)
    later = case_of(FULL, *first.subscriptions, as_of=date(2023, 12, 15), used={"tokens": Decimal(15000)})
    body = drafted(later)
    assert [(line.component_id, line.net_minor) for line in body.lines] == [
        ("tokens", 10700),
        ("base", 4990),
        ("seats", 1250),
    ]
    assert body.lines[0].period.as_text() == "2023-11-15/2023-12-15"
    assert [step.units for step in body.lines[0].steps] == [1000, 9000, 5000]


def test_a_short_first_period_on_the_calendar_is_charged_by_its_days() -> None:
    subscription = sold(plan(BASE), START, alignment=Alignment.CALENDAR)
    body = drafted(case_of(plan(BASE), subscription, as_of=START))
    assert body.lines[0].share == Share(16, 30)
    assert body.lines[0].net_minor == 2661


def test_a_late_run_catches_up_every_boundary_on_one_invoice() -> None:
    body = drafted(case_of(FULL, sold(FULL, START), as_of=date(2024, 2, 20), used={"tokens": Decimal(1)}))
    assert [line.component_id for line in body.lines].count("base") == 4
    assert [line.component_id for line in body.lines].count("tokens") == 3
    assert [line.component_id for line in body.lines].count("setup") == 1
    assert len(body.charges) == 4
    assert problems_of(body) == ()


def test_the_same_case_gives_the_same_bytes_and_another_account_another_id() -> None:
    case = case_of(FULL, sold(FULL, START), as_of=START)
    assert body_to_bytes(drafted(case)) == body_to_bytes(drafted(case))
    other = case_of(FULL, sold(FULL, START), as_of=START, account=replace(BUYER, id="acct_eu_other"))
    assert drafted(case).id != drafted(other).id


def test_what_is_billed_once_has_nothing_left_to_bill() -> None:
    done = bill(case_of(FULL, sold(FULL, START), as_of=START), TAX)
    again = bill(case_of(FULL, *done.subscriptions, as_of=START), TAX)
    assert again == NothingToBill(BUYER.id, "no_charges", (), done.subscriptions)


def test_no_usage_on_a_usage_plan_makes_no_invoice_but_moves_the_cursor() -> None:
    usage_plan = plan(TOKENS)
    started = bill(case_of(usage_plan, sold(usage_plan, START), as_of=START), TAX)
    outcome = bill(case_of(usage_plan, *started.subscriptions, as_of=date(2023, 12, 15)), TAX)
    assert isinstance(outcome, NothingToBill)
    assert outcome.reason == "zero_amounts"
    assert outcome.charges == ("sub_1@2023-12-15",)
    assert outcome.subscriptions[0].next_bill_on == date(2024, 1, 15)


def test_a_body_survives_its_codec_unchanged() -> None:
    body = drafted(case_of(FULL, sold(FULL, START), as_of=date(2024, 1, 15), used={"tokens": Decimal("1234.5678")}))
    assert body_from_bytes(body_to_bytes(body)) == body
    assert body_from_json(body_to_json(body)) == body


def test_bytes_that_are_no_invoice_are_refused() -> None:
    with pytest.raises(Refusal, match="unreadable_invoice"):
        body_from_bytes(b"nonsense")
    with pytest.raises(Refusal, match="unreadable_invoice"):
        body_from_json({"v": 99})


def test_the_entry_defers_what_is_billed_in_advance_and_earns_what_was_used() -> None:
    start = bill(case_of(FULL, sold(FULL, START), as_of=START), TAX)
    body = drafted(case_of(FULL, *start.subscriptions, as_of=date(2023, 12, 15), used={"tokens": Decimal(500)}))
    entry = issue_entry(body)
    legs = {(p.account, p.tag): p.minor for p in entry.postings}
    assert legs == {
        (LedgerAccount.RECEIVABLES, None): body.total_minor,
        (LedgerAccount.REVENUE, "rev_tokens"): -500,
        (LedgerAccount.DEFERRED_REVENUE, "rev_base"): -4990,
        (LedgerAccount.DEFERRED_REVENUE, "rev_seats"): -1250,
        (LedgerAccount.TAX_PAYABLE, "DE"): -body.tax_minor,
    }
    assert entry.postings[0].invoice_id == body.id
    assert entry.postings[0].due_on == body.due_on
    assert issue_entry(body).id == entry.id


def test_a_business_in_another_member_state_accounts_for_the_tax_itself() -> None:
    account = replace(BUYER, country="FR")
    body = drafted(case_of(plan(BASE), sold(plan(BASE), START), as_of=START, account=account))
    assert body.tax_minor == 0
    assert [(t.treatment, t.base_minor) for t in body.tax_totals] == [(TaxTreatment.REVERSE_CHARGE, 4990)]
    assert [p.account for p in issue_entry(body).postings] == [
        LedgerAccount.RECEIVABLES,
        LedgerAccount.DEFERRED_REVENUE,
    ]


def test_usage_before_a_rate_change_is_taxed_at_the_rate_of_its_time() -> None:
    account = replace(BUYER, country="EE", tax_status=TaxStatus.CONSUMER, has_tax_id=False)
    mixed = plan(BASE, TOKENS)
    start = bill(case_of(mixed, sold(mixed, date(2023, 12, 1)), as_of=date(2023, 12, 1), account=account), TAX)
    case = case_of(mixed, *start.subscriptions, as_of=date(2024, 1, 1), used={"tokens": Decimal(500)}, account=account)
    totals = {total.percent: total.base_minor for total in drafted(case).tax_totals}
    assert totals == {Decimal(20): 500, Decimal(22): 4990}


def test_accounts_that_cannot_be_billed_are_set_aside_with_a_code() -> None:
    good = case_of(FULL, sold(FULL, START), as_of=date(2023, 12, 15))
    item = good.due[0]
    assert refused(replace(good, due=(DueSubscription(item.subscription, None, ()),))) == "plan_version_missing"
    other = replace(FULL, id="plv_2")
    assert refused(replace(good, due=(replace(item, plan_version=other),))) == "plan_version_mismatch"
    assert refused(replace(good, account=replace(BUYER, currency="USD"))) == "currency_mismatch"
    assert refused(replace(good, account=replace(BUYER, id="acct_eu_x"))) == "foreign_subscription"
    assert refused(replace(good, usage={})) == "usage_total_missing"
    assert refused(replace(good, usage=dict.fromkeys(good.usage, Decimal(-1)))) == "negative_usage"


def test_two_subscriptions_never_bill_one_meter_for_the_same_days() -> None:
    twice = case_of(FULL, sold(FULL, START), sold(FULL, START, "sub_2"), as_of=date(2023, 12, 15))
    assert refused(twice) == "meter_claimed_twice"


def test_a_buyer_whose_tax_cannot_be_decided_is_set_aside() -> None:
    odd = replace(plan(BASE), components=(replace(BASE, tax_category="unheard_of"),))
    assert refused(case_of(odd, sold(odd, START), as_of=START)) == "tax_undecidable"


def test_usage_needed_names_each_total_once() -> None:
    case = case_of(FULL, sold(FULL, START), as_of=date(2024, 1, 20))
    keys = usage_needed(case.due)
    assert [key.period.as_text() for key in keys] == ["2023-11-15/2023-12-15", "2023-12-15/2024-01-15"]


def test_a_tampered_body_is_found_out() -> None:
    body = drafted(case_of(FULL, sold(FULL, START), as_of=START))
    fields = {p.field for p in problems_of(replace(body, net_minor=1, due_on=date(2000, 1, 1), charges=("x",)))}
    assert fields == {"net_minor", "total_minor", "due_on"}
    line = body.lines[0]._replace(net_minor=1, exact=Decimal(7))
    assert {p.code for p in problems_of(replace(body, lines=(line, *body.lines[1:])))} >= {
        "steps_differ",
        "net_differs",
        "tax_differs",
        "lines_differ",
    }


def test_amounts_have_the_minor_digits_of_their_currency() -> None:
    for currency, minor in (("JPY", 50), ("USD", 4990), ("KWD", 49900)):
        priced = plan(BASE, currency=currency)
        account = replace(BUYER, currency=currency)
        assert drafted(case_of(priced, sold(priced, START), as_of=START, account=account)).net_minor == minor


def test_a_ramp_goes_by_cycles_of_the_subscription_also_inside_another_price() -> None:
    ramp = Ramp((RampStep(0, Flat(Decimal(10))), RampStep(2, Flat(Decimal(20)))))
    for price in (ramp, Capped(Decimal(100), ramp)):
        version = plan(replace(BASE, price=price))
        body = drafted(case_of(version, sold(version, START), as_of=date(2024, 2, 15)))
        assert [line.net_minor for line in body.lines] == [1000, 1000, 2000, 2000]


def test_a_free_plan_is_no_invoice() -> None:
    free = plan(replace(BASE, price=Flat(Decimal(0))))
    assert isinstance(bill(case_of(free, sold(free, START), as_of=START), TAX), NothingToBill)
