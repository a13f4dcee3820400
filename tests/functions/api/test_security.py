"""Every route against every key it is not for: generated from the route table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

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
from tests.functions.api.conftest import OPERATOR, OTHER_ACCOUNT, OTHER_ENTITY, OWN_ACCOUNT, US_ORIGIN, Api, Reply
from tests.functions.security.watch import Watch

KEYED = sorted((m, p) for (m, p), rule in declared.items() if rule.scope)
EVERY_KEYED = pytest.mark.parametrize(("method", "path"), KEYED)
# What a route takes, where nothing but the key and the ids in its path may be at fault.
_CHANGE = {"id": "chg_tests", "kind": "cancel", "effective_on": "2026-11-21"}
BODIES = {
    "/api/v1/accounts/{account_id}/subscriptions": {"plan_version": "seats_v1", "started_on": "2026-02-21"},
    "/api/v1/accounts/{account_id}/subscriptions/{subscription_id}/changes": _CHANGE,
    "/api/v1/accounts/{account_id}/subscriptions/{subscription_id}/changes/preview": _CHANGE,
}
OPERATION = Operation("planted", "Planted", "planted", InvoicePage)


def filled(api: Api, path: str, account_id: str = OWN_ACCOUNT, of: str = "", made_up: bool = False) -> str:
    """The route at this account with what is there of `of` (the same account), or with ids that name nothing."""
    has = {**api.has[of or (account_id if account_id in api.has else OWN_ACCOUNT)], "batch_id": "batch_x"}
    has = {name: id_[:-3] + "000" for name, id_ in has.items()} if made_up else has
    return path.format_map({**has, "account_id": account_id})


def ask(
    api: Api,
    method: str,
    path: str,
    token: str | None,
    account_id: str = OWN_ACCOUNT,
    of: str = "",
    made_up: bool = False,
) -> Reply:
    """A well-formed request to the route, so that only the key can be at fault."""
    kinds = list(declared[method, path].operation.takes)
    headers = {"content-type": kinds[0]} if kinds else {}
    body = json.dumps(BODIES.get(path, {})).encode() if kinds else b""
    return api.send(method, filled(api, path, account_id, of, made_up), body, token, headers)


@contextmanager
def watching(api: Api) -> Iterator[Watch]:
    """What a call reads and writes besides its own key, and what it costs."""
    region: Any = SimpleNamespace(records=api.world.client, wire=SimpleNamespace(watch=None))
    before = api.world.client.bill.calls.copy()
    with Watch(region) as watch:
        yield watch
    watch.calls = api.world.client.bill.calls - before
    watch.written = {key for key in watch.written if not key[0].startswith("key_")}


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
    planted = Application("planted", edge, {})
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


def test_every_part_of_a_path_has_a_sample(api: Api) -> None:
    used = {part for _, path in declared for part in re.findall(r"{(\w+)}", path)}
    assert used == set(api.has[OWN_ACCOUNT]) | {"batch_id"} and set(api.has[OTHER_ACCOUNT]) == set(api.has[OWN_ACCOUNT])


@pytest.mark.parametrize(("method", "path"), [(m, p) for m, p in KEYED if "{account_id}" in p])
def test_another_sellers_records_are_as_good_as_none(api: Api, method: str, path: str) -> None:
    """By whatever door: the same 404, nothing of the other's account read, nothing written, as many calls."""
    own, foreign = api.token(), api.token(entity_id=OTHER_ENTITY)
    done = declared[method, path].operation.status
    assert ask(api, method, path, own).status == done == ask(api, method, path, foreign, OTHER_ACCOUNT).status
    attempts = [(foreign, OWN_ACCOUNT, "", OWN_ACCOUNT), (own, OTHER_ACCOUNT, "", OTHER_ACCOUNT)]
    if path.count("{") > 1:
        attempts += [(own, OWN_ACCOUNT, OTHER_ACCOUNT, OTHER_ACCOUNT)]
    for token, account_id, of, others in attempts:
        with watching(api) as watch:
            reply = ask(api, method, path, token, account_id, of)
        with watching(api) as likewise:
            like = ask(api, method, path, token, account_id if of else "acct_eu_gone", of, made_up=True)
        assert (reply.status, reply.code, said(reply)) == (404, "not_found", said(like)), (account_id, of)
        assert not watch.written and others not in {pk for pk, _ in watch.read}
        assert watch.calls == likewise.calls, "as many calls as for what is not there"


def test_what_another_seller_issued_to_an_account_of_ours_is_not_there(api: Api) -> None:
    """As long as it lies with the account, whoever's the account became."""
    path = filled(api, "/api/v1/accounts/{account_id}/invoices/{invoice_id}")
    key = OWN_ACCOUNT, f"invoice#{api.has[OWN_ACCOUNT]['invoice_id']}"
    ours = api.world.store.get(*key)
    assert ours is not None and api.get(path, api.token()).status == 200
    api.world.store.put_many([ours | {"entity_id": OTHER_ENTITY}])
    try:
        assert api.get(path, api.token()).code == "not_found"
    finally:
        api.world.store.put_many([ours])


