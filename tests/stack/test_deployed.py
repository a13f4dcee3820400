"""The deployed system, as its templates describe it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any

import pytest

from infra.cdk.functions import ALL, RECORD_TAX
from local.cli.site import bank_statements_of
from local.stack import LocalStack
from local.supervisor import Instance
from local.synthesis import ASSEMBLY, STAMP
from saldo.accounts.bank_statements import checked
from saldo.audit.records_chain import anchor_from, anchor_key
from saldo.kernel.clock import system_clock
from saldo.storage.files import Files
from saldo.storage.looks import Look, PartFiles
from tests.contexts.sellers import entity

pytestmark = pytest.mark.stack
Stacks = dict[str, LocalStack]


def _until_ended(stack: LocalStack, arn: str, limit_s: float = 60) -> dict[str, Any]:
    step_functions, until = stack.client("stepfunctions"), time.monotonic() + limit_s
    while (found := step_functions.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < until, "the workflow does not end"
        time.sleep(0.1)
    return dict(found)


@pytest.mark.parametrize("code", ["eu", "us"])
def test_the_portal_answers_where_people_look_for_it(stacks: Stacks, code: str) -> None:
    with urllib.request.urlopen(stacks[code].portal_origin + "/", timeout=20) as page:
        assert page.status == 200
        assert "text/html" in page.headers["Content-Type"]


def test_a_page_that_does_not_exist_is_refused_and_not_a_failure(stacks: Stacks) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(stacks["eu"].portal_origin + "/no-such-page", timeout=20)
    assert 400 <= refused.value.code < 500


def test_what_a_seller_says_of_its_bank_holds_for_the_key_that_the_portal_serves(stacks: Stacks) -> None:
    stack = stacks["eu"]
    statement = bank_statements_of(stack).signed(entity(), None).bank_statement
    with urllib.request.urlopen(f"{stack.portal_origin}/.well-known/jwks.json", timeout=20) as answer:
        keys = json.load(answer)["keys"]
    assert statement is not None and checked(statement.signed, keys)["iss"] == stack.portal_origin


# One machine names no tax service, so nobody is told of taxes there.
_DEPLOYED_HERE = [spec for spec in ALL if spec is not RECORD_TAX]


@pytest.mark.parametrize("spec", _DEPLOYED_HERE, ids=lambda spec: spec.name)
def test_every_function_can_be_imported_where_it_runs(stacks: Stacks, spec: Any) -> None:
    """An empty event may well be refused, by the handler itself."""
    function = stacks["us"].functions[spec.name]
    answer = stacks["us"].client("lambda").invoke(FunctionName=function, Payload=b"{}")
    assert "Worker init failed" not in answer["Payload"].read().decode()


def test_a_refusal_reaches_the_workflow_under_its_own_name_and_raises_the_alarm(stacks: Stacks) -> None:
    stack = stacks["eu"]
    given = json.dumps({"entity_id": "ent_eu_nobody", "as_of": "2026-01-31"})
    started = stack.client("stepfunctions").start_execution(stateMachineArn=stack.state_machine_arn, input=given)
    ended = _until_ended(stack, started["executionArn"])
    assert (ended["status"], ended["error"]) == ("FAILED", "NotFound")
    until = time.monotonic() + 60
    while "An execution of invoice_run failed." not in _raised(stack):
        assert time.monotonic() < until, "no alarm was raised"
        time.sleep(0.5)


def _raised(stack: LocalStack) -> str:
    pages = stack.client("cloudwatch").get_paginator("describe_alarms").paginate(StateValue="ALARM")
    return " ".join(a["AlarmDescription"] for page in pages for a in page["MetricAlarms"])


def test_an_alarm_of_one_function_is_not_raised_by_another(stacks: Stacks) -> None:
    stack = stacks["us"]
    stack.client("lambda").invoke(FunctionName=stack.functions["import_usage"], Payload=b'"nonsense"')
    raised = _raised(stack)
    assert "The function import_usage failed." in raised
    assert "The function close_run failed." not in _raised(stacks["eu"])


def test_a_look_over_all_records_in_parts_comes_to_its_end(stacks: Stacks) -> None:
    """As if the table were large: the parts' messages bring the end's, and that the root over all of them."""
    stack = stacks["us"]
    sqs, at = stack.client("sqs"), system_clock() + timedelta(days=1)  # today's root may be there
    (url,) = [url for url in sqs.list_queues()["QueueUrls"] if url.endswith("anchor-audit-parts")]
    look = Look("look_deployed", at, 3)
    for part in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(look.as_row() | {"part": part}))
    files, until = Files(stack.client("s3"), stack.audit_bucket), time.monotonic() + 60
    while (root := files.find(anchor_key(at.date()))) is None:
        assert time.monotonic() < until, "no root was written"
        time.sleep(0.2)
    assert [one.key for one in anchor_from(root).files] == [PartFiles(files, "heads").key(look, n) for n in range(3)]


DAILY = ("collecting", "cycle", "latecharges", "reminders", "renewals", "taxids", "taxtrueups")


def test_each_region_schedules_its_own_entities(stacks: Stacks) -> None:
    for code, zone in (("eu", "Europe/Berlin"), ("us", "America/New_York")):
        scheduler = stacks[code].client("scheduler")
        names = sorted(s["Name"] for s in scheduler.list_schedules()["Schedules"])
        assert [name.split("-")[2] for name in names] == sorted(DAILY)
        assert {scheduler.get_schedule(Name=name)["ScheduleExpressionTimezone"] for name in names} == {zone}


def test_a_second_start_finds_everything_up_and_deploys_and_starts_nothing(instance: Instance) -> None:
    place, said = instance.place, list[str]()
    processes = [file for file in place.pids.iterdir() if file.suffix == ".pid"]
    stamps = [ASSEMBLY / STAMP, place.state / "deployed.txt", *processes]
    before = [(file, file.read_text(), file.stat().st_mtime_ns) for file in stamps]
    Instance(place, said.append).up(seeded=False)
    assert [(file, file.read_text(), file.stat().st_mtime_ns) for file in stamps] == before
    assert len(processes) == 3 and all(instance.status().values())
    assert not [line for line in said if line.startswith("deployment")]
