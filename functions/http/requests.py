"""A request as it came in, before anything of it is believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any  # Chalice ships no types

Fields = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is the route's template, `params` what stands in it; header names are lower case.

    `network` is where it came from: enough to tell places apart and not to name a person.
    """

    method: str
    path: str
    params: Mapping[str, str]
    query: Fields
    raw_body: bytes
    headers: Mapping[str, str]
    correlation_id: str
    now: datetime
    network: str


def request_of(raw: Any, path: str, params: Mapping[str, str], now: datetime) -> Request:
    """From what Chalice hands over."""
    context = raw.context or {}
    return Request(
        method=raw.method,
        path=path,
        params=params,
        query={name: raw.query_params.getlist(name) for name in (raw.query_params or {})},
        raw_body=bytes(raw.raw_body or b""),
        headers={name.lower(): value for name, value in dict(raw.headers).items()},
        correlation_id=context.get("requestId", ""),
        now=now,
        network=network_of(context.get("identity", {}).get("sourceIp", "")),
    )


def network_of(address: str) -> str:
    """An address cut to its network (/24, /48)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    prefix = 24 if ip.version == 4 else 48
    return str(ipaddress.ip_network(f"{ip}/{prefix}", strict=False))
