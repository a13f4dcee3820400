"""Every route against every key it is not for: generated from the route table."""

from __future__ import annotations

import json
import re

import pytest
from chalice.app import Chalice

from functions.api.endpoint import Routes, Rule, declared, edge
from functions.api.operation import Operation
from functions.api.v1.app import app
from functions.api.v1.models import InvoicePage
from functions.http.application import Application
from saldo.access.model_api_keys import Scope
from saldo.kernel.errors import Unavailable
from saldo.storage.store import Store
from tests.functions.api.conftest import OPERATOR, OTHER_ACCOUNT, OTHER_ENTITY, US_ORIGIN, Api, Reply

KEYED = sorted((m, p) for (m, p), rule in declared.items() if rule.scope)
EVERY_KEYED = pytest.mark.parametrize(("method", "path"), KEYED)
OPERATION = Operation("planted", "Planted", "planted", InvoicePage)


def ask(api: Api, method: str, path: str, token: str | None, account_id: str = "acct_eu_000001") -> Reply:
    """A well-formed request to the route, so that only the key can be at fault."""
    filled = path.format(account_id=account_id, invoice_id="inv_20260101abc", batch_id="batch_x")
    kinds = list(declared[method, path].operation.takes)
    headers = {"content-type": kinds[0]} if kinds else {}
    return api.send(method, filled, b"{}" if kinds else b"", token, headers)


def said(reply: Reply) -> str:
    return re.sub('"instance": "[^"]*"', "", reply.text)


def test_every_route_of_the_application_says_who_may_call_it() -> None:
    served = {(m, p) for p, methods in app.routes.items() for m in methods}
    assert served == set(declared)
    assert {p for (_, p), rule in declared.items() if rule.anyone} == {"/api/v1/openapi.json", "/api/v1/schemas/quote"}


@pytest.mark.parametrize("rule", [Rule(OPERATION), Rule(OPERATION, scope=Scope.QUOTES_WRITE, anyone=True)])
def test_a_planted_route_without_a_scope_fails_at_import(rule: Rule) -> None:
    with pytest.raises(TypeError, match="who may call it"):
        Routes("planted").get("/api/v1/planted", rule)


def test_a_route_planted_past_the_endpoint_fails_at_import() -> None:
    planted = Application("planted", edge)
    planted.route("/api/v1/planted")(lambda: {"everything": True})
    assert isinstance(planted, Chalice)
    with pytest.raises(TypeError, match="GET /api/v1/planted"):
        planted.checked()


@EVERY_KEYED
def test_without_a_living_key_every_route_says_the_same(api: Api, method: str, path: str) -> None:
    revoked, key = api.new_key()
    api.keys.revoke(key.id, OPERATOR)
    expired = api.token(days=1)
    living = api.token()
    api.clock.advance(days=2)
    wrong = living[:-64] + "f" * 64
    replies = [ask(api, method, path, token) for token in (wrong, revoked, expired, "sk_eu_nonsense", "Basic")]
    assert {(r.status, r.code) for r in replies} == {(401, "invalid_key")}
    assert len({said(r) for r in replies}) == 1
    nobody = ask(api, method, path, None)
    assert (nobody.status, nobody.code, nobody.headers["www-authenticate"]) == (
        401,
        "not_authenticated",
        'Bearer realm="saldo"',
    )


