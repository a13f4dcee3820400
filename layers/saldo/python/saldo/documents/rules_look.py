"""Whether a template can be published, and how one is read. Values in, values out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from saldo.documents.model import Look
from saldo.kernel.errors import Problems

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LONGEST = {"logo": 60, "clause": 600, "footer": 200}
_FIELDS = frozenset({"logo", "accent", "clauses", "footer", "steps"})
_LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3: text on white


def look_of(fields: Mapping[str, Any]) -> Look:
    """A template from JSON: `logo`, `accent`, `clauses` (language → texts), `footer` (language → text), `steps`.

    Refusal `invalid_template` naming every fault.
    """
    problems = Problems()
    for name in sorted(fields.keys() - _FIELDS):
        problems.add(str(name), "unknown_field", f"a template has {', '.join(sorted(_FIELDS))}")
    clauses, footer = fields.get("clauses", {}), fields.get("footer", {})
    if not isinstance(clauses, Mapping) or not all(isinstance(texts, list) for texts in clauses.values()):
        problems.add("clauses", "invalid", "lists of texts by language")
        clauses = {}
    if not isinstance(footer, Mapping):
        problems.add("footer", "invalid", "a text by language")
        footer = {}
    texts = [("logo", fields.get("logo", ""))]
    texts += [(f"footer.{language}", text) for language, text in footer.items()]
    texts += [(f"clauses.{language}[{i}]", t) for language, row in clauses.items() for i, t in enumerate(row)]
    for where, text in texts:
        _check_text(where, text, problems)
    accent = fields.get("accent", Look().accent)
    if not isinstance(accent, str) or not _COLOUR.fullmatch(accent):
        problems.add("accent", "invalid", "a colour is #rrggbb")
    elif contrast_with_white(accent) < _LEAST_CONTRAST:
        problems.add("accent", "too_pale", f"it must stand out from white by {_LEAST_CONTRAST} to 1 to be read")
    if not isinstance(fields.get("steps", True), bool):
        problems.add("steps", "invalid", "true or false")
    problems.refuse_if_any("the template cannot be used", "invalid_template")
    kept = {language: tuple(row) for language, row in clauses.items()}
    return Look(fields.get("logo", ""), accent, kept, dict(footer), fields.get("steps", True))


def check_name(name: str) -> None:
    problems = Problems()
    if not _NAME.fullmatch(name):
        problems.add("name", "invalid", "small letters, digits and hyphens, at most 40")
    problems.refuse_if_any("the template cannot be used", "invalid_template")


def _check_text(where: str, text: object, problems: Problems) -> None:
    longest = _LONGEST["clause" if where.startswith("clauses") else where.partition(".")[0]]
    if not isinstance(text, str):
        problems.add(where, "invalid", "must be a text")
    elif len(text) > longest:
        problems.add(where, "too_long", f"at most {longest} characters")


def contrast_with_white(colour: str) -> float:
    """Contrast ratio of #rrggbb with white, 1 to 21 (WCAG 2.2, relative luminance). No money, so float will do."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
