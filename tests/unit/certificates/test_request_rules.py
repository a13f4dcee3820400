"""What a customer says of its certificate is decided once."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from saldo.certificates.model import CertificateRequest, RequestState
from saldo.certificates.rules import decided
from saldo.kernel.errors import Refusal

WAITING = CertificateRequest(
    *("acct_us_1", "up_1", "org_us_1", "ent_us_1"),
    frozenset({"US-NY"}),
    date(2026, 1, 1),
    date(2027, 1, 1),
    datetime(2026, 1, 2, tzinfo=UTC),
    *("user_us_1", "ST-119-77"),
)


@pytest.mark.parametrize("first", [RequestState.ACCEPTED, RequestState.REFUSED])
@pytest.mark.parametrize("then", [RequestState.ACCEPTED, RequestState.REFUSED])
def test_what_was_decided_stays_as_it_was_decided(first: RequestState, then: RequestState) -> None:
    once = decided(WAITING, first, "it names another company")
    assert (once.state, once.revision) == (first, WAITING.revision + 1)
    with pytest.raises(Refusal, match="decided on this certificate already"):
        decided(once, then, "after all")


def test_a_refusal_says_why() -> None:
    with pytest.raises(Refusal) as refused:
        decided(WAITING, RequestState.REFUSED, "  ")
    assert [problem.field for problem in refused.value.problems] == ["words"]
