"""Credit pays its part exactly once, never more than there is, and money is asked for the rest alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.gateway.methods import CARDS
from saldo.insight.invariants import check_all
from saldo.invoicing.wallets import Wallets
from saldo.kernel.errors import Refusal, Unavailable
from saldo.ledger.model import LedgerAccount
from saldo.ledger.records import BALANCE, balances_from
from saldo.payments.model import Allocation
from saldo.payments.netting import Setting
from tests.simulation.region import Region, quiet
from tests.simulation.workflows.paying import told
from tests.simulation.workflows.payments import all_open, in_credit
from tests.simulation.workflows.scenes import CLERK, account_id, open_invoices, payments

HERE, KEY, BACK = account_id(0), "form-key-9", "http://localhost/{payment_id}"
CASH = 700


@pytest.fixture
def region() -> Iterator[Region]:
    region = Region()
    with quiet(), region.serving():
        in_credit(region)
        yield region
        assert check_all(region.store).violations == []


def prepared(region: Region, chosen: list[Allocation] | None = None, reason: str = "", key: str = KEY) -> Setting:
    return payments(region).netting.prepare(HERE, chosen or all_open(region, 0), reason, key)


def notes(region: Region) -> int:
    return Wallets(region.store, region.clock).of(HERE).credit_note_minor


def cash(region: Region) -> int:
    item = region.store.get(HERE, BALANCE)
    assert item is not None
    return -balances_from(item).get(("EUR", LedgerAccount.UNAPPLIED_CASH), 0)


def owed(region: Region) -> int:
    return sum(minor for _, minor in open_invoices(region, 0))


def test_credit_pays_its_part_when_the_payment_starts_and_the_rest_is_charged(region: Region) -> None:
    before, credit = owed(region), cash(region) + notes(region)
    assert cash(region) == CASH and 0 < credit < before
    setting = prepared(region)
    for _ in range(2):
        started = payments(region).start(HERE, setting.found.rest, CLERK, KEY, BACK, netting=setting)
    assert started.amount.minor == before - credit == owed(region)
    assert (cash(region), notes(region)) == (0, 0)
    region.book.pay_by_card(started.gateway_ref, CARDS[0], region.now)
    told(region)
    assert owed(region) == 0


def test_what_credit_pays_in_full_needs_no_gateway_and_is_settled_once(region: Region) -> None:
    (first, _), *_ = open_invoices(region, 0)
    setting = prepared(region, [Allocation(first, 500)], "a first part")
    assert setting.found.rest == () and setting.found.minor == 500
    before, there = len(payments(region).of_account(HERE)), notes(region)
    for _ in range(2):
        payments(region).netting.settle(setting, CLERK)
    assert cash(region) == CASH - 500 and notes(region) == there, "money goes first, what credit notes left stays"
    assert len(payments(region).of_account(HERE)) == before
    assert payments(region).netting.known(HERE, KEY) == ()


def test_credit_that_went_elsewhere_meanwhile_is_not_spent_twice(region: Region) -> None:
    one, other = prepared(region), prepared(region, key="form-key-10")
    payments(region).start(HERE, one.found.rest, CLERK, KEY, BACK, netting=one)
    with pytest.raises((Refusal, Unavailable)):
        payments(region).start(HERE, other.found.rest, CLERK, "form-key-10", BACK, netting=other)
    assert (cash(region), notes(region)) == (0, 0)


def test_money_that_came_meanwhile_makes_the_form_look_again(region: Region) -> None:
    ((february, _),) = open_invoices(region, 0)
    paid = [
        payments(region).start(HERE, [Allocation(february, 100)], CLERK, f"form-key-{n}", BACK, "a part")
        for n in (20, 21)
    ]
    setting = prepared(region)
    region.book.pay_by_card(paid[0].gateway_ref, CARDS[0], region.now)
    told(region)
    with pytest.raises((Refusal, Unavailable)):
        payments(region).start(HERE, setting.found.rest, CLERK, KEY, BACK, netting=setting)
    assert cash(region) == CASH


def test_less_than_is_open_needs_a_reason_here_too(region: Region) -> None:
    (first, _), *_ = open_invoices(region, 0)
    with pytest.raises(Refusal, match="invalid_allocations"):
        prepared(region, [Allocation(first, 500)])
