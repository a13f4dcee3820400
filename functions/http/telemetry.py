"""One log line per request and, when something unexpected happened, one count of it (CloudWatch's embedded format).

Lines carry route, status, time and correlation id: no path with ids in it, no name, no address, no form.
"""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

NAMESPACE = "Saldo"


def request_line(route: str, method: str, status: int, took_ms: int, correlation_id: str) -> None:
    _write(
        {
            "level": "INFO",
            "message": "request",
            "correlation_id": correlation_id,
            **_facts(route, method, status, took_ms),
        }
    )


def unexpected(route: str, method: str, error: Exception, correlation_id: str) -> None:
    """Where it happened, without the values: an exception's text may quote what a customer typed."""
    frames = [f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    line = {"level": "ERROR", "message": "unexpected", "error": type(error).__name__, "at": frames[-12:]}
    _write({**line, "correlation_id": correlation_id, "route": route, "method": method})


def count(name: str, at_ms: int, service: str) -> None:
    """One of `name`, in that service's dimension."""
    metric = {"Namespace": NAMESPACE, "Dimensions": [["service"]], "Metrics": [{"Name": name, "Unit": "Count"}]}
    _write({"_aws": {"Timestamp": at_ms, "CloudWatchMetrics": [metric]}, "service": service, name: 1})


def _facts(route: str, method: str, status: int, took_ms: int) -> dict[str, Any]:
    return {"route": route, "method": method, "status": status, "took_ms": took_ms}


def _write(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
