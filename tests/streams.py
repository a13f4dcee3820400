"""What a table's stream tells a function, and what has followed from it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from saldo.audit.chain import AuditChain
from saldo.kernel.clock import Clock
from saldo.storage.store import Store


def chain_all(store: Store, clock: Clock) -> None:
    """Every audit record there is in its owner's chain, as it is once the stream was told."""
    AuditChain(store, clock).link([item for item in store.scan() if item["kind"] == "audit"])


def image(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """A record's attributes as they reach a function: JSON, in which bytes are base64 text."""
    told: dict[str, Any] = json.loads(json.dumps(attributes, default=_base64))
    return told


def _base64(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} is not told in a stream")
    return b64encode(value).decode()
