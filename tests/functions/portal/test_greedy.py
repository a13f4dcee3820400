"""One resource of API Gateway for many routes: each is found as if it had its own."""

from __future__ import annotations

from typing import Any

import pytest

from functions.http.greedy import named
from tests.functions.portal.conftest import Portal

ROUTES = ["/staff/{entity_id}", "/staff/{entity_id}/runs", "/staff/sign-in", "/staff/{entity_id}/accounts/{account_id}"]


def event(proxy: str, resource: str = "/staff/{proxy+}") -> dict[str, Any]:
    return {"resource": resource, "requestContext": {"resourcePath": resource}, "pathParameters": {"proxy": proxy}}


@pytest.mark.parametrize(
    ("proxy", "route", "params"),
    [
        ("sign-in", "/staff/sign-in", None),
        ("ent_eu_1", "/staff/{entity_id}", {"entity_id": "ent_eu_1"}),
        ("ent_eu_1/runs", "/staff/{entity_id}/runs", {"entity_id": "ent_eu_1"}),
        ("e/accounts/a", "/staff/{entity_id}/accounts/{account_id}", {"entity_id": "e", "account_id": "a"}),
        ("ent_eu_1/runs/", "/staff/{entity_id}/runs", {"entity_id": "ent_eu_1"}),
    ],
)
def test_a_path_is_its_route_with_its_parts(proxy: str, route: str, params: dict[str, str] | None) -> None:
    found = named(event(proxy), ROUTES)
    assert found["requestContext"]["resourcePath"] == found["resource"] == route
    assert found["pathParameters"] == params


@pytest.mark.parametrize("proxy", ["", "ent_eu_1/unknown", "../accounts", "e/accounts/a/b"])
def test_what_is_no_route_stays_unknown(proxy: str) -> None:
    assert named(event(proxy), ROUTES) == event(proxy)


def test_routes_with_a_resource_of_their_own_are_left_alone() -> None:
    assert named(event("x", "/accounts"), ROUTES) == event("x", "/accounts")


def test_the_application_answers_behind_the_greedy_resource(portal: Portal) -> None:
    asked = event("sign-in") | {"headers": {}, "multiValueQueryStringParameters": None, "body": None}
    asked |= {"isBase64Encoded": False, "path": "/staff/sign-in", "stageVariables": None}
    asked["requestContext"] |= {"httpMethod": "GET", "identity": {"sourceIp": "192.0.2.1"}, "requestId": "r"}
    assert portal.app(asked, None)["statusCode"] == 200
    assert portal.app({**asked, "pathParameters": {"proxy": "no/such/page"}}, None)["statusCode"] == 404
