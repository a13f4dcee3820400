"""One log line per request, which is its metrics too (CloudWatch's embedded format), and one of what is unexpected.

Lines carry route, status, time and correlation id: no path with ids in it, no name, no address, no form.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from typing import Any

NAMESPACE = "Saldo"
SLOW_MS = 1000  # what is promised: infra/slo.toml


def request_line(
    service: str, at_ms: int, route: str, method: str, status: int, took_ms: int, ids: Mapping[str, str]
) -> None:
    """What was asked and answered, and in that service's dimension `Requests`, `RequestsFailed` and `RequestsSlow`.

    `ids`: the correlation id, and CloudFront's (`cloudfront_id`) where the request came through it: its log knows no
    other.
    """
    counted = {"Requests": 1, "RequestsFailed": int(status >= 500), "RequestsSlow": int(took_ms > SLOW_MS)}
    line = {"level": "INFO", "message": "request", **ids}
    facts = {"route": route, "method": method, "status": status, "took_ms": took_ms}
    _write({**_embedded(at_ms, service, counted), **line, **facts})


def unexpected(route: str, method: str, error: Exception, correlation_id: str) -> None:
    """Where it happened, without the values: an exception's text may quote what a customer typed."""
    frames = [f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    line = {"level": "ERROR", "message": "unexpected", "error": type(error).__name__, "at": frames[-12:]}
    _write({**line, "correlation_id": correlation_id, "route": route, "method": method})


def count(name: str, at_ms: int, service: str, how_many: int = 1) -> None:
    """So many of `name`, in that service's dimension."""
    _write(_embedded(at_ms, service, {name: how_many}))


def _embedded(at_ms: int, service: str, counted: Mapping[str, int]) -> dict[str, Any]:
    listed = [{"Name": name, "Unit": "Count"} for name in counted]
    block = {"Namespace": NAMESPACE, "Dimensions": [["service"]], "Metrics": listed}
    return {"_aws": {"Timestamp": at_ms, "CloudWatchMetrics": [block]}, "service": service, **counted}


def _write(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
