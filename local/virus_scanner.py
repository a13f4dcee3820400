"""A server that speaks clamd's INSTREAM on this machine and knows EICAR's test file, also badly: `python -m
local.virus_scanner [port]`. It stands for ClamAV where that is not installed; it is no anti-virus."""

from __future__ import annotations

import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from saldo.uploads.known_harm import EICAR

MOST_BYTES = 25_000_000  # clamd's StreamMaxLength


class Manner(StrEnum):
    """How it answers. SLOW: after `slow_s`. FAILING: that it could not look. CUT_OFF: half a word."""

    WELL = "well"
    SLOW = "slow"
    FAILING = "failing"
    CUT_OFF = "cut_off"


class VirusScanner(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True

    def __init__(self, port: int = 0, manner: Manner = Manner.WELL, slow_s: float = 1.0) -> None:
        super().__init__(("127.0.0.1", port), _Session)
        self.manner, self.slow_s = manner, slow_s

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Session(socketserver.StreamRequestHandler):
    server: VirusScanner

    def handle(self) -> None:
        if self.rfile.read(len(b"zINSTREAM\0")) != b"zINSTREAM\0":
            self.wfile.write(b"UNKNOWN COMMAND\0")
            return
        answer = self._answer(self._content())
        if self.server.manner is Manner.SLOW:
            time.sleep(self.server.slow_s)
        self.wfile.write(answer[:9] if self.server.manner is Manner.CUT_OFF else answer)

    def _content(self) -> bytes:
        content = b""
        while (size := int.from_bytes(self.rfile.read(4), "big")) and len(content) <= MOST_BYTES:
            content += self.rfile.read(size)
        return content

    def _answer(self, content: bytes) -> bytes:
        if self.server.manner is Manner.FAILING:
            return b"stream: Can't allocate memory ERROR\0"
        if len(content) > MOST_BYTES:
            return b"INSTREAM size limit exceeded. ERROR\0"
        return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"


@contextmanager
def scanning(manner: Manner = Manner.WELL) -> Iterator[VirusScanner]:
    """A server of its own on a free port, for as long as the block lasts."""
    with VirusScanner(manner=manner) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()


if __name__ == "__main__":
    VirusScanner(int(sys.argv[1]) if len(sys.argv) > 1 else 3310).serve_forever()
