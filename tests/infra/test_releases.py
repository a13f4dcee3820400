"""Releases: a tenth of the requests first, taken back at an alarm; a run keeps the versions that it began with."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra.cdk.functions import RUN_STEPS
from local.deployment import without_dropped
from saldo.storage.flags import carried
from tests.assembly import Assembly


def _of(assembly: Assembly, concern: str, kind: str) -> dict[str, dict[str, Any]]:
    resources = assembly.template("eu", concern)["Resources"]
    return {name: r for name, r in resources.items() if r["Type"] == f"AWS::{kind}"}


def test_pages_and_the_api_are_released_to_a_tenth_first_and_taken_back_at_an_alarm(assembly: Assembly) -> None:
    groups = {name: r["Properties"] for name, r in _of(assembly, "portal", "CodeDeploy::DeploymentGroup").items()}
    assert len(groups) == 2
    for group in groups.values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent10Minutes"
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        alarms = {alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]}
        assert {name.rstrip("0123456789ABCDEF") for name in alarms} == {"PortalErrors", "ReleaseSlow"}
    for alias in _of(assembly, "portal", "Lambda::Alias").values():
        assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"] in groups


# Until a minute's values of API Gateway and Lambda are in CloudWatch, and an alarm has looked at them.
DELAY_S = 180


def test_each_alarm_at_which_a_release_is_taken_back_can_be_raised_while_it_is_at_its_tenth(assembly: Assembly) -> None:
    alarms = {name: r["Properties"] for name, r in _of(assembly, "portal", "CloudWatch::Alarm").items()}
    for group in _of(assembly, "portal", "CodeDeploy::DeploymentGroup").values():
        percent, minutes = re.findall(r"\d+", group["Properties"]["DeploymentConfigName"])
        assert int(percent) == 10
        for watched in group["Properties"]["AlarmConfiguration"]["Alarms"]:
            alarm = alarms[watched["Name"]["Ref"]]
            assert alarm["Period"] * alarm["EvaluationPeriods"] + DELAY_S <= int(minutes) * 60, watched
            if alarm.get("ExtendedStatistic"):  # a tenth of the requests decides the percentile
                assert float(alarm["ExtendedStatistic"].removeprefix("p")) > 100 - int(percent)


def test_every_method_calls_an_alias_and_no_function_by_its_own_name(assembly: Assembly) -> None:
    aliases = set(_of(assembly, "portal", "Lambda::Alias"))
    for name, method in _of(assembly, "portal", "ApiGateway::Method").items():
        integration = json.dumps(method["Properties"]["Integration"])
        if "lambda" in integration:
            assert any(f'"Ref": "{alias}"' in integration for alias in aliases), name


def test_a_run_calls_versions_and_may_call_those_of_before_a_deployment(assembly: Assembly) -> None:
    resources = assembly.template("eu", "runs")["Resources"]
    (machine,) = _of(assembly, "runs", "StepFunctions::StateMachine").values()
    called = {
        p["Ref"] for p in machine["Properties"]["DefinitionString"]["Fn::Join"][1] if isinstance(p, dict) and "Ref" in p
    }
    versions = {name for name in called if resources.get(name, {}).get("Type") == "AWS::Lambda::Version"}
    assert len(versions) == len(RUN_STEPS)
    assert all(resources[name]["DeletionPolicy"] == "Retain" for name in versions), "a run under way needs the old one"
    policies = json.dumps([r for name, r in resources.items() if name.startswith("InvoiceRunMachineRoleDefaultPolicy")])
    for spec in RUN_STEPS:
        (function,) = [n for n, r in resources.items() if r["Properties"].get("Handler") == spec.handler]
        assert f'{{"Fn::Join": ["", [{{"Fn::GetAtt": ["{function}", "Arn"]}}, ":*"]]}}' in policies, spec.name


def test_one_machine_moves_aliases_at_once_and_refers_to_nothing_that_was_left_out(assembly: Assembly) -> None:
    kept = without_dropped(assembly.template("eu", "portal"))["Resources"]
    assert not [r for r in kept.values() if r["Type"].startswith("AWS::CodeDeploy")]
    aliases = [r for r in kept.values() if r["Type"] == "AWS::Lambda::Alias"]
    assert len(aliases) == 2
    assert not any("UpdatePolicy" in alias for alias in aliases)


def test_flags_are_deployed_bit_by_bit_from_the_one_list_and_no_alarm_pretends_to_take_them_back(
    assembly: Assembly,
) -> None:
    (content,) = _of(assembly, "runs", "AppConfig::HostedConfigurationVersion").values()
    assert json.loads(content["Properties"]["Content"]) == carried()
    (pace,) = _of(assembly, "runs", "AppConfig::DeploymentStrategy").values()
    assert pace["Properties"]["GrowthFactor"] < 100
    assert pace["Properties"]["DeploymentDurationInMinutes"] == 10
    assert not pace["Properties"].get("FinalBakeTimeInMinutes")
    (there,) = _of(assembly, "runs", "AppConfig::Environment").values()
    assert not there["Properties"].get("Monitors"), "a monitor needs a bake in which whatever reads flags runs"


@pytest.mark.parametrize("camel", ["AssessLateCharges"])
def test_who_reads_flags_may_read_those_of_its_application_alone(assembly: Assembly, camel: str) -> None:
    (policy,) = [r for n, r in _of(assembly, "runs", "IAM::Policy").items() if n.startswith(f"Flags{camel}Reads")]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["appconfig:GetLatestConfiguration", "appconfig:StartConfigurationSession"]
    assert "FlagsApplication" in json.dumps(statement["Resource"])
