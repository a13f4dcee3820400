"""The API beside the portal: one host, two functions, a firewall that knows JSON from pages."""

from __future__ import annotations

import json
import re
from typing import Any

from functions.api.endpoint import declared
from functions.api.v1.app import app
from infra.cdk.firewall import _API_PATH
from infra.cdk.functions import API, PORTAL, Grant
from tests.assembly import Assembly


def _one(assembly: Assembly, kind: str, concern: str = "portal") -> dict[str, Any]:
    (found,) = assembly.made(concern, kind).values()
    return found


def _methods(assembly: Assembly) -> list[dict[str, Any]]:
    return list(assembly.made("portal", "ApiGateway::Method").values())


def _path(assembly: Assembly, resource: dict[str, Any]) -> str:
    """Where a resource of API Gateway lies."""
    if "Ref" not in resource:
        return "/"
    found = assembly.made("portal", "ApiGateway::Resource")[resource["Ref"]]
    return f"{_path(assembly, found['ParentId']).rstrip('/')}/{found['PathPart']}"


def _rules(assembly: Assembly) -> dict[str, dict[str, Any]]:
    return {rule["Name"]: rule for rule in _one(assembly, "WAFv2::WebACL", "front")["Rules"]}


def test_each_route_is_a_method_of_the_apis_own_function(assembly: Assembly) -> None:
    """And what lies below its address and is none, so that it says so in its own words. All else goes to the pages."""
    of_api = [m for m in _methods(assembly) if "ApiV1Live" in json.dumps(m["Integration"])]
    app.checked()
    assert {(m["HttpMethod"], _path(assembly, m["ResourceId"])) for m in of_api} == {
        *declared, ("ANY", "/api/{proxy+}")
    }  # fmt: skip


def test_every_address_that_is_none_of_the_api_is_answered_by_the_pages(assembly: Assembly) -> None:
    of_pages = [m for m in _methods(assembly) if "ApiV1Live" not in json.dumps(m["Integration"])]
    assert {(m["HttpMethod"], _path(assembly, m["ResourceId"])) for m in of_pages} == {
        ("GET", "/"),
        ("ANY", "/{proxy+}"),
    }


def test_the_api_can_open_no_personal_data_and_sign_nobody_in() -> None:
    assert set(API.grants) == {Grant.RECORDS_OF_SELLERS, Grant.RECORDS_OF_CUSTOMERS, Grant.QUEUE_USAGE}
    assert API.grants != PORTAL.grants


def test_json_is_exempt_from_the_rules_for_pages_and_from_no_other(assembly: Assembly) -> None:
    rules = _rules(assembly)
    groups = {n: r["Statement"].get("ManagedRuleGroupStatement", {}) for n, r in rules.items()}
    assert "NotStatement" in groups["AWSManagedRulesCommonRuleSet"]["ScopeDownStatement"]
    for name in ("AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesAmazonIpReputationList"):
        assert "ScopeDownStatement" not in groups[name]


def test_a_body_of_more_than_8_kilobytes_is_counted_and_not_blocked(assembly: Assembly) -> None:
    common = _rules(assembly)["AWSManagedRulesCommonRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    assert common["RuleActionOverrides"] == [{"ActionToUse": {"Count": {}}, "Name": "SizeRestrictions_BODY"}]


def test_the_firewall_tells_the_api_by_its_path_and_nothing_else() -> None:
    assert all(re.search(_API_PATH, path) and re.search(_API_PATH, f"/portal{path}") for _, path in declared)
    for page in ("/accounts/api/invoices", "/apis/v1", "/static/api/", "/sign-in", "//api/v1", "/accounts/x/api/v1"):
        assert not re.search(_API_PATH, page)


def test_whoever_sends_too_much_is_told_when_to_come_again(assembly: Assembly) -> None:
    for name in ("RateLimit", "ApiRateLimit"):
        answer = _rules(assembly)[name]["Action"]["Block"]["CustomResponse"]
        assert answer["ResponseCode"] == 429
        assert answer["ResponseHeaders"][0]["Name"] == "Retry-After"
    responses = assembly.made("portal", "ApiGateway::GatewayResponse").values()
    (throttled,) = [r for r in responses if r["ResponseType"] == "THROTTLED"]
    assert throttled["StatusCode"] == "429"
    assert "gatewayresponse.header.Retry-After" in throttled["ResponseParameters"]
    told = [r["ResponseTemplates"]["application/json"] for r in responses if "ResponseTemplates" in r]
    assert {json.loads(text)["code"] for text in told} == {"too_many_requests", "not_found", "too_large"}


def test_what_the_gateway_says_itself_is_kept_from_caches_frames_and_scripts_too(assembly: Assembly) -> None:
    responses = {
        r["ResponseType"]: r["ResponseParameters"]
        for r in assembly.made("portal", "ApiGateway::GatewayResponse").values()
    }
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "MISSING_AUTHENTICATION_TOKEN"} <= set(responses)
    for headers in responses.values():
        told = {name.removeprefix("gatewayresponse.header."): value for name, value in headers.items()}
        assert told["Cache-Control"] == "'no-store'" and told["X-Content-Type-Options"] == "'nosniff'"
        assert told["Content-Security-Policy"] == "'sandbox'" and told["X-Frame-Options"] == "'DENY'"
        assert "Strict-Transport-Security" in told
        assert all(v[0] == v[-1] == "'" and "'" not in v[1:-1] for v in told.values())


def test_quotes_cannot_take_all_that_the_others_need(assembly: Assembly) -> None:
    settings = {s["ResourcePath"]: s for s in _one(assembly, "ApiGateway::Stage")["MethodSettings"]}
    assert settings["/~1api~1v1~1quotes"]["ThrottlingRateLimit"] < settings["/*"]["ThrottlingRateLimit"]
    quotes = settings["/~1api~1v1~1quotes"]
    assert (quotes["DataTraceEnabled"], quotes["LoggingLevel"], quotes["MetricsEnabled"]) == (False, "ERROR", True)


def test_no_request_or_answer_is_written_to_a_log(assembly: Assembly) -> None:
    stage = _one(assembly, "ApiGateway::Stage")
    assert all(not s.get("DataTraceEnabled") for s in stage["MethodSettings"])
    assert not re.search(
        r"context\.(identity\.(sourceIp|user)|authorizer)|requestOverride", stage["AccessLogSetting"]["Format"]
    )
