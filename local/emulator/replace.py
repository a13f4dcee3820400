"""Replacing a piece of the emulator, loudly when it is not what it was."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any


def swap(text: str, old: str, new: str) -> str:
    """The text with `old`, which must occur once, replaced."""
    if text.count(old) != 1:
        raise SystemExit(f"the emulator changed: {old[:60]!r} is no longer there once; revise local/emulator")
    return text.replace(old, new)


def around(module: ModuleType, name: str, wrap: Callable[[Any], Any]) -> None:
    """Replace a function of a module by `wrap(function)`; it must exist."""
    if not callable(getattr(module, name, None)):
        raise SystemExit(f"the emulator changed: {module.__name__}.{name} is gone; revise local/emulator")
    setattr(module, name, wrap(getattr(module, name)))
