"""How thoroughly costly properties are tried."""

from __future__ import annotations

import os


def examples(usual: int) -> int:
    """So many examples, ten times as many where `make nightly` asks for it."""
    return usual * (10 if os.environ.get("SALDO_THOROUGH") else 1)
