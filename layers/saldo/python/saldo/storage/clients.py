"""AWS clients, made when first used and kept for the life of the process: cold starts pay only for what they touch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.credentials import Credentials

_SIGNED_AS: ContextVar[Credentials | None] = ContextVar("signed_as", default=None)


@lru_cache(maxsize=1)
def session() -> Session:
    import boto3

    made = boto3.session.Session()
    made.events.register("before-sign.dynamodb", _sign)
    return made


@contextmanager
def signed_as(credentials: Credentials) -> Iterator[None]:
    """Within it, calls of DynamoDB are signed with these credentials instead of the process's own.

    One client with one pool of connections serves them all; a client for each would shake hands anew.
    """
    before = _SIGNED_AS.set(credentials)
    try:
        yield
    finally:
        _SIGNED_AS.reset(before)


def signer() -> Credentials | None:
    """Whose credentials sign at the moment; None for the process's own."""
    return _SIGNED_AS.get()


def _sign(request: Any, **_: Any) -> None:
    credentials = signer()
    if credentials is not None:
        request.context.setdefault("signing", {})["request_credentials"] = credentials


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