@EVERY_KEYED
def test_an_outage_is_told_as_one_that_may_be_tried_again(
    api: Api, method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = api.token()

    def away(*_: object, **__: object) -> None:
        raise Unavailable("the table is busy")

    monkeypatch.setattr(Store, "change", away)
    reply = ask(api, method, path, token)
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unavailable", "5")


@EVERY_KEYED
def test_a_key_with_every_scope_but_the_routes_own_is_refused(api: Api, method: str, path: str) -> None:
    wanted = declared[method, path].scope
    others = [scope.value for scope in Scope if scope is not wanted]
    reply = ask(api, method, path, api.token(*others))
    assert (reply.status, reply.code) == (403, "missing_scope")
    assert str(wanted) in reply.json["detail"]
    assert ask(api, method, path, api.token(str(wanted))).status != 403


@EVERY_KEYED
def test_a_key_of_another_region_is_told_where_its_home_is_and_nothing_is_read(
    api: Api, method: str, path: str
) -> None:
    token = "sk_us" + api.token()[5:]
    calls = api.world.client.calls
    reply = ask(api, method, path, token)
    assert (reply.status, reply.code) == (421, "wrong_region")
    assert US_ORIGIN in reply.json["detail"] and api.world.client.calls == calls


@pytest.mark.parametrize(("method", "path"), [(m, p) for m, p in KEYED if "{account_id}" in p])
def test_another_sellers_account_is_as_good_as_none(api: Api, method: str, path: str) -> None:
    (real,) = api.get("/api/v1/invoices?account=acct_eu_000001&limit=1").json["data"]
    foreign = api.token(entity_id=OTHER_ENTITY)
    replies = [ask(api, method, path, foreign, account) for account in ("acct_eu_000001", "acct_us_x", "acct_eu_gone")]
    replies.append(api.get(real["url"], foreign))
    replies.append(ask(api, method, path, api.token(), OTHER_ACCOUNT))
    assert {(r.status, said(r)) for r in replies} == {(404, said(replies[0]))}


def test_another_sellers_invoices_are_in_no_list_and_behind_no_cursor(api: Api) -> None:
    own, foreign = api.token(), api.token(entity_id=OTHER_ENTITY)
    assert api.get("/api/v1/invoices", foreign).json["data"] == []
    assert api.get("/api/v1/invoices?account=acct_eu_000001", foreign).code == "not_found"
    cursor = api.get("/api/v1/invoices?limit=1", own).json["next_cursor"]
    assert api.get(f"/api/v1/invoices?cursor={cursor}", foreign).json["data"] == []


def test_usage_of_another_sellers_customer_is_rejected_and_not_stored(api: Api) -> None:
    event = {
        "specversion": "1.0", "id": "1", "source": "x", "subject": OTHER_ACCOUNT, "time": "2026-02-01T00:00:00Z",
        "data": {"meter": "tokens", "value": 1},
    }  # fmt: skip
    reply = api.post("/api/v1/usage-events", event, content_type="application/cloudevents+json")
    assert [p["code"] for p in reply.json["event"]["problems"]] == ["unknown_account"]
    assert not [i for i in api.world.store.scan() if i["pk"] == OTHER_ACCOUNT and i["kind"] not in ("account",)]


def test_a_key_that_is_used_too_often_hears_when_to_come_again(api: Api) -> None:
    token = api.token(rate=2)
    left = [api.get("/api/v1/invoices", token).headers["ratelimit-remaining"] for _ in range(2)]
    reply = api.get("/api/v1/invoices", token)
    assert left == ["1", "0"]
    assert (reply.status, reply.code) == (429, "too_many_requests")
    assert reply.headers["retry-after"] == reply.headers["ratelimit-reset"] == "60"
    api.clock.advance(seconds=60)
    assert api.get("/api/v1/invoices", token).status == 200


def test_whoever_tries_keys_is_slowed_down_and_counted(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    replies = [api.get("/api/v1/invoices", f"sk_eu_{'0' * 18}_{n:064x}") for n in range(61)]
    assert {r.status for r in replies[:60]} == {401}
    assert (replies[60].status, replies[60].code) == (429, "too_many_attempts")
    assert int(replies[60].headers["retry-after"]) > 0
    assert api.get("/api/v1/invoices").status == 200
    assert capsys.readouterr().out.count('"ApiWrongKeys": 1') == 61


def test_neither_key_nor_body_nor_id_is_ever_logged(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    token = api.token()
    (one,) = api.get("/api/v1/invoices?limit=1", token).json["data"]
    api.get(one["url"], token)
    api.post("/api/v1/quotes", {"account": {"name": "Rieke Harms"}}, token, idempotency_key="name-of-mine")
    lines = capsys.readouterr().out
    for secret in (token, token[-20:], one["account"], one["id"], "Harms", "name-of-mine"):
        assert secret not in lines


def test_what_nobody_expected_says_nothing_of_itself_and_is_counted(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("saldo.invoicing.reading_seller.page", lambda *_: 1 / 0)
    reply = api.get("/api/v1/invoices")
    assert (reply.status, reply.code) == (500, "unexpected")
    assert "ZeroDivision" not in reply.text and "division" not in reply.text
    assert '"ApiErrors": 1' in capsys.readouterr().out


def test_every_answer_is_kept_from_caches_frames_and_scripts(api: Api) -> None:
    token = api.token()
    for reply in (
        api.get("/api/v1/invoices", token),
        api.get("/api/v1/invoices", None),
        api.post("/api/v1/quotes", b"{", token),
        api.post("/api/v1/quotes", {}, token, content_type="text/plain"),
    ):
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in reply.headers


@EVERY_KEYED
def test_a_body_that_is_too_large_is_refused_before_it_is_read(api: Api, method: str, path: str) -> None:
    rule = declared[method, path]
    body = json.dumps("x" * rule.most_bytes).encode()
    kinds = list(rule.operation.takes)
    filled = path.format(account_id="acct_eu_000001", invoice_id="inv_20260101abc", batch_id="batch_x")
    reply = api.send(method, filled, body, "", {"content-type": kinds[0]} if kinds else {})
    assert (reply.status, reply.code) == (413, "too_large")


def test_a_route_that_takes_a_body_of_any_size_fails_at_import() -> None:
    takes = Operation("planted", "Planted", "planted", InvoicePage, takes={"application/json": "AnyObject"})
    with pytest.raises(TypeError, match="largest size"):
        Routes("planted").post("/api/v1/planted", Rule(takes, scope=Scope.QUOTES_WRITE))