def test_another_sellers_invoices_are_in_no_list_and_behind_no_cursor(api: Api) -> None:
    own, foreign = api.token(), api.token(entity_id=OTHER_ENTITY)
    assert {one["account"] for one in api.get("/api/v1/invoices", foreign).json["data"]} == {OTHER_ACCOUNT}
    assert api.get("/api/v1/invoices?account=acct_eu_000001", foreign).code == "not_found"
    cursor = api.get("/api/v1/invoices?limit=1", own).json["next_cursor"]
    behind = api.get(f"/api/v1/invoices?cursor={cursor}", foreign).json["data"]
    assert {one["account"] for one in behind} <= {OTHER_ACCOUNT}


def test_usage_of_another_sellers_customer_is_rejected_and_not_stored(api: Api) -> None:
    event = {
        "specversion": "1.0", "id": "1", "source": "x", "subject": OTHER_ACCOUNT, "time": "2026-02-01T00:00:00Z",
        "data": {"meter": "tokens", "value": 1},
    }  # fmt: skip
    before = [i for i in api.world.store.scan() if i["pk"] == OTHER_ACCOUNT]
    reply = api.post("/api/v1/usage-events", event, content_type="application/cloudevents+json")
    assert [p["code"] for p in reply.json["event"]["problems"]] == ["unknown_account"]
    assert [i for i in api.world.store.scan() if i["pk"] == OTHER_ACCOUNT] == before


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
    reply = api.send(method, filled(api, path), body, "", {"content-type": kinds[0]} if kinds else {})
    assert (reply.status, reply.code) == (413, "too_large")


def test_a_route_that_takes_a_body_of_any_size_fails_at_import() -> None:
    takes = Operation("planted", "Planted", "planted", InvoicePage, takes={"application/json": "AnyObject"})
    with pytest.raises(TypeError, match="largest size"):
        Routes("planted").post("/api/v1/planted", Rule(takes, scope=Scope.QUOTES_WRITE))


@pytest.mark.parametrize(("method", "path"), sorted(declared))
def test_whatever_is_said_no_is_said_as_problem_json(api: Api, method: str, path: str) -> None:
    """By other methods, other types, with bodies that nest or break: a code, never a page, never a trace."""
    where = filled(api, path)
    for verb in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {m for m, p in declared if p == path}:
        reply = api.send(verb, where, b"{}", "", {"content-type": "application/json"})
        assert (reply.status, reply.code) == (405, "wrong_method"), verb
    if method != "POST":
        return
    for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x", ""):
        assert api.send("POST", where, b"{}", "", {"content-type": kind}).code == "unsupported_media_type", kind
    (kind, *_) = declared[method, path].operation.takes
    for body in (b"", b"[" * 100_000, b'{"a":' * 20_000, b"\xff", b'"\\ud800"', b"nul", b"1" * 5000,
                 b'{"a":1e999999999}',
                 b'{"lines":[{"quantity":' + b"9" * 5000 + b"}]}"):  # fmt: skip
        reply = api.send("POST", where, body, "", {"content-type": kind})
        assert (400 <= reply.status < 500 and reply.code) or reply.status == 202, (body[:20], reply)


@pytest.mark.parametrize(
    "asked", ["%00", "9" * 5000, "%ed%a0%80", "..%2f..%2f", "eyJwayI6MX0", "%f0%9f%92%a9", "a" * 9000]
)
def test_no_id_and_no_query_makes_the_api_fail(api: Api, asked: str) -> None:
    for method, path in KEYED:
        kinds = list(declared[method, path].operation.takes)
        headers = {"content-type": kinds[0]} if kinds else {}
        paths = [path.format_map(dict.fromkeys(api.has[OWN_ACCOUNT] | {"batch_id": ""}, asked))]
        paths += [
            f"{filled(api, path)}?{name}={asked}"
            for name in ("cursor", "limit", "account", "status", "issued_from", "x")
        ]
        for where in paths:
            reply = api.send(method, where, b"{}" if kinds else b"", "", headers)
            assert reply.status < 500, (where[:100], reply)


def test_a_session_of_the_portal_is_no_key(api: Api) -> None:
    for method, path in KEYED:
        kinds = list(declared[method, path].operation.takes)
        reply = api.send(method, filled(api, path), b"{}" if kinds else b"", None, {
            "cookie": "saldo=" + "x" * 43, **({"content-type": kinds[0]} if kinds else {}),
        })  # fmt: skip
        assert (reply.status, reply.code) == (401, "not_authenticated")
