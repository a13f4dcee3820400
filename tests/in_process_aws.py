"""AWS within the process (moto), for all tests that ask for no whole system.

Each test's AWS is empty; what says nothing of AWS and costs as much as the rest is made once for all of them: the
descriptions of the services that botocore reads for a client (its session keeps them), and the RSA key that moto makes
for each symmetric key and never uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest.mock import patch

import boto3
from boto3.session import Session
from moto import mock_aws
from moto.kms import models as kms
from moto.kms.utils import AbstractPrivateKey, generate_private_key


@contextmanager
def in_process_aws() -> Iterator[None]:
    """An AWS with nothing in it, reached by any boto3 client; gone with all it held at the end."""
    with (
        mock_aws(config={"core": {"reset_boto3_session": False}}),
        patch.object(boto3, "DEFAULT_SESSION", _session()),
        patch.object(kms, "generate_private_key", _private_key),
    ):
        yield


@cache
def _session() -> Session:
    return Session()


def _private_key(key_spec: str) -> AbstractPrivateKey:
    return _unused_key() if key_spec == "SYMMETRIC_DEFAULT" else generate_private_key(key_spec)


@cache
def _unused_key() -> AbstractPrivateKey:
    return generate_private_key("SYMMETRIC_DEFAULT")
