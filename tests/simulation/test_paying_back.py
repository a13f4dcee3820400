"""What credit notes left to a customer is paid back once, never more than there is, and the books agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from saldo.insight.invariants import check_all
from saldo.invoicing.paying_back import PayBack, pay_back
from saldo.invoicing.wallets import Wallets
from saldo.kernel.errors import NotFound, Refusal
from saldo.ledger.model import LedgerAccount
from saldo.ledger.records import BALANCE, balances_from
from tests.simulation.region import Region, quiet
from tests.simulation.workflows.payments import credited
from tests.simulation.workflows.scenes import CLERK, account_id

ASKED = PayBack(account_id(0), 1000, "r1", CLERK)


@pytest.fixture
def region() -> Iterator[Region]:
    made = Region()
    with quiet(), made.serving():
        credited(made)
        yield made


def _left(region: Region) -> int:
    return Wallets(region.store, region.clock).of(account_id(0)).credit_note_minor


def _bank(region: Region) -> int:
    return balances_from(region.store.get(account_id(0), BALANCE)).get(("EUR", LedgerAccount.BANK), 0)


def test_it_leaves_wallet_and_bank_once(region: Region) -> None:
    left, bank = _left(region), _bank(region)
    assert pay_back(region.store, region.clock, ASKED)
    assert not pay_back(region.store, region.clock, ASKED)
    assert (_left(region), _bank(region)) == (left - 1000, bank - 1000)
    assert check_all(region.store).violations == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (replace(ASKED, minor=0), "invalid_amount"),
        (replace(ASKED, minor=10**9), "not_enough_credit"),
        (replace(ASKED, account_id="acct_eu_nobody"), "not_found"),
    ],
)
def test_what_cannot_be_paid_back_is_refused(region: Region, asked: PayBack, code: str) -> None:
    before = _left(region)
    with pytest.raises((Refusal, NotFound)) as refused:
        pay_back(region.store, region.clock, asked)
    assert refused.value.code == code
    assert _left(region) == before


def test_a_request_for_another_amount_is_refused(region: Region) -> None:
    pay_back(region.store, region.clock, ASKED)
    with pytest.raises(Refusal, match="request_reused"):
        pay_back(region.store, region.clock, replace(ASKED, minor=999))
