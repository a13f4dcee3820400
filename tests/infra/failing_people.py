"""What people reach, and what people do: pages and calls that fail or are slow, guessing, copying, the canary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from functions.canary.walk import Canary
from infra.cdk import functions as specs
from saldo.access.model_staff import StaffRole
from tests.functions.portal.conftest import solved
from tests.infra.cloud import Cloud, always_fails, never_answers
from tests.infra.going_wrong import goes_wrong, trouble
from tests.simulation.portal import PORTAL, Web, web
from tests.simulation.staff import staff_in
from tests.simulation.workflows import scenes as s

_PASSWORD = "shared with the gateway"


def asks(net: Web, path: str, **headers: str) -> Callable[[], Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: net.send("GET", PORTAL + path, {"accept": "text/html", **sent}, b"")


@contextmanager
def opened(cloud: Cloud) -> Iterator[Web]:
    s.founded(cloud.region)
    with web(cloud.region) as net:
        yield net


@goes_wrong("the portal hangs, cannot read, is throttled")
def portal_down(cloud: Cloud) -> None:
    with opened(cloud) as net:
        page = asks(net, "/accounts", cookie="saldo=somebodys-token")
        for _ in range(6):
            cloud.ask(specs.PORTAL, page, always_fails)
        cloud.ask(specs.PORTAL, page, never_answers)
        trouble(cloud, specs.PORTAL, page)


@goes_wrong("the API hangs, cannot read, is throttled")
def api_down(cloud: Cloud) -> None:
    with opened(cloud) as net:
        call = asks(net, "/api/v1/invoices", authorization=f"Bearer sk_eu_{'0' * 18}_{'0' * 64}")
        for _ in range(6):
            cloud.ask(specs.API, call, always_fails)
        trouble(cloud, specs.API, call)


@goes_wrong("reading takes two seconds each time")
def slow(cloud: Cloud) -> None:
    """The table answers, late: the edge's own clock runs on with each call."""
    passed = [0.0]

    def late(_number: int, _operation: str, when: str) -> None:
        passed[0] += 4.0 if when == "before" else 0

    clock = SimpleNamespace(monotonic=lambda: passed[0], time=lambda: passed[0])
    with opened(cloud) as net, patch("functions.http.edge.time", clock):
        page = asks(net, "/accounts", cookie="saldo=somebodys-token")
        call = asks(net, "/api/v1/invoices", authorization=f"Bearer sk_eu_{'0' * 18}_{'0' * 64}")
        for minutes in (0, 5, 5, 1, 1):
            cloud.region.now += timedelta(minutes=minutes)
            for _ in range(6):
                for spec, send in ((specs.PORTAL, page), (specs.API, call)):
                    began = passed[0]
                    cloud.ask(spec, send, late)
                    cloud.put("AWS/ApiGateway", "Latency", (passed[0] - began) * 1000, ApiName="saldo-staging-portal")


@goes_wrong("somebody tries keys and passwords")
def guessing(cloud: Cloud) -> None:
    with opened(cloud) as net:
        for n in range(300):
            call = asks(net, "/api/v1/invoices", authorization=f"Bearer sk_eu_{'0' * 18}_{n:064x}")
            cloud.run(specs.API, call)
        form = net.send("GET", f"{PORTAL}/sign-in", {"accept": "text/html"}, b"")
        key = next(value for name, value in form.fields() if name == "form_key")
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": PORTAL, "accept": "text/html"}
        headers["cookie"] = form.cookies[0].split(";")[0]
        for n in range(100):
            body = f"form_key={key}&email=p{n}%40customer.example&password=guess".encode()
            cloud.run(specs.PORTAL, lambda body=body: net.send("POST", f"{PORTAL}/sign-in", headers, body))


@goes_wrong("somebody who knows a password signs in at night, after many sign-ins and failures")
def impersonated(cloud: Cloud) -> None:
    from functions.operations import canary

    cloud.region.now += timedelta(hours=17)
    with opened(cloud) as net, canary_on(net):
        cloud.run(specs.CANARY, lambda: canary.handler({}, None))
        for _ in range(9):
            _signed_in(net)
        for password in [*["guess"] * 6, _PASSWORD]:
            page = cloud.run(specs.PORTAL, lambda password=password: _tried(net, password))
        assert page.status == 422, page.text


def _tried(net: Web, password: str) -> Any:
    """As a stranger's browser, which solves what it is asked."""
    from functions.canary.books import Names
    from functions.canary.browser import Browser

    browser = Browser(PORTAL, net.send)
    known = {"email": Names("eu").email, "password": password}
    page = browser.post("/sign-in", [*_hidden(browser.get("/sign-in"), known), *known.items()])
    asked = re.search(r'data-puzzle="([^"]+)"', page.text)
    if asked is None:
        return page
    solution = {**known, "solution": solved(asked[1])}
    return browser.post("/sign-in", [*_hidden(page, solution), *solution.items()])


