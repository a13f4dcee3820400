"""Parts of the applications are loaded when the first request comes to them, and a start loads none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app import app as pages
from functions.api.v1.app import app as api
from functions.http.answers import Answer
from functions.http.application import Application
from functions.http.edge import Edge, EdgeRoutes, View
from functions.http.parts import Parts
from functions.http.requests import Request
from saldo.kernel.clock import system_clock

ROOT = Path(__file__).parents[2]
# What a start must not load: each of them is paid for by the first request that needs it.
HEAVY = {"aws_lambda_powertools", "boto3", "botocore", "cryptography", "jinja2", "pynamodb", "xlsxwriter"}
PARTS = Parts(
    {
        "top": ["/"],
        "account": ["/accounts"],
        "invoices": ["/accounts/{account_id}/invoices"],
        "files": ["/accounts/{account_id}/invoices/{invoice_id}/files"],
        "entity": ["/staff"],
        "signing_in": ["/staff/sign-in"],
    }
)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/", "top"),
        ("/healthz", "top"),
        ("/.well-known/jwks.json", "top"),
        ("/accounts/{account_id}", "account"),
        ("/accounts/{account_id}/invoices", "invoices"),
        ("/accounts/{account_id}/invoices.csv", "invoices"),
        ("/accounts/{account_id}/invoices/{invoice_id}/pdf", "invoices"),
        ("/accounts/{account_id}/invoices/{invoice_id}/files", "files"),
        ("/accounts/acct_eu_1/invoices/inv_eu_1/files/new", "files"),
        ("/staff/{entity_id}", "entity"),
        ("/staff/ent_eu_1/runs", "entity"),
        ("/staff/sign-in/answer", "signing_in"),
        ("/staff/sign-in-not", "entity"),
    ],
)
def test_a_path_belongs_to_the_longest_address_that_it_begins_with(path: str, part: str) -> None:
    assert PARTS.at(path) == part


def test_where_nothing_lies_nothing_is_loaded() -> None:
    assert Parts({"invoices": ["/api/v1/invoices"]}).at("/api/v1/unknown") is None


def loaded(module: str) -> set[str]:
    """What a fresh process has in memory after it imported a module."""
    told = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'saldo' / 'python'}", "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", told], env=path, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(("module", "application", "most"), [("app", pages, 80), ("functions.api.v1.app", api, 65)])
def test_a_start_loads_no_part_and_nothing_heavy(module: str, application: Application, most: int) -> None:
    names = loaded(module)
    assert not names & (HEAVY | set(application.parts.modules))
    assert len([name for name in names if name.split(".")[0] in ("saldo", "functions")]) <= most


class OpenEdge(Edge[str, Request]):
    """Lets everybody in."""

    service, failures = "tests", "TestErrors"

    def check_rule(self, path: str, rule: str) -> None: ...

    def seen(self, request: Request) -> Request:
        return request

    def answer(self, seen: Request, rule: str, view: View[Request]) -> Answer:
        return view(seen)

    def failed(self, seen: Request, error: Exception) -> Answer:
        raise error

    def headers(self) -> dict[str, str]:
        return {}


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Application:
    """An application of two parts, each a module with one route."""
    edge = OpenEdge(system_clock)
    for name in ("one", "two"):
        module: Any = ModuleType(f"planted_{name}")
        module.routes = EdgeRoutes(f"planted_{name}", edge)
        module.routes.register("GET", f"/{name}/{{id}}", "anyone")(lambda request: Answer(request.params["id"]))
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return Application("planted", edge, {"planted_one": ["/one"], "planted_two": ["/two"]})


def event(path: str) -> dict[str, Any]:
    """A request as API Gateway hands it on, below a greedy resource."""
    context = {"resourcePath": "/{proxy+}", "httpMethod": "GET", "requestId": "r"}
    asked = {"requestContext": context | {"identity": {"sourceIp": "192.0.2.1"}}, "headers": {}, "body": None}
    asked |= {"pathParameters": {"proxy": path}, "multiValueQueryStringParameters": None, "stageVariables": None}
    return asked | {"isBase64Encoded": False}


def test_a_request_loads_its_own_part_and_no_other(planted: Application) -> None:
    assert not planted.routes
    assert planted(event("one/7"), None)["body"] == "7"
    assert set(planted.routes) == {"/one/{id}"}
    assert planted(event("two/8"), None)["body"] == "8"
    assert planted(event("one/9"), None)["body"] == "9"


def test_whoever_must_see_every_route_sees_every_route(planted: Application) -> None:
    assert set(planted.checked().routes) == {"/one/{id}", "/two/{id}"}


def test_a_route_that_lies_elsewhere_than_its_part_fails(planted: Application) -> None:
    sys.modules["planted_two"].routes.register("GET", "/one/{id}/more", "anyone")(lambda _: Answer(""))
    assert planted(event("one/7"), None)["statusCode"] == 200
    with pytest.raises(TypeError, match="of planted_two is looked for in planted_one"):
        planted.checked()


def test_with_a_route_past_the_edge_nothing_is_answered(planted: Application) -> None:
    planted.route("/stray")(lambda: {"everything": True})
    for path in ("one/7", "stray"):
        with pytest.raises(TypeError, match="GET /stray"):
            planted(event(path), None)
    with pytest.raises(TypeError, match="GET /stray"):
        planted.checked()


def test_a_part_with_a_route_past_the_edge_is_refused_each_time(planted: Application) -> None:
    assert planted(event("one/7"), None)["statusCode"] == 200
    for path in ("/two/stray", "/one/of/two"):
        sys.modules["planted_two"].routes.blueprint.route(path, name=path)(lambda: {"everything": True})
    for path in ("two/8", "two/stray", "one/of/two", "one/7"):
        with pytest.raises(TypeError, match="GET /one/of/two, GET /two/stray"):
            planted(event(path), None)
