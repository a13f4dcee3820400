"""The hosted functions in processes of their own: their handlers, as Lambda calls them, on the table of the load."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from tests.load.table import RemoteTable
from tests.simulation.region import ENVIRONMENT
from tests.simulation.world import ENTITY, METER, account_id_of

_INSTANT = [datetime(2026, 1, 1, tzinfo=UTC)]


@dataclass(frozen=True, slots=True)
class Done:
    """What a handler answered, the CPU it took, and the most memory its process ever had."""

    answer: Any
    cpu_s: float
    peak_mb: float


def start(path: str) -> None:
    """Make this process one of functions: their settings, their clients, and the clock of the load."""
    os.environ |= ENVIRONMENT | {"POWERTOOLS_SERVICE_NAME": "load", "POWERTOOLS_METRICS_NAMESPACE": "Saldo"}
    table = RemoteTable(path)
    clients = {"dynamodb": table, "s3": SimpleNamespace(put_object=lambda **asked: list_in(path, **asked))}
    others = SimpleNamespace()  # made by functions that do not call them here
    session = SimpleNamespace(client=lambda service, **_: clients.get(service, others))
    instants = SimpleNamespace(now=lambda _zone: _INSTANT[0], fromisoformat=datetime.fromisoformat)
    patch("saldo.storage.clients.session", lambda: session).start()
    patch("saldo.kernel.clock.datetime", instants).start()
    logging.disable(logging.CRITICAL)
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - log lines and metrics, as long as the process lives


def list_in(path: str, *, Key: str, Body: bytes, **_: str) -> None:  # noqa: N803
    """A list of batches, beside the table."""
    _place_of(path, Key).write_bytes(Body)


def listed(path: str, told: dict[str, Any]) -> list[str]:
    """The batches that a step told of, as the workflow's map reads them."""
    count, key = told["batches"]["count"], told["batches"]["key"]
    return [item["batch"] for item in json.loads(_place_of(path, key).read_bytes())] if count else []


def _place_of(path: str, key: str) -> Path:
    return Path(f"{path}-{key.rpartition('/')[2]}")


def invoke(name: str, event: dict[str, Any], now: datetime) -> Done:
    """Call a hosted function's handler."""
    _INSTANT[0] = now
    began = time.process_time()
    answer = import_module(f"functions.{name}").handler(event, SimpleNamespace(aws_request_id="1"))
    return Done(answer, time.process_time() - began, peak_mb())


def ingest(first: int, accounts: int, day: str, each: int, now: datetime) -> Done:
    """So many events of a day for each of these accounts, in messages of 1,000, to the function that takes them in."""
    events = list(_events(first, accounts, day, each))
    bodies = [json.dumps(events[at : at + 1000]) for at in range(0, len(events), 1000)]
    messages = [
        {"entity_id": ENTITY.id, "producer": "load", "batch_id": f"batch_{day}_{first}_{n}", "body": body}
        for n, body in enumerate(bodies)
    ]
    records = [{"messageId": m["batch_id"], "body": json.dumps(m)} for m in messages]
    done = invoke("usage.ingest", {"Records": records}, now)
    assert done.answer == {"batchItemFailures": []}, done.answer
    return done


def _events(first: int, accounts: int, day: str, each: int) -> Iterator[dict[str, Any]]:
    for i in range(first, first + accounts):
        for n in range(each):
            yield {
                "specversion": "1.0",
                "type": METER.event_name,
                "source": "load",
                "id": f"{day}-{i}-{n}",
                "subject": account_id_of(i),
                "time": f"{day}T{n % 12:02}:{n // 12 % 60:02}:00Z",
                "data": {"meter": METER.id, "value": str(1 + n % 7)},
            }


def peak_mb() -> float:
    """Of this program alone; getrusage would count what the process held before it became this program."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
