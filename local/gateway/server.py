"""The gateway as a process: sockets, threads, start and stop."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType

from local.gateway.answers import Answer, Gateway
from local.gateway.asked import Request
from local.gateway.book import Book, Pace
from local.gateway.courier import Courier
from local.gateway.moods import Mood
from saldo.kernel.clock import Clock, system_clock

_MOST_BYTES = 64_000


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _MOST_BYTES:
            self.close_connection = True
            self._send(Answer(413, b'{"error": {"code": "too_large", "message": "at most 64 kB"}}'))
            return
        self._answer(self.rfile.read(int(length)))

    def _answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            answer = self.server.gateway.answer(Request(self.command, self.path, headers, body))
        except Exception as error:
            print(f"gateway: {type(error).__name__} at {self.command} {self.path}", file=sys.stderr, flush=True)
            answer = Answer(500, b'{"error": {"code": "internal", "message": "the gateway failed"}}')
        if answer.lost:
            self.close_connection = True
            return
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: forms carry card numbers, and none of them may reach a log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    gateway: Gateway


class GatewayProcess:
    """A running gateway. As a context manager it stops with the block.

    targets: region code → address of that region's webhook. Port 0 picks a free one; `url` tells which.
    """

    def __init__(
        self,
        state: Path,
        secrets: Sequence[bytes],
        targets: Mapping[str, str],
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        public_url: str = "",
        pace: Pace | None = None,
        mood: Mood | None = None,
        clock: Clock = system_clock,
    ) -> None:
        mood = mood or Mood()
        self._server = _Server((host, port), _Handler)
        self.port: int = self._server.server_address[1]
        self.url = public_url or f"http://localhost:{self.port}"
        self.book = Book(state / "gateway.sqlite3", secrets[0], pace or Pace(), mood)
        self.courier = Courier(self.book, targets, secrets, clock)
        self._server.gateway = Gateway(self.book, self.courier, secrets, self.url, clock, mood)
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="gateway", daemon=True)

    def start(self, *, deliver: bool = True) -> GatewayProcess:
        """Serve; with `deliver=False` webhooks wait until someone calls `courier.round()`."""
        self._thread.start()
        if deliver:
            self.courier.start()
        return self

    def stop(self) -> None:
        self.courier.stop()
        self._server.shutdown()
        self._server.server_close()
        self.book.close()

    def __enter__(self) -> GatewayProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
