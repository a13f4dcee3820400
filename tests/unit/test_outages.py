"""What of AWS passes by itself is known by code and status, whatever class a service's model makes of it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.model import ServiceModel
from botocore.session import Session

from functions.observed import without_text
from saldo.kernel.errors import Unavailable
from saldo.storage.outages import is_outage

# Of whose answers steps of a run, and what they call, depend.
SERVICES = ("dynamodb", "s3", "lambda", "kms", "sqs", "secretsmanager", "events", "stepfunctions")
# Of KMS the models tell no status.
OF_KMS = ("KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException")


@cache
def _model(service: str) -> ServiceModel:
    return Session().get_service_model(service)


def _modelled() -> list[tuple[str, str, int]]:
    """Service, code and status of the errors that AWS's own models say are its fault, or its being asked too much."""
    found = []
    for service in SERVICES:
        for shape in _model(service).error_shapes:
            usual = 500 if shape.metadata.get("fault") else 400
            status = shape.metadata.get("error", {}).get("httpStatusCode", usual)
            much = "Throttl" in shape.name or "Throughput" in shape.name or status == 429
            if status >= 500 or much or shape.name in OF_KMS:
                found.append((service, shape.error_code, status))
    return found


def _raised(service: str, code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientExceptionsFactory().create_client_exceptions(_model(service)).from_code(code)(answer, "SomeCall")


def test_whatever_a_services_model_calls_an_outage_leaves_a_function_under_one_name() -> None:
    modelled = _modelled()
    assert {"dynamodb", "lambda", "kms"} <= {service for service, _, _ in modelled}
    for service, code, status in modelled:
        left = without_text(_raised(service, code, status))
        assert isinstance(left, Unavailable) and str(left) == f"{code} of SomeCall", (service, code, status)


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("InternalError", 500), ("", 502), ("Whatever", 429)])
def test_what_no_model_names_is_known_by_its_status(code: str, status: int) -> None:
    assert is_outage(_raised("s3", code, status))


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="x"),
        ReadTimeoutError(endpoint_url="x"),
        ConnectionClosedError(endpoint_url="x"),
        ConnectionResetError(),
        TimeoutError(),
    ],
)
def test_a_network_that_does_not_answer_is_an_outage(error: Exception) -> None:
    assert isinstance(without_text(error), Unavailable)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "ConditionalCheckFailedException"])
def test_what_would_be_refused_again_is_none(code: str) -> None:
    error = _raised("dynamodb", code, 400)
    assert not is_outage(error)
    assert type(without_text(error)).__name__ == type(error).__name__
