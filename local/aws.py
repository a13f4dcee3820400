"""boto3 for the emulated AWS of one instance, never for a real account."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from local.place import ACCOUNT, REGIONS, Place

# Handlers, tests and tools that read the standard variables reach the emulator with these and nothing else.
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local"}


def client(place: Place, service: str, region_code: str) -> Any:  # boto3 types each service apart; callers annotate
    """A client of one service in the region with that code (`eu`, `us`)."""
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"max_attempts": 2, "mode": "standard"},
        connect_timeout=5,
        read_timeout=120,
        max_pool_connections=32,
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "path"},
        inject_host_prefix=False,
    )
    make: Any = boto3.client  # the stubs know only literal service names
    return make(
        service,
        region_name=REGIONS[region_code],
        endpoint_url=place.aws_url,
        aws_access_key_id=_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=config,
    )


def environment(place: Place, region_code: str, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment variables for a process that shall see this instance as its AWS."""
    plain = {k: v for k, v in (os.environ if base is None else base).items() if not k.startswith("AWS_")}
    here = {"AWS_ENDPOINT_URL": place.aws_url, "AWS_DEFAULT_REGION": REGIONS[region_code]}
    return {**plain, **_CREDENTIALS, **here, "AWS_REGION": REGIONS[region_code]}