def _hidden(page: Any, known: Mapping[str, str]) -> list[tuple[str, str]]:
    return [pair for pair in page.fields() if pair[0] not in known]


@goes_wrong("the canary breaks, twice")
def canary_breaks(cloud: Cloud) -> None:
    from functions.operations import canary

    with opened(cloud) as net, canary_on(net):
        net.down.add(PORTAL)
        for _ in range(2):
            cloud.region.now += timedelta(minutes=15)
            cloud.run(specs.CANARY, lambda: canary.handler({}, None))


@goes_wrong("somebody downloads a whole customer")
def copied(cloud: Cloud) -> None:
    from functions.canary.books import Names
    from functions.operations import canary

    with opened(cloud) as net, canary_on(net):
        cloud.run(specs.CANARY, lambda: canary.handler({}, None))
        cookie = _signed_in(net)
        path = f"/accounts/{Names('eu').account_id}/invoices.csv"
        for _ in range(300):
            page = cloud.run(specs.PORTAL, asks(net, path, cookie=cookie))
            assert page.status in (200, 303, 429), page.text


@goes_wrong("somebody downloads a whole customer in one file")
def copied_at_once(cloud: Cloud) -> None:
    """A bundle is one answer of the portal, however much is in it."""
    from functions.canary.books import Names
    from functions.operations import canary
    from saldo.documents.model_bundles import Bundle, BundleState
    from saldo.documents.records_bundles import bundle_item

    with opened(cloud) as net, canary_on(net):
        cloud.run(specs.CANARY, lambda: canary.handler({}, None))
        cookie, account_id, now = _signed_in(net), Names("eu").account_id, cloud.region.now
        bundle_ids = [f"bun_{n:032x}" for n in range(6)]
        documents = tuple((f"inv_{n}", f"R-{n}") for n in range(50))
        for bundle_id in bundle_ids:
            ready = BundleState.READY, len(documents)
            made = Bundle(account_id, bundle_id, s.ENTITY.id, "", now, now + timedelta(days=1), documents, *ready)
            cloud.region.store.put_many([bundle_item(made)])
            zipped = asks(net, f"/accounts/{account_id}/bundles/{bundle_id}/zip", cookie=cookie)
            assert cloud.run(specs.PORTAL, zipped).status == 303


@goes_wrong("a member of staff downloads every invoice")
def copied_by_staff(cloud: Cloud) -> None:
    region = cloud.region
    with opened(cloud) as net, staff_in(region, StaffRole.AR_ANALYST) as cookie:
        with cloud.hosting():
            s.bill(region, s.JAN)
        ((invoice_id, _),) = s.open_invoices(region, 0)
        pdf = f"/staff/{s.ENTITY.id}/accounts/{s.account_id(0)}/invoices/{invoice_id}/pdf"
        for _ in range(100):
            assert cloud.run(specs.PORTAL, asks(net, pdf, cookie=cookie)).status == 200


@goes_wrong("a member of staff exports the trail again and again")
def trail_copied_by_staff(cloud: Cloud) -> None:
    from saldo.audit.model import AuditRecord
    from saldo.audit.records import audit_item

    region = cloud.region
    with opened(cloud) as net, staff_in(region, StaffRole.AUDITOR) as cookie:
        done = (AuditRecord(s.ENTITY.id, region.now, s.CLERK, "plan.offered", f"pln_{n}") for n in range(2_000))
        with region.undisturbed():
            region.store.put_many([audit_item(record) for record in done])
        for _ in range(5):
            trail = asks(net, f"/staff/{s.ENTITY.id}/audit.csv", cookie=cookie)
            assert cloud.run(specs.PORTAL, trail).status == 200


def _signed_in(net: Web) -> str:
    from functions.canary.books import Names
    from functions.canary.browser import Browser

    browser = Browser(PORTAL, net.send)
    known = {"email": Names("eu").email, "password": _PASSWORD}
    form = [pair for pair in browser.get("/sign-in").fields() if pair[0] not in known]
    assert browser.post("/sign-in", [*form, *known.items()]).status == 303
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


@contextmanager
def canary_on(net: Web) -> Iterator[None]:
    """The hosted canary reaches the simulated region, and waiting there lets the gateway's news come."""

    def pause(seconds: float) -> None:
        net.region.now += timedelta(seconds=seconds)
        net.tell()

    with (
        patch("functions.canary.browser.over_http", net.send),
        patch.object(Canary.__init__, "__defaults__", (pause,)),
    ):
        yield
