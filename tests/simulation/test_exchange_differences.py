"""What a customer owes in dollars and pays at another rate: won or lost in euros, once, to the cent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from local.cli.__main__ import saldo
from local.cli.site import Sites
from saldo.exchange.model import RatePolicy
from saldo.exchange.service import RateImport
from saldo.insight.invariants import check_all
from saldo.integration.imports_records import account_id_of
from saldo.invoicing.tax_documents import booked_with_documents
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import Money
from saldo.ledger.model import EntryKind, LedgerAccount
from saldo.ledger.rules import base_amounts
from saldo.ledger.service import entries, stored_balances
from saldo.payments.differences import differences_of
from saldo.tax.report import report_as_invoiced
from tests.simulation.region import ENTITY_ID, Region, quiet
from tests.simulation.workflows import exchange, invoke
from tests.simulation.workflows.scenes import CLERK, offer

FX = "EUR", LedgerAccount.FX_DIFFERENCE


def euros(region: Region) -> dict[LedgerAccount, int]:
    """Balances in the seller's own currency, zeros left out."""
    found: dict[LedgerAccount, int] = {}
    for entry in entries(region.store, exchange.BUYER):
        for leg, base in zip(entry.postings, base_amounts(entry), strict=True):
            found[leg.account] = found.get(leg.account, 0) + base
    return {account: minor for account, minor in found.items() if minor}


def total(region: Region) -> Money:
    (item,) = region.store.query_all(exchange.BUYER, prefix="invoice#")
    return Money(item["total_minor"], "USD")


def euro(dollars: str) -> ExchangeRate:
    return ExchangeRate("EUR", "USD", Decimal(dollars), "ECB", date(2026, 1, 1))


def test_the_difference_of_two_days_is_booked_with_the_payment() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.paid_at_a_known_rate(region)
        exchange.settle(region)
        owed = total(region)
        lost = euro("1.1750").convert(owed).minor - euro("1.05").convert(owed).minor
        assert stored_balances(region.store, exchange.BUYER)[FX] == lost < 0
        after = euros(region)
        assert after[LedgerAccount.BANK] == euro("1.05").convert(owed).minor
        assert not after.keys() & {
            LedgerAccount.RECEIVABLES,
            LedgerAccount.UNAPPLIED_CASH,
            LedgerAccount.GATEWAY_CLEARING,
        }
        (applied,) = [e for e in entries(region.store, exchange.BUYER) if e.kind is EntryKind.PAYMENT_APPLIED]
        assert applied.exchange == ExchangeRate("EUR", "USD", Decimal("1.0500"), "ECB", date(2026, 1, 15))
        assert check_all(region.store, at_rest=True).violations == []


def test_money_without_a_rate_is_applied_and_valued_when_the_rate_comes() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.paid_on(region, date(2026, 2, 10))
        exchange.settle(region)
        assert exchange.left_to_pay(region) == 0
        assert FX not in stored_balances(region.store, exchange.BUYER)
        assert check_all(region.store).violations == []
        exchange.value_late(region)
        assert FX not in stored_balances(region.store, exchange.BUYER), "there is still no rate"
        exchange.rates_of(region, (date(2026, 2, 9), "1.2000"))
        region.now += timedelta(hours=1)  # a sweep looks again by then
        exchange.value_late(region)
        late, owed = euros(region), total(region)
        exchange.value_late(region)
        assert euros(region) == late
        assert late[LedgerAccount.FX_DIFFERENCE] == euro("1.1750").convert(owed).minor - euro("1.2").convert(owed).minor
        assert late[LedgerAccount.BANK] == euro("1.2").convert(owed).minor
        assert not late.keys() & {LedgerAccount.RECEIVABLES, LedgerAccount.UNAPPLIED_CASH}
        assert check_all(region.store, at_rest=True).violations == []


def test_late_or_at_once_the_books_in_euros_are_the_same() -> None:
    at_once, late = Region(), Region()
    with quiet(), at_once.serving():
        exchange.billed_in_dollars(at_once)
        exchange.rates_of(at_once, (date(2026, 2, 9), "1.2000"))
        exchange.pay_by_card(at_once, date(2026, 2, 10))
        exchange.settle(at_once)
    with quiet(), late.serving():
        exchange.paid_without_a_rate(late)
        exchange.value_late(late)
    assert euros(at_once) == euros(late)
    assert stored_balances(at_once.store, exchange.BUYER) == stored_balances(late.store, exchange.BUYER)


