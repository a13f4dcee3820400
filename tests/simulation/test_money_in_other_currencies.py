"""Dollars for an invoice in euros: what they are taken for, what is won or lost, and what the books say of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from saldo.exchange.model import RatePolicy
from saldo.exchange.service import RateImport
from saldo.insight.invariants import check_all
from saldo.invoicing.model import PrepaidCredit
from saldo.invoicing.wallets import Wallets
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import rate_said
from saldo.kernel.money import Money
from saldo.ledger.model import LedgerAccount
from saldo.ledger.rules import base_amounts, own_currency
from saldo.ledger.service import entries, stored_balances
from saldo.payments.differences import differences_of
from saldo.payments.model import Payment
from saldo.payments.receiving import Receiving
from tests.simulation.region import ENTITY_ID, Region, quiet
from tests.simulation.workflows import exchange
from tests.simulation.workflows.exchange import BUYER, receive
from tests.simulation.workflows.scenes import CLERK, open_invoices

DAY = date(2026, 1, 15)
BANK, CLEARING, UNAPPLIED = LedgerAccount.BANK, LedgerAccount.EXCHANGE_CLEARING, LedgerAccount.UNAPPLIED_CASH
DIFFERENCE = LedgerAccount.FX_DIFFERENCE


def owned(region: Region) -> tuple[Counter[LedgerAccount], set[str]]:
    """Balances in the seller's own currency, zeros left out."""
    found: Counter[LedgerAccount] = Counter()
    currencies = set()
    for entry in entries(region.store, BUYER):
        currencies.add(own_currency(entry))
        for leg, base in zip(entry.postings, base_amounts(entry), strict=True):
            found[leg.account] += base
    return Counter({account: minor for account, minor in found.items() if minor}), currencies


def owed(region: Region) -> int:
    return sum(minor for _, minor in open_invoices(region, exchange.DOLLARS))


def number(region: Region) -> str:
    return str(next(iter(region.store.query_all(BUYER, prefix="invoice#")))["number"])


def sound(region: Region) -> None:
    assert check_all(region.store, at_rest=True).violations == []


def test_dollars_are_taken_at_the_rate_of_their_day_and_pay_the_oldest_invoice_in_part() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        before = owed(region)
        payment = receive(region, Money(5000, "USD"))
        assert payment.amount == Money(4762, "EUR") and owed(region) == before - 4762  # 50 / 1.05 = 47.619…
        assert payment.received is not None
        assert payment.received.rate == rate_said("1 EUR = 1.0500 USD", "ECB", DAY)
        balances = stored_balances(region.store, BUYER)
        assert (balances["USD", BANK], balances["USD", CLEARING], balances["EUR", CLEARING]) == (5000, -5000, 4762)
        in_euros, currencies = owned(region)
        assert currencies == {"EUR"} and in_euros[BANK] == 4762
        assert not in_euros.keys() & {CLEARING, UNAPPLIED, DIFFERENCE}
        sound(region)


def test_the_same_line_of_the_bank_again_changes_nothing_and_another_amount_is_refused() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        first = receive(region, Money(5000, "USD"))
        once = stored_balances(region.store, BUYER)
        assert receive(region, Money(5000, "USD")) == first
        assert stored_balances(region.store, BUYER) == once
        with pytest.raises(Refusal) as refused:
            receive(region, Money(5001, "USD"))
        assert refused.value.code == "reference_used"


def test_two_that_read_one_line_of_the_bank_at_once_book_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        first = receive(region, Money(5000, "USD"))
        once, known = stored_balances(region.store, BUYER), Receiving._known
        looked: list[object] = []

        def at_first_not_there_yet(receiving: Receiving, *asked: object) -> Payment | None:
            looked.append(asked)
            return known(receiving, *asked) if len(looked) > 1 else None  # type: ignore[arg-type]

        monkeypatch.setattr(Receiving, "_known", at_first_not_there_yet)
        assert receive(region, Money(5000, "USD")) == first
        assert stored_balances(region.store, BUYER) == once


