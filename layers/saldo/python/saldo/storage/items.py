"""Plain values to DynamoDB's attribute values and back: text, whole numbers, decimals, bytes, booleans, lists, maps."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Item = dict[str, Any]
Key = tuple[str, str]


def to_attribute(value: Any) -> dict[str, Any]:
    """One value as DynamoDB writes it. Float raises TypeError: no amount or quantity is ever a float."""
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | Decimal):
        return {"N": str(value)}
    if isinstance(value, bytes):
        return {"B": value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, list | tuple):
        return {"L": [to_attribute(v) for v in value]}
    if isinstance(value, Mapping):
        return {"M": to_attributes(value)}
    raise TypeError(f"{type(value).__name__} cannot be stored")


def to_attributes(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: to_attribute(value) for name, value in item.items()}


def from_attribute(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    if kind in ("S", "BOOL"):
        return value
    if kind == "N":
        return Decimal(value) if any(c in value for c in ".eE") else int(value)
    if kind == "B":
        return bytes(value)
    if kind == "NULL":
        return None
    if kind == "L":
        return [from_attribute(v) for v in value]
    if kind == "M":
        return from_attributes(value)
    raise TypeError(f"attribute type {kind} is not used here")


def from_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> Item:
    return {name: from_attribute(value) for name, value in attributes.items()}


def weight(item: Mapping[str, Any]) -> int:
    """About how many bytes DynamoDB bills for an item; within a few per cent, for packing and projections."""
    return sum(len(name) + _value_weight(value) for name, value in item.items())


def _value_weight(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, Mapping):
        return 3 + weight(value)
    if isinstance(value, list | tuple):
        return 3 + sum(1 + _value_weight(v) for v in value)
    return 8 if isinstance(value, int | Decimal) and not isinstance(value, bool) else 1
