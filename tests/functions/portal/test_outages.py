"""When AWS throttles or does not answer, a page says to come back, and it is counted as a failure of ours."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from functions.portal import services
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal

THROTTLED = ClientError(
    {"Error": {"Code": "ProvisionedThroughputExceededException"}, "ResponseMetadata": {"HTTPStatusCode": 400}},  # type: ignore[typeddict-item]
    "Query",
)
SILENT = EndpointConnectionError(endpoint_url="https://dynamodb.eu-central-1.amazonaws.com")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Query")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(("error", "status"), [(THROTTLED, 503), (SILENT, 503), (DENIED, 500)])
def test_a_page_says_whether_to_come_back(
    portal: Portal,
    error: Exception,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    browser = portal.signed_in()

    def failing(*_: Any, **__: Any) -> Any:
        raise error

    for name in ("query", "get_many"):
        monkeypatch.setattr(type(services.store()), name, failing)
    capfd.readouterr()
    page = browser.get(f"/accounts/{scenes.NORTH}")
    assert page.status == status
    assert capfd.readouterr().out.count('"PortalErrors":') == 1
