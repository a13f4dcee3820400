"""Which failures of AWS pass by themselves: being throttled, its own errors, a network that does not answer.

boto3 raises what a service's model names as classes of their own (`ProvisionedThroughputExceededException`,
`InternalServerError`), so that the class of an error says nothing that one list could hold: its code and status do.
"""

from __future__ import annotations

# As the SDKs of AWS retry them, with what services say of load and conflicts where the status is 400.
_TOLD = """
    BandwidthLimitExceeded DependencyTimeoutException EC2ThrottledException KMSInternalException KeyUnavailableException
    KmsThrottled KmsThrottlingException PriorRequestNotComplete ProvisionedThroughputExceededException
    RequestLimitExceeded RequestThrottled RequestThrottledException RequestTimeout RequestTimeoutException SlowDown
    ThrottledException Throttling ThrottlingException TooManyRequestsException TransactionConflictException
    TransactionInProgressException
    InternalError InternalFailure InternalException InternalServerError ServiceException ServiceUnavailable
"""
_CODES = frozenset(_TOLD.split())
_TOO_MANY, _SERVERS_FAULT = 429, 500


def is_outage(error: BaseException) -> bool:
    """Whether the same call may succeed later: nothing was wrong with what was asked."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"]["Code"] in _CODES or status == _TOO_MANY or status >= _SERVERS_FAULT
    network = (exceptions.HTTPClientError, exceptions.ConnectionError, exceptions.IncompleteReadError)
    return isinstance(error, (*network, ConnectionError, TimeoutError))


def told(error: BaseException) -> str:
    """What did not answer, in AWS's own words alone: no text of a request is in it."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return f"{error.response['Error']['Code']} of {error.operation_name}"
    return type(error).__name__
