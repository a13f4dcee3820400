"""Differences too small to chase: what a payment leaves within the seller's tolerance is written off."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.portal.presenters.invoice_history import history_of
from functions.portal.presenters.invoices import invoice_view
from functions.portal.presenters.statements import described
from functions.portal.words import LANGUAGES, Words
from saldo.accounts.model import EarlyDiscount
from saldo.insight.invariants import check_all
from saldo.invoicing.choices import change_choices, choices_of
from saldo.invoicing.model import BillingOptions
from saldo.invoicing.reading import invoice
from saldo.invoicing.records import header_item
from saldo.invoicing.rules_tolerance import Tolerance
from saldo.kernel.errors import Refusal
from saldo.ledger.model import EntryKind, LedgerAccount
from saldo.ledger.model_statement import Line
from saldo.ledger.service import entries, stored_balances
from saldo.quotes.model_receivables import CreditAsked, PaymentMade, ReceivablesAsked
from saldo.quotes.model_receivables import Terms as QuotedTerms
from saldo.quotes.rules_receivables import receivables
from tests.simulation.region import Region, quiet
from tests.simulation.test_early_discounts import CLERK, IN_FIRST, JAN, STEPS, TOO_LATE, TOTAL, Early
from tests.simulation.workflows import exchange
from tests.simulation.world import ENTITY

CENTS = Tolerance(amount_minor=50)


def tolerant(tolerance: Tolerance = CENTS, discounts: tuple[EarlyDiscount, ...] = (), currency: str = "EUR") -> Early:
    early = Early(discounts)
    options = BillingOptions(tolerances=((currency, tolerance),))
    change_choices(early.world.store, early.world.clock, ENTITY.id, options, CLERK)
    return early


@pytest.mark.parametrize(
    ("tolerance", "left", "written_off"),
    [
        (CENTS, 50, 50),
        (CENTS, 51, 0),
        (Tolerance(amount_minor=500, percent=Decimal("0.5")), 34, 34),
        (Tolerance(amount_minor=500, percent=Decimal("0.5")), 35, 0),
        (Tolerance(amount_minor=500, clerk_minor=20), 20, 20),
        (Tolerance(amount_minor=500, clerk_minor=20), 21, 0),
        (Tolerance(amount_minor=0), 1, 0),
    ],
)
def test_what_a_payment_leaves_within_the_lowest_limit_is_written_off(
    tolerance: Tolerance, left: int, written_off: int
) -> None:
    early = tolerant(tolerance)
    early.pay(TOTAL - left, TOO_LATE)
    assert (early.now().open_minor, early.now().tolerated_minor) == (left - written_off, written_off)
    assert early.balances().get("small_difference", 0) == written_off
    assert early.balances()["tax_payable"] == -1074, "the tax of what was invoiced is owed as it was"
    early.check()


def test_it_is_one_balanced_entry_with_a_reason_on_the_trail() -> None:
    early = tolerant()
    payment = early.pay(TOTAL - 3, TOO_LATE)
    assert early.pay(TOTAL - 3, TOO_LATE) == payment
    (entry,) = (e for e in entries(early.world.store, early.account) if e.kind is EntryKind.DIFFERENCE_WRITTEN_OFF)
    assert [(p.account, p.minor) for p in entry.postings] == [
        (LedgerAccount.SMALL_DIFFERENCE, 3),
        (LedgerAccount.RECEIVABLES, -3),
    ]
    trail = [i for i in early.world.store.scan() if i.get("action") == "difference.written_off"]
    assert [(i["reason"], early.invoice.invoice_id in str(i["after"])) for i in trail] == [
        ("what was left is within the seller's tolerance", True)
    ]


def test_what_is_left_of_an_invoice_in_another_currency_leaves_nothing_in_the_sellers_own() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.little_left(region)
        exchange.settle(region)
        assert exchange.left_to_pay(region) == 0
        found = {kind: minor for (_, kind), minor in stored_balances(region.store, exchange.BUYER).items() if minor}
        assert found[LedgerAccount.SMALL_DIFFERENCE] == 30 and LedgerAccount.RECEIVABLES not in found
        assert check_all(region.store).violations == []


def test_the_limit_of_one_currency_says_nothing_of_another() -> None:
    early = tolerant(currency="USD")
    early.pay(TOTAL - 1, TOO_LATE)
    assert early.now().open_minor == 1


def test_nothing_is_written_off_of_what_is_in_dispute_and_a_discount_in_time_goes_before() -> None:
    early = tolerant()
    early.world.store.put_many([header_item(replace(early.now(), disputed_minor=1))])
    early.pay(TOTAL - 10, TOO_LATE)
    assert (early.now().open_minor, early.now().disputed_minor) == (10, 1)
    discounted = tolerant(Tolerance(amount_minor=500), STEPS)
    discounted.pay(TOTAL - 203, IN_FIRST)
    assert (discounted.now().open_minor, discounted.now().tolerated_minor) == (0, 0)
    assert "small_difference" not in discounted.balances()


def test_money_that_the_bank_takes_back_opens_what_was_written_off_with_it() -> None:
    early = tolerant(Tolerance(amount_minor=300), STEPS)
    first = early.pay(1, TOO_LATE, "line 1")
    payment = early.pay(TOTAL - 201, TOO_LATE, "line 2")
    assert (early.now().open_minor, early.now().tolerated_minor) == (0, 200)
    early.receiving.take_back(early.account, payment.id, date(2026, 1, 19), CLERK, "recalled")
    assert (early.now().open_minor, early.now().discounted) == (TOTAL - 1, ())
    assert "small_difference" not in early.balances()
    early.receiving.take_back(early.account, first.id, date(2026, 1, 19), CLERK, "recalled")
    assert early.now().open_minor == TOTAL
    early.check()


def test_it_is_not_taken_back_once_a_credit_note_gave_a_part_of_it_back() -> None:
    early = tolerant()
    payment = early.pay(TOTAL - 40, TOO_LATE)
    early.credit(net_minor=1000)
    with pytest.raises(Refusal, match="not_payable"):
        early.receiving.take_back(early.account, payment.id, date(2026, 1, 21), CLERK, "recalled")


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 50), st.lists(st.integers(1, 3000), max_size=3))
def test_credit_notes_give_back_what_was_paid_and_no_more(left: int, nets: list[int]) -> None:
    early = tolerant()
    early.pay(TOTAL - left, TOO_LATE)
    rest = 5650
    for n, net in enumerate(nets):
        if net <= rest:
            early.credit(f"r{n}", net_minor=net)
            rest -= net
    if rest:
        early.credit("last")
    assert early.balances() == {"bank": TOTAL - left, "customer_credit": -(TOTAL - left)}
    assert early.now().discounted == ()
    early.check()


PARTS = st.lists(st.tuples(st.integers(0, 18), st.integers(1, TOTAL)), min_size=1, max_size=3)
LIMITS = st.builds(
    Tolerance,
    amount_minor=st.one_of(st.none(), st.integers(0, 4000)),
    percent=st.one_of(st.none(), st.decimals(0, 60, places=1)),
    clerk_minor=st.one_of(st.none(), st.integers(0, 4000)),
).filter(lambda one: one != Tolerance())


@settings(max_examples=40, deadline=None)
@given(LIMITS, PARTS, st.booleans(), st.booleans())
def test_payments_on_record_write_off_what_a_quote_says(
    tolerance: Tolerance, parts: list[tuple[int, int]], credited: bool, steps: bool
) -> None:
    early = tolerant(tolerance, STEPS if steps else ())
    assert choices_of(early.world.store, ENTITY.id).tolerance_in("EUR") == tolerance
    paid = [(JAN + timedelta(days=days), minor) for days, minor in sorted(parts)]
    payments = [early.pay(minor, on, f"line {n}") for n, (on, minor) in enumerate(paid)]
    notes: tuple[CreditAsked, ...] = ()
    if credited:
        early.credit()
        notes = (CreditAsked(date(2026, 1, 20), 1),)
    agreed = QuotedTerms(tolerance=tolerance)
    asked = ReceivablesAsked(events=(*(PaymentMade(*one) for one in paid), *notes), terms=agreed)
    quoted = receivables(asked, [early.body()])
    (there,), header, balances = quoted.invoices, early.now(), early.balances()
    assert (header.open_minor, header.tolerated_minor) == (there.open_minor, there.written_off_minor)
    assert balances.get("small_difference", 0) == there.written_off_minor
    unapplied = sum(p.unapplied_minor for p in payments)
    assert unapplied - balances.get("customer_credit", 0) == quoted.credit_minor
    early.check()


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_history_and_statement_say_what_was_written_off(language: str) -> None:
    early, words = tolerant(), Words(language)
    early.pay(TOTAL - 3, TOO_LATE)
    view = invoice_view(invoice(early.world.store, early.account, early.invoice.invoice_id), JAN, "UTC", words)
    sums = {name: amount for name, _, amount, _ in view.sums}
    assert sums[words("invoice.written_off")] == words.amount(-3, "EUR")
    assert sums[words("invoice.paid")] == words.amount(3 - TOTAL, "EUR")
    told = [what for what, _ in history_of(early.now(), {}, JAN, "UTC", words)]
    assert told.count(words("history.written_off", amount=words.money(3, "EUR"))) == 1
    line = Line("2026-01-16", "EUR", EntryKind.DIFFERENCE_WRITTEN_OFF, "pay_1/0", -3, "")
    assert described(line, {}, "", words) == (words("statement.difference_written_off"), "/payments/pay_1")


def test_limits_that_cannot_be_kept_are_refused_with_every_reason() -> None:
    early = Early()
    wrong = (("EUR", Tolerance(-1, Decimal(101), -2)), ("euro", Tolerance()))
    with pytest.raises(Refusal, match="invalid_tolerance") as refused:
        change_choices(early.world.store, early.world.clock, ENTITY.id, BillingOptions(tolerances=wrong), CLERK)
    assert [(p.field, p.code) for p in refused.value.problems] == [
        ("tolerances.EUR.amount", "negative"),
        ("tolerances.EUR.clerk_amount", "negative"),
        ("tolerances.EUR.percent", "out_of_range"),
        ("tolerances.euro", "invalid_currency"),
        ("tolerances.euro.amount", "missing"),
    ]
