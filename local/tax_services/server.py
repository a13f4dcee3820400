"""A tax service as a process: sockets, threads, faults by script."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Protocol  # parsed JSON is of any shape until it is read

from local.tax_services.faults import NO_ANSWER, Fault, Script
from local.tax_services.spoiling import WRONG, spoilt
from saldo.storage.web import json_of

FAULTS = "/_faults"
_TOKEN_KIND = "application/x-www-form-urlencoded"  # noqa: S105 - a media type
_MOST_BYTES = 1_000_000


class Book(Protocol):
    """What a service knows and answers: (status, JSON)."""

    def answer(self, verb: str, path: str, headers: Mapping[str, str], document: Any) -> tuple[int, Any]: ...


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def do_GET(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        raw = self.rfile.read(min(int(length) if length.isdigit() else 0, _MOST_BYTES))
        form = self.headers.get("Content-Type", "").startswith(_TOKEN_KIND)
        try:
            self._serve(raw.decode() if form else json.loads(raw, parse_float=Decimal))
        except ValueError:
            self._send(400, {})

    def _serve(self, document: Any) -> None:
        if self.path == FAULTS:
            return self._script(document)
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = Fault.NONE if isinstance(document, str) else self.server.script.take()
        if fault in (Fault.STATUS_500, Fault.STATUS_503, Fault.STATUS_429):
            return self._send(int(fault), {})
        if fault is Fault.SLOW:
            self.server.over.wait(self.server.script.slow_s)
        status, answer = self.server.book.answer(self.command, self.path, headers, document)
        if fault is Fault.LOST:
            self.close_connection = True
            return None
        if fault in NO_ANSWER:
            return self._send_raw(*NO_ANSWER[fault])
        if fault in WRONG and status < 300:
            answer = spoilt(fault, answer)
        return self._send(status, answer, cut=fault is Fault.CUT)

    def _script(self, document: Any) -> None:
        """`{"fault": "500", "times": 3}`; without times, for ever."""
        if "times" in document:
            self.server.script.then(document["fault"], document["times"])
        else:
            self.server.script.always = Fault(document["fault"])
        self._send(200, {"calls": self.server.script.calls})

    def _send(self, status: int, answer: Any, *, cut: bool = False) -> None:
        self._send_raw(status, json_of(answer).encode(), cut=cut)

    def _send_raw(self, status: int, body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.close_connection = self.close_connection or cut
        self.wfile.write(body[: len(body) // 2] if cut else body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: requests carry what customers bought."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    book: Book
    script: Script
    over: threading.Event


class ServiceProcess:
    """A running service. As a context manager it stops with the block. Port 0 picks a free one; `url` tells which."""

    def __init__(self, book: Book, *, port: int = 0, script: Script | None = None) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.book, self._server.over = book, threading.Event()
        self.script = self._server.script = script or Script()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="tax service", daemon=True)

    def __enter__(self) -> ServiceProcess:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.over.set()
        self._server.shutdown()
        self._server.server_close()
