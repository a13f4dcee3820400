"""The API's own description, and the schemas it refers to: for anyone, without a key."""

from __future__ import annotations

import json
from functools import lru_cache

from functions.api.call import Call
from functions.api.endpoint import Routes, Rule, declared
from functions.api.openapi import description
from functions.api.operation import Operation
from functions.api.v1.app import app
from functions.http.answers import JSON, Answer
from saldo.quotes.service import quote_schema

routes = Routes("api_description")
_KEPT = {"Cache-Control": "public, max-age=300"}

OPENAPI = Operation("getDescription", "Description", "This description: OpenAPI 3.1", answers="AnyObject")
SCHEMA = Operation(
    "getQuoteSchema",
    "Description",
    "JSON Schema of a quote's document",
    answers="AnyObject",
    kind="application/schema+json",
)


@routes.get("/api/v1/openapi.json", Rule(OPENAPI, anyone=True))
def openapi(call: Call) -> Answer:
    return Answer(_description(), kind=JSON, headers=_KEPT)


@routes.get("/api/v1/schemas/quote", Rule(SCHEMA, anyone=True))
def quote_schema_document(call: Call) -> Answer:
    return Answer(json.dumps(quote_schema()), kind=SCHEMA.kind, headers=_KEPT)


@lru_cache(maxsize=1)
def _description() -> str:
    app.checked()  # every part declares its routes as it is loaded
    return json.dumps(description(declared))
