"""Every workflow of the product that writes, each on a simulated region, so that all of them are put under fire alike.

How to add one: write a function `def name(region: Region) -> None` in a file of this folder that does the work as the
world would have it done (call the hosted function with `invoke`, or the use case), and decorate it with `@workflow`.
That is all: `make crashes` fails it at every call in every way, `make test` samples that, and what it covers is seen
by which of the product's functions write while it runs (tests/simulation/writers.py). It may be repeated at any time,
so it says what a person or a schedule would do again.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from botocore.exceptions import BotoCoreError, ClientError

from saldo.kernel.clock import instant_text
from saldo.kernel.errors import Unavailable
from saldo.storage import looks
from tests.simulation.dynamodb import Crash
from tests.simulation.region import ENTITY_ID, HANDLERS, PARTS, Region, run_hosted

Step = Callable[[Region], object]


class Again(Exception):  # noqa: N818 - what a queue or a schedule reads, not a failure of the program
    """The work is not done and will be asked for again."""


# What a caller sees of a process that died, a service that failed, or work that is handed back.
FAILURES = (Crash, Again, Unavailable, ClientError, BotoCoreError)


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow. prepare: what there is before it. apart: kinds of records whose content follows how often it was
    tried (a limit's bucket, say), with the reason."""

    name: str
    prepare: Step
    work: Step
    apart: dict[str, str]


_NAMES = {handler: name for name, handler in HANDLERS.items()}
_REGISTERED: dict[str, Workflow] = {}
LATER = timedelta(minutes=20)  # after which a queue, a schedule or a person comes again


def workflow(name: str, *, prepare: Step, apart: dict[str, str] | None = None) -> Callable[[Step], Step]:
    """Register the decorated work under a name."""

    def register(work: Step) -> Step:
        assert name not in _REGISTERED, f"there are two workflows named {name}"
        _REGISTERED[name] = Workflow(name, prepare, work, apart or {})
        return work

    return register


def workflows() -> list[Workflow]:
    """All there are, by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return [_REGISTERED[name] for name in sorted(_REGISTERED)]


def invoke(function: str, event: dict[str, Any]) -> Any:
    """Call a hosted function (`payments.sweep`) as Lambda does, under its role. Raises Again for what it hands back."""
    answer = run_hosted(_NAMES[f"functions.{function}.handler"], event)
    if answer and answer.get("batchItemFailures"):
        raise Again(f"{function} hands back {len(answer['batchItemFailures'])}")
    assert not (answer and answer.get("refused")), f"{function} refused: {answer}"
    return answer


def daily(region: Region, function: str, on: str) -> Any:
    """Call a daily function as Scheduler does, then with each part that it sent to itself; its own answer."""
    answer = invoke(function, {"entity_id": ENTITY_ID, "as_of": on})
    _work_parts(region, function)
    return answer


def whole(region: Region, function: str) -> Any:
    """Call a function that looks at all records as its rule does, then with each part that it sent to itself."""
    answer = invoke(function, {"id": f"look{region.now:%H%M}", "time": instant_text(region.now)})
    _work_parts(region, function)
    return answer


def small_parts() -> Any:
    """Within what this decorates a look over few records has many parts."""
    return patch.object(looks, "PART_BYTES", 6_000)


def _work_parts(region: Region, function: str) -> None:
    while bodies := [body for queue, body in region.queues.waiting if queue == PARTS]:
        invoke(function, messages(bodies[0]))
        region.queues.waiting.remove((PARTS, bodies[0]))


def messages(*bodies: str) -> dict[str, Any]:
    """As SQS hands them to a function."""
    return {"Records": [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]}
