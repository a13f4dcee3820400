"""IAM's own decision, pure: identity policies and session policies, with their conditions.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators". What is not known
here raises, so that no statement passes because nobody understood it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Context = Mapping[str, tuple[str, ...]]  # condition key, in lower case, to its values


@dataclass(frozen=True, slots=True)
class Ask:
    """One action on one resource. `context`: what conditions may look at, by key in lower case."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Statement:
    """One statement of a policy. `name`: where it stands, for reports."""

    name: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, raw: Mapping[str, Any], name: str = "") -> Statement:
        """From JSON whose references are resolved. NotAction, NotResource and principals are not known here."""
        unknown = set(raw) - {"Effect", "Action", "Resource", "Condition", "Sid"}
        if unknown:
            raise NotImplementedError(f"{name}: {sorted(unknown)} of a statement")
        conditions = tuple(
            (operator, key.lower(), tuple(_listed(values)))
            for operator, keys in raw.get("Condition", {}).items()
            for key, values in keys.items()
        )
        return cls(name, raw["Effect"], tuple(_listed(raw["Action"])), tuple(_listed(raw["Resource"])), conditions)

    def grants(self, ask: Ask) -> tuple[str, str] | None:
        """The action and the resource, as written, by which it speaks of what is asked; None when it does not."""
        action = next((a for a in self.actions if _like(a.lower(), ask.action.lower())), None)
        if action is None:
            return None
        resource = next((r for r in self.resources if _like(_filled(r, ask.context), ask.resource)), None)
        if resource is None or not all(_met(*condition, ask.context) for condition in self.conditions):
            return None
        return action, resource


@dataclass(frozen=True, slots=True)
class Decision:
    """`by`: the statement and its words that allow it, or that deny it; None when nothing allows it."""

    allowed: bool
    by: tuple[Statement, str, str] | None


def decide(ask: Ask, identity: Sequence[Statement], session: Sequence[Statement] | None = None) -> Decision:
    """Whether the identity's policies allow it and, where a session policy is given, that one too. A deny wins."""
    everything = [*identity, *(session or ())]
    denied = _first(ask, (s for s in everything if s.effect == "Deny"))
    if denied:
        return Decision(False, denied)
    allowed = _first(ask, (s for s in identity if s.effect == "Allow"))
    if session is not None and not _first(ask, (s for s in session if s.effect == "Allow")):
        return Decision(False, None)
    return Decision(allowed is not None, allowed)


def _first(ask: Ask, statements: Iterable[Statement]) -> tuple[Statement, str, str] | None:
    return next(((s, *words) for s in statements if (words := s.grants(ask)) is not None), None)


# -- conditions ----------------------------------------------------------------------------------------------------


def _met(operator: str, key: str, wanted: tuple[str, ...], context: Context) -> bool:
    quantifier, _, plain = operator.rpartition(":")
    there = context.get(key, ())
    if plain == "Null":
        return (not there) == (str(wanted[0]).lower() == "true")
    if_exists = plain.endswith("IfExists")
    matches = _operator(plain.removesuffix("IfExists"))
    patterns = [_filled(str(value), context) for value in wanted]
    if not there:
        return if_exists or quantifier == "ForAllValues"  # the trap: ForAllValues holds of nothing at all
    held = [any(matches(pattern, value) for pattern in patterns) for value in there]
    return all(held) if quantifier == "ForAllValues" else any(held)


def _operator(name: str) -> Callable[[str, str], bool]:
    known: dict[str, Callable[[str, str], bool]] = {
        "StringEquals": lambda pattern, value: pattern == value,
        "StringLike": _like,
        "ArnEquals": _like,
        "ArnLike": _like,
        "Bool": lambda pattern, value: pattern.lower() == value.lower(),
    }
    if name not in known:
        raise NotImplementedError(f"the condition operator {name}")
    return known[name]


def _filled(pattern: str, context: Context) -> str:
    """With policy variables such as ${aws:PrincipalTag/account}; an unknown one matches nothing."""
    if "${" not in pattern:
        return pattern
    return re.sub(r"\$\{([^}]+)\}", lambda m: (context.get(m[1].lower()) or ("\0",))[0], pattern)


def _like(pattern: str, value: str) -> bool:
    return pattern == value or _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
