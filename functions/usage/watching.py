"""Thresholds of accounts whose usage has just come in."""

from __future__ import annotations

from collections.abc import Collection

from functions.observed import count, logger
from functions.services import thresholds


def watched(accounts: Collection[str]) -> bool:
    """False when these accounts must be looked at again; their events are stored, and then come as repeats."""
    try:
        count("ThresholdsReached", len(thresholds().check(accounts)))
    except Exception:
        logger().exception("ThresholdsBroke")
        return False
    return True
