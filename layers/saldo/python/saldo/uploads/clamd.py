"""ClamAV as scanner: its daemon's INSTREAM command (clamd(8)) over TCP, one connection a file."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass

from saldo.kernel.errors import Unavailable
from saldo.uploads.model import Verdict

log = logging.getLogger(__name__)
_CHUNK, _LONGEST_ANSWER = 65_536, 4096


@dataclass(frozen=True, slots=True)
class Clamd:
    """`address`: `host:port`. `patience_s`: how long each answer of the network may take."""

    address: str
    patience_s: float = 20.0

    def scan(self, content: bytes) -> Verdict:
        try:
            answer = self._ask(content)
        except OSError as error:
            raise Unavailable("the scanner did not answer") from error
        return _verdict(answer)

    def _ask(self, content: bytes) -> str:
        host, _, port = self.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=self.patience_s) as connection:
            connection.sendall(b"zINSTREAM\0")
            for at in range(0, len(content), _CHUNK):
                chunk = content[at : at + _CHUNK]
                connection.sendall(len(chunk).to_bytes(4, "big") + chunk)
            connection.sendall(bytes(4))
            return _answer(connection)


def _answer(connection: socket.socket) -> str:
    """Up to the zero byte; what ends without one was cut off, and says nothing."""
    read = b""
    while not read.endswith(b"\0"):
        more = connection.recv(_LONGEST_ANSWER)
        read += more
        if not more or len(read) > _LONGEST_ANSWER:
            raise Unavailable("the scanner's answer was cut off")
    return read[:-1].decode("utf-8", "replace")


def _verdict(answer: str) -> Verdict:
    """`stream: OK`, `stream: <name> FOUND`; anything else is no verdict, and never means clean."""
    what = answer.removeprefix("stream: ")
    if what == "OK":
        return Verdict()
    if what.endswith(" FOUND"):
        return Verdict(what.removesuffix(" FOUND")[:100] or "unnamed")
    log.warning("the scanner failed", extra={"answer": what[:100]})
    raise Unavailable("the scanner could not look at the file")
