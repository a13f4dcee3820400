"""One click to pay, followed by one id: page, gateway's news, journal, audit, event, mail, log lines and traces."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest

from functions.canary.browser import FORM, Browser
from functions.observed import logger, metrics
from functions.services import billing
from saldo.access.api_keys import ApiKeys
from saldo.access.model import Grant, Role, User
from saldo.access.model_api_keys import Scope
from saldo.access.model_staff import StaffRole
from saldo.audit.model import Actor
from saldo.insight.trace import Moment, story_of
from saldo.invoicing.paying_back import PayBack, pay_back
from saldo.invoicing.run.now import Invoices, OneOff
from tests.simulation.portal import PORTAL, Web, picture, stream, web
from tests.simulation.region import Region, quiet
from tests.simulation.staff import staff_in
from tests.simulation.workflows import invoke, messages
from tests.simulation.workflows.corrections import VISIT
from tests.simulation.workflows.payments import credited
from tests.simulation.workflows.scenes import CLERK, account_id, billed, founded, open_invoices
from tests.simulation.world import ENTITY, METER

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
def _own_service(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """A log service of its own: powertools keeps one handler per service, tied to its first stdout."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", request.node.name)
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


@dataclass
class Followed:
    """What one click led to: its moments by kind and what, and the id that each event carried."""

    seen: list[tuple[str, str]]
    events: dict[str, str]


def _led_to(region: Region, clicked: str, before: Any, said: StringIO) -> Followed:
    """With the news of what was written since `before` published and delivered."""
    region.bus.taken.clear()
    invoke("events.publish", {"Records": _news(before, picture(region))})
    invoke("delivery.deliver", messages(*map(_as_rule, region.bus.taken)))
    lines = [json.loads(line) for line in said.getvalue().splitlines() if line.startswith("{")]
    story = story_of(clicked, region.store.scan(), lines)
    events = {e["DetailType"]: json.loads(e["Detail"])["correlation_id"] for e in region.bus.taken}
    return Followed([(m.kind, m.what) for m in story], events)


def test_a_credit_note_by_staff_is_followed_from_the_form_to_the_ledger_and_the_mail(
    monkeypatch: pytest.MonkeyPatch, _own_service: None
) -> None:
    region, said = Region(), StringIO()
    with region.serving(), redirect_stdout(said), web(region) as net, staff_in(region, StaffRole.AR_ANALYST) as cookie:
        billed(region)
        browser, before = Browser(PORTAL, net.send, dict([cookie.split("=", 1)])), picture(region)
        ((invoice_id, _),) = open_invoices(region, 0)
        page = f"/staff/{ENTITY.id}/accounts/{account_id(0)}/invoices/{invoice_id}"
        wanted = [("reason", "goodwill"), ("amount", "1.00"), ("why", "late")]
        form = [pair for pair in browser.get(page).fields() if pair[0] == "form_key"][:1]
        check = browser.post(f"{page}/credit/check", [*form, *wanted])
        with daemon(monkeypatch) as told:
            done = browser.post(f"{page}/credit", check.fields())
            assert done.status == 303, done.text
            clicked = f"request-{net.requests}"
            found = _led_to(region, clicked, before, said)
    for moment in (
        ("audit", "credit_note.issued"),
        ("invoice", "settled"),
        ("entry", "credit_note_issued"),
        ("log", "request"),
        ("log", "EventsToBus"),
        ("log", "DocumentDelivery"),
    ):
        assert moment in found.seen, found.seen
    assert found.events["credit_note.issued"] == clicked
    assert [t["annotations"]["correlation_id"] for t in told].count(clicked) == 3  # the page, the event, the mail


def test_an_invoice_that_somebody_asked_for_and_money_that_goes_back_are_followed_to_the_ledger(
    _own_service: None,
) -> None:
    region, said = Region(), StringIO()
    with region.serving(), redirect_stdout(said):
        credited(region)
        before, asking, giving = picture(region), Actor("u", "staff", "click-1"), Actor("u", "staff", "click-2")
        Invoices(billing(), region.clock).issue_now(OneOff(account_id(1), "r1", (VISIT,), asking))
        pay_back(region.store, region.clock, PayBack(account_id(0), 1000, "r2", giving))
        asked = _led_to(region, "click-1", before, said)
        given = _led_to(region, "click-2", before, said)
    for moment in (
        ("audit", "invoice.requested"),
        ("audit", "invoices.numbered"),
        ("invoice", "issued"),
        ("entry", "invoice_issued"),
        ("log", "EventsToBus"),
        ("log", "DocumentDelivery"),
    ):
        assert moment in asked.seen, asked.seen
    assert asked.events["invoice.issued"] == "click-1"
    assert given.seen == [("audit", "credit.paid_back"), ("entry", "credit_paid_back")]


