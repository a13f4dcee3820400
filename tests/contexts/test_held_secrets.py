"""Secrets are kept for minutes: a new one is taken up, an old one counts no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from saldo.kernel.errors import Unavailable
from saldo.storage.held_secrets import KEPT_FOR, ON_MISMATCH, HeldSecret
from tests.contexts.conftest import FrozenClock


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


class _Lying:
    """Where a secret lies, and how often it was read."""

    def __init__(self, text: str) -> None:
        self.text, self.reads = text, 0

    def __call__(self) -> str:
        self.reads += 1
        return self.text


def test_a_replaced_secret_is_taken_up_within_minutes_and_the_old_one_is_gone(clock: FrozenClock) -> None:
    lying = _Lying("old")
    held = HeldSecret(lying, clock)
    assert held.first() == b"old"
    lying.text = "new"
    clock.now += KEPT_FOR - timedelta(seconds=1)
    assert (held.first(), lying.reads) == (b"old", 1)
    clock.now += timedelta(seconds=1)
    assert (held.lines(), lying.reads) == ([b"new"], 2)


def test_it_is_read_before_its_time_on_request_and_once_a_minute_at_most(clock: FrozenClock) -> None:
    lying = _Lying("old")
    held = HeldSecret(lying, clock)
    held.first()
    clock.now += ON_MISMATCH
    for _ in range(100):
        held.lines(ON_MISMATCH)
    assert lying.reads == 2


def test_each_line_counts_and_the_first_signs(clock: FrozenClock) -> None:
    held = HeldSecret(_Lying(" new \r\n\nold\n"), clock)
    assert (held.lines(), held.first()) == ([b"new", b"old"], b"new")


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_an_empty_secret_signs_nothing_and_verifies_nothing(text: str, clock: FrozenClock) -> None:
    held = HeldSecret(_Lying(text), clock)
    assert held.lines() == []
    with pytest.raises(Unavailable):
        held.first()
