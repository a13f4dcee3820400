"""Home regions: ids of owners carry their region's code, so a stray request can be sent home unread."""

from __future__ import annotations

from saldo.kernel.errors import Refusal

AWS_REGIONS = {"eu": "eu-central-1", "us": "us-east-1"}
_OWNERS = ("acct", "org", "ent", "user", "key")


def region_of(owner_id: str) -> str:
    """The region code inside an owner's id (`acct_eu_…` → `eu`); Refusal `invalid_id` when there is none."""
    parts = owner_id.split("_", 2)
    if len(parts) == 3 and parts[0] in _OWNERS and parts[1] in AWS_REGIONS:
        return parts[1]
    raise Refusal("invalid_id", "an owner's id names its home region")
