"""Background processes: ours are known, others are not taken for ours."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.place import Place
from local.processes import Process


def test_a_port_on_which_something_else_answers_is_refused_with_what_to_do(tmp_path: Path) -> None:
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        process = Process("aws", "local.emulator", (), f"http://127.0.0.1:{server.server_port}/")
        with pytest.raises(RuntimeError, match="SALDO_PORT_BASE"):
            process.start(Place(18080, tmp_path), os.environ)
        assert process.pid(Place(18080, tmp_path)) is None
    finally:
        server.shutdown()
        server.server_close()
