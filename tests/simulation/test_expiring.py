"""Credit that expires and cards that expire are two lists: what is on the one never stands in the way of the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from saldo.invoicing.model_wallet import PrepaidCredit
from saldo.invoicing.run.open import open_run
from saldo.invoicing.wallets import Wallets
from saldo.payments.rules_methods import WARNS_BEFORE
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import daily, paying
from tests.simulation.workflows.scenes import CLERK, JAN, account_id, until

TOLD_ON = date(2026, 2, 28) - WARNS_BEFORE


@pytest.fixture
def region() -> Iterator[Region]:
    """A customer whose cards expire at the end of February."""
    region = Region()
    with region.serving():
        paying.ruled(region)
        yield region


def test_the_run_of_the_day_on_which_somebody_is_told_of_their_card_bills(region: Region) -> None:
    until(region, TOLD_ON)
    assert open_run(region.store, region.clock, ENTITY_ID, TOLD_ON.isoformat()).plan_id


def test_a_day_tells_of_cards_whatever_credit_expires(region: Region) -> None:
    credit = PrepaidCredit("gift", 700, JAN, expires_on=TOLD_ON, paid=False)
    Wallets(region.store, region.clock).grant(account_id(1), credit, CLERK)
    until(region, TOLD_ON, hour=7)
    assert daily(region, "payments.collect", TOLD_ON.isoformat())["warned"] == 2
    assert open_run(region.store, region.clock, ENTITY_ID, TOLD_ON.isoformat()).plan_id
    assert Wallets(region.store, region.clock).of(account_id(1)).credits[0].balance_minor == 0
