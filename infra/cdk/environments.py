"""Environments as `cdk.json` describes them: where they live, who bills there and when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

AWS_REGIONS = {"eu": "eu-central-1", "us": "us-east-1"}
# The stacks of a region, in the order in which they are deployed.
CONCERNS = ("data", "portal", "runs", "events", "watch")
FRONT = "front"
COPIES = "copies"
# Where copies of a region's records may lie: under the same law (in the EU, which London and Zurich are not in).
COPIED_WITHIN = {
    "eu": ("eu-central-1", "eu-west-1", "eu-west-3", "eu-north-1", "eu-south-1", "eu-south-2"),
    "us": ("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
}
# Where certificates and firewalls of CloudFront exist, whatever region they are for.
_FRONT_REGION = "us-east-1"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Entity:
    """A seller's legal entity whose billing cycle starts daily at `cycle_hour` (0-23) of its own time zone."""

    id: str
    time_zone: str
    cycle_hour: int


@dataclass(frozen=True, slots=True)
class HostedZone:
    """The DNS zone in which a portal's host name, its certificate and its record are made."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Copies:
    """Where copies of a region's backups are kept: an AWS region, and an account ("" for the environment's own)."""

    region: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class Region:
    """One region's set of stacks. `zone` is None where no public host name is made (one machine), `copies` where
    nothing is kept but in the region itself."""

    code: str
    name: str
    portal_origin: str
    entities: tuple[Entity, ...]
    zone: HostedZone | None
    copies: Copies | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.portal_origin).hostname or ""

    @property
    def origin_host(self) -> str:
        """Where CloudFront finds the API of this region."""
        return f"origin.{self.host}"


@dataclass(frozen=True, slots=True)
class Environment:
    """`run_concurrency`: batches of a run at work at once. `bundle_layers`: whether third-party layers are built.

    `audit_retention_days`: how long a day's audit root cannot be deleted by anybody; it cannot be shortened later.

    `daily_cost_usd`: what records and functions of a region may cost in a day before the alarm is raised.
    `billed_tolerance_percent`: how far a run may lie from what the same customers were billed a month before.

    `tax_service`: `avalara` or `vertex` at `tax_url`, "" for the table alone. `vat_register_url`: VIES, "" for none.
    `scanner_address`: ClamAV's clamd as `host:port`, "" for none (the test file of EICAR is known all the same).

    `month_end_invoices`: how many a region's month end is made ready for (capacity.py), 0 for none in particular.

    `front_secrets`: names of the secrets by which CloudFront is known, newest last; none for no CloudFront.
    """

    name: str
    account: str
    alarm_mail: str
    mail_from: str
    gateway_url: str
    run_concurrency: int
    bundle_layers: bool
    audit_retention_days: int
    daily_cost_usd: int
    billed_tolerance_percent: int
    regions: tuple[Region, ...]
    tax_service: str = ""
    tax_url: str = ""
    vat_register_url: str = ""
    scanner_address: str = ""
    month_end_invoices: int = 0
    front_secrets: tuple[str, ...] = ()

    @property
    def concerns(self) -> tuple[str, ...]:
        copies = (COPIES,) if any(region.copies for region in self.regions) else ()
        return (*CONCERNS, *copies, FRONT) if self.front_secrets else (*CONCERNS, *copies)

    def stack(self, code: str, concern: str) -> tuple[str, str]:
        """Name and AWS region of one of a region's stacks."""
        if concern == FRONT:
            return f"saldo-{self.name}-{FRONT}-{code}", _FRONT_REGION
        if concern == COPIES:
            (copies,) = (region.copies for region in self.regions if region.code == code)
            assert copies is not None, f"{code} keeps no copies"
            return f"saldo-{self.name}-{COPIES}-{code}", copies.region
        return f"saldo-{self.name}-{concern}", AWS_REGIONS[code]

    @property
    def portal_origins(self) -> dict[str, str]:
        return {region.code: region.portal_origin for region in self.regions}

    @property
    def is_local(self) -> bool:
        return self.name == "local"


def context() -> dict[str, Any]:  # the JSON of cdk.json, checked by `environment`
    return dict(json.loads((ROOT / "cdk.json").read_text())["context"])


def environment(name: str, settings: Mapping[str, Any] | None = None) -> Environment:
    """The environment of that name; ValueError names the known ones when there is none."""
    known: Mapping[str, Any] = (settings or context())["environments"]
    if name not in known:
        raise ValueError(f"no environment {name!r} in cdk.json; there are {', '.join(sorted(known))}")
    raw = known[name]
    plain = {k: v for k, v in raw.items() if k not in ("regions", "front_secrets")}
    regions = tuple(_region(c, r) for c, r in raw["regions"].items())
    secrets = tuple(raw.get("front_secrets", ()))
    if secrets and not all(region.zone for region in regions):
        raise ValueError(f"{name}: front_secrets, but not every region has a hosted_zone for CloudFront's name")
    return Environment(name=name, regions=regions, front_secrets=secrets, **plain)


def _region(code: str, raw: Mapping[str, Any]) -> Region:
    zone, copies = raw.get("hosted_zone"), raw.get("copies")
    if copies and copies["region"] not in COPIED_WITHIN[code]:
        raise ValueError(f"{code}: copies may be kept in {', '.join(COPIED_WITHIN[code])}, not in {copies['region']}")
    if copies and copies["region"] == AWS_REGIONS[code] and not copies.get("account"):
        raise ValueError(f"{code}: copies in the same region and account are lost with it")
    return Region(
        code=code,
        name=AWS_REGIONS[code],
        portal_origin=raw["portal_origin"],
        entities=tuple(Entity(**entity) for entity in raw["entities"]),
        zone=HostedZone(**zone) if zone else None,
        copies=Copies(**copies) if copies else None,
    )
