"""What the process keeps for some minutes of what it read: names and the like, so that pages need no call for them.

Never for money, nor for what decides who may do what: it may be as old as it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, Generic, TypeVar

from saldo.kernel.clock import Clock

K = TypeVar("K", bound=Any)
V = TypeVar("V")
LASTS = timedelta(minutes=5)
_MOST = 10_000


class KeptAWhile(Generic[K, V]):
    """Values by key. What is not there is kept as not there, just as long."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._since = clock, clock()
        self._kept: dict[K, V | None] = {}

    def of(self, keys: Collection[K], read: Callable[[list[K]], Mapping[K, V]]) -> dict[K, V]:
        """Those of the keys that there are; `read` is asked once for all that are not kept."""
        now = self._clock()
        if not timedelta() <= now - self._since < LASTS or len(self._kept) > _MOST:
            self._kept, self._since = {}, now
        unknown = sorted(set(keys) - self._kept.keys())
        if unknown:
            self._kept |= {**dict.fromkeys(unknown), **read(unknown)}
        return {key: value for key in keys if (value := self._kept[key]) is not None}
