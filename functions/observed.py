"""Every event handler is observed: what it did, for which request, how long it took, and never who it was about.

`@observed("BillAccounts")` counts `BillAccountsDone` and `BillAccountsFailed` (EMF, namespace and service from the
environment), puts one correlation id into every log line, and lets the exception go on to the caller. An exception's
own text stays out of the logs: a mail server or a parser may quote a customer in it. Type, code and place are kept.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any

from functions import tracing
from saldo.kernel.errors import Refusal, Unavailable
from saldo.storage.classified import hidden_names
from saldo.storage.outages import is_outage, told

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger
    from aws_lambda_powertools.metrics import Metrics

Handler = Callable[[Any, Any], Any]  # events and answers are JSON of many shapes; each handler parses its own

# Names under which a personal or secret value could reach a log line; it is hidden wherever it appears.
PERSONAL = hidden_names()
_HIDDEN = "(hidden)"


@lru_cache(maxsize=1)
def logger() -> Logger:
    """The process's logger: one JSON object a line, personal fields hidden."""
    from aws_lambda_powertools.logging import Logger
    from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

    class DiscreetFormatter(LambdaPowertoolsFormatter):
        """Hides personal fields, and keeps of an exception its type, code and place."""

        def serialize(self, log: Any) -> str:
            return super().serialize(discreet(log))

        def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
            return "\n".join(places(ei[1], ei[2]))

    return Logger(logger_formatter=DiscreetFormatter(utc=True, serialize_stacktrace=False))


@lru_cache(maxsize=1)
def metrics() -> Metrics:
    """The process's metrics; written as one EMF line when the handler ends."""
    from aws_lambda_powertools.metrics import Metrics

    return Metrics()


def count(name: str, value: int = 1) -> None:
    """Add to a metric of this invocation, in units of Count."""
    metrics().add_metric(name=name, unit="Count", value=value)


def measure(name: str, took_ms: int) -> None:
    """Add a time to a metric of this invocation."""
    metrics().add_metric(name=name, unit="Milliseconds", value=took_ms)


def discreet(value: Any) -> Any:
    """The same JSON value with every personal field hidden."""
    if isinstance(value, Mapping):
        return {k: _HIDDEN if k in PERSONAL else discreet(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [discreet(v) for v in value]
    return value


def places(error: BaseException | None, trace: TracebackType | None) -> list[str]:
    """Type, stable code and code places of an exception; never its message."""
    found = [f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in traceback.extract_tb(trace)]
    code = getattr(error, "code", None)
    return [type(error).__name__ + (f" {code}" if isinstance(code, str) else ""), *found]


def without_text(error: Exception) -> Exception:
    """The same exception, saying nothing: Lambda writes what a handler raises into its log, and a workflow's history
    keeps it. Its class stays; refusals and outages are worded by us and stay as they are. Whatever AWS does not answer
    for the moment leaves as `Unavailable`, of what name ever: by that one a workflow chooses to repeat.
    """
    if isinstance(error, Refusal | Unavailable):
        return error
    if is_outage(error):
        return Unavailable(told(error)).with_traceback(error.__traceback__)
    error.args = (_HIDDEN,)
    if str(error).strip("'") == _HIDDEN:
        return error
    named: type[Exception] = type(type(error).__name__, (Exception,), {})
    return named(_HIDDEN).with_traceback(error.__traceback__)


def correlation_of(event: Any, context: Any) -> str:
    """The id that ties this invocation to what caused it.

    In order: the event's own `correlation_id` (also inside an EventBridge `detail`), its run, the event's id, and
    at last this request's.
    """
    sources = [event, event.get("detail")] if isinstance(event, Mapping) else []
    for key in ("correlation_id", "run_id", "id"):
        for source in sources:
            if isinstance(source, Mapping) and isinstance(source.get(key), str):
                return str(source[key])
    return str(getattr(context, "aws_request_id", "")) or "none"


def take_up(correlation_id: str, **more: str) -> None:
    """Go on with what a message tells of: its lines, its trace and what it sends on carry the id of what caused it. A
    message that carries none leaves this invocation's own."""
    if correlation_id:
        logger().append_keys(correlation_id=correlation_id, **more)
        tracing.follow(correlation_id)


def observed(name: str) -> Callable[[Handler], Handler]:
    """Observe a handler under a CamelCase name. A partial batch answer counts each failed message as one failure."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def observe(event: Any, context: Any = None) -> Any:
            began = time.perf_counter()
            logger().clear_state()
            about = correlation_of(event, context)
            logger().append_keys(correlation_id=about, function=name)
            tracing.follow(about)
            try:
                answer = handler(event, context)
            except Exception as error:
                count(f"{name}Failed")
                logger().exception(f"{name}Failed", extra={"elapsed_ms": _elapsed_ms(began)})
                raise without_text(error) from None
            else:
                failed = _failures(answer)
                count(f"{name}Done", 0 if failed else 1)
                count(f"{name}Failed", failed)
                logger().info(f"{name}Done", extra={"elapsed_ms": _elapsed_ms(began), "failed_messages": failed})
                return answer
            finally:
                metrics().flush_metrics()

        return observe

    return decorate


def _elapsed_ms(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def _failures(answer: Any) -> int:
    return len(answer.get("batchItemFailures", [])) if isinstance(answer, Mapping) else 0