def test_a_rate_that_was_agreed_wins_or_loses_what_the_day_says_otherwise() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        payment = receive(region, Money(5000, "USD"), rate=rate_said("1 EUR = 1.00 USD", "agreed", DAY))
        assert payment.amount == Money(5000, "EUR")
        in_euros, _ = owned(region)
        assert (in_euros[BANK], in_euros[DIFFERENCE]) == (4762, 238)
        (told,) = differences_of(region.store, ENTITY_ID, DAY, date(2026, 1, 16))
        assert (told.currency, told.minor, told.own_currency, told.lost_minor) == ("USD", 5000, "EUR", 238)
        sound(region)


@pytest.mark.parametrize(("more", "settles"), [(20, True), (-20, True), (200, False), (-200, False)])
def test_what_misses_the_invoice_by_less_than_is_tolerated_settles_it(more: int, settles: bool) -> None:
    """0.5 per cent: the difference is one of exchange, neither a rest to ask for nor credit."""
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        before = owed(region)
        dollars = rate_said("1 EUR = 1.05 USD", "ECB", DAY).convert(Money(before + more, "EUR"))
        payment = receive(region, dollars, invoices=(number(region),))
        in_euros, _ = owned(region)
        if settles:
            assert owed(region) == 0 and payment.unapplied_minor == 0
            assert payment.received is not None and abs(payment.received.tolerated_minor + more) <= 1
            assert in_euros[DIFFERENCE] == payment.received.tolerated_minor
        else:
            assert (owed(region), payment.unapplied_minor) == ((0, more) if more > 0 else (-more, 0))
        sound(region)


def test_what_the_bank_converted_stands_as_the_bank_has_it() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        payment = receive(region, Money(5000, "USD"), credited=Money(4711, "EUR"))
        assert payment.amount == Money(4711, "EUR")
        assert payment.received is not None and payment.received.rate.source == "bank"
        assert payment.received.rate.convert(Money(5000, "USD")) == Money(4711, "EUR")
        balances = stored_balances(region.store, BUYER)
        assert balances["EUR", BANK] == 4711 and ("USD", BANK) not in balances
        sound(region)


def test_without_a_rate_nothing_is_guessed_and_the_money_can_be_kept_as_it_is() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        with pytest.raises(Refusal) as refused:
            receive(region, Money(700, "JPY"))
        assert refused.value.code == "no_exchange_rate"
        payment = receive(region, Money(700, "JPY"), keep=True)
        assert (payment.amount, payment.applied, payment.unapplied_minor) == (Money(700, "JPY"), (), 700)
        assert stored_balances(region.store, BUYER)["JPY", UNAPPLIED] == -700
        sound(region)


def test_money_of_the_invoices_own_currency_is_booked_without_more() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        payment = receive(region, Money(owed(region) + 5, "EUR"))
        assert (owed(region), payment.unapplied_minor, payment.received) == (0, 5, None)
        assert ("EUR", CLEARING) not in stored_balances(region.store, BUYER)
        sound(region)


@pytest.mark.parametrize("own", ["EUR", "USD", "GBP"])
def test_in_whatever_currency_the_seller_keeps_its_books_both_entries_meet_there(own: str) -> None:
    """Invoices in euros, money in yen: the seller's own currency is one of them, or a third."""
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_own(region, own)
        before = owed(region)
        payment = receive(region, Money(8000, "JPY") if own == "GBP" else Money(5000, "USD"))
        assert owed(region) == before - payment.amount.minor
        in_own, currencies = owned(region)
        assert currencies == {own}
        assert CLEARING not in in_own and UNAPPLIED not in in_own and in_own[BANK] > 0
        assert sum(in_own.values()) == 0
        sound(region)


def test_what_cannot_be_taken_is_refused_with_a_code() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        pounds = rate_said("1 EUR = 0.85 GBP", "agreed", DAY)

        def code(money: Money, **more: object) -> str:
            with pytest.raises(Refusal) as refused:
                receive(region, money, **more)
            return refused.value.code

        assert code(Money(0, "USD")) == "not_above_zero"
        assert code(Money(1, "USD"), reference=" ") == "reference_missing"
        assert code(Money(1, "USD"), on=date(2030, 1, 1)) == "in_the_future"
        assert code(Money(1, "USD"), invoices=("RW-0",)) == "unknown_invoice"
        assert code(Money(1, "USD"), rate=pounds) == "other_currency"
        assert code(Money(1, "USD"), credited=Money(1, "GBP")) == "other_currency"
        assert code(Money(1, "USD"), rate=rate_said("1 EUR = 900 USD", "agreed", DAY)) == "not_above_zero"


