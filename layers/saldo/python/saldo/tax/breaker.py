"""When to stop asking a service that fails, and when to try again (Nygard, Release It!, circuit breaker).

The state machine is pure; `Breaker` holds its state for one process. Each process finds out for itself: sharing the
state would cost a call to save a call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Circuit(StrEnum):
    """CLOSED: ask. OPEN: do not. HALF_OPEN: one probe is under way, the others do not ask."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Patience:
    """`failures` in a row open it. It rests for `rest_s`, after each probe that fails twice as long, up to `most_s`."""

    failures: int = 3
    rest_s: float = 10.0
    most_s: float = 120.0


@dataclass(frozen=True, slots=True)
class BreakerState:
    """`until_s`: when an open circuit may be probed, on the caller's clock; `rest_s`: how long it last rested."""

    circuit: Circuit = Circuit.CLOSED
    failures: int = 0
    until_s: float = 0.0
    rest_s: float = 0.0


def asked(state: BreakerState, now_s: float) -> tuple[BreakerState, bool]:
    """Whether to ask now, and the state thereafter: when the rest is over, one caller probes."""
    if state.circuit is Circuit.CLOSED:
        return state, True
    if state.circuit is Circuit.OPEN and now_s >= state.until_s:
        return replace(state, circuit=Circuit.HALF_OPEN), True
    return state, False


def succeeded(state: BreakerState) -> BreakerState:
    """An answer came. One that was asked for before the circuit opened does not close it: only a probe does."""
    return state if state.circuit is Circuit.OPEN else BreakerState()


def failed(state: BreakerState, now_s: float, patience: Patience) -> BreakerState:
    """No answer came. A probe that fails rests longer; stragglers of before do not count again."""
    if state.circuit is Circuit.OPEN:
        return state
    failures = state.failures + 1
    if state.circuit is Circuit.CLOSED and failures < patience.failures:
        return replace(state, failures=failures)
    rest = min(state.rest_s * 2 or patience.rest_s, patience.most_s)
    return BreakerState(Circuit.OPEN, failures, now_s + rest, rest)


@dataclass(slots=True)
class Breaker:
    """The state of one process, for its threads. `clock`: seconds that never go back."""

    clock: Callable[[], float]
    patience: Patience = Patience()
    state: BreakerState = BreakerState()
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def ask(self) -> bool:
        """Whether to ask; who is told yes must tell `succeeded` or `failed`."""
        with self._lock:
            self.state, yes = asked(self.state, self.clock())
        return yes

    def succeeded(self) -> None:
        with self._lock:
            self.state = succeeded(self.state)

    def failed(self) -> None:
        with self._lock:
            self.state = failed(self.state, self.clock(), self.patience)
