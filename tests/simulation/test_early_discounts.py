"""Discounts for paying early, in steps: from the terms of an account to the books, and back with a credit note."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import DiscountTax, EarlyDiscount, Terms
from saldo.accounts.records import terms_from, terms_text
from saldo.audit.model import Actor
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.records import InvoiceHeader, body_key, header_from, header_item, header_key
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.rules_early import given_back
from saldo.invoicing.tax_documents import booked_with_documents
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.ledger.model import LedgerAccount
from saldo.ledger.records import balances_from
from saldo.payments.model import Payment
from saldo.payments.receiving import MoneyCame, Receiving
from saldo.quotes.model_receivables import PaymentMade, ReceivablesAsked
from saldo.quotes.rules_receivables import receivables
from saldo.tax.report import report_as_invoiced
from tests.simulation.world import ENTITY, World
from tests.unit.invoicing.scenes import TAX

CLERK = Actor("user_eu_clerk", "staff")
JAN = date(2026, 1, 1)
STEPS = EarlyDiscount(Decimal(3), 7), EarlyDiscount(Decimal(2), 14)
IN_FIRST, IN_SECOND, TOO_LATE = date(2026, 1, 8), date(2026, 1, 15), date(2026, 1, 16)
TOTAL = 6724  # 56.50 and 19 % of it


class Early:
    """A customer with these discounts and one issued invoice."""

    def __init__(self, discounts: tuple[EarlyDiscount, ...] = STEPS, in_part: bool = False) -> None:
        self.world = World()
        (self.account,) = self.world.found(1, started_on=JAN)
        self.agree(Terms(early_discounts=discounts, early_in_part=in_part))
        self.world.run(JAN)
        self.world.now = datetime(2026, 1, 20, 9, tzinfo=UTC)
        (item,) = self.world.store.query_all(self.account, prefix="invoice#")
        self.invoice = header_from(item)
        self.receiving = Receiving(self.world.store, self.world.clock)
        self.corrections = Corrections(self.world.store, self.world.clock, TAX)

    def agree(self, terms: Terms) -> None:
        Arrangements(self.world.store, self.world.clock).change_terms(self.account, terms, CLERK)

    def pay(self, minor: int, on: date, reference: str = "line 1") -> Payment:
        return self.receiving.receive(MoneyCame(self.account, Money(minor, "EUR"), on, reference, CLERK))

    def credit(self, request: str = "r1", **more: Any) -> InvoiceHeader:
        return self.corrections.credit(self.asked(request, **more))

    def asked(self, request: str = "r1", **more: Any) -> CreditRequest:
        return CreditRequest(self.account, self.invoice.invoice_id, request, Reason.PRICE, CLERK, **more)

    def now(self) -> InvoiceHeader:
        item = self.world.store.get(*header_key(self.account, self.invoice.invoice_id))
        assert item is not None
        return header_from(item)

    def body(self) -> InvoiceBody:
        item = self.world.store.get(*body_key(self.account, self.invoice.invoice_id))
        assert item is not None
        return body_from_bytes(item["body"])

    def balances(self) -> dict[str, int]:
        found = balances_from(self.world.store.get(self.account, "balance"))
        return {account.value: minor for (_, account), minor in found.items() if minor}

    def check(self) -> None:
        assert check_all(self.world.store).violations == []
        booked = booked_with_documents(self.world.store, ENTITY.id, JAN, date(2027, 1, 1))
        assert report_as_invoiced(booked, JAN, date(2027, 1, 1)).is_in_order


def test_an_invoice_is_issued_with_each_step_of_its_accounts_discounts() -> None:
    early = Early()
    assert [(o.until_on, o.minor) for o in early.invoice.early] == [(IN_FIRST, 203), (IN_SECOND, 135)]
    assert early.body().early_discounts == STEPS
    assert body_from_bytes(body_to_bytes(early.body())) == early.body()
    early.check()


@pytest.mark.parametrize(
    ("minor", "on", "open_minor", "discount"),
    [
        (TOTAL - 203, IN_FIRST, 0, 203),
        (TOTAL - 135, IN_SECOND, 0, 135),
        (TOTAL - 203, IN_SECOND, 203, 0),
        (TOTAL - 135, TOO_LATE, 135, 0),
        # More than was asked for in time: what the payer kept is the discount.
        (TOTAL - 135, IN_FIRST, 0, 135),
        (TOTAL, IN_FIRST, 0, 0),
    ],
)
def test_money_at_the_bank_takes_the_discount_of_its_day(minor: int, on: date, open_minor: int, discount: int) -> None:
    early = Early()
    early.pay(minor, on)
    balances = early.balances()
    assert early.now().open_minor == balances.get("receivables", 0) == open_minor
    tax = balances["tax_payable"] + 1074
    assert balances.get("early_discount", 0) + tax == discount
    assert tax == {203: 33, 135: 22, 0: 0}[discount]
    early.check()


def test_a_part_paid_early_has_its_part_of_the_discount_where_that_is_agreed() -> None:
    for in_part, left in ((True, 3362), (False, 3463)):
        early = Early(STEPS, in_part)
        early.pay(3261, IN_FIRST, "half")
        assert early.now().open_minor == left
        early.pay(3295, IN_SECOND, "rest")
        assert early.now().open_minor == (0 if in_part else 168)
        early.check()
    early = Early(STEPS, in_part=True)
    early.pay(3261, IN_FIRST, "half")
    rest = early.pay(3295, IN_SECOND, "rest")
    assert early.now().open_minor == 0
    early.receiving.take_back(early.account, rest.id, date(2026, 1, 19), CLERK, "recalled")
    assert early.now().open_minor == 3362
    early.check()
    early.credit()
    assert early.balances() == {"bank": 3261, "customer_credit": -3261}
    early.check()


def test_a_credit_note_of_all_gives_back_what_was_paid_and_leaves_nothing_else_in_the_books() -> None:
    early = Early()
    early.pay(TOTAL - 135, IN_SECOND)
    assert early.credit().total_minor == -TOTAL
    assert early.balances() == {"bank": TOTAL - 135, "customer_credit": -(TOTAL - 135)}
    assert early.now().discounted == ()
    early.check()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 3000), max_size=4))
def test_credit_notes_in_any_amounts_give_back_the_discount_with_its_tax_to_the_last_cent(nets: list[int]) -> None:
    early = Early()
    early.pay(TOTAL - 203, IN_FIRST)
    left = 5650
    for n, net in enumerate(nets):
        if net <= left:
            early.credit(f"r{n}", net_minor=net)
            left -= net
            assert 0 <= -early.balances()["customer_credit"] <= TOTAL - 203
    if left:
        early.credit("last")
    assert early.balances() == {"bank": TOTAL - 203, "customer_credit": -(TOTAL - 203)}
    early.check()


def test_prepaid_credit_and_discount_never_go_back_for_more_than_a_credit_note_gives() -> None:
    taken = ((LedgerAccount.EARLY_DISCOUNT, "", 10),)
    assert given_back(taken, beyond_minor=1, settled_minor=20, most_minor=1) == ((*taken[0][:2], 1),)
    assert given_back(taken, beyond_minor=1, settled_minor=20, most_minor=0) == ()
    assert given_back(taken, beyond_minor=20, settled_minor=20, most_minor=15) == taken


def test_an_invoice_billed_again_keeps_the_discount_that_settled_it() -> None:
    early = Early()
    early.pay(TOTAL - 135, IN_SECOND)
    before = early.balances()
    _, new = early.corrections.rebill(early.asked())
    assert (new.total_minor, new.open_minor, new.status) == (TOTAL, 0, "paid")
    assert early.balances() == before
    early.corrections.credit(replace(early.asked("r2"), invoice_id=new.invoice_id))
    assert early.balances() == {"bank": TOTAL - 135, "customer_credit": -(TOTAL - 135)}
    early.check()


def test_money_that_the_bank_takes_back_takes_its_discount_along() -> None:
    early = Early()
    payment = early.pay(TOTAL - 135, IN_SECOND)
    early.receiving.take_back(early.account, payment.id, date(2026, 1, 19), CLERK, "recalled")
    assert (early.now().open_minor, early.now().discounted) == (TOTAL, ())
    assert early.balances().keys() == {"receivables", "tax_payable", "deferred_revenue"}
    early.check()


def test_it_is_not_taken_back_once_a_credit_note_gave_back_a_part_of_its_discount() -> None:
    early = Early()
    payment = early.pay(TOTAL - 135, IN_SECOND)
    early.credit(net_minor=1000)
    with pytest.raises(Refusal, match="not_payable"):
        early.receiving.take_back(early.account, payment.id, date(2026, 1, 21), CLERK, "recalled")


def test_the_auditor_tells_a_discount_that_the_journal_does_not_have() -> None:
    early = Early()
    early.pay(TOTAL - 135, IN_SECOND)
    (leg, tax) = early.now().discounted
    early.world.store.put_many([header_item(replace(early.now(), discounted=(*[leg] * 2, tax)))])
    (found,) = check_all(early.world.store).violations
    assert (found.invariant, "113 EUR more of early discount" in found.message) == (14, True)


def test_what_was_stored_before_there_were_steps_reads_as_one() -> None:
    one = Early(STEPS[1:])
    item = header_item(one.invoice)
    assert item["early"].keys() == {"until_on", "legs"}
    assert header_from(item) == one.invoice
    assert b'"early_discount":["2",14,"if_early"]' in zlib.decompress(body_to_bytes(one.body())).replace(b" ", b"")
    assert terms_text(Terms(early_discounts=STEPS[1:])) == '{"early": ["2", 14, "if_early"], "review": false}'
    assert terms_from('{"early": ["2.50", 14, "never"], "review": false}') == Terms(
        early_discounts=(EarlyDiscount(Decimal("2.50"), 14, DiscountTax.NEVER),)
    )
    assert terms_from(terms_text(Terms(early_discounts=STEPS))) == Terms(early_discounts=STEPS)


def test_steps_that_nobody_could_keep_are_refused_with_every_reason() -> None:
    early = Early(())
    wrong = (
        EarlyDiscount(Decimal(0), 400),
        EarlyDiscount(Decimal(3), 7, DiscountTax.NEVER),
        EarlyDiscount(Decimal(3), 7, DiscountTax.ALWAYS),
    )
    with pytest.raises(Refusal, match="invalid_terms") as refused:
        early.agree(Terms(early_discounts=wrong))
    assert [(p.field.removeprefix("early_discounts"), p.code) for p in refused.value.problems] == [
        ("[0].percent", "out_of_range"),
        ("[0].days", "out_of_range"),
        ("[1].percent", "not_smaller"),
        ("[1].days", "not_later"),
        ("[1].tax", "not_alike"),
        ("[2].percent", "not_smaller"),
        ("[2].days", "not_later"),
        ("[2].tax", "not_alike"),
    ]


PARTS = st.lists(st.tuples(st.integers(0, 18), st.integers(1, TOTAL)), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(st.decimals(Decimal("0.1"), 40, places=1), st.decimals(Decimal("0.1"), 40, places=1), PARTS, st.booleans())
def test_payments_on_record_settle_and_take_what_a_quote_says(
    first: Decimal, second: Decimal, parts: list[tuple[int, int]], in_part: bool
) -> None:
    """What settled, what is open and the discount make up the total; no step takes more off than the first."""
    high, low = max(first, second), min(first, second)
    steps = (EarlyDiscount(high, 5), EarlyDiscount(low, 12))[: 1 if high == low else 2]
    early = Early(steps, in_part)
    paid = [(JAN + timedelta(days=days), minor) for days, minor in sorted(parts)]
    payments = [early.pay(minor, on, f"line {n}") for n, (on, minor) in enumerate(paid)]
    asked = ReceivablesAsked(events=tuple(PaymentMade(*one) for one in paid))
    quoted = receivables(asked, [early.body()])
    (there,), header = quoted.invoices, early.now()
    discount = sum(minor for _, _, minor in header.discounted)
    assert (header.open_minor, discount) == (there.open_minor, there.discount_taken_minor)
    assert sum(p.unapplied_minor for p in payments) == quoted.credit_minor
    applied = sum(a.minor for p in payments for a in p.applied)
    assert applied + discount + header.open_minor == TOTAL
    assert discount <= max((offer.minor for offer in header.early), default=0)
    assert [offer.minor for offer in header.early] == sorted((o.minor for o in header.early), reverse=True)
    balances = early.balances()
    assert balances.get(LedgerAccount.EARLY_DISCOUNT, 0) + balances.get(LedgerAccount.TAX_PAYABLE, 0) + 1074 == discount
    early.check()
