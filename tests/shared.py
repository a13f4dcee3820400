"""Real data that lies beside the repository, for the tests that need it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared(name: str) -> Path:
    """A file of the shared folder (SALDO_SHARED, else `../shared`); skips the test, saying so, where it is absent."""
    folder = Path(os.environ.get("SALDO_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    if not (folder / name).exists():
        pytest.skip(f"needs {name} in the shared data folder, which is not here")
    return folder / name
