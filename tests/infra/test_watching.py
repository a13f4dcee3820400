"""Nothing runs unwatched, and every alarm says what to do."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from infra.cdk.alarms import Runbook
from infra.cdk.environments import ROOT, environment
from infra.cdk.functions import ALL
from tests.assembly import Assembly

# Runbooks for what people do and no alarm asks for.
PRACTISED = ("restore", "key-rotation", "region-lost")
SECTIONS = (
    "## What it means",
    "## What the customer sees",
    "## First look",
    "## How to fix",
    "## How to know it is fixed",
)


def _alarms(assembly: Assembly) -> list[tuple[str, dict[str, Any]]]:
    return [(name, a["Properties"]) for name, a in assembly.resources("AWS::CloudWatch::Alarm")]


def _watching(assembly: Assembly, metric: str, dimension: str) -> set[str]:
    """Stack and logical name of what alarms on that metric watch."""
    found = set()
    for name, alarm in _alarms(assembly):
        if alarm.get("MetricName") == metric:
            for d in alarm["Dimensions"]:
                value = d["Value"]
                if d["Name"] == dimension:
                    target = value.get("Ref") or value.get("Fn::GetAtt", [""])[0]
                    found.add(f"{name.partition('/')[0]}/{target}")
    return found


def test_every_alarm_names_a_runbook_that_exists_and_is_complete(assembly: Assembly) -> None:
    for name, alarm in _alarms(assembly):
        found = re.search(r"Runbook: (docs/runbooks/[a-z-]+\.md)$", alarm["AlarmDescription"])
        assert found, name
        text = (ROOT / found[1]).read_text()
        assert all(section in text for section in SECTIONS), found[1]


def test_every_kind_of_alarm_is_used_and_no_runbook_is_left_over(assembly: Assembly) -> None:
    named = {a["AlarmDescription"].rpartition("Runbook: ")[2] for _, a in _alarms(assembly)}
    assert named == {runbook.path for runbook in Runbook}
    files = {f"docs/runbooks/{p.name}" for p in Path(ROOT / "docs/runbooks").glob("*.md") if p.name != "README.md"}
    assert files == named | {f"docs/runbooks/{name}.md" for name in PRACTISED}


def test_every_alarm_tells_the_topic_when_it_is_raised_and_when_it_is_over(assembly: Assembly) -> None:
    """Itself, or the composite alarm that it is a part of; what only takes a release back tells nobody."""
    releases = json.dumps([group["Properties"] for _, group in assembly.resources("AWS::CodeDeploy::DeploymentGroup")])
    composites = dict(assembly.resources("AWS::CloudWatch::CompositeAlarm"))
    rules = {name.partition("/")[0]: "" for name in composites}
    for name, composite in composites.items():
        rules[name.partition("/")[0]] += json.dumps(composite["Properties"]["AlarmRule"])
    told = [*_alarms(assembly), *((name, c["Properties"]) for name, c in composites.items())]
    for name, alarm in told:
        stack, _, logical_id = name.partition("/")
        if "AlarmActions" in alarm:
            assert alarm["AlarmActions"] == alarm["OKActions"] != [], name
        else:
            assert f'"{logical_id}"' in rules.get(stack, "") or f'"{logical_id}"' in releases, name


def test_every_function_has_alarms_for_errors_and_throttles(assembly: Assembly) -> None:
    functions = {name for name, _ in assembly.resources("AWS::Lambda::Function")}
    assert len(functions) == 2 * len(ALL)
    for metric in ("Errors", "Throttles"):
        assert _watching(assembly, metric, "FunctionName") == functions


def test_every_function_has_an_alarm_on_the_failures_it_counts_itself(assembly: Assembly) -> None:
    counted = {alarm["MetricName"] for _, alarm in _alarms(assembly) if alarm.get("Namespace") == "Saldo"}
    assert {spec.failed_metric for spec in ALL} <= counted


def test_every_handler_exists_and_counts_under_the_name_its_alarm_watches() -> None:
    for spec in ALL:
        module, _, name = spec.handler.rpartition(".")
        source = (ROOT / (module.replace(".", "/") + ".py")).read_text()
        if name == "handler":
            assert f'@observed("{spec.failed_metric.removesuffix("Failed")}")' in source, spec.name


def test_functions_get_every_setting_that_the_code_reads(assembly: Assembly) -> None:
    from saldo.storage.settings import Settings

    sign_in = {f"SALDO_{who}_POOL_{what}" for who in ("USER", "STAFF") for what in ("ID", "CLIENT_ID")}
    sign_in.add("SALDO_SIGN_IN_URL")
    wanted = {f"SALDO_{field.name.upper()}" for field in fields(Settings)}
    for name, function in assembly.resources("AWS::Lambda::Function"):
        given = set(function["Properties"]["Environment"]["Variables"])
        assert wanted - (set() if "PortalFunction" in name else sign_in) <= given, name


def test_every_queue_is_watched_or_has_a_watched_dead_letter_queue(assembly: Assembly) -> None:
    watched = _watching(assembly, "ApproximateNumberOfMessagesVisible", "QueueName")
    late = _watching(assembly, "ApproximateAgeOfOldestMessage", "QueueName")
    for name, queue in assembly.resources("AWS::SQS::Queue"):
        dead = queue["Properties"].get("RedrivePolicy", {}).get("deadLetterTargetArn")
        if dead:
            assert f"{name.partition('/')[0]}/{dead['Fn::GetAtt'][0]}" in watched, name
            assert name in late, name
        else:
            assert name in watched, name


def test_every_workflow_alarms_when_it_fails_takes_too_long_or_is_stopped(assembly: Assembly) -> None:
    machines = {name for name, _ in assembly.resources("AWS::StepFunctions::StateMachine")}
    for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"):
        assert _watching(assembly, metric, "StateMachineArn") == machines


def test_late_runs_set_aside_accounts_and_violated_invariants_raise_alarms(assembly: Assembly) -> None:
    counted = {alarm["MetricName"] for _, alarm in _alarms(assembly) if alarm.get("Namespace") == "Saldo"}
    assert {"LateRuns", "RunAccountsSetAside", "InvariantViolations"} <= counted


def test_own_metrics_carry_the_dimension_that_functions_write(assembly: Assembly) -> None:
    services = {
        f["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for _, f in assembly.resources("AWS::Lambda::Function")
    }
    for name, alarm in _alarms(assembly):
        if alarm.get("Namespace") == "Saldo":
            (dimension,) = alarm["Dimensions"]
            assert dimension["Name"] == "service", name
            assert dimension["Value"] in services, name


def test_functions_keep_dead_letters_and_run_on_arm_under_the_tested_python(assembly: Assembly) -> None:
    for name, function in assembly.resources("AWS::Lambda::Function"):
        given = function["Properties"]
        assert given["Architectures"] == ["arm64"], name
        assert given["Runtime"] == "python3.13", name
        assert given["DeadLetterConfig"]["TargetArn"], name
        assert given["TracingConfig"]["Mode"] == "Active", name


def test_every_entity_starts_its_cycle_and_its_daily_work_on_its_own_clock(assembly: Assembly) -> None:
    schedules = {s["Properties"]["Name"]: s["Properties"] for _, s in assembly.resources("AWS::Scheduler::Schedule")}
    entities = [e for region in environment("staging").regions for e in region.entities]
    assert len(schedules) == 7 * len(entities)
    early = (("latecharges", 3), ("taxtrueups", 3), ("taxids", 3))
    hours = (("collecting", 8), ("reminders", 9), ("renewals", 9), *early)
    daily = [(entity, *at) for entity in entities for at in (("cycle", entity.cycle_hour), *hours)]
    for entity, name, hour in daily:
        schedule = schedules[f"saldo-staging-{name}-{entity.id.replace('_', '-')}"]
        assert schedule["ScheduleExpressionTimezone"] == entity.time_zone
        assert schedule["ScheduleExpression"] == f"cron(0 {hour} * * ? *)"
        given = json.loads(schedule["Target"]["Input"])
        assert given == {"entity_id": entity.id, "as_of": "<aws.scheduler.scheduled-time>"}
        assert schedule["Target"]["DeadLetterConfig"]["Arn"]
