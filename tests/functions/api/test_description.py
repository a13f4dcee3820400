"""The description says what the API does: an independent validator reads it, and real answers are held against it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from functions.api.endpoint import declared
from functions.http.failures import STATUS
from saldo.access.model_api_keys import Scope
from saldo.quotes.service import quote_schema
from tests.functions.api.conftest import OWN_ACCOUNT, Api, Reply
from tests.functions.api.test_api import BATCH, DOCUMENT, ONE, event, order
from tests.functions.api.test_security import ask, filled

ROOT = Path(__file__).parents[3]
EXAMPLES = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "quote.md").read_text("utf-8"), re.DOTALL)


@pytest.fixture
def description(api: Api) -> dict[str, Any]:
    reply = api.get("/api/v1/openapi.json", None)
    assert reply.status == 200 and reply.headers["cache-control"].startswith("public")
    return dict(reply.json)


def hold(reply: Reply, description: dict[str, Any], method: str, path: str) -> None:
    """The answer has a status the description names, its media type, its headers and its shape."""
    told = description["paths"][path][method]["responses"][str(reply.status)]
    for header in told.get("headers", {}):
        assert header.lower() in reply.headers, (path, reply.status, header)
    if "content" in told:
        ((kind, content),) = told["content"].items()
        assert reply.headers["content-type"] == kind
        jsonschema.Draft202012Validator({**content["schema"], "components": description["components"]}).validate(
            reply.json
        )


def test_an_independent_validator_accepts_it(description: dict[str, Any]) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(description)


def test_it_describes_every_route_with_its_scope_and_no_other(description: dict[str, Any]) -> None:
    described = {(m.upper(), p): told for p, methods in description["paths"].items() for m, told in methods.items()}
    assert set(described) == set(declared)
    for route, told in described.items():
        scope = declared[route].scope
        assert told["security"] == ([{"key": [scope.value]}] if scope else [])
    ids = [told["operationId"] for told in described.values()]
    assert len(set(ids)) == len(ids)


def test_every_scope_opens_a_route() -> None:
    assert {rule.scope for rule in declared.values()} - {None} == set(Scope)


def test_every_code_a_route_names_has_its_status_in_the_one_table(description: dict[str, Any]) -> None:
    for methods in description["paths"].values():
        for told in methods.values():
            for status, response in told["responses"].items():
                for code in re.findall(r"`(\w+)`:", response["description"]):
                    assert STATUS.get(code, 422) == int(status)


def test_its_parts_are_schemas_and_all_its_references_lead_somewhere(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    wanted = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(description)))
    assert wanted <= set(schemas)


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_of_a_quote_fits_its_schema_and_its_answer_fits_too(
    api: Api, description: dict[str, Any], text: str
) -> None:
    request = {"$ref": "#/components/schemas/QuoteRequest", "components": description["components"]}
    jsonschema.Draft202012Validator(request).validate(json.loads(text))
    hold(api.post("/api/v1/quotes", text.encode()), description, "post", "/api/v1/quotes")


def test_answers_and_refusals_of_every_route_are_as_described(api: Api, description: dict[str, Any]) -> None:
    page = api.get("/api/v1/invoices?limit=1")
    (one,) = page.json["data"]
    invoice = "/api/v1/accounts/{account_id}/invoices/{invoice_id}"
    etag = api.get(one["url"]).headers["etag"]
    poor = api.token("orders:write")
    busy = api.token(rate=1)
    api.get("/api/v1/invoices", busy)
    calls = [
        (page, "get", "/api/v1/invoices"),
        (api.get("/api/v1/invoices?limit=x"), "get", "/api/v1/invoices"),
        (api.get("/api/v1/invoices?cursor=x"), "get", "/api/v1/invoices"),
        (api.get("/api/v1/invoices?account=acct_eu_gone"), "get", "/api/v1/invoices"),
        (api.get("/api/v1/invoices", None), "get", "/api/v1/invoices"),
        (api.get("/api/v1/invoices", poor), "get", "/api/v1/invoices"),
        (api.get("/api/v1/invoices", busy), "get", "/api/v1/invoices"),
        (api.get("/api/v1/invoices", "sk_us" + poor[5:]), "get", "/api/v1/invoices"),
        (api.get(one["url"]), "get", invoice),
        (api.get(one["url"], if_none_match=etag), "get", invoice),
        (api.get(one["url"] + "x"), "get", invoice),
        (api.post("/api/v1/usage-events", event(1), content_type=ONE), "post", "/api/v1/usage-events"),
        (api.post("/api/v1/usage-events", [event(2), {}], content_type=BATCH), "post", "/api/v1/usage-events"),
        (api.post("/api/v1/usage-events", [], content_type=BATCH), "post", "/api/v1/usage-events"),
        (api.post("/api/v1/usage-events", b"{", content_type=ONE), "post", "/api/v1/usage-events"),
        (api.post("/api/v1/usage-events", {}, content_type="text/plain"), "post", "/api/v1/usage-events"),
        (api.get("/api/v1/usage-batches/batch_x/rejected"), "get", "/api/v1/usage-batches/{batch_id}/rejected"),
        (api.post("/api/v1/orders", order()), "post", "/api/v1/orders"),
        (api.post("/api/v1/orders", {}), "post", "/api/v1/orders"),
        (api.post("/api/v1/quotes", DOCUMENT), "post", "/api/v1/quotes"),
        (api.post("/api/v1/quotes", b"x" * 512_001), "post", "/api/v1/quotes"),
        (api.get("/api/v1/schemas/quote", None), "get", "/api/v1/schemas/quote"),
        *((api.get(filled(api, path)), "get", path) for (method, path), rule in declared.items()
          if method == "GET" and rule.scope),
        *((api.get(filled(api, path, "acct_eu_gone")), "get", path) for method, path in declared
          if method == "GET" and "{acc" in path),
        *((ask(api, method, path, api.token(), account), "post", path) for method, path in declared
          for account in (OWN_ACCOUNT, "acct_eu_gone") if method == "POST" and "{acc" in path),
    ]  # fmt: skip
    for reply, method, path in calls:
        hold(reply, description, method, path)


def test_the_schema_of_a_quote_is_served_as_it_is_published(api: Api) -> None:
    reply = api.get("/api/v1/schemas/quote", None)
    assert reply.json == quote_schema() and reply.headers["content-type"] == "application/schema+json"
