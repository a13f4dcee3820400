"""Real failures, one scene each: what goes wrong, played on the real functions, until the metrics tell of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from functions.canary.walk import Canary
from infra.cdk import functions as specs
from infra.cdk.functions import FunctionSpec
from local.emulator.evaluation import Value
from saldo.accounts.records import account_from, account_item
from saldo.storage.units import Unit
from tests.infra.cloud import Cloud, always_fails, never_answers
from tests.infra.deployed import Deployed
from tests.simulation.portal import PORTAL, Web, picture, stream, web
from tests.simulation.region import ENTITY_ID, Region, quiet
from tests.simulation.workflows import invoke, messages, workflows
from tests.simulation.workflows import scenes as s
from tests.simulation.workflows.payments import paid_at_the_gateway

Scene = Callable[[Cloud], None]
SCENES: dict[str, Scene] = {}
OWN = {"POWERTOOLS_METRICS_NAMESPACE": "Saldo", "POWERTOOLS_SERVICE_NAME": "preparing"}
FLOWS = {flow.name: flow for flow in workflows()}
# In which workflow each function is called; the run's steps and what has no workflow have scenes of their own.
CALLED_IN = {
    "run: first": specs.RUN_STEPS[:-1],
    "run: fail and take up": (specs.FAIL_RUN,),
    "run: watch": (specs.WATCH_RUNS,),
    "clock: advance": (specs.ADVANCE_CLOCK,),
    "render: invoice": (specs.DOCUMENTS,),
    "deliver: invoice": (specs.DELIVERY,),
    "pay: webhooks": (specs.GATEWAY_EVENTS,),
    "pay: sweep": (specs.SWEEP_PAYMENTS,),
    "publish: events of the stream": (specs.PUBLISH_EVENTS,),
    "audit: link": (specs.LINK_AUDIT,),
    "audit: anchor": (specs.ANCHOR_AUDIT,),
    "usage: import a file": (specs.IMPORT_USAGE,),
    "usage: count files": (specs.COUNT_USAGE,),
    "usage: accept": (specs.ACCEPT_USAGE,),
    "usage: take in from the queue": (specs.INGEST_USAGE,),
    "import: invoices": (specs.IMPORT_INVOICES,),
    "orders: import a file": (specs.IMPORT_ORDERS,),
    "tax: true up": (specs.TRUE_UP_TAX,),
    "late charges: assess": (specs.ASSESS_LATE_CHARGES,),
    "tax: ask about ids": (specs.CHECK_TAX_IDS,),
    "tax: tell the service": (specs.RECORD_TAX,),
}


def goes_wrong(name: str) -> Callable[[Scene], Scene]:
    def register(scene: Scene) -> Scene:
        SCENES[name] = scene
        return scene

    return register


def play(deployed: Deployed, name: str) -> set[str]:
    """Alarms that are raised at any moment of a scene, and after three days of it."""
    region = Region()
    cloud = Cloud(deployed, region)
    with patch.dict("os.environ", OWN), quiet(), region.serving():
        SCENES[name](cloud)
    moments = sorted({value.at for value in cloud.values})
    fired: set[str] = set()
    for moment in moments:
        fired |= deployed.fired([v for v in cloud.values if v.at <= moment], moment)
    end = moments[-1]
    return fired | deployed.fired(lasting(cloud.values, end), end)


def lasting(values: list[Value], end: float) -> list[Value]:
    """The same trouble again and again for three days, and in the last minutes."""
    again = (0, 120, 1200, 4 * 3600, 23 * 3600, 25 * 3600, 49 * 3600)
    return [replace(value, at=end - ago) for value in values for ago in again]


# -- functions --------------------------------------------------------------------------------------------------------


def _trouble(cloud: Cloud, spec: FunctionSpec, work: Callable[[], Any]) -> None:
    """Everything that can happen to a function: it hangs until it is killed and given up, it fails, it is throttled."""
    cloud.call_later(spec, work, never_answers)
    cloud.run(spec, work, always_fails)
    cloud.receive(spec, work, always_fails)
    cloud.read_stream(spec, work, always_fails)
    _throttled(cloud, spec)


def _throttled(cloud: Cloud, spec: FunctionSpec) -> None:
    now = cloud.region.now
    for minutes in (5, 0):
        cloud.region.now = now - timedelta(minutes=minutes)
        cloud.throttle(spec)


def _function_scene(flow: str, wanted: tuple[FunctionSpec, ...]) -> Scene:
    def scene(cloud: Cloud) -> None:
        left = list(wanted)

        def look(spec: FunctionSpec, work: Callable[[], Any]) -> None:
            if spec in left:
                left.remove(spec)
                _trouble(cloud, spec, work)

        FLOWS[flow].prepare(cloud.region)
        cloud.region.restart()
        with cloud.hosting(look), suppress(Exception):
            FLOWS[flow].work(cloud.region)
        assert not left, f"{flow} does not call {[spec.name for spec in left]}"

    return scene


for _flow, _wanted in CALLED_IN.items():
    SCENES[f"functions of: {_flow}"] = _function_scene(_flow, _wanted)


@goes_wrong("functions that no workflow calls")
def others(cloud: Cloud) -> None:
    from functions.operations import canary, check_invariants, create_double

    s.founded(cloud.region)
    _trouble(cloud, specs.CHECK_INVARIANTS, lambda: check_invariants.handler({}, None))
    double = {"account_id": s.account_id(0), "at": "2026-01-01", "by": "operator"}
    _trouble(cloud, specs.CREATE_DOUBLE, lambda: create_double.handler(double, None))
    _trouble(cloud, specs.CANARY, lambda: canary.handler({}, None))
    with patch.dict("os.environ", {"SALDO_PORTAL_ORIGINS": "not told"}):  # a deployment that was set up wrongly
        cloud.region.restart()
        cloud.run(specs.CANARY, lambda: canary.handler({}, None))


# -- the workflow of a run --------------------------------------------------------------------------------------------


@goes_wrong("a run's step keeps failing, hangs beyond the workflow's time, is stopped by somebody")
def run_ends(cloud: Cloud) -> None:
    from functions.invoice_run import fail_run, open_run

    s.founded(cloud.region)
    machine, event = cloud.deployed.machine(), {"entity_id": ENTITY_ID, "as_of": "2026-01-01"}
    step = machine["States"]["OpenRun"]
    tries = 1 + max(retry["MaxAttempts"] for retry in step["Retry"])
    if all(
        cloud.run(specs.OPEN_RUN, lambda: open_run.handler(event, None), always_fails) is None for _ in range(tries)
    ):
        assert step["Catch"][0]["Next"] == "FailRun"
        cloud.run(specs.FAIL_RUN, lambda: fail_run.handler({"error": {"Error": "ClientError"}}, None))
        cloud.ended("Failed")
    started = cloud.region.now
    while (cloud.region.now - started).total_seconds() < machine["TimeoutSeconds"]:
        cloud.run(specs.OPEN_RUN, lambda: open_run.handler(event, None), never_answers)
        cloud.region.now += timedelta(hours=1)
    cloud.ended("TimedOut")
    cloud.ended("Aborted")


@goes_wrong("the scheduler cannot start a run")
def never_started(cloud: Cloud) -> None:
    """It tries as often as the template says and puts the start into the dead-letter queue."""
    for schedule in cloud.deployed.resources("AWS::Scheduler::Schedule"):
        target = cloud.deployed.resolved(schedule[0], schedule[2]["Properties"]["Target"])
        failed = []
        for _ in range(1 + target["RetryPolicy"]["MaximumRetryAttempts"]):
            cloud.region.wire.fault = always_fails
            try:
                cloud.region.machines.start_execution(input=target["Input"])
            except Exception as error:
                failed.append(error)
        cloud.region.wire.fault = None
        if failed:
            cloud.dead(target["DeadLetterConfig"]["Arn"])


@goes_wrong("no run has closed two hours after its hour")
def late_run(cloud: Cloud) -> None:
    from functions.operations import watch_runs
    from saldo.audit.model import AuditRecord, job
    from saldo.audit.records import audit_item

    s.founded(cloud.region)
    record = AuditRecord(ENTITY_ID, cloud.region.now, job("test"), "entity.registered", ENTITY_ID)
    cloud.region.store.write_one(Unit("registered").put(audit_item(record)))
    cloud.region.now += timedelta(days=2)
    cloud.run(specs.WATCH_RUNS, lambda: watch_runs.handler({}, None))


@goes_wrong("accounts cannot be billed")
def set_aside(cloud: Cloud) -> None:
    s.founded(cloud.region)
    for n in range(2):  # they have moved to where the seller's tax table says nothing
        account = account_from(cloud.region.store.get(s.account_id(n), "account") or {})
        cloud.region.store.put_many([account_item(replace(account, country="ZZ", currency="XXX"))])
    with cloud.hosting():
        s.bill(cloud.region, s.JAN)


@goes_wrong("half of the customers are gone from a run")
def unexpected_total(cloud: Cloud) -> None:
    s.billed(cloud.region)
    for n in (1, 2):
        key = (s.account_id(n), f"subscription#{s.subscription_id(n)}")
        cloud.region.store.write_one(Unit("lost").delete(key))
    with cloud.hosting():
        s.bill(cloud.region, s.FEB)


@goes_wrong("a loop writes the same month again and again")
def dear(cloud: Cloud) -> None:
    """What one month of three customers is billed by DynamoDB and Lambda, a million times in a day."""
    before = cloud.region.records.bill
    wru, rru = before.wru, before.rru
    with cloud.hosting():
        s.billed(cloud.region)
    times, after, table = 1_000_000, cloud.region.records.bill, "saldo-staging-records"
    cloud.put("AWS/DynamoDB", "ConsumedWriteCapacityUnits", (after.wru - wru) * times, TableName=table)
    cloud.put("AWS/DynamoDB", "ConsumedReadCapacityUnits", (after.rru - rru) * times, TableName=table)


# -- books ------------------------------------------------------------------------------------------------------------


def _look_into_the_books(cloud: Cloud) -> None:
    from functions.operations import check_invariants

    cloud.run(specs.CHECK_INVARIANTS, lambda: check_invariants.handler({}, None))


def _bend(cloud: Cloud, kind: str, change: Callable[[Any], Any]) -> None:
    item = next(i for i in cloud.region.store.scan() if i["kind"] == kind and i.get("number", True))
    cloud.region.store.write_one(Unit("bend").put({**item, **change(item)}))


@goes_wrong("a balance is changed by hand")
def unexplained(cloud: Cloud) -> None:
    s.billed(cloud.region)
    _bend(cloud, "balance", lambda item: {"EUR receivables": item["EUR receivables"] + 1})
    _look_into_the_books(cloud)


@goes_wrong("an invoice is deleted from the middle of a series")
def gap(cloud: Cloud) -> None:
    s.billed(cloud.region)
    issued = [i for i in cloud.region.store.scan() if i["kind"] == "invoice" and i["number"]]
    middle = sorted(issued, key=lambda i: i["sequence"])[1]
    cloud.region.store.write_one(Unit("drop").delete((middle["pk"], middle["sk"])))
    _look_into_the_books(cloud)


@goes_wrong("a payout was of another amount than its payment")
def clearing(cloud: Cloud) -> None:
    paid_at_the_gateway(cloud.region)
    with cloud.hosting():
        invoke("payments.gateway_events", messages(*(body for _, body in cloud.region.queues.waiting)))
    for item in list(cloud.region.store.scan()):
        if item["kind"] == "entry" and item["entry_kind"] == "payout_received":
            legs = [leg | {"minor": leg["minor"] + (1 if leg["minor"] > 0 else -1)} for leg in item["postings"]]
            cloud.region.store.write_one(Unit("bend").put(item | {"postings": legs}))
        if item["kind"] == "payment":  # all are at rest
            rest = {k: v for k, v in item.items() if not k.startswith("agenda_")}
            cloud.region.store.write_one(Unit("rest").put(rest | {"paid_out_at": "2026-01-09T00:00:00Z"}))
    _look_into_the_books(cloud)


@goes_wrong("an audit record is edited after it was linked")
def chain(cloud: Cloud) -> None:
    from functions.audit import anchor, link

    region = cloud.region
    s.billed(region)
    before = picture(region)
    news = [n for n in stream({}, before) if n["dynamodb"]["NewImage"]["kind"]["S"] == "audit"]
    cloud.run(specs.LINK_AUDIT, lambda: link.handler({"Records": news}, None))
    linked = picture(region)
    item = next(i for i in region.store.scan() if i["kind"] == "audit" and i["pk"] == s.account_id(0))
    region.store.write_one(Unit("bend").put(item | {"reason": "never happened"}))
    changed = [n for n in stream(linked, picture(region)) if n["dynamodb"]["NewImage"]["kind"]["S"] == "audit"]
    cloud.run(specs.LINK_AUDIT, lambda: link.handler({"Records": changed}, None))
    region.now += timedelta(hours=20)
    cloud.run(specs.ANCHOR_AUDIT, lambda: anchor.handler({}, None))


# -- taxes, orders, late charges --------------------------------------------------------------------------------------


@goes_wrong("the tax service is silent, while a run bills and when it is asked again")
def untaxed(cloud: Cloud) -> None:
    from tests.simulation.workflows import taxes

    with cloud.hosting():
        taxes.in_new_york(cloud.region, silent=True)

        def silent(number: int, operation: str, when: str) -> None:
            if operation in ("RateTax", "RecordTax"):
                always_fails(number, operation, when)

        cloud.region.wire.fault = silent
        invoke("tax.true_up_tax", {})


@goes_wrong("a partner's file has the wrong prices")
def held(cloud: Cloud) -> None:
    from functions.events import publish
    from tests.simulation.workflows import orders

    orders.seller(cloud.region)
    before = picture(cloud.region)
    for n in range(25):
        orders._receive(cloud.region, replace(orders.DEAR, purchase_order=f"PO-{n}"), key=f"k-{n}")
    told = [n for n in stream(before, picture(cloud.region)) if n["dynamodb"]["Keys"]["sk"]["S"].startswith("order#")]
    cloud.run(specs.PUBLISH_EVENTS, lambda: publish.handler({"Records": told}, None))


@goes_wrong("nobody has put a new year's reference rate on record")
def no_rate(cloud: Cloud) -> None:
    from functions.collections import assess_late_charges
    from tests.simulation.workflows import corrections

    corrections.late(cloud.region)
    cloud.region.now += timedelta(days=5 * 365)
    cloud.run(specs.ASSESS_LATE_CHARGES, lambda: assess_late_charges.handler({}, None))


# -- documents, payments, events --------------------------------------------------------------------------------------


@goes_wrong("documents cannot be made or sent")
def no_documents(cloud: Cloud) -> None:
    s.billed(cloud.region)
    from functions.delivery import deliver
    from functions.documents import render
    from tests.simulation.workflows.papers import _first_invoice, _told

    invoice = _first_invoice(cloud.region)
    asked = {"account_id": s.account_id(0), "invoice_id": invoice}
    letter = messages(_told("invoice.issued", "invoice_id", invoice))
    for _ in range(3):
        cloud.run(specs.DOCUMENTS, lambda: render.handler(asked, None), always_fails)
        cloud.run(specs.DELIVERY, lambda: deliver.handler(letter, None), always_fails)


@goes_wrong("the gateway's news lie on the queue for a day")
def late_news(cloud: Cloud) -> None:
    paid_at_the_gateway(cloud.region)
    cloud.region.now += timedelta(days=1)
    with cloud.hosting():
        invoke("payments.gateway_events", messages(*(body for _, body in cloud.region.queues.waiting)))


@goes_wrong("the stream is read an hour late")
def late_events(cloud: Cloud) -> None:
    from functions.events import publish

    s.billed(cloud.region)
    news = stream({}, picture(cloud.region))
    cloud.region.now += timedelta(hours=1)
    cloud.run(specs.PUBLISH_EVENTS, lambda: publish.handler({"Records": news}, None))


# -- what people reach ------------------------------------------------------------------------------------------------


def _asks(net: Web, path: str, **headers: str) -> Callable[[], Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: net.send("GET", PORTAL + path, {"accept": "text/html", **sent}, b"")


@contextmanager
def _open(cloud: Cloud) -> Iterator[Web]:
    s.founded(cloud.region)
    with web(cloud.region) as net:
        yield net


@goes_wrong("the portal hangs, cannot read, is throttled")
def portal_down(cloud: Cloud) -> None:
    with _open(cloud) as net:
        page = _asks(net, "/accounts", cookie="saldo=somebodys-token")
        for _ in range(6):
            cloud.ask(specs.PORTAL, page, always_fails)
        cloud.ask(specs.PORTAL, page, never_answers)
        _trouble(cloud, specs.PORTAL, page)


@goes_wrong("the API hangs, cannot read, is throttled")
def api_down(cloud: Cloud) -> None:
    with _open(cloud) as net:
        call = _asks(net, "/api/v1/invoices", authorization=f"Bearer sk_eu_{'0' * 18}_{'0' * 64}")
        for _ in range(6):
            cloud.ask(specs.API, call, always_fails)
        _trouble(cloud, specs.API, call)


@goes_wrong("reading takes two seconds each time")
def slow(cloud: Cloud) -> None:
    """The table answers, late: the edge's own clock runs on with each call."""
    passed = [0.0]

    def late(_number: int, _operation: str, when: str) -> None:
        passed[0] += 4.0 if when == "before" else 0

    clock = SimpleNamespace(monotonic=lambda: passed[0], time=lambda: passed[0])
    with _open(cloud) as net, patch("functions.http.edge.time", clock):
        page = _asks(net, "/accounts", cookie="saldo=somebodys-token")
        call = _asks(net, "/api/v1/invoices", authorization=f"Bearer sk_eu_{'0' * 18}_{'0' * 64}")
        for minutes in (10, 5, 0):
            cloud.region.now += timedelta(minutes=5 if minutes < 10 else 0)
            for _ in range(6):
                for spec, send in ((specs.PORTAL, page), (specs.API, call)):
                    began = passed[0]
                    cloud.ask(spec, send, late)
                    cloud.put("AWS/ApiGateway", "Latency", (passed[0] - began) * 1000, ApiName="saldo-staging-portal")


