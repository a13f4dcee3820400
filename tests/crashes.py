"""Stop a workflow before or after its n-th outside call, repeat it, and find the same end state.

Works on boto3 clients (by botocore's own events, with moto or a real endpoint behind them) and on anything with a
`fault` attribute that is called as `fault(number, operation, "before" | "after")`, such as MemoryDynamoDB or the wire
of a simulated region (tests/simulation/region.py), where `make crashes` goes through every workflow and every kind of
fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.session import Session as BotocoreSession

from tests.simulation.dynamodb import DOUBLED, PART, THROTTLED, Crash

T = TypeVar("T")

# Calls of which AWS may do a part and say so, or answer a page at a time.
IN_PARTS = frozenset({"BatchGetItem", "BatchWriteItem", "Query", "Scan", "PutEvents", "SendMessageBatch"})
# Writes that may be carried out twice: boto3 sends a request again when no answer came, and the first may have arrived.
# Not a transaction, which boto3 gives a token by which DynamoDB knows it again, nor an execution, which has a name; and
# not mail, whose client sends once (tests/simulation/test_sent_again.py).
SENT_AGAIN = frozenset(
    {
        *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PutObject", "DeleteObject"),
        *("SendMessage", "SendMessageBatch", "PutEvents", "Invoke"),
        *("CreateCheckout", "CreateSetup", "ForgetMethod", "RecordTax"),
    }
)

# Whose operations are looked up, by name; where two have one of the same name, either's classes will do.
_SERVICES = ("dynamodb", "s3", "sqs", "kms", "lambda", "events", "stepfunctions", "sesv2", "secretsmanager")


class Kind(StrEnum):
    """What can go wrong with one call. A time-out before: it was never carried out; after: only its answer was lost.

    Doubled: it was carried out twice, and what is heard is the second answer.
    """

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    TIMEOUT_BEFORE = "time-out before"
    TIMEOUT_AFTER = "time-out after"
    THROTTLE = "throttle"
    SERVER_ERROR = "server error"
    PART = "part of a batch"
    DOUBLED = "doubled"

    @property
    def side(self) -> str:
        return "after" if self in (Kind.CRASH_AFTER, Kind.TIMEOUT_AFTER) else "before"

    def happens_to(self, operation: str) -> bool:
        if self is Kind.DOUBLED:
            return operation in SENT_AGAIN
        return self is not Kind.PART or operation in IN_PARTS

    def strike(self, operation: str) -> object:
        """Do it: raise what boto3 would raise (or die), or answer what the call is to do."""
        if self in (Kind.CRASH_BEFORE, Kind.CRASH_AFTER):
            raise Crash(f"{self}, {operation}")
        if self is Kind.TIMEOUT_BEFORE:
            raise ConnectTimeoutError(endpoint_url=operation)
        if self is Kind.TIMEOUT_AFTER:
            raise ReadTimeoutError(endpoint_url=operation)
        if self is Kind.THROTTLE and operation == "TransactWriteItems":
            return THROTTLED
        if self is Kind.THROTTLE:
            raise _answered("ThrottlingException", 400, operation)
        if self is Kind.SERVER_ERROR:
            raise _answered("InternalServerError", 500, operation)
        return DOUBLED if self is Kind.DOUBLED else PART


CRASHES = (Kind.CRASH_BEFORE, Kind.CRASH_AFTER)


def _answered(code: str, status: int, operation: str) -> ClientError:
    """As boto3 raises it: where the service's model names the code, a class of that name."""
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return _class_of(code, operation.rpartition(".")[2])(answer, operation)


@cache
def _class_of(code: str, operation: str) -> type[ClientError]:
    models = map(_session().get_service_model, _SERVICES)
    service = next((model for model in models if operation in model.operation_names), None)
    if service is None:
        return ClientError
    named: type[ClientError] = ClientExceptionsFactory().create_client_exceptions(service).from_code(code)
    return named


@cache
def _session() -> BotocoreSession:
    return BotocoreSession()


class Injector:
    """Counts the calls of the clients it is attached to and strikes at the one it was armed for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.struck = False
        self._number, self._kind = 0, Kind.CRASH_BEFORE

    def attach(self, clients: Iterable[Any]) -> None:
        for client in clients:
            if hasattr(client, "meta"):
                # First: before the service sees the call. Last: after it has carried it out, before the answer is read.
                client.meta.events.register_first("before-send", self._before_send)
                client.meta.events.register_last("before-send", self._after_send)
            else:
                client.fault = lambda _number, operation, when: self._at(operation, when)

    def arm(self, number: int, kind: Kind) -> None:
        """Strike at the number-th call from now."""
        self.calls, self.struck, self._number, self._kind = [], False, number, kind

    def disarm(self) -> None:
        self.arm(0, Kind.CRASH_BEFORE)

    def _before_send(self, event_name: str = "", **_: Any) -> None:
        self._at(event_name.split(".", 1)[1], "before")

    def _after_send(self, event_name: str = "", **_: Any) -> None:
        self._at(event_name.split(".", 1)[1], "after")

    def _at(self, operation: str, when: str) -> object:
        if when == "before":
            self.calls.append(operation)
        if len(self.calls) == self._number and when == self._kind.side and not self.struck:
            self.struck = True
            return self._kind.strike(operation)
        return None


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
        for kind in CRASHES:
            with scene() as s:
                injector.attach(clients(s))
                injector.arm(number, kind)
                try:
                    work(s)
                except Crash:
                    injector.disarm()
                    work(s)
                else:
                    raise AssertionError(f"the {kind} call {number} ({operation}) was swallowed")
                found = end_state(s)
                assert found == expected, f"a {kind} call {number} ({operation}) leaves something else behind"
    return len(calls)
