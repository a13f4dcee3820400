"""The API on a loopback port, for programs that speak HTTP: curl, fuzzers.

`python -m tests.functions.api.serving` serves it until it is stopped, and prints where, with a key of every scope.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from functions.api.v1.app import app
from saldo.usage.accept import take_in
from saldo.usage.ingest import Ingest
from tests.functions.api.conftest import Api, build, forget
from tests.web.serving import served as served_over_http


@contextmanager
def served(environment: pytest.MonkeyPatch, rate: int = 600) -> Iterator[tuple[str, str]]:
    """Where the API answers, and a key for it."""
    api = build(environment)
    api.queue.put = lambda message: _soon(api, message)  # type: ignore[method-assign]
    with served_over_http(app.checked(), 0) as origin:
        yield origin, api.token(rate=rate)


def _soon(api: Api, message: str) -> None:
    """Taken in a moment after it was queued, as by the function behind the queue."""

    def take() -> None:
        take_in(Ingest(api.world.store, api.clock), json.loads(message))

    threading.Timer(0.1, take).start()


if __name__ == "__main__":
    with served(pytest.MonkeyPatch(), rate=6000) as (origin, token):
        sys.stderr.write(f"{origin} {token}\n")
        sys.stderr.flush()
        threading.Event().wait()
    forget()
