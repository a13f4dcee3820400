"""Limits on failed sign-ins: counted by person and by network, and no failure answered faster than a floor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from saldo.access import records, rules
from saldo.access.model import Origin
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal
from saldo.storage.store import Store
from saldo.storage.units import Unit

_COUNTED = ("sign_in_failed", "code_wrong", "token_invalid")


class Attempts:
    """Failed attempts of one region. `realm` keeps the people of one identity provider apart from another's."""

    def __init__(self, store: Store, clock: Clock, pause: Callable[[float], None], realm: str = "") -> None:
        self._store, self._clock, self._pause, self._realm = store, clock, pause, realm

    @contextmanager
    def limited(self, email: str, origin: Origin) -> Iterator[None]:
        """Try inside: a Refusal is counted, and leaves no faster than the floor. Raises `too_many_attempts` first."""
        began, owners = time.monotonic(), self._owners(email, origin)
        try:
            self._refuse_when_too_many(owners)
            try:
                yield
            except Refusal as refusal:
                if refusal.code in _COUNTED:
                    unit = Unit("failed sign-in")
                    for owner in owners:
                        records.count_failure(unit, owner, self._clock())
                    self._store.write_one(unit)
                raise
        except Refusal:
            self._pause(max(0.0, rules.FAILURE_FLOOR_S - (time.monotonic() - began)))
            raise

    def _owners(self, email: str, origin: Origin) -> tuple[str, str]:
        return rules.attempt_keys(f"{self._realm}{email}", origin.address, self._clock())

    def _refuse_when_too_many(self, owners: tuple[str, str]) -> None:
        found = self._store.get_many([(owner, "window") for owner in owners], consistent=True)
        limits = (rules.MOST_FAILURES_OF_A_USER, rules.MOST_FAILURES_OF_AN_ADDRESS)
        for owner, most in zip(owners, limits, strict=True):
            if found.get((owner, "window"), {"failures": 0})["failures"] >= most:
                raise Refusal("too_many_attempts", "too many attempts; try again in 15 minutes")
