"""The API on a loopback port, for programs that speak HTTP: curl, fuzzers.

`python -m tests.functions.api.serving` serves it until it is stopped, and prints where, with a key of every scope.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from functions.api.v1.app import app
from tests.functions.api.conftest import build, forget
from tests.web.serving import served as served_over_http


@contextmanager
def served(environment: pytest.MonkeyPatch, rate: int = 600) -> Iterator[tuple[str, str]]:
    """Where the API answers, and a key for it."""
    api = build(environment)
    with served_over_http(app, 0) as origin:
        yield origin, api.token(rate=rate)


if __name__ == "__main__":
    with served(pytest.MonkeyPatch(), rate=6000) as (origin, token):
        sys.stderr.write(f"{origin} {token}\n")
        sys.stderr.flush()
        threading.Event().wait()
    forget()
