"""What a handler tells of itself, and what it keeps to itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.observed import correlation_of, discreet, logger, metrics, observed
from saldo.kernel.errors import Refusal


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A service of its own for each test: powertools keeps one log handler per service, tied to its first stdout."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", request.node.name[:40])
    logger.cache_clear()
    metrics.cache_clear()


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_handler_that_succeeds_counts_one_done_and_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    @observed("Greet")
    def handler(event: Any, _context: Any) -> Any:
        return {"hello": event["who"]}

    assert handler({"who": "world"}, None) == {"hello": "world"}
    line, emf = _lines(capsys)
    assert line["message"] == "GreetDone"
    assert emf["GreetDone"] == [1.0] and emf["GreetFailed"] == [0.0]
    assert emf["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Saldo"


def test_a_failure_is_counted_and_raised_and_its_text_never_reaches_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @observed("Greet")
    def handler(event: Any, _context: Any) -> Any:
        raise Refusal("no_such_person", "ada@example.com is unknown")

    with pytest.raises(Refusal):
        handler({"correlation_id": "corr-1"}, None)
    line, emf = _lines(capsys)
    assert line["correlation_id"] == "corr-1" and "no_such_person" in line["exception"]
    assert "ada@example.com" not in json.dumps([line, emf])
    assert emf["GreetFailed"] == [1.0]


def test_failed_messages_of_a_batch_count_as_failures(capsys: pytest.CaptureFixture[str]) -> None:
    @observed("Deliver")
    def handler(event: Any, _context: Any) -> Any:
        return {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}

    handler({"Records": []}, None)
    assert _lines(capsys)[-1]["DeliverFailed"] == [2.0]


def test_personal_fields_are_hidden_at_any_depth() -> None:
    assert discreet({"account": {"email": "a@b", "id": "acct_eu_1"}, "all": [{"tax_id": "DE1"}]}) == {
        "account": {"email": "(hidden)", "id": "acct_eu_1"},
        "all": [{"tax_id": "(hidden)"}],
    }


def test_the_correlation_id_comes_from_the_cause_before_the_request() -> None:
    class Context:
        aws_request_id = "request-1"

    assert correlation_of({"detail": {"correlation_id": "c"}, "id": "e"}, Context()) == "c"
    assert correlation_of({"run_id": "run_1"}, Context()) == "run_1"
    assert correlation_of({"Records": []}, Context()) == "request-1"


def test_a_second_invocation_forgets_the_first_ones_correlation_id(capsys: pytest.CaptureFixture[str]) -> None:
    @observed("Greet")
    def handler(event: Any, _context: Any) -> Any:
        logger().append_keys(account_id="acct_eu_1")

    handler({"correlation_id": "one"}, None)
    handler({"correlation_id": "two"}, None)
    lines = [line for line in _lines(capsys) if "message" in line]
    assert [line["correlation_id"] for line in lines] == ["one", "two"]


class Stubborn(Exception):  # noqa: N818 - stands in for a parser's error
    """Says what it says whatever its arguments."""

    def __str__(self) -> str:
        return "ada@example.com is not a number"


@pytest.mark.parametrize("error", [ValueError("ada@example.com"), KeyError("ada@example.com"), Stubborn()])
def test_what_lambda_would_write_of_a_failure_is_its_class_and_no_text(error: Exception) -> None:
    @observed("Greet")
    def handler(event: Any, _context: Any) -> Any:
        raise error

    with pytest.raises(Exception, match="hidden") as raised:
        handler({}, None)
    assert "ada" not in str(raised.value)
    assert type(raised.value).__name__ == type(error).__name__


def test_refusals_and_outages_reach_the_caller_as_they_were_worded() -> None:
    @observed("Greet")
    def handler(event: Any, _context: Any) -> Any:
        raise Refusal("no_such_run", "no such run")

    with pytest.raises(Refusal, match="no such run"):
        handler({}, None)
