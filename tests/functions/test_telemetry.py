"""A request's line is its metrics, and counts the time that somebody really waited."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from functions.http import telemetry
from functions.http.edge import _waited_ms


@pytest.mark.parametrize(
    ("status", "took_ms", "failed", "slow"),
    [(200, 1000, 0, 0), (404, 20, 0, 0), (500, 20, 1, 0), (503, 20, 1, 0), (200, 1001, 0, 1)],
)
def test_a_request_counts_itself_its_failure_and_its_slowness(
    status: int, took_ms: int, failed: int, slow: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = {"correlation_id": "request-1"}
    telemetry.request_line("portal", 1_700_000_000_000, "/pay", "POST", status, took_ms, ids)
    line = json.loads(capsys.readouterr().out)
    (block,) = line["_aws"]["CloudWatchMetrics"]
    assert (block["Namespace"], block["Dimensions"], line["service"]) == ("Saldo", [["service"]], "portal")
    assert {m["Name"]: line[m["Name"]] for m in block["Metrics"]} == {
        "Requests": 1, "RequestsFailed": failed, "RequestsSlow": slow,
    }  # fmt: skip
    assert (line["correlation_id"], line["route"], line["status"]) == ("request-1", "/pay", status)


def test_time_is_counted_from_when_the_gateway_took_the_request() -> None:
    asked: Any = SimpleNamespace(context={"requestTimeEpoch": int(time.time() * 1000) - 2500})
    assert 2500 <= _waited_ms(asked) < 10_000
    assert _waited_ms(SimpleNamespace(context={})) == _waited_ms(SimpleNamespace(context=None)) == 0
