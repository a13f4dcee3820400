"""A worked case of our own: a quote's document, and what its answer must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any  # documents and answers are JSON of many shapes


@dataclass(frozen=True, slots=True)
class Worked:
    """`expected`: values by path of the answer (`invoices.0.net`; `*` stands for every entry of a list).

    `source`: who does it so. `option`: which choice other than Saldo's default the document makes, "" for none.
    `absent`: why Saldo does not do it; such a case has no document.
    """

    id: str
    source: str
    document: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)
    option: str = ""
    absent: str = ""

    @property
    def area(self) -> str:
        """`pricing.volume` of `pricing.volume.17`."""
        return self.id.rsplit(".", 1)[0]


def at(answer: Any, path: str) -> Any:
    """The value at a path of an answer."""
    name, _, rest = path.partition(".")
    if name == "*":
        return [at(entry, rest) if rest else entry for entry in answer]
    value = answer[int(name)] if isinstance(answer, list) else answer[name]
    return at(value, rest) if rest else value
