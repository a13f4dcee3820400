"""One click to pay, followed by one id: page, gateway's news, journal, audit, event, mail, log lines and traces."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest

from functions.canary.browser import FORM, Browser
from functions.observed import logger, metrics
from saldo.access.model import Grant, Role, User
from saldo.insight.trace import Moment, story_of
from tests.simulation.portal import PORTAL, Web, picture, stream, web
from tests.simulation.region import Region
from tests.simulation.workflows import invoke, messages
from tests.simulation.workflows.scenes import CLERK, account_id, billed

TRACE = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"
CARD = b"number=4242424242424242&expiry=12%2F30&cvc=123"


@contextmanager
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """X-Ray's daemon beside the function: what it was told, once the block is over."""
    told: list[dict[str, Any]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        line.setblocking(False)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{line.getsockname()[1]}")
        monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
        yield told
        while True:
            try:
                head, body = line.recv(10_000).split(b"\n", 1)
            except BlockingIOError:
                break
            assert json.loads(head) == {"format": "json", "version": 1}
            told.append(json.loads(body))


def _signed_in(net: Web) -> Browser:
    """A customer's payer, in a browser of their own."""
    grants = (Grant(account_id(0), Role.PAYER),)
    net.access.enrol(User("", "org_eu_000000", "payer@customer.example", "Pat", "en", grants), "Payer-Pass-1", CLERK)
    browser, known = Browser(PORTAL, net.send), {"email": "payer@customer.example", "password": "Payer-Pass-1"}
    form = [pair for pair in browser.get("/sign-in").fields() if pair[0] not in known]
    assert browser.post("/sign-in", [*form, *known.items()]).status == 303
    return browser


def _click(net: Web, browser: Browser) -> str:
    """Choose, check and confirm; the id of the request that confirmed. Then the card, at the gateway."""
    home = f"/accounts/{account_id(0)}"
    check = browser.post(f"{home}/pay/check", browser.get(f"{home}/pay?all=open").fields())
    confirmed = browser.post(f"{home}/pay/confirm", check.fields())
    assert confirmed.status == 303, confirmed.text
    clicked = f"request-{net.requests}"
    assert net.send("POST", f"{confirmed.location}/card", {"content-type": FORM}, CARD).status == 303
    return clicked


def _followed(region: Region) -> tuple[str, list[Moment], str]:
    """The id of one click, its story, and everything the functions wrote."""
    said = StringIO()
    with region.serving(), redirect_stdout(said):
        billed(region)
        with web(region) as net:
            clicked = _click(net, _signed_in(net))
            before = picture(region)
            for days in (0, 3, 1):  # the payment's news, and after days the payout's
                region.now += timedelta(days=days)
                net.tell()
            invoke("events.publish", {"Records": _news(before, picture(region))})
            letters = [_as_rule(entry) for entry in region.bus.taken if entry["DetailType"] == "payment.settled"]
            invoke("delivery.deliver", messages(*letters))
        items = list(region.store.scan())
    lines = [json.loads(line) for line in said.getvalue().splitlines() if line.startswith("{")]
    return clicked, story_of(clicked, items, lines), said.getvalue()


def _news(before: Any, after: Any) -> list[dict[str, Any]]:
    kept = ("invoice#", "payment#")
    return [n for n in stream(before, after) if n["dynamodb"]["Keys"]["sk"]["S"].startswith(kept)]


def _as_rule(entry: dict[str, Any]) -> str:
    return json.dumps({"detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])})


@pytest.fixture
def _own_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A log service of its own: powertools keeps one handler per service, tied to its first stdout."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "traced")
    logger.cache_clear()
    metrics.cache_clear()
    yield
    logger.cache_clear()
    metrics.cache_clear()


def test_one_click_is_followed_to_the_ledger_the_event_and_the_mail(
    monkeypatch: pytest.MonkeyPatch, _own_service: None
) -> None:
    region = Region()
    with daemon(monkeypatch) as told:
        clicked, story, _ = _followed(region)
    seen = [(m.kind, m.what) for m in story]
    for wanted in (
        ("audit", "payment.started"),
        ("audit", "payment.settled"),
        ("audit", "payment.paid_out"),
        ("entry", "payment_settled"),
        ("entry", "payment_applied"),
        ("entry", "payout_received"),
        ("payment", "settled"),
        ("log", "request"),
        ("log", "GatewayNews"),
        ("log", "EventsToBus"),
        ("log", "DocumentDelivery"),
    ):
        assert wanted in seen, story
    details = [json.loads(e["Detail"]) for e in region.bus.taken if e["DetailType"] == "payment.settled"]
    assert [d["correlation_id"] for d in details] == [clicked]
    assert all(e["TraceHeader"] == TRACE for e in region.bus.taken)
    assert all(a["AWSTraceHeader"]["StringValue"] == TRACE for a in region.queues.attributes)
    annotated = [t["annotations"]["correlation_id"] for t in told]
    assert annotated.count(clicked) >= 4  # the page, the gateway's news, the event, the mail
    assert {t["trace_id"] for t in told} == {"1-67891233-abcdef012345678912345678"}


def test_the_story_of_another_click_has_nothing_of_it(_own_service: None) -> None:
    region = Region()
    _, story, _ = _followed(region)
    others = story_of("request-1", region.store.scan())
    assert story and not {m.where for m in others} & {m.where for m in story if m.kind != "log"}
    assert not [m for m in story if "payer@customer.example" in json.dumps(m.facts, default=str)]


def test_without_a_trace_nothing_is_sent_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from functions import tracing

    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    assert tracing.header() == "" and tracing.sqs_attributes("") == {}
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", "no daemon at all")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
    tracing.annotate("request-1")
