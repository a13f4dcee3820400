"""What uploads need from outside, in their own words."""

from __future__ import annotations

from typing import Protocol

from saldo.uploads.model import Verdict


class Scanner(Protocol):
    """Looks for what harms. `clamd.py` asks ClamAV; `known_harm.py` is what there is without one."""

    def scan(self, content: bytes) -> Verdict:
        """Unavailable when it does not answer, or not in time, or only says that it failed."""
        ...
