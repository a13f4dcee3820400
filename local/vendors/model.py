"""What a contract with another's service says, and how it is written: JSON Schema in as few words as possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any  # JSON Schemas are of any shape

Schema = dict[str, Any]

NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
DAY: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
CURRENCY: Schema = {"type": "string", "pattern": "^[A-Z]{3}$"}


def text(longest: int = 0, pattern: str = "") -> Schema:
    return {"type": "string"} | ({"maxLength": longest} if longest else {}) | ({"pattern": pattern} if pattern else {})


def one_of(*values: str | bool) -> Schema:
    return {"enum": list(values)}


def some(what: Schema) -> Schema:
    return {"type": "array", "items": what, "minItems": 1}


def sent(needed: str = "", **fields: Schema) -> Schema:
    """What we send: these fields and no others. needed: those that the vendor demands."""
    return told(needed, **fields) | {"additionalProperties": False}


def told(needed: str = "", **fields: Schema) -> Schema:
    """What we are told: there may be other fields. needed: those that we read."""
    return {"type": "object", "properties": fields, "required": needed.split()}


@dataclass(frozen=True, slots=True)
class Call:
    """`query`: as it is sent. `answers`: by status."""

    verb: str
    path: str
    answers: Mapping[int, Schema]
    request: Schema | None = None
    form: Schema | None = None
    query: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that a vendor announced: from when, what, and what we did about it ("" for nothing yet)."""

    on: date
    what: str
    done: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """`announced_at`: where the vendor tells of changes; read again by `look_again_by`, last on `read_on`."""

    vendor: str
    version: str
    adapter: str
    sources: tuple[str, ...]
    announced_at: str
    read_on: date
    look_again_by: date
    calls: tuple[Call, ...]
    changes: tuple[Change, ...] = ()

    def overdue(self, today: date) -> Iterator[str]:
        """What people are to do about it by now."""
        if today > self.look_again_by:
            yield f"look again at {self.announced_at}: last done on {self.read_on}, due by {self.look_again_by}"
        yield from (
            f"{c.on}: {c.what}; nothing was done about it" for c in self.changes if not c.done and c.on <= today
        )
