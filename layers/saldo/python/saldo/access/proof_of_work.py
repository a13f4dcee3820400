"""A challenge without a third party, a picture or a cookie: the browser finds a number (hashcash, Back 2002).

The puzzle follows from what it is about, so nothing is stored, and an answer is worth nothing for the next attempt.
"""

from __future__ import annotations

from hashlib import sha256

BITS = 14  # 16,384 hashes on average: a second or two in a browser; a list of a million passwords takes days


class ProofOfWork:
    """Implements `saldo.access.ports.Challenger`."""

    def __init__(self, bits: int = BITS) -> None:
        self._bits = bits

    def puzzle(self, about: str) -> str:
        """`<bits>.<hex>`: find a number n with so many leading zero bits in SHA-256 of `<puzzle>.<n>`."""
        return f"{self._bits}.{sha256(f'saldo puzzle {about}'.encode()).hexdigest()}"

    def holds(self, about: str, answer: str) -> bool:
        if not (answer.isascii() and answer.isdigit() and len(answer) <= 15):
            return False
        found = sha256(f"{self.puzzle(about)}.{answer}".encode()).digest()
        return int.from_bytes(found, "big") >> (256 - self._bits) == 0
