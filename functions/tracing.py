"""X-Ray, as much of it as is needed: a trace found by its correlation id, and a trace that goes on behind a queue.

Lambda records each invocation's segment itself (active tracing, infra/cdk/watched.py). What it cannot know is told to
the daemon beside the function: one closed subsegment with the annotation `correlation_id`, by which
`annotation.correlation_id = "…"` finds every trace of one click. A datagram to the own machine: no wait, no library.

The trace itself goes on by its header: in events, in a message's attributes, and by botocore in each call of AWS.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from contextvars import ContextVar
from typing import Any

_ABOUT: ContextVar[str] = ContextVar("about", default="")
_HEAD = b'{"format": "json", "version": 1}\n'
_CALLED = "saldo"


def header() -> str:
    """The trace of this invocation, as services hand it on (`Root=…;Parent=…;Sampled=1`); "" outside Lambda."""
    return os.environ.get("_X_AMZN_TRACE_ID", "")


def sqs_attributes() -> dict[str, Any]:
    """What makes SQS hand this invocation's trace to whoever receives the message; nothing without a trace."""
    trace = header()
    told = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
    return {"MessageSystemAttributes": told} if trace else {}


def follow(correlation_id: str) -> None:
    """What is done from now on is done for this id: what is sent on carries it, and the trace is found by it."""
    _ABOUT.set(correlation_id)
    annotate(correlation_id)


def carried() -> dict[str, str]:
    """What a message or a call of another function carries of what it is for: its `correlation_id`, if there is one."""
    about = _ABOUT.get()
    return {"correlation_id": about} if about else {}


def annotate(correlation_id: str) -> None:
    """Let this invocation's trace be found by the correlation id. Never fails, and does nothing when not sampled."""
    daemon, facts = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", ""), _facts(header())
    if not daemon or not correlation_id or facts.get("Sampled") != "1" or "Root" not in facts:
        return
    host, _, port = daemon.split()[-1].removeprefix("udp:").rpartition(":")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.sendto(_HEAD + json.dumps(_subsegment(facts, correlation_id)).encode(), (host, int(port)))
    except (OSError, ValueError):
        return  # a trace that is not found is no reason to fail a payment


def _facts(trace: str) -> dict[str, str]:
    return dict(pair.partition("=")[::2] for pair in trace.split(";"))


def _subsegment(facts: dict[str, str], correlation_id: str) -> dict[str, Any]:
    """Source: X-Ray segment documents, https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html"""
    now = time.time()
    return {
        "type": "subsegment",
        "name": _CALLED,
        "id": secrets.token_hex(8),
        "trace_id": facts["Root"],
        "parent_id": facts.get("Parent", ""),
        "start_time": now,
        "end_time": now,
        "annotations": {"correlation_id": correlation_id},
    }
