"""AWS clients, made when first used and kept for the life of the process: cold starts pay only for what they touch."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boto3.session import Session


@lru_cache(maxsize=1)
def session() -> Session:
    import boto3

    return boto3.session.Session()


@lru_cache(maxsize=64)
def client(
    service: str, region: str | None = None, patience_s: int = 20
) -> Any:  # boto3 types each service apart; callers annotate
    """The one client of a service. Retries stay few and bounded: the caller's workflow retries too.

    patience_s: how long an answer may take.
    """
    from botocore.config import Config

    config = Config(
        retries={"max_attempts": 4, "mode": "standard"},
        connect_timeout=3,
        read_timeout=patience_s,
        max_pool_connections=32,
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "path"} if service == "s3" else None,
    )
    make: Any = session().client  # the stubs know only literal service names
    return make(service, region_name=region, config=config)
