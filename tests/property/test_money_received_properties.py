"""Money in any currency for invoices of any other, in whatever currency the seller keeps its books."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import Booked, ExchangeRate
from saldo.kernel.money import Money
from saldo.ledger.model import Entry, LedgerAccount
from saldo.ledger.rules import balances, base_amounts, own_currency
from saldo.payments.model import Payable, Payment, PaymentStatus
from saldo.payments.rules import apply_to_open, own_currency_of
from saldo.payments.rules_entries import application_entry
from saldo.payments.rules_receiving import (
    converted,
    converted_by_bank,
    lost_in,
    mirrored,
    receipt_entries,
    returned,
    spread_over,
)

ON = date(2026, 3, 1)
AT = datetime(2026, 3, 1, tzinfo=UTC)
CURRENCIES = ("EUR", "USD", "JPY", "KWD")
WORTH = {"EUR": Decimal(1), "USD": Decimal("1.1"), "JPY": Decimal(160), "KWD": Decimal("0.33")}


def rate_between(own: str, other: str, wobble: Decimal) -> ExchangeRate:
    return ExchangeRate(own, other, (WORTH[other] / WORTH[own] * wobble).quantize(Decimal("0.0000001")), "ECB", ON)


wobbles = st.decimals("0.8", "1.2", places=4)


@st.composite
def receipts(draw: st.DrawFn) -> tuple[str, Payment, list[Entry], dict[str, Payable]]:
    """The seller's own currency, a payment, its entries and the invoices as they were."""
    own, invoiced = draw(st.sampled_from(CURRENCIES)), draw(st.sampled_from(CURRENCIES))
    came = draw(st.sampled_from([code for code in CURRENCIES if code != invoiced]))
    offered = []
    for n in range(draw(st.integers(1, 5))):
        minor = draw(st.integers(1, 500_000))
        rate = rate_between(own, invoiced, draw(wobbles)) if own != invoiced else None
        booked = Booked(rate, rate.convert(Money(minor, invoiced)).minor) if rate else None
        offered.append(Payable(f"inv_{n}", f"N-{n}", "ent_eu_a", invoiced, ON, minor, booked=booked))
    money, rate = Money(draw(st.integers(1, 3_000_000)), came), rate_between(invoiced, came, draw(wobbles))
    wanted = Money(sum(p.open_minor for p in offered), invoiced) if draw(st.booleans()) else None
    try:
        amount, received = converted(money, rate, wanted, draw(st.decimals(0, 5, places=1)))
        if draw(st.booleans()):
            received = converted_by_bank(money, amount, ON)
    except Refusal:
        assume(False)
    day = rate_between(own, came, draw(wobbles)) if own != came else None
    payment = Payment(
        account_id="acct_eu_a",
        id="pay_1",
        entity_id="ent_eu_a",
        booking_zone="UTC",
        status=PaymentStatus.SETTLED,
        amount=amount,
        allocations=spread_over(amount.minor, offered, ON, None),
        reason="",
        gateway="bank",
        started_at=AT,
        settled_at=AT,
        settled_minor=amount.minor,
        parts=1,
        paid_out_at=AT,
        own_currency=own_currency_of(offered),
        exchange=rate_between(own, invoiced, draw(wobbles)) if own != invoiced else None,
        received=received,
    )
    known = {p.invoice_id: p for p in offered}
    entries = list(receipt_entries(payment, own, day))
    applied = apply_to_open(payment.allocations, known)
    entries.append(application_entry(payment, 0, applied, known))
    lost = replace(received, lost_minor=lost_in(entries[:-1]))
    return own, replace(payment, applied=applied, parts_applied=1, received=lost), entries, known


def in_own(entries: list[Entry]) -> Counter[LedgerAccount]:
    found: Counter[LedgerAccount] = Counter()
    for entry in entries:
        for leg, base in zip(entry.postings, base_amounts(entry), strict=True):
            found[leg.account] += base
    return found


@given(receipts())
@settings(max_examples=300, deadline=None)
def test_each_entry_balances_in_its_currency_and_in_the_sellers_own(
    made: tuple[str, Payment, list[Entry], dict[str, Payable]],
) -> None:
    own, _, entries, _ = made
    for entry in entries:
        assert sum(leg.minor for leg in entry.postings) == 0 == sum(base_amounts(entry))
        assert own_currency(entry) == own


@given(receipts())
@settings(max_examples=300, deadline=None)
def test_nothing_is_left_in_clearing_and_what_is_lost_is_what_was_booked_less_what_is_in_the_bank(
    made: tuple[str, Payment, list[Entry], dict[str, Payable]],
) -> None:
    _, payment, entries, known = made
    found = in_own(entries)
    assert found[LedgerAccount.EXCHANGE_CLEARING] == 0
    settled = sum(a.minor if known[a.invoice_id].booked is None else a.booked_minor or 0 for a in payment.applied)
    assert found[LedgerAccount.RECEIVABLES] == -settled
    lying = -found[LedgerAccount.UNAPPLIED_CASH]
    assert found[LedgerAccount.FX_DIFFERENCE] == settled + lying - found[LedgerAccount.BANK]
    if payment.unapplied_minor == 0:
        assert lying == 0
    assert payment.received is not None
    assert payment.received.rate.convert(payment.received.money).minor + payment.received.tolerated_minor == (
        payment.amount.minor
    )


@given(receipts())
@settings(max_examples=200, deadline=None)
def test_what_is_taken_back_leaves_nothing_in_any_account_of_either_currency(
    made: tuple[str, Payment, list[Entry], dict[str, Payable]],
) -> None:
    _, payment, entries, _ = made
    both = [*entries, *(mirrored(payment, entry, ON) for entry in entries)]
    assert not any(balances(both).values()) and not any(in_own(both).values())
    assert len({entry.id for entry in both}) == len(both)
    back = returned(payment, AT)
    assert back.unapplied_minor == 0 and back.received is not None and back.received.lost_minor == 0
