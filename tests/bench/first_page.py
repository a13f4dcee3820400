"""What the first page of a fresh process costs: everything imported, clients made, the overview drawn.

The process is one of its own, with the code as it is deployed and the AWS SDK as it is; the table that it asks is in
this process, over HTTP, and no part of the figure. Imports that the start puts off are in it: what is not paid at the
start must not be paid twice after it.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from infra.cdk.code import write_code
from tests.bench.figures import Figure
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN
from tests.functions.portal.conftest import build

ROOT = Path(__file__).resolve().parents[2]
TIMES = 7
_PROBE = f"""
import time
from datetime import datetime
began = time.process_time()
import app
started = time.process_time()
from functions.portal import services
services._clock = lambda: datetime.fromisoformat({scenes.NOW.isoformat()!r})
import json, sys
answer = app.app(json.load(sys.stdin), None)
ended = time.process_time()
assert answer["statusCode"] == 200, answer
print((started - began) * 1000, (ended - began) * 1000)
"""
_ROLE = (
    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
    "<AccessKeyId>k</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
    "<Expiration>2036-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
)


def figures() -> list[Figure]:
    with _served() as (cookie, endpoint), TemporaryDirectory() as code:
        write_code(Path(code), for_lambda=False)
        found = [_once(cookie, endpoint, code) for _ in range(TIMES)]
    started, answered = (median(figure) for figure in zip(*found, strict=True))
    return [
        Figure("start of the portal, before its first request", started, "ms CPU", None, "lower"),
        Figure("the first overview of a fresh process, its start included", answered, "ms CPU", None, "lower"),
    ]


@contextmanager
def _served() -> Iterator[tuple[str, str]]:
    """The cookie of somebody who is signed in, and where a table answers that knows them."""
    patch = pytest.MonkeyPatch()
    with redirect_stdout(io.StringIO()):
        portal = build(patch)
        cookies = portal.signed_in().cookies
    server = HTTPServer(("127.0.0.1", 0), _handler(portal.region.records))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield "; ".join(f"{name}={value}" for name, value in cookies.items()), f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    patch.undo()


def _once(cookie: str, endpoint: str, code: str) -> tuple[float, float]:
    settings = {name: value for name, value in os.environ.items() if name.startswith("SALDO_")}
    env = {
        **settings,
        "SALDO_CUSTOMER_ROLE_ARN": "arn:aws:iam::123456789012:role/customer",
        "PYTHONPATH": f"{code}:{ROOT / 'layers/saldo/python'}",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_ENDPOINT_URL": endpoint,
    }
    command, event = [sys.executable, "-c", _PROBE], json.dumps(_event(cookie))
    done = subprocess.run(command, cwd=code, env=env, input=event, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    started, answered = done.stdout.split()[-2:]
    return float(started), float(answered)


def _event(cookie: str) -> dict[str, Any]:
    """The overview as API Gateway asks for it."""
    path, headers = "/accounts/{account_id}", {"cookie": cookie, "host": ORIGIN.split("//")[1], "accept": "text/html"}
    context = {"resourcePath": path, "httpMethod": "GET", "requestId": "r", "identity": {"sourceIp": "192.0.2.1"}}
    asked = {"resource": path, "path": path, "httpMethod": "GET", "headers": headers, "requestContext": context}
    asked |= {"pathParameters": {"account_id": scenes.NORTH}, "multiValueQueryStringParameters": None}
    return asked | {"body": None, "isBase64Encoded": False, "stageVariables": None}


def _handler(table: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["content-length"]))
            target = self.headers.get("x-amz-target")
            if target is None:
                return self._say(_ROLE, "text/xml")
            operation = re.sub(r"(?<!^)(?=[A-Z])", "_", target.split(".")[1]).lower()
            request = _bytes(json.loads(asked), b64decode)
            request.pop("ClientRequestToken", None)  # the SDK's own, for its repeats
            answer = getattr(table, operation)(**request)
            return self._say(json.dumps(_bytes(answer, lambda b: b64encode(b).decode())), "application/x-amz-json-1.0")

        def _say(self, text: str, kind: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """What is measured prints figures, and nothing else."""

    return Handler


def _bytes(value: Any, change: Any) -> Any:
    """The same, with every binary attribute changed: JSON has no bytes."""
    if isinstance(value, dict):
        return {name: change(held) if name == "B" else _bytes(held, change) for name, held in value.items()}
    return [_bytes(held, change) for held in value] if isinstance(value, list) else value
