"""Exchange differences of any payment over any invoices: nothing is left over in the seller's own currency."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.invoicing.rules_early import EarlyOffer, offers_left
from saldo.invoicing.rules_settling import Due
from saldo.kernel.exchange import Booked, ExchangeRate
from saldo.kernel.money import Money
from saldo.ledger.model import Entry, LedgerAccount
from saldo.ledger.rules import base_amounts
from saldo.payments.model import Allocation, Payable, Payment, PaymentStatus
from saldo.payments.rules import apply_to_open, discounts_taken, own_currency_of
from saldo.payments.rules_entries import (
    application_entry,
    discount_entry,
    payout_entry,
    settlement_entry,
    valuation_entry,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DUE = date(2026, 3, 31)
rates = st.decimals("0.01", 200, places=4).map(lambda r: ExchangeRate("EUR", "USD", r, "ECB", date(2026, 2, 27)))


@st.composite
def payables(draw: st.DrawFn) -> list[Payable]:
    """Up to six invoices, booked at any rates or (the first excepted) at none, some with an early discount."""
    found = []
    for n in range(draw(st.integers(1, 6))):
        rate, minor = draw(rates), draw(st.integers(3, 500_000))
        booked = Booked(rate, rate.convert(Money(minor, "USD")).minor) if n == 0 or draw(st.booleans()) else None
        legs = (LedgerAccount.EARLY_DISCOUNT, "", 1), (LedgerAccount.TAX_PAYABLE, "DE", 1)
        early = (EarlyOffer(DUE, legs),) if draw(st.booleans()) else ()
        found.append(Payable(f"inv_{n}", f"N-{n}", "ent_eu_a", "USD", DUE, minor, early, booked=booked))
    return found


def asked_of(payable: Payable, on: date) -> int:
    """What settles it on a day."""
    return Due(0, payable.due_on, payable.open_minor, payable.early).settled_by(on)


def paid(offered: list[Payable], part: int, extra: int, rate: ExchangeRate | None) -> tuple[Payment, list[Entry]]:
    """A settled payment of all of them (or, where there is a discount, of what is asked for early), in parts."""
    known = {p.invoice_id: p for p in offered}
    wanted = tuple(Allocation(p.invoice_id, asked_of(p, AT.date())) for p in offered)
    minor = sum(a.minor for a in wanted) + extra
    payment = Payment(
        account_id="acct_eu_a",
        id="pay_1",
        entity_id="ent_eu_a",
        booking_zone="UTC",
        status=PaymentStatus.SETTLED,
        amount=Money(minor, "USD"),
        allocations=wanted,
        reason="",
        gateway="simulator",
        started_at=AT,
        settled_at=AT,
        settled_minor=minor,
        own_currency=own_currency_of(offered),
        exchange=rate,
    )
    entries = [settlement_entry(payment)]
    for number, start in enumerate(range(0, len(wanted), part)):
        applied = apply_to_open(wanted[start : start + part], known)
        entries.append(application_entry(payment, number, applied, known))
        if discounts := discounts_taken(applied, known, AT.date()):
            entries.append(discount_entry(payment, number, applied, discounts, known))
        payment = replace(payment, applied=(*payment.applied, *applied))
    return replace(payment, paid_out_at=AT), [*entries, payout_entry(payment, payment.amount, AT)]


def in_euros(entries: list[Entry]) -> Counter[tuple[LedgerAccount, str]]:
    found: Counter[tuple[LedgerAccount, str]] = Counter()
    for entry in entries:
        assert sum(base_amounts(entry)) == 0 == sum(leg.minor for leg in entry.postings)
        for leg, base in zip(entry.postings, base_amounts(entry), strict=True):
            found[leg.account, leg.invoice_id or ""] += base
    return Counter({key: minor for key, minor in found.items() if minor})


@settings(max_examples=80, deadline=None)
@given(rates, st.integers(100, 500_000), st.integers(1, 40), st.lists(st.integers(1, 60), max_size=4))
def test_parts_that_have_their_part_of_a_discount_leave_nothing_booked(
    rate: ExchangeRate, minor: int, percent: int, shares: list[int]
) -> None:
    """What the legs of money and discount take off an invoice in the seller's own currency is what it is booked at."""
    one = Payable("inv_0", "N-0", "ent_eu_a", "USD", DUE, minor, early_in_part=True)
    one = replace(one, booked=Booked(rate, rate.convert(Money(minor, "USD")).minor))
    leg = LedgerAccount.EARLY_DISCOUNT, "", max(minor * percent // 100, 1)
    offers, taken = (EarlyOffer(DUE, (leg,)),), 0
    start = one.booked.minor if one.booked else 0
    for share in (*shares, 100):
        if not one.open_minor:
            break
        one = replace(one, early=offers_left(offers, one.open_minor, minor, in_part=True))
        part = max(asked_of(one, DUE) * share // 100, 1)
        offer = one.discount(part, DUE)
        applied = (Allocation(one.invoice_id, part, booked_minor=one.booked_at(part)),)
        payment = replace(paid([one], 1, 0, rate)[0], applied=())
        entries = [application_entry(payment, 0, applied, {one.invoice_id: one})]
        off = part + (offer.minor if offer else 0)
        if offer:
            entries.append(discount_entry(payment, 0, applied, {one.invoice_id: offer}, {one.invoice_id: one}))
        taken -= sum(
            base
            for entry in entries
            for leg, base in zip(entry.postings, base_amounts(entry), strict=True)
            if leg.account is LedgerAccount.RECEIVABLES
        )
        left = one.booked.less(off, Money(one.open_minor, "USD")) if one.booked else None
        one = replace(one, open_minor=one.open_minor - off, booked=left)
    assert one.open_minor == 0 and taken == start


@given(payables(), st.integers(1, 6), st.integers(0, 5_000), rates)
def test_all_that_was_booked_is_settled_and_money_is_worth_its_own_rate(
    offered: list[Payable], part: int, extra: int, rate: ExchangeRate
) -> None:
    payment, entries = paid(offered, part, extra, rate)
    found = in_euros(entries)
    for one in offered:
        if one.booked:
            assert found[LedgerAccount.RECEIVABLES, one.invoice_id] == -one.booked.minor
    worth = rate.convert(payment.amount).minor
    used = rate.convert(Money(payment.amount.minor - extra, "USD")).minor
    assert found[LedgerAccount.BANK, ""] == worth
    assert found[LedgerAccount.UNAPPLIED_CASH, ""] == used - worth
    assert found[LedgerAccount.GATEWAY_CLEARING, ""] == 0


@settings(max_examples=80, deadline=None)
@given(payables(), st.integers(1, 6), st.integers(0, 5_000), rates)
def test_a_rate_that_comes_late_leaves_what_it_would_have_left_at_once(
    offered: list[Payable], part: int, extra: int, rate: ExchangeRate
) -> None:
    _, at_once = paid(offered, part, extra, rate)
    waiting, entries = paid(offered, part, extra, None)
    assert all(leg.account is not LedgerAccount.FX_DIFFERENCE for entry in entries for leg in entry.postings)
    late = valuation_entry(replace(waiting, exchange=rate, parts=1, parts_applied=1))
    assert in_euros([*entries, *([late] if late else [])]) == in_euros(at_once)
    assert late is None or not any(leg.minor for leg in late.postings)


@given(st.integers(1, 10**6), rates, rates)
def test_one_invoice_paid_whole_loses_the_difference_of_the_two_conversions(
    minor: int, booked: ExchangeRate, paid_at: ExchangeRate
) -> None:
    total = Money(minor, "USD")
    one = Payable("inv_0", "N-0", "ent_eu_a", "USD", DUE, minor, booked=Booked(booked, booked.convert(total).minor))
    _, entries = paid([one], 1, 0, paid_at)
    lost = in_euros(entries)[LedgerAccount.FX_DIFFERENCE, ""]
    assert lost == booked.convert(total).minor - paid_at.convert(total).minor


def test_a_seller_of_one_currency_has_entries_without_a_word_of_another() -> None:
    one = Payable("inv_0", "N-0", "ent_eu_a", "USD", DUE, 1000)
    _, entries = paid([one], 1, 0, None)
    assert all(entry.exchange is None and leg.base_minor is None for entry in entries for leg in entry.postings)
    assert Decimal(0) == sum(leg.minor for entry in entries for leg in entry.postings)
