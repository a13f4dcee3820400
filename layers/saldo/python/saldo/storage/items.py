"""Plain values to DynamoDB's attribute values and back: text, whole numbers, decimals, bytes, booleans, lists, maps."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Item = dict[str, Any]
Key = tuple[str, str]


def to_attribute(value: Any) -> dict[str, Any]:
    """One value as DynamoDB writes it. Float raises TypeError: no amount or quantity is ever a float."""
    written = _WRITE.get(type(value)) or _of_its_base(value)
    return written(value)


def to_attributes(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: {"S": value} if type(value) is str else (_WRITE.get(type(value)) or _of_its_base(value))(value)
        for name, value in item.items()
    }


def _of_its_base(value: Any) -> Callable[[Any], dict[str, Any]]:
    """How to write what is only derived from a type that is known here, such as a member of a StrEnum."""
    for base, write in ((str, _WRITE[str]), (int, _WRITE[int]), (Decimal, _WRITE[Decimal]), (bytes, _WRITE[bytes])):
        if isinstance(value, base):
            return write
    if isinstance(value, list | tuple):
        return _WRITE[list]
    if isinstance(value, Mapping):
        return _WRITE[dict]
    raise TypeError(f"{type(value).__name__} cannot be stored")


_WRITE: dict[type, Callable[[Any], dict[str, Any]]] = {
    str: lambda value: {"S": str(value)},
    bool: lambda value: {"BOOL": value},
    int: lambda value: {"N": str(value)},
    Decimal: lambda value: {"N": str(value)},
    bytes: lambda value: {"B": value},
    type(None): lambda _: {"NULL": True},
    list: lambda value: {"L": [to_attribute(v) for v in value]},
    tuple: lambda value: {"L": [to_attribute(v) for v in value]},
    dict: lambda value: {"M": to_attributes(value)},
}


def from_attribute(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    read = _READ.get(kind)
    if read is None:
        raise TypeError(f"attribute type {kind} is not used here")
    return read(value)


def from_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> Item:
    item = {}
    for name, attribute in attributes.items():
        ((kind, value),) = attribute.items()
        item[name] = value if kind == "S" else _READ[kind](value) if kind in _READ else from_attribute(attribute)
    return item


def _number(text: str) -> int | Decimal:
    return int(text) if "." not in text and "e" not in text and "E" not in text else Decimal(text)


def _bytes(value: bytes | str) -> bytes:
    """Bytes as a client of DynamoDB hands them over, or the base64 text that stands for them in a stream's JSON."""
    return b64decode(value, validate=True) if isinstance(value, str) else bytes(value)


_READ: dict[str, Callable[[Any], Any]] = {
    "S": lambda value: value,
    "BOOL": lambda value: value,
    "N": _number,
    "B": _bytes,
    "NULL": lambda _: None,
    "L": lambda value: [from_attribute(v) for v in value],
    "M": from_attributes,
}


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