def test_what_a_days_run_posts_costs_nothing_more_and_is_found_by_the_run() -> None:
    region = Region()
    with region.serving(), quiet():
        billed(region)
    kinds = [i for i in region.store.scan() if i["kind"] in ("entry", "invoice")]
    assert kinds and not [i for i in kinds if "correlation_id" in i]
    assert len({i["run_id"] for i in kinds if i["kind"] == "invoice"}) == 1


def test_usage_sent_to_the_api_is_followed_behind_its_queue(
    monkeypatch: pytest.MonkeyPatch, _own_service: None
) -> None:
    region, said = Region(), StringIO()
    event: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "app", "type": "used"}
    event |= {"subject": account_id(0), "time": "2026-01-05T10:00:00Z", "data": {"meter": METER.id, "value": "3"}}
    batch = json.dumps([event]).encode()
    with region.serving(), redirect_stdout(said), web(region) as net, daemon(monkeypatch) as told:
        founded(region)
        region.now = datetime(2026, 1, 6, tzinfo=UTC)
        key = ApiKeys(region.store, region.clock).create(ENTITY.id, "app", [Scope.USAGE_WRITE], 30, 100, CLERK)
        sent = {"authorization": f"Bearer {key.token}", "content-type": "application/cloudevents-batch+json"}
        answer = net.send("POST", f"{PORTAL}/api/v1/usage-events", sent, batch)
        assert answer.status == 202, answer.text
        clicked, ((queue, message),) = f"request-{net.requests}", region.queues.waiting
        assert queue == "usage" and json.loads(message)["correlation_id"] == clicked
        assert [a["AWSTraceHeader"]["StringValue"] for a in region.queues.attributes] == [TRACE]
        invoke("usage.ingest", messages(message, json.dumps(json.loads(message) | {"correlation_id": "another"})))
        lines = [json.loads(line) for line in said.getvalue().splitlines() if line.startswith("{")]
        seen = [(m.kind, m.what) for m in story_of(clicked, region.store.scan(), lines)]
        counted = list(region.store.query_all(account_id(0), prefix="usage#"))
    assert ("log", "request") in seen and ("log", "IngestUsageDone") in seen and counted
    assert [t["annotations"]["correlation_id"] for t in told].count(clicked) == 2


def test_a_pdf_made_on_a_click_is_made_for_that_click(monkeypatch: pytest.MonkeyPatch, _own_service: None) -> None:
    region, said = Region(), StringIO()
    with region.serving(), redirect_stdout(said), web(region) as net:
        billed(region)
        browser, ((invoice_id, _),) = _signed_in(net), open_invoices(region, 0)
        with daemon(monkeypatch) as told:
            assert browser.get(f"/accounts/{account_id(0)}/invoices/{invoice_id}/pdf").status == 200
        clicked = f"request-{net.requests}"
    lines = [json.loads(line) for line in said.getvalue().splitlines() if line.startswith("{")]
    seen = [(m.kind, m.what) for m in story_of(clicked, region.store.scan(), lines)]
    assert ("log", "RenderDocumentDone") in seen and ("audit", "invoice.downloaded") in seen
    assert [t["annotations"]["correlation_id"] for t in told] == [clicked, clicked]


def test_the_story_of_another_click_has_nothing_of_it(_own_service: None) -> None:
    region = Region()
    _, story, _ = _followed(region)
    others = story_of("request-1", region.store.scan())
    assert story and not {m.where for m in others} & {m.where for m in story if m.kind != "log"}
    assert not [m for m in story if "payer@customer.example" in json.dumps(m.facts, default=str)]


def test_without_a_trace_nothing_is_sent_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from functions import tracing

    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    assert tracing.header() == "" and tracing.sqs_attributes() == {}
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", "no daemon at all")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
    tracing.annotate("request-1")
