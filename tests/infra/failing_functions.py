"""Functions that hang, fail, are throttled and given up; the workflow of a run; runs that come late or wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from infra.cdk import functions as specs
from infra.cdk.functions import FunctionSpec
from saldo.accounts.records import account_from, account_item
from saldo.storage.units import Unit
from tests.infra.cloud import Cloud, always_fails, never_answers
from tests.infra.going_wrong import SCENES, Scene, goes_wrong, trouble
from tests.simulation.region import ENTITY_ID
from tests.simulation.workflows import scenes as s
from tests.simulation.workflows import workflows

FLOWS = {flow.name: flow for flow in workflows()}
# In which workflow each function is called; the run's steps and what has no workflow have scenes of their own.
CALLED_IN = {
    "run: first": specs.RUN_STEPS[:-1],
    "run: fail and take up": (specs.FAIL_RUN,),
    "run: watch": (specs.WATCH_RUNS,),
    "support: nobody answers": (specs.ESCALATE_TICKETS,),
    "clock: advance": (specs.ADVANCE_CLOCK,),
    "render: invoice": (specs.DOCUMENTS,),
    "deliver: invoice": (specs.DELIVERY,),
    "pay: webhooks": (specs.GATEWAY_EVENTS,),
    "pay: sweep": (specs.SWEEP_PAYMENTS,),
    "pay: a day collects": (specs.COLLECT_PAYMENTS,),
    "publish: events of the stream": (specs.PUBLISH_EVENTS,),
    "audit: link": (specs.LINK_AUDIT,),
    "audit: anchor": (specs.ANCHOR_AUDIT,),
    "usage: import a file": (specs.IMPORT_USAGE,),
    "usage: count files": (specs.COUNT_USAGE,),
    "usage: accept": (specs.ACCEPT_USAGE,),
    "usage: take in from the queue": (specs.INGEST_USAGE,),
    "import: invoices": (specs.IMPORT_INVOICES,),
    "orders: import a file": (specs.IMPORT_ORDERS,),
    "documents: many in one file": (specs.MAKE_BUNDLES,),
    "uploads: look at a file": (specs.EXAMINE_UPLOADS,),
    "uploads: delete in time": (specs.KEEP_UPLOADS,),
    "tax: true up": (specs.TRUE_UP_TAX,),
    "late charges: assess": (specs.ASSESS_LATE_CHARGES,),
    "remind: a day": (specs.ISSUE_REMINDERS,),
    "renew: a day tells, a term passes": (specs.RENEW_TERMS,),
    "tax: ask about ids": (specs.CHECK_TAX_IDS,),
    "tax: tell the service": (specs.RECORD_TAX,),
}


def _function_scene(flow: str, wanted: tuple[FunctionSpec, ...]) -> Scene:
    def scene(cloud: Cloud) -> None:
        left = list(wanted)

        def look(spec: FunctionSpec, work: Callable[[], Any]) -> None:
            if spec in left:
                left.remove(spec)
                trouble(cloud, spec, work)

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
    trouble(cloud, specs.CHECK_INVARIANTS, lambda: check_invariants.handler({}, None))
    double = {"account_id": s.account_id(0), "at": "2026-01-01", "by": "operator"}
    trouble(cloud, specs.CREATE_DOUBLE, lambda: create_double.handler(double, None))
    trouble(cloud, specs.CANARY, lambda: canary.handler({}, None))
    with patch.dict("os.environ", {"SALDO_PORTAL_ORIGINS": "not told"}):  # a deployment that was set up wrongly
        cloud.region.restart()
        cloud.run(specs.CANARY, lambda: canary.handler({}, None))


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


@goes_wrong("nobody answers a customer")
def unanswered(cloud: Cloud) -> None:
    from functions.support import escalate_tickets
    from saldo.audit.model import Actor
    from saldo.support.model import Topic
    from saldo.support.service import Question, Support

    s.founded(cloud.region)
    desk = Support(cloud.region.store, cloud.region.sealer(), cloud.region.clock)
    question = Question("tkt_1", Topic.QUESTION, "Whose is this?", "We do not know this charge.")
    desk.ask(s.account_id(0), question, Actor("user_eu_1", "user"))
    cloud.region.now += timedelta(days=7)
    cloud.run(specs.ESCALATE_TICKETS, lambda: escalate_tickets.handler({}, None))


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
