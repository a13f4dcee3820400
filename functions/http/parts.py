"""Which module of an application has the routes at an address: it is imported when the first request comes there, so
that a cold start pays for what it answers and for nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_ENDING = re.compile(r"\.\w+$")


class Parts:
    """Modules → the addresses below which their routes lie, in the words of routes: `/accounts/{account_id}/plans`.

    A path belongs to the longest address that it begins with; of two as long, to the one with fewer names in it.
    A file lies where its page does: `/plans.csv` is of `/plans`.
    """

    def __init__(self, parts: Mapping[str, Sequence[str]]) -> None:
        self.modules = tuple(parts)
        lying = [(_steps(address), module) for module, addresses in parts.items() for address in addresses]
        self._lying = sorted(lying, key=lambda part: (-len(part[0]), sum(map(_is_name, part[0]))))

    def at(self, path: str) -> str | None:
        """The module for a path as it was asked for, or as a route names it; None where nothing of ours lies."""
        steps = _steps(path)
        return next((module for address, module in self._lying if _begins(steps, address)), None)


def _steps(path: str) -> tuple[str, ...]:
    return tuple(filter(None, _ENDING.sub("", path).split("/")))


def _begins(steps: tuple[str, ...], address: tuple[str, ...]) -> bool:
    return len(address) <= len(steps) and all(a == s or _is_name(a) for a, s in zip(address, steps, strict=False))


def _is_name(step: str) -> bool:
    return step.startswith("{")
