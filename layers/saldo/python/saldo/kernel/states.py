"""State machines as tables of allowed moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from saldo.kernel.errors import Refusal

State = TypeVar("State", bound=str)


def moved(moves: Mapping[State, frozenset[State]], here: State, there: State) -> State:
    """`there`, when the table has the edge here → there; else Refusal `move_not_allowed`."""
    if there not in moves.get(here, frozenset()):
        raise Refusal("move_not_allowed", f"{here} cannot become {there}")
    return there
