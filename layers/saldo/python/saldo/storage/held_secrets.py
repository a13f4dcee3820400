"""A secret as it is now: kept for a few minutes, never for the life of a process, so that a replaced one is taken up
and one that was taken away counts no longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from saldo.kernel.clock import Clock
from saldo.kernel.errors import Unavailable

KEPT_FOR = timedelta(minutes=5)
ON_MISMATCH = timedelta(minutes=1)


class HeldSecret:
    """A secret's text, at most some minutes old. `read` asks where it lies.

    It may have several lines while it is being replaced: each counts for what comes in, the first signs what goes out.
    """

    def __init__(self, read: Callable[[], str], clock: Clock) -> None:
        self._read, self._clock = read, clock
        self._text = ""
        self._read_at: datetime | None = None

    def text(self, oldest: timedelta = KEPT_FOR) -> str:
        """The whole text, read anew when it was read longer ago than `oldest`."""
        now = self._clock()
        if self._read_at is None or not timedelta() <= now - self._read_at < oldest:
            self._text, self._read_at = self._read(), now
        return self._text

    def lines(self, oldest: timedelta = KEPT_FOR) -> list[bytes]:
        """Every line that says something, at most `oldest` old."""
        return [line.encode() for line in map(str.strip, self.text(oldest).splitlines()) if line]

    def first(self) -> bytes:
        """The line that signs; Unavailable while there is none."""
        if lines := self.lines():
            return lines[0]
        raise Unavailable("the secret has no line")
