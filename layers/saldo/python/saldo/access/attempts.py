"""Limits on failed sign-ins: counted by person and by network, and no failure answered faster than a floor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from saldo.access import records, rules
from saldo.access.model import Failures, Origin
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal
from saldo.storage.store import Store
from saldo.storage.units import Unit

_COUNTED = ("sign_in_failed", "code_wrong", "token_invalid", "link_invalid", "sso_failed", "passkey_invalid")


class Attempts:
    """Failed attempts of one region. `realm` keeps the people of one identity provider apart from another's."""

    def __init__(self, store: Store, clock: Clock, pause: Callable[[float], None], realm: str = "") -> None:
        self._store, self._clock, self._pause, self._realm = store, clock, pause, realm

    @contextmanager
    def limited(self, email: str, origin: Origin) -> Iterator[Failures]:
        """Try inside: a Refusal is counted, and leaves no faster than the floor. Raises `too_many_attempts` first."""
        with self._no_faster(on_success=False):
            failures = self._refuse_when_too_many(email, origin)
            try:
                yield failures
            except Refusal as refusal:
                if refusal.code in _COUNTED:
                    self._count(email, origin)
                raise

    @contextmanager
    def rationed(self, what: str, email: str, origin: Origin) -> Iterator[None]:
        """Ask for mail to an address inside: each counts, and takes the floor's time whether there is such a user or
        not. Raises `too_many_attempts`, which an unknown address meets as soon as a known one."""
        with self._no_faster(on_success=True):
            self._refuse_when_too_many(f"{what} {email}", origin)
            self._count(f"{what} {email}", origin)
            yield

    @contextmanager
    def _no_faster(self, on_success: bool) -> Iterator[None]:
        began = time.monotonic()

        def wait() -> None:
            self._pause(max(0.0, rules.FAILURE_FLOOR_S - (time.monotonic() - began)))

        try:
            yield
        except Refusal:
            wait()
            raise
        if on_success:
            wait()

    def _count(self, email: str, origin: Origin) -> None:
        unit = Unit("count an attempt")
        for owner in self._owners(email, origin):
            records.count_failure(unit, owner, self._clock())
        self._store.write_one(unit)

    def _owners(self, email: str, origin: Origin) -> tuple[str, str]:
        return rules.attempt_keys(f"{self._realm}{email}", origin.address, self._clock())

    def _refuse_when_too_many(self, email: str, origin: Origin) -> Failures:
        owners = self._owners(email, origin)
        found = self._store.get_many([(owner, "window") for owner in owners], consistent=True)
        counts = [found.get((owner, "window"), {"failures": 0})["failures"] for owner in owners]
        if counts[0] >= rules.MOST_FAILURES_OF_A_USER or counts[1] >= rules.MOST_FAILURES_OF_AN_ADDRESS:
            raise Refusal("too_many_attempts", "too many attempts; try again in 15 minutes")
        return Failures(*counts)
