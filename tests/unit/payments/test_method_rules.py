"""What a stored method can pay, and its states."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from saldo.payments.model_methods import MethodStatus, StoredMethod

DAY = date(2026, 11, 10)


def method(status: MethodStatus = MethodStatus.ACTIVE, currency: str = "", until: date | None = None) -> StoredMethod:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return StoredMethod(
        "acct_eu_1", "meth_1", "ent_eu_1", status, "u", at, token="tok_1", currency=currency, expires_on=until
    )


@pytest.mark.parametrize("status", [MethodStatus.STARTED, MethodStatus.FAILED, MethodStatus.REMOVED])
def test_only_an_active_method_pays_also_while_the_gateway_still_knows_it(status: MethodStatus) -> None:
    assert method().pays("EUR", DAY) and not method(status).pays("EUR", DAY)


def test_a_method_pays_in_its_currency_until_its_last_day() -> None:
    assert method(currency="EUR", until=DAY).pays("EUR", DAY)
    assert not method(currency="EUR").pays("USD", DAY)
    assert not method(until=date(2026, 11, 9)).pays("EUR", DAY)
