"""The portal over HTTP on a free port, from this process: what a browser needs when no stack is up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from chalice.local import ChaliceRequestHandler, ThreadedHTTPServer

from tests.functions.portal.browser import Gateway


class _Quiet(ChaliceRequestHandler):
    disable_nagle_algorithm = True

    def __init__(self, *args: Any, app: Any) -> None:
        self.local_gateway = Gateway(app)
        BaseHTTPRequestHandler.__init__(self, *args)  # past Chalice's, which knows no greedy resource

    def __getattr__(self, name: str) -> Any:
        """Whatever method is asked for goes to the application, which says that no route has it."""
        if name.startswith("do_"):
            return self.do_GET
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests print their own."""


@contextmanager
def served(app: Any, port: int) -> Iterator[str]:
    """The application at http://localhost:<port> until the block ends; port 0 is any free one."""

    def handler(*args: Any) -> ChaliceRequestHandler:
        return _Quiet(*args, app=app)

    server = ThreadedHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