def test_a_payment_is_read_back_as_it_was_written() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        payment: Payment = receive(region, Money(5000, "USD"))
        assert receive(region, Money(5000, "USD")) == replace(payment)
        RateImport(region.store, region.clock).set_policy(ENTITY_ID, RatePolicy(tolerance=Decimal(1)), CLERK)
        assert RateImport(region.store, region.clock).policy(ENTITY_ID) == RatePolicy(tolerance=Decimal(1))


@pytest.mark.parametrize("own", ["EUR", "USD", "GBP"])
@pytest.mark.parametrize("agreed", [True, False])
def test_what_the_bank_takes_back_leaves_every_account_as_it_was_before_it_came(own: str, agreed: bool) -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_own(region, own)
        before, open_before = stored_balances(region.store, BUYER), owed(region)
        (header_before,) = region.store.query_all(BUYER, prefix="invoice#")
        rate = rate_said("1 EUR = 1.00 USD", "agreed", DAY) if agreed else None
        payment = receive(region, Money(open_before + 5000, "USD"), rate=rate)
        back = Receiving(region.store, region.clock).take_back(BUYER, payment.id, DAY, CLERK, "recalled")
        assert (back.status.value, back.unapplied_minor, back.applied) == ("returned", 0, ())
        after = {name: minor for name, minor in stored_balances(region.store, BUYER).items() if minor}
        assert after == {name: minor for name, minor in before.items() if minor}
        (header,) = region.store.query_all(BUYER, prefix="invoice#")
        gone = {"history", "version"}
        assert {k: v for k, v in header.items() if k not in gone} == {
            k: v for k, v in header_before.items() if k not in gone
        }
        again = Receiving(region.store, region.clock).take_back(BUYER, payment.id, DAY, CLERK, "recalled")
        assert again == back and owed(region) == open_before
        sound(region)


def test_money_that_was_used_otherwise_since_is_not_taken_back() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.owed_in_euros(region)
        payment = receive(region, Money(owed(region) + 2000, "EUR"))
        credit = PrepaidCredit("c1", 1500, DAY)
        Wallets(region.store, region.clock).grant(BUYER, credit, CLERK)
        receiving = Receiving(region.store, region.clock)
        for on, reason, code in ((DAY, "recalled", "money_used"), (DAY, " ", "reason_required")):
            with pytest.raises(Refusal) as refused:
                receiving.take_back(BUYER, payment.id, on, CLERK, reason)
            assert refused.value.code == code
        with pytest.raises(Refusal, match="came after") as refused:
            receiving.take_back(BUYER, payment.id, date(2026, 1, 14), CLERK, "recalled")
        sound(region)


def test_money_that_was_applied_to_the_last_cent_is_taken_back_as_well() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.dollars_came(region)
        before = owed(region)
        exchange.take_back(region)
        assert owed(region) == before + 8571  # 90 / 1.05
        sound(region)


def test_money_whose_worth_was_never_known_is_taken_back_all_the_same() -> None:
    """Dollars for an invoice in dollars of a seller in euros, on a day without a rate."""
    region = Region()
    with quiet(), region.serving():
        exchange.billed_in_dollars(region)
        region.now = max(region.now, datetime(2026, 3, 2, 12, tzinfo=UTC))
        before = owed(region)
        payment = receive(region, Money(2000, "USD"), on=date(2026, 3, 1))
        assert payment.awaits_rate and owed(region) == before - 2000
        assert check_all(region.store).violations == []
        Receiving(region.store, region.clock).take_back(BUYER, payment.id, date(2026, 3, 2), CLERK, "recalled")
        assert owed(region) == before
        sound(region)
