"""Reading a JSON document field by field, so that a refusal names every field at fault and not only the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar  # Any: parsed JSON is of any shape until it is read

from saldo.kernel.clock import instant_from
from saldo.kernel.errors import Problem, Problems
from saldo.kernel.exact import ZERO
from saldo.kernel.numbers import MOST_DIGITS, fits, number_in

Choice = TypeVar("Choice", bound=StrEnum)
Read = TypeVar("Read")
_MISSING = object()
_FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)


class Fields:
    """One JSON object at a path of a document. Each reader returns a value of its type in any case: where it has to
    add a problem, a harmless one that must not be used. `finish` reports fields that nobody asked for.

    >>> problems = Problems()
    >>> Fields({"size": "ten"}, problems).decimal("size")
    Decimal('0')
    >>> problems.found[0].field
    'size'
    """

    def __init__(self, document: Any, problems: Problems, path: str = "") -> None:
        self.problems = problems
        self.path = path
        self._known: Mapping[str, Any] = document if isinstance(document, Mapping) else {}
        self._asked: set[str] = set()
        if not isinstance(document, Mapping):
            problems.add(path or "document", "not_an_object", "must be an object")

    def at(self, name: str) -> str:
        """The full path of a field: `components[0].price`."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether the field is there and not null; asking for it counts as reading it."""
        self._asked.add(name)
        return self._known.get(name) is not None

    def one_of(self, *names: str) -> None:
        """A problem where more than one is there of fields that say the same thing in different ways."""
        told = [name for name in names if self.has(name)]
        for name in told[1:]:
            ways = ", ".join(names)
            self.problems.add(self.at(name), "one_of", f"beside `{told[0]}`: tell it in one way of {ways}")

    def is_faulty(self, name: str) -> bool:
        """Whether a problem of this very field has been found."""
        where = self.at(name)
        return any(problem.field == where for problem in self.problems.found)

    def note(self, found: Iterable[Problem]) -> None:
        """Problems of these fields by their names; nothing more of a field that has one already."""
        for problem in found:
            if not self.is_faulty(problem.field):
                self.problems.extend([problem], self.path)

    def is_object(self, name: str) -> bool:
        """Whether the field holds an object."""
        return isinstance(self._known.get(name), Mapping)

    def _get(self, name: str, default: Any = _MISSING) -> Any:
        self._asked.add(name)
        value = self._known.get(name)
        if value is not None:
            return value
        if default is _MISSING:
            self.problems.add(self.at(name), "missing", "is required")
        return default

    def text(self, name: str, default: Any = _MISSING) -> str:
        value = self._get(name, default)
        if value is _MISSING:
            return ""
        if not isinstance(value, str) or (not value.strip() and default is _MISSING):
            self.problems.add(self.at(name), "not_text", "must be text")
            return ""
        return value

    def integer(self, name: str, default: Any = _MISSING) -> int:
        value = self._get(name, default)
        if value is _MISSING:
            return 0
        if type(value) is not int:
            self.problems.add(self.at(name), "not_whole", "must be a whole number")
            return 0
        return value

    def maybe_integer(self, name: str) -> int | None:
        return self.integer(name) if self.has(name) else None

    def flag(self, name: str, default: Any = _MISSING) -> bool:
        value = self._get(name, default)
        if value is _MISSING:
            return False
        if not isinstance(value, bool):
            self.problems.add(self.at(name), "not_a_flag", "must be true or false")
            return False
        return value

    def decimal(self, name: str, default: Any = _MISSING) -> Decimal:
        """A number written as text (`"0.05"`) or as a whole number; a JSON float is refused, it has lost digits."""
        value = self._get(name, default)
        return ZERO if value is _MISSING else self._decimal(value, self.at(name))

    def _decimal(self, value: Any, path: str) -> Decimal:
        if isinstance(value, Decimal):
            number = value
        elif type(value) is int:
            number = Decimal(value)
        elif isinstance(value, str):
            read = number_in(value)
            if read is None:
                self.problems.add(path, "not_a_number", "must be a number such as 0.05")
                return ZERO
            number = read
        else:
            self.problems.add(path, "not_a_number", 'must be a number written as text, such as "0.05"')
            return ZERO
        if not fits(number):
            self.problems.add(path, "too_long", f"must be finite and have at most {MOST_DIGITS} digits")
            return ZERO
        return number

    def maybe_decimal(self, name: str) -> Decimal | None:
        return self.decimal(name) if self.has(name) else None

    def day(self, name: str) -> date:
        value = self._get(name)
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            if value is not _MISSING:
                self.problems.add(self.at(name), "not_a_date", "must be a date such as 2026-01-31")
            return date.min

    def days(self, name: str) -> tuple[date, ...]:
        """A list of dates, at least one."""
        value = self._get(name)
        try:
            found = tuple(date.fromisoformat(day) for day in value)
        except (TypeError, ValueError):
            found = ()
        if not found and value is not _MISSING:
            self.problems.add(self.at(name), "not_dates", "must be a list of dates such as 2026-01-31")
        return found or (date.min,)

    def maybe_day(self, name: str) -> date | None:
        return self.day(name) if self.has(name) else None

    def instant(self, name: str) -> datetime:
        """A moment with its offset from UTC, such as 2026-01-31T12:00:00Z; answered in UTC."""
        value = self._get(name)
        return _FIRST_MOMENT if value is _MISSING else self._instant(value, self.at(name))

    def _instant(self, value: Any, path: str) -> datetime:
        try:
            return instant_from(value)
        except (TypeError, ValueError, AttributeError):
            self.problems.add(path, "not_an_instant", "must be a moment such as 2026-01-31T12:00:00Z")
            return _FIRST_MOMENT

    def maybe_instant(self, name: str) -> datetime | None:
        return self.instant(name) if self.has(name) else None

    def instants(self, name: str) -> tuple[datetime, ...]:
        """A list of moments, at least one."""
        listed = self._list(name)
        if not listed and not self.is_faulty(name):
            self.problems.add(self.at(name), "empty", "must be a list of moments such as 2026-01-31T12:00:00Z")
        return tuple(self._instant(text, f"{self.at(name)}[{i}]") for i, text in enumerate(listed))

    def _list(self, name: str) -> list[Any]:
        value = self._get(name)
        if isinstance(value, list):
            return value
        if value is not _MISSING:
            self.problems.add(self.at(name), "not_a_list", "must be a list")
        return []

    def text_list(self, name: str) -> tuple[str, ...]:
        """A list of texts; () when absent."""
        value = self._get(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.problems.add(self.at(name), "not_texts", "must be a list of texts")
            return ()
        return tuple(value)

    def texts_or_children(self, name: str) -> Iterator[str | Fields]:
        """The texts and objects of a list."""
        for i, entry in enumerate(self._list(name)):
            path = f"{self.at(name)}[{i}]"
            if isinstance(entry, str) and not entry.strip():
                self.problems.add(path, "not_text", "must be text")
            yield entry if isinstance(entry, str) else Fields(entry, self.problems, path)

    def choice(self, name: str, choices: type[Choice], default: Choice | None = None) -> Choice:
        first = next(iter(choices))
        value = self._get(name, _MISSING if default is None else default)
        if value is _MISSING:
            return first
        try:
            return choices(value)
        except ValueError:
            self.problems.add(self.at(name), "unknown_choice", f"must be one of {', '.join(choices)}")
            return first

    def child(self, name: str) -> Fields:
        value = self._get(name)
        return Fields({} if value is _MISSING else value, self.problems, self.at(name))

    def children(self, name: str) -> Iterator[Fields]:
        value = self._get(name)
        if value is _MISSING:
            return
        if not isinstance(value, list):
            self.problems.add(self.at(name), "not_a_list", "must be a list")
            return
        for i, entry in enumerate(value):
            yield Fields(entry, self.problems, f"{self.at(name)}[{i}]")

    def texts(self, name: str) -> dict[str, str]:
        """An object of texts, such as names by language; {} when absent."""
        value = self._get(name, {})
        if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
            self.problems.add(self.at(name), "not_texts", "must be an object of texts")
            return {}
        return dict(value)

    def decimals(self, name: str) -> dict[str, Decimal]:
        """An object of numbers; {} when absent."""
        value = self._get(name, {})
        if not isinstance(value, Mapping):
            self.problems.add(self.at(name), "not_numbers", "must be an object of numbers")
            return {}
        return {key: self._decimal(v, f"{self.at(name)}.{key}") for key, v in value.items()}

    def maybe_children(self, name: str) -> Iterator[Fields]:
        """The objects of a list that may be absent."""
        return self.children(name) if self.has(name) else iter(())

    def maybe_child(self, name: str) -> Fields:
        """An object that may be absent: then one without fields."""
        return self.child(name) if self.has(name) else Fields({}, self.problems, self.at(name))

    def decimal_list(self, name: str) -> tuple[Decimal, ...]:
        """A list of numbers; () when absent."""
        value = self._get(name, [])
        if not isinstance(value, list):
            self.problems.add(self.at(name), "not_numbers", "must be a list of numbers")
            return ()
        return tuple(self._decimal(v, f"{self.at(name)}[{i}]") for i, v in enumerate(value))

    def names(self) -> list[str]:
        """The names of all fields, of an object whose names are not known."""
        return [str(name) for name in self._known]

    def finish(self) -> None:
        """Reports fields that no reader asked for, with those there are: a misspelt name must not be ignored."""
        for name in sorted(map(str, self._known.keys() - self._asked)):
            self.problems.add(self.at(name), "unknown_field", f"is not a field here; there are {_listed(self._asked)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def read(document: Any, reader: Callable[[Fields], Read], message: str) -> Read:
    """What the reader makes of the document, or Refusal `invalid_input` with every problem it found."""
    problems = Problems()
    value = reader(Fields(document, problems))
    problems.refuse_if_any(message)
    return value
