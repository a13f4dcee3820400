"""A request as it came in, before anything of it is believed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any  # Chalice ships no types

Fields = Mapping[str, list[str]]
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is the route's template, `params` what stands in it; header names are lower case.

    `network` is where it came from: enough to tell places apart and not to name a person. `country`: of that address
    (ISO 3166-1, two letters), "" where only the client itself could say so. `cloudfront_id`: its name for the request.
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
    country: str
    cloudfront_id: str


def request_of(raw: Any, path: str, params: Mapping[str, str], now: datetime, *, through_cloudfront: bool) -> Request:
    """From what Chalice hands over. `through_cloudfront`: nothing else can reach us, so what its headers say is so
    (infra/cdk/front.py); elsewhere anybody may send such headers, and nobody reads them."""
    context = raw.context or {}
    headers = {name.lower(): value for name, value in dict(raw.headers).items()}
    said = headers if through_cloudfront else {}
    direct = context.get("identity", {}).get("sourceIp", "")
    viewer = said.get("cloudfront-viewer-address", "").rpartition(":")[0].strip("[]")
    return Request(
        method=raw.method,
        path=path,
        params=params,
        query={name: raw.query_params.getlist(name) for name in (raw.query_params or {})},
        raw_body=bytes(raw.raw_body or b""),
        headers=headers,
        correlation_id=context.get("requestId", ""),
        now=now,
        network=network_of(viewer if through_cloudfront else direct),
        country=_country_of(said.get("cloudfront-viewer-country", "")),
        cloudfront_id=said.get("x-amz-cf-id", ""),
    )


def _country_of(code: str) -> str:
    """Two letters, "" for anything else."""
    code = code.strip().upper()
    return code if _COUNTRY.fullmatch(code) else ""


def network_of(address: str) -> str:
    """An address cut to its network (/24, /48)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    prefix = 24 if ip.version == 4 else 48
    return str(ipaddress.ip_network(f"{ip}/{prefix}", strict=False))
