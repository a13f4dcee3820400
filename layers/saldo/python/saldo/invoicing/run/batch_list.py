"""The names of a step's batches in a file: a workflow's state holds 256 KiB, and a large seller's run has more of them.

A list is named after what is on it. So one that is laid down again is the same file, and nobody reads a list that
another execution of the same run wrote over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from saldo.storage.files import Files


def lay_down(files: Files, run_id: str, attempt: int, names: Sequence[str]) -> dict[str, Any]:
    """What the workflow is told of the batches: {count, key}. The file is a JSON array of {batch: its name}."""
    body = json.dumps([{"batch": name} for name in names], separators=(",", ":")).encode()
    key = f"batches/{run_id}/{attempt:04d}/{sha256(body).hexdigest()}.json"
    if names:
        files.put(key, body, "application/json")
    return {"count": len(names), "key": key}
