"""The description of the API, generated from its route table and its models: OpenAPI 3.1.

Imported only when somebody asks for the description.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any  # JSON Schema is plain JSON

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.api.endpoint import VERSION, Rule
from functions.api.operation import Operation, Shape
from functions.api.v1.models import EventIn, OrderIn, ProblemDetails
from functions.http.answers import PROBLEM
from functions.http.failures import STATUS
from saldo.quotes.service import quote_schema

Json = dict[str, Any]
Declared = Mapping[tuple[str, str], Rule]
_REFS = "#/components/schemas/"
_HEADERS: Json = {
    "RateLimit-Limit": {"schema": {"type": "integer"}, "description": "Requests that this key has a minute."},
    "RateLimit-Remaining": {"schema": {"type": "integer"}, "description": "How many of them are left."},
    "RateLimit-Reset": {"schema": {"type": "integer"}, "description": "Seconds until they are counted anew."},
}
_RETRY: Json = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
_ETAG: Json = {"ETag": {"schema": {"type": "string"}, "description": "Names this state of the document."}}
# What every route with a key may answer besides its own.
_ALWAYS = {
    "invalid_request": "a header or the body cannot be understood",
    "not_authenticated": "no key was sent",
    "invalid_key": "the key is unknown, revoked or expired",
    "missing_scope": "the key lacks the route's scope",
    "wrong_region": "the key belongs to another region",
    "too_many_requests": "the requests of this minute are spent",
    "too_many_attempts": "too many wrong keys came from this network",
}
_WITH_BODY = {
    "not_json": "the body is not JSON",
    "request_in_progress": "the same request is being worked on",
    "too_large": "the body is too large",
    "unsupported_media_type": "the body is of another type",
    "idempotency_key_reused": "the Idempotency-Key stood for another request before",
}
_OUTAGES = {500: "Something went wrong on our side", 503: "Something we need does not answer; try again"}


def description(declared: Declared) -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Saldo",
            "version": VERSION,
            "description": (
                "Quotes, usage events, orders, invoices, payments and subscriptions of one seller. "
                "Fields may be added; none goes away."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": _paths(declared),
        "components": {"schemas": _schemas(declared), "securitySchemes": {"key": _KEY}},
    }


_KEY: Json = {"type": "http", "scheme": "bearer", "description": "A key made with `saldo api-keys create`."}


def _paths(declared: Declared) -> Json:
    paths: Json = {}
    for (method, path), rule in sorted(declared.items()):
        paths.setdefault(path, {})[method.lower()] = _operation(path, rule)
    return paths


def _operation(path: str, rule: Rule) -> Json:
    told = rule.operation
    written: Json = {
        "operationId": told.id,
        "tags": [told.tag],
        "summary": told.summary,
        "parameters": list(_parameters(path, told)),
        "responses": _responses(rule),
        "security": [] if rule.anyone else [{"key": [str(rule.scope)]}],
    }
    if told.description:
        written["description"] = told.description
    if told.takes:
        content = {kind: {"schema": _ref(shape)} for kind, shape in told.takes.items()}
        written["requestBody"] = {"required": True, "content": content}
    return written


def _parameters(path: str, told: Operation) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if told.query is not None:
        schema = told.query.model_json_schema(by_alias=True)
        for name, one in schema["properties"].items():
            required = name in schema.get("required", [])
            yield {"name": name, "in": "query", "required": required, "schema": _without_null(one)}
    if told.has_etag:
        yield {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}
    if told.takes:
        shape = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
        says = "Your own name for this request: sent again within a day, it gets the same answer."
        yield {"name": "Idempotency-Key", "in": "header", "required": False, "schema": shape, "description": says}


def _without_null(schema: Json) -> Json:
    """A query's parameter is there or not; it is never null."""
    options = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    rest = {k: v for k, v in schema.items() if k not in ("anyOf", "default", "title") or (k == "default" and v)}
    return {**(options[0] if len(options) == 1 else {}), **rest}


def _responses(rule: Rule) -> Json:
    told = rule.operation
    limits = {} if rule.anyone else _HEADERS
    headers = {**limits, **(_ETAG if told.has_etag else {})}
    content = {told.kind: {"schema": _ref(told.answers)}}
    answers: Json = {str(told.status): {"description": told.summary, "headers": headers, "content": content}}
    if told.has_etag:
        answers["304"] = {"description": "It has not changed since", "headers": headers}
    return {**answers, **_failures(rule)}


def _failures(rule: Rule) -> Json:
    """Every status that a refusal of this route may have, with the codes and what they mean."""
    codes = dict(rule.operation.refusals)
    if not rule.anyone:
        codes |= _ALWAYS | (_WITH_BODY if rule.operation.takes else {})
    if rule.operation.query is not None:
        codes.setdefault("invalid_input", "every parameter at fault is named")
        codes["not_found"] = "there is no such account of this seller"
    if rule.operation.has_etag:
        codes["not_found"] = "there is no such record of this seller's customers"
    by_status: dict[int, list[str]] = {}
    for code, meaning in codes.items():
        by_status.setdefault(STATUS.get(code, 422), []).append(f"`{code}`: {meaning}")
    found = {status: "; ".join(texts) for status, texts in by_status.items()} | _OUTAGES
    return {str(status): _problem(status, text) for status, text in sorted(found.items())}


def _problem(status: int, text: str) -> Json:
    answer: Json = {"description": f"{HTTPStatus(status).phrase}. {text}"}
    if status in (409, 429, 503):
        answer["headers"] = _RETRY
    return answer | {"content": {PROBLEM: {"schema": _ref(ProblemDetails)}}}


def _ref(shape: Shape) -> Json:
    return {"$ref": _REFS + (shape if isinstance(shape, str) else shape.__name__)}


def _schemas(declared: Declared) -> Json:
    models: set[type[BaseModel]] = {ProblemDetails, EventIn}
    for rule in declared.values():
        shapes = (rule.operation.answers, *rule.operation.takes.values())
        models |= {shape for shape in shapes if not isinstance(shape, str)}
    ordered: list[tuple[type[BaseModel], Any]] = [
        (m, "validation" if m in (EventIn, OrderIn) else "serialization")
        for m in sorted(models, key=lambda m: m.__name__)
    ]
    _, document = models_json_schema(ordered, ref_template=_REFS + "{model}", by_alias=True)
    batch = {"type": "array", "minItems": 1, "maxItems": 1000, "items": _ref(EventIn)}
    return {**document["$defs"], "AnyObject": {"type": "object"}, "UsageBatch": batch, **_quote_schemas()}


def _quote_schemas() -> Json:
    """The published schema of a quote's document, its parts under names of their own."""
    whole = quote_schema()
    parts = {f"Quote_{name}": part for name, part in whole.get("$defs", {}).items()}
    head = {k: v for k, v in whole.items() if k not in ("$defs", "$schema", "$id")}
    return {name: _moved(part) for name, part in {"QuoteRequest": head, **parts}.items()}


def _moved(schema: Any) -> Any:
    """The same schema with its references leading to components."""
    if isinstance(schema, list):
        return [_moved(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {k: v.replace("#/$defs/", f"{_REFS}Quote_") if k == "$ref" else _moved(v) for k, v in schema.items()}