@goes_wrong("somebody tries keys and passwords")
def guessing(cloud: Cloud) -> None:
    with _open(cloud) as net:
        for n in range(300):
            call = _asks(net, "/api/v1/invoices", authorization=f"Bearer sk_eu_{'0' * 18}_{n:064x}")
            cloud.run(specs.API, call)
        form = net.send("GET", f"{PORTAL}/sign-in", {"accept": "text/html"}, b"")
        key = next(value for name, value in form.fields() if name == "form_key")
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": PORTAL, "accept": "text/html"}
        headers["cookie"] = form.cookies[0].split(";")[0]
        for n in range(100):
            body = f"form_key={key}&email=p{n}%40customer.example&password=guess".encode()
            cloud.run(specs.PORTAL, lambda body=body: net.send("POST", f"{PORTAL}/sign-in", headers, body))


@goes_wrong("the canary breaks, twice")
def canary_breaks(cloud: Cloud) -> None:
    from functions.operations import canary

    with _open(cloud) as net, _canary_on(net):
        net.down.add(PORTAL)
        for _ in range(2):
            cloud.region.now += timedelta(minutes=15)
            cloud.run(specs.CANARY, lambda: canary.handler({}, None))


@goes_wrong("somebody downloads a whole customer")
def copied(cloud: Cloud) -> None:
    from functions.canary.books import Names
    from functions.operations import canary

    with _open(cloud) as net, _canary_on(net):
        cloud.run(specs.CANARY, lambda: canary.handler({}, None))
        cookie = _signed_in(net)
        path = f"/accounts/{Names('eu').account_id}/invoices.csv"
        for _ in range(300):
            page = cloud.run(specs.PORTAL, _asks(net, path, cookie=cookie))
            assert page.status == 200, page.text


def _signed_in(net: Web) -> str:
    from functions.canary.books import Names
    from functions.canary.browser import Browser

    browser = Browser(PORTAL, net.send)
    known = {"email": Names("eu").email, "password": "shared with the gateway"}
    form = [pair for pair in browser.get("/sign-in").fields() if pair[0] not in known]
    assert browser.post("/sign-in", [*form, *known.items()]).status == 303
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


@contextmanager
def _canary_on(net: Web) -> Iterator[None]:
    """The hosted canary reaches the simulated region, and waiting there lets the gateway's news come."""

    def pause(seconds: float) -> None:
        net.region.now += timedelta(seconds=seconds)
        net.tell()

    with (
        patch("functions.canary.browser.over_http", net.send),
        patch.object(Canary.__init__, "__defaults__", (pause,)),
    ):
        yield
