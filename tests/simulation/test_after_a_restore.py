"""The records are as they were an instant ago and the gateway is not: what Saldo starts by itself is paid once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest

from saldo.autopay.reading import paying_of
from saldo.insight.invariants import check_all
from saldo.kernel.money import Money
from saldo.payments.model import PaymentStatus
from saldo.payments.receiving import MoneyCame, Receiving
from saldo.storage.items import Item
from tests.simulation.region import Region, quiet
from tests.simulation.workflows import invoke, messages, paying
from tests.simulation.workflows import payments as clicks
from tests.simulation.workflows.scenes import CLERK, account_id, open_invoices, payments

NEXT_DAY = paying.DEBIT_ON + timedelta(days=1)


@pytest.fixture
def region() -> Iterator[Region]:
    with quiet(), Region().serving() as region:
        yield region


def restore(region: Region, records: list[Item]) -> list[str]:
    """The records as they were; answers what the gateway told meanwhile, for whoever tells it again."""
    told = [body for _, body in region.queues.waiting]
    region.queues.waiting.clear()
    clicks.put_back(region, records)
    return told


def lost(region: Region, prepare: Callable[[Region], None], day: date = paying.DEBIT_ON) -> list[str]:
    """Announced; the instant that comes back; then charged, and heard of."""
    prepare(region)
    before = list(region.store.scan())
    paying.collect(region, day)
    paying.told(region)
    return restore(region, before)


def scheduled(region: Region) -> None:
    paying.stored(region)
    paying.scheduled(region).schedule(paying.wish(region, 0), paying.DEBIT_ON)


def paid(region: Region) -> list[tuple[str, int, PaymentStatus]]:
    found = payments(region).of_account(account_id(0))
    return [(one.id, one.settled_minor, one.status) for one in found]


def at_the_gateway(region: Region) -> list[tuple[str, int]]:
    """What it holds of the customer's: payments are told by their ids, of which it has no others."""
    rows = [region.book.by_payment(payment_id) for payment_id, *_ in paid(region)]
    assert sum(region.book.counted()["checkouts"].values()) == len([row for row in rows if row]), "of nobody else's"
    return [(row["payment_id"], row["amount_minor"]) for row in rows if row]


@pytest.mark.parametrize("prepare", [paying.announced, scheduled])
def test_what_was_charged_after_the_restored_instant_is_charged_once_whatever_day_it_starts_again(
    region: Region, prepare: Callable[[Region], None]
) -> None:
    told = lost(region, prepare)
    ((invoice_id, minor),) = open_invoices(region, 0)
    paying.collect(region, NEXT_DAY)
    invoke("payments.gateway_events", messages(*told))
    ((payment_id, amount),) = at_the_gateway(region)
    assert paid(region) == [(payment_id, minor, PaymentStatus.SETTLED)]
    assert (amount, open_invoices(region, 0)) == (minor, [])
    assert not [item for item in region.store.scan() if item["kind"] == "parked_event"]
    assert check_all(region.store).violations == []
    assert invoice_id == payments(region).get(account_id(0), payment_id).applied[0].invoice_id


def test_news_told_again_before_it_starts_again_wait_for_it(region: Region) -> None:
    told = lost(region, paying.announced)
    invoke("payments.gateway_events", messages(*told))
    assert [item["reason"] for item in region.store.scan() if item["kind"] == "parked_event"]
    paying.collect(region, NEXT_DAY)
    invoke("payments.sweep", {})
    assert not [item for item in region.store.scan() if item["kind"] == "parked_event"]
    assert (len(at_the_gateway(region)), open_invoices(region, 0)) == (1, [])


def test_one_that_would_be_for_another_amount_by_now_is_what_it_was_at_the_gateway(region: Region) -> None:
    lost(region, paying.announced)
    ((_, minor),) = open_invoices(region, 0)
    came = MoneyCame(account_id(0), Money(1_000, "EUR"), paying.DEBIT_ON, "line 1", CLERK, reason="a part")
    Receiving(region.store, region.clock).receive(came)
    paying.collect(region, NEXT_DAY)
    (charged,) = [one for one in payments(region).of_account(account_id(0)) if one.method_id]
    assert at_the_gateway(region)[0] == (charged.id, minor)
    assert (charged.settled_minor, charged.unapplied_minor) == (minor, 1_000)
    assert (open_invoices(region, 0), check_all(region.store).violations) == ([], [])
    assert [debit.state.value for debit in paying_of(region.store, account_id(0)).debits] == ["started"]


def test_what_payers_began_after_the_restored_instant_is_brought_back_and_pays_what_they_chose(region: Region) -> None:
    clicks.paid_before_a_restore(region)
    owed = sum(minor for _, minor in open_invoices(region, 0))
    done = clicks.brought_back(region)
    assert [one.amount.minor for one in done.begun] == [owed]
    assert clicks.brought_back(region).begun == []
    invoke("payments.sweep", {})
    ((payment_id, amount, status),) = paid(region)
    assert (amount, status, open_invoices(region, 0)) == (owed, PaymentStatus.SETTLED, [])
    assert payments(region).start(account_id(0), done.begun[0].allocations, CLERK, clicks.KEY, "").id == payment_id
    invoke("payments.gateway_events", messages(*(body for _, body in region.queues.waiting)))
    assert at_the_gateway(region) == [(payment_id, amount)]
    assert check_all(region.store).violations == []


def test_a_debit_that_was_brought_back_is_not_taken_when_its_day_is_made_up_for(region: Region) -> None:
    paying.announced(region)
    before = list(region.store.scan())
    paying.collect(region, paying.DEBIT_ON)
    clicks.spoil(region)
    restore(region, before)
    clicks.brought_back(region)
    paying.collect(region, NEXT_DAY)
    invoke("payments.sweep", {})
    assert (len(at_the_gateway(region)), open_invoices(region, 0)) == (1, [])
    assert check_all(region.store).violations == []
