"""How Saldo says no: refusals the caller can act on, outages it can retry, and lists of every problem at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: a path (`lines[2].quantity`), a stable code, and a message for people."""

    field: str
    code: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return {"field": self.field, "code": self.code, "message": self.message}


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a failure of the program
    """An expected no. `code` is stable and documented; `problems` names every field at fault."""

    def __init__(self, code: str, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.problems = tuple(problems)

    def __str__(self) -> str:
        details = "; ".join(f"{p.field}: {p.message}" for p in self.problems)
        return f"{self.code}: {self.message}" + (f" ({details})" if details else "")


class Unavailable(Exception):  # noqa: N818 - named for what the caller sees; retrying later may succeed
    """Something outside did not answer. Retrying later may succeed and does no harm."""


class NotFound(Refusal):
    """The thing does not exist, or is not for this reader: both read the same from outside."""

    def __init__(self, what: str = "not found") -> None:
        super().__init__("not_found", what)


class Problems:
    """Collects every problem of one input, then refuses once.

    >>> problems = Problems()
    >>> problems.add("quantity", "negative", "quantity must be zero or more")
    >>> bool(problems)
    True
    """

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, field: str, code: str, message: str) -> None:
        self._found.append(Problem(field, code, message))

    def extend(self, found: Iterable[Problem], under: str = "") -> None:
        prefix = f"{under}." if under else ""
        self._found.extend(Problem(prefix + p.field, p.code, p.message) for p in found)

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def found(self) -> tuple[Problem, ...]:
        return tuple(self._found)

    def refuse_if_any(self, message: str = "the input is not valid", code: str = "invalid_input") -> None:
        """Raises Refusal(code) carrying every problem found so far; returns quietly when there are none."""
        if self._found:
            raise Refusal(code, message, self._found)