def test_a_credit_note_takes_off_what_its_invoice_was_booked_at_and_wins_nothing() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.billed_in_dollars(region)
        before = euros(region)[LedgerAccount.RECEIVABLES]
        exchange.credit(region)
        assert FX not in stored_balances(region.store, exchange.BUYER)
        (note,) = [e for e in entries(region.store, exchange.BUYER) if e.kind is EntryKind.CREDIT_NOTE_ISSUED]
        assert euros(region)[LedgerAccount.RECEIVABLES] == before + base_amounts(note)[0]
        exchange.pay_by_card(region, date(2026, 1, 16))
        exchange.settle(region)
        assert LedgerAccount.RECEIVABLES not in euros(region)
        assert check_all(region.store, at_rest=True).violations == []


def test_a_payout_that_is_told_before_the_settlement_ends_in_the_same_books() -> None:
    orders = []
    for backwards in (False, True):
        region = Region()
        with quiet(), region.serving():
            exchange.paid_at_a_known_rate(region)
            if backwards:
                region.queues.waiting.reverse()
            exchange.settle(region)
            assert check_all(region.store, at_rest=True).violations == []
            orders.append(euros(region))
    assert orders[0] == orders[1]


def test_what_was_won_is_listed_with_its_rates_and_what_waits_for_one() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.paid_on(region, date(2026, 2, 10))
        exchange.settle(region)
        listed = list(differences_of(region.store, ENTITY_ID, date(2026, 2, 1), date(2026, 3, 1)))
        assert [(one.rate, one.paid_minor, one.lost_minor) for one in listed] == [(None, None, 0)]
        exchange.rates_of(region, (date(2026, 2, 9), "1.2000"))
        exchange.value_late(region)
        (one,) = differences_of(region.store, ENTITY_ID, date(2026, 2, 10), date(2026, 2, 11))
        assert one.booked_minor is not None and one.paid_minor is not None
        assert one.lost_minor == one.booked_minor - one.paid_minor == stored_balances(region.store, exchange.BUYER)[FX]
        assert one.invoice and list(differences_of(region.store, ENTITY_ID, date(2026, 2, 11), date(2027, 1, 1))) == []


def test_tax_in_dollars_is_reported_in_the_euros_that_it_was_booked_at() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.billed_in_dollars(region)
        exchange.credit(region)
        period = date(2026, 1, 1), date(2026, 2, 1)
        report = report_as_invoiced(booked_with_documents(region.store, ENTITY_ID, *period), *period)
        assert report.is_in_order and set(report.ledger) == {("USD", "DE")}
        assert report.in_own_currency == {("EUR", "DE"): -euros(region)[LedgerAccount.TAX_PAYABLE]}
        in_dollars = Money(report.ledger["USD", "DE"], "USD")
        assert abs(report.in_own_currency["EUR", "DE"] - euro("1.1750").convert(in_dollars).minor) <= 1


@dataclass
class Here:
    """One region of nothing but records."""

    region: Region
    region_code: str = "eu"
    table: str = "records"
    aws_url: str = ""

    def client(self, service: str) -> Any:
        return self.region.client(service)


@pytest.mark.parametrize("known", [True, False], ids=["a rate", "no rate"])
def test_the_command_lists_what_was_won_and_what_waits(known: bool) -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.paid_on(region, date(2026, 1, 16) if known else date(2026, 2, 10))
        exchange.settle(region)
    period = ["--from", "2026-01-01", "--until", "2026-03-01"]
    asked = ["rates", "differences", "--entity", ENTITY_ID, *period]
    answer = CliRunner().invoke(saldo, asked, obj=Sites(lambda _: Here(region)))  # type: ignore[arg-type, return-value]
    assert answer.exit_code == 0, answer.output
    expected = ("Won in all: 6.81 EUR", "of their day: 0") if known else ("waits", "of their day: 1")
    assert all(words in answer.output for words in expected), answer.output


def test_what_another_system_left_open_is_booked_at_the_rate_of_its_day_where_there_is_one() -> None:
    """Of an invoice that is older than the rates on record nothing is won or lost."""
    rows = (
        "number,customer,country,issued_on,due_on,currency,amount,settled_amount,settled_on",
        "A-1,C1,DE,2025-11-01,2025-12-01,USD,100.00,100.00,2025-11-30",
        "A-2,C1,DE,2024-11-01,2024-12-01,USD,100.00,40.00,2025-11-30",
    )
    region = Region()
    with quiet(), region.serving():
        offer(region)
        RateImport(region.store, region.clock).set_policy(ENTITY_ID, RatePolicy(), CLERK)
        exchange.rates_of(region, (date(2025, 10, 31), "1.10"), (date(2025, 11, 28), "1.20"))
        region.buckets.files["imports", "open.csv"] = "\n".join(rows).encode()
        invoke("integration.import_invoices", {"entity_id": ENTITY_ID, "key": "open.csv"})
        found = stored_balances(region.store, account_id_of(ENTITY_ID, "C1"))
        assert (found[FX], found["USD", LedgerAccount.RECEIVABLES]) == (9091 - 8333, 6000)
        assert check_all(region.store, at_rest=True).violations == []
