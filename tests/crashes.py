"""Stop a workflow before or after its n-th outside call, repeat it, and find the same end state.

Works on boto3 clients (by botocore's own events, with moto or a real endpoint behind them) and on anything with a
`fault` attribute that is called as `fault(number, operation, "before" | "after")`, such as MemoryDynamoDB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from tests.simulation.dynamodb import Crash

T = TypeVar("T")


class Injector:
    """Counts the calls of the clients it is attached to and dies at the one it was armed for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._number, self._when = 0, ""

    def attach(self, clients: Iterable[Any]) -> None:
        for client in clients:
            if hasattr(client, "meta"):
                # First: before the service sees the call. Last: after it has carried it out, before the answer is read.
                client.meta.events.register_first("before-send", self._before_send)
                client.meta.events.register_last("before-send", self._after_send)
            else:
                client.fault = lambda _number, operation, when: self._at(operation, when)

    def arm(self, number: int, when: str) -> None:
        """Die `when` ("before" or "after") the number-th call from now."""
        self.calls, self._number, self._when = [], number, when

    def disarm(self) -> None:
        self.arm(0, "")

    def _before_send(self, event_name: str = "", **_: Any) -> None:
        self._at(event_name.split(".", 1)[1], "before")

    def _after_send(self, event_name: str = "", **_: Any) -> None:
        self._at(event_name.split(".", 1)[1], "after")

    def _at(self, operation: str, when: str) -> None:
        if when == "before":
            self.calls.append(operation)
        if len(self.calls) == self._number and when == self._when:
            raise Crash(f"{when} call {self._number}, {operation}")


def assert_survives_every_crash(
    scene: Callable[[], AbstractContextManager[T]],
    clients: Callable[[T], Sequence[Any]],
    work: Callable[[T], object],
    end_state: Callable[[T], object],
) -> int:
    """Run `work` once undisturbed; then, for each of its calls, die before and after it, repeat, and compare.

    scene: makes everything anew (a context manager). clients: whose calls count. end_state: what must come out the
    same; it may assert invariants on the way. Returns how many calls the undisturbed work made.
    """
    injector = Injector()
    with scene() as s:
        injector.attach(clients(s))
        injector.disarm()
        work(s)
        calls = list(injector.calls)
        expected = end_state(s)
    assert calls, "the work makes no outside calls"
    for number, operation in enumerate(calls, start=1):
        for when in ("before", "after"):
            with scene() as s:
                injector.attach(clients(s))
                injector.arm(number, when)
                try:
                    work(s)
                except Crash:
                    injector.disarm()
                    work(s)
                else:
                    raise AssertionError(f"the crash {when} call {number} ({operation}) was swallowed")
                found = end_state(s)
                assert found == expected, f"a crash {when} call {number} ({operation}) leaves something else behind"
    return len(calls)
