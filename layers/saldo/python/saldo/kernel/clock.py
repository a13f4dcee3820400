"""The clock as a value that is handed in, so that time can stand still in tests and move in simulations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The real time as a UTC instant."""
    return datetime.now(UTC)


def instant_text(at: datetime) -> str:
    """UTC, millisecond precision, sortable as text: 2026-11-23T20:43:20.000Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def instant_from(text: str) -> datetime:
    """The instant a text names; a text without an offset is refused by raising ValueError."""
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    return at.astimezone(UTC)
