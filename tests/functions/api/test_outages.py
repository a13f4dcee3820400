"""When AWS throttles, a call is told when to come again."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functions.api.conftest import OWN_ACCOUNT, Api


def test_a_call_that_aws_throttles_is_to_come_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled(*_: Any) -> Any:
        answer: Any = {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        raise ClientError(answer, "Query")

    monkeypatch.setattr("functions.api.v1.payments.reading.page", throttled)
    reply = api.get(f"/api/v1/accounts/{OWN_ACCOUNT}/payments")
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unavailable", "5")
