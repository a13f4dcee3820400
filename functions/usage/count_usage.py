"""Count usage that lies in files."""

from __future__ import annotations

from typing import Any

from functions.observed import observed
from functions.services import partitions
from saldo.usage.partitions_remote import answered


@observed("CountUsage")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{count: [ask]} or {known: [ask]} → {answers: […]}, or {refused: {code, message}}; it only reads."""
    return answered(partitions(), event)
