"""`python -m local.front`: the portals on http://localhost, each in front of its region's API Gateway.

A browser gets the same paths as behind the public host name, without API Gateway's stage. Requests go on byte for
byte with the browser's own Host; answers come back with every cookie, in order. Connections stay open both ways.
"""

from __future__ import annotations

import argparse
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Headers that belong to one connection (RFC 9110, 7.6.1).
_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
_LARGEST_BODY = 10 * 1024 * 1024  # API Gateway's own limit
_upstream = threading.local()


class Front(BaseHTTPRequestHandler):
    """One browser connection, in its own thread."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 75
    server: Portal

    def _relay(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST_BODY:
            self.send_error(413)
            return
        body = self.rfile.read(length) if length else None
        try:
            answer, content = self._ask(body)
        except OSError:
            self.send_error(502, "The emulated AWS does not answer", "Start it with: make up")
            return
        self._answer(answer, content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _relay  # noqa: N815

    def _ask(self, body: bytes | None) -> tuple[http.client.HTTPResponse, bytes]:
        """A kept connection may have been closed by the other side: a fresh one is tried once."""
        for fresh in (False, True):
            connection = self._connection(fresh=fresh)
            try:
                connection.putrequest(self.command, self.server.prefix + self.path, True, True)
                for name, value in self._forwarded(body):
                    connection.putheader(name, value)
                connection.endheaders(body)
                answer = connection.getresponse()
                return answer, answer.read()
            except (http.client.HTTPException, OSError):
                connection.close()
                if fresh:
                    raise OSError("no answer") from None
        raise OSError("no answer")

    def _connection(self, *, fresh: bool) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(_upstream, "connection", None)
        if kept is None or fresh:
            kept = http.client.HTTPConnection("127.0.0.1", self.server.aws_port, timeout=60)
            _upstream.connection = kept
        return kept

    def _forwarded(self, body: bytes | None) -> list[tuple[str, str]]:
        kept = [(k, v) for k, v in self.headers.items() if k.lower() not in _HOP | {"content-length"}]
        sender = [("X-Forwarded-For", str(self.client_address[0])), ("X-Forwarded-Proto", "http")]
        length = [("Content-Length", str(len(body)))] if body is not None else []
        return [*kept, *sender, *length]

    def _answer(self, answer: http.client.HTTPResponse, content: bytes) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP | {"content-length", "server", "date"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the portal logs its requests itself."""


class Portal(ThreadingHTTPServer):
    """One region's portal. `api`: id and stage of its REST API."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, aws_port: int, api: str) -> None:
        super().__init__(("127.0.0.1", port), Front)
        api_id, _, stage = api.partition("/")
        self.aws_port, self.prefix = aws_port, f"/restapis/{api_id}/{stage}/_user_request_"


def main() -> None:
    """--aws PORT and, for each portal, PORT=API/STAGE."""
    parser = argparse.ArgumentParser(prog="local.front")
    parser.add_argument("--aws", type=int, required=True)
    parser.add_argument("portals", nargs="+", metavar="PORT=API/STAGE")
    given = parser.parse_args()
    portals = [Portal(int(p.partition("=")[0]), given.aws, p.partition("=")[2]) for p in given.portals]
    threads = [threading.Thread(target=portal.serve_forever, daemon=True) for portal in portals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
