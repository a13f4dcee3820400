"""A request that comes twice."""

from __future__ import annotations

import pytest

from saldo.kernel.errors import Refusal
from saldo.storage.repeats import MOST_BYTES, Claim, Repeats
from tests.contexts.conftest import Region

OWNER = "key_eu_1"


@pytest.fixture
def repeats(region: Region) -> Repeats:
    return Repeats(region.store, region.clock)


def begun(repeats: Repeats, request: str = "a") -> Claim:
    claim = repeats.begin(OWNER, "name", request)
    assert isinstance(claim, Claim)
    return claim


def test_the_same_request_gets_the_answer_it_got_for_a_day(region: Region, repeats: Repeats) -> None:
    repeats.keep(begun(repeats), b"answer")
    region.clock.advance(hours=23)
    assert repeats.begin(OWNER, "name", "a") == b"answer"
    assert isinstance(repeats.begin("key_eu_2", "name", "b"), Claim)
    region.clock.advance(hours=2)
    assert isinstance(repeats.begin(OWNER, "name", "b"), Claim)


def test_another_request_under_the_name_is_refused_while_it_is_remembered(repeats: Repeats) -> None:
    claim = begun(repeats)
    for _ in range(2):
        with pytest.raises(Refusal, match="idempotency_key_reused"):
            repeats.begin(OWNER, "name", "b")
        repeats.keep(claim, b"answer")


def test_while_it_is_worked_on_a_second_one_waits_until_the_first_must_have_died(
    region: Region, repeats: Repeats
) -> None:
    dead = begun(repeats)
    with pytest.raises(Refusal, match="request_in_progress"):
        repeats.begin(OWNER, "name", "a")
    region.clock.advance(seconds=61)
    claim = begun(repeats)
    repeats.keep(dead, b"too late")
    repeats.forget(dead)
    repeats.keep(claim, b"answer")
    assert repeats.begin(OWNER, "name", "a") == b"answer"


def test_after_a_failure_or_an_answer_too_long_to_keep_the_name_is_free_again(repeats: Repeats) -> None:
    repeats.forget(begun(repeats))
    repeats.keep(begun(repeats, "b"), b"x" * (MOST_BYTES + 1))
    begun(repeats, "c")
