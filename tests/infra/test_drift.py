"""Environments differ in what they are meant to and in nothing else."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from infra.cdk.drift import INTENDED, SAME_IN, STAGES, UNSEEN, compare, compare_templates, configuration
from infra.cdk.environments import environment
from local.cli.__main__ import saldo
from local.cli.drift import deployed_changes
from saldo.kernel.errors import Unavailable
from tests.assembly import Assembly

PRODUCTION, STAGING = environment("production"), environment("staging")


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "production"])
def test_no_stage_differs_from_production_in_what_it_is_not_meant_to(stage: str) -> None:
    found = compare(environment(stage), PRODUCTION)
    assert found, "a stage that differs in nothing is production itself"
    assert [d for d in found if d.is_drift] == []


def test_a_difference_that_nobody_declared_is_drift() -> None:
    found = compare(replace(STAGING, tax_service="vertex"), PRODUCTION)
    assert [d.path for d in found if d.is_drift] == ["tax_service"]


def test_an_entity_that_only_one_environment_has_is_drift() -> None:
    eu, us = STAGING.regions
    found = compare(replace(STAGING, regions=(replace(eu, entities=()), us)), PRODUCTION)
    assert {d.path for d in found if d.is_drift} == {
        f"regions.eu.entities.ent_eu_lumen.{name}" for name in ("id", "time_zone", "cycle_hour")
    }


def test_staging_is_as_wide_as_production_whatever_a_sandbox_may_be() -> None:
    found = compare(replace(STAGING, run_concurrency=1), PRODUCTION)
    assert [d.path for d in found if d.is_drift] == ["run_concurrency"]
    assert set(SAME_IN) <= set(configuration(STAGING))


def test_every_intended_difference_gives_its_reason() -> None:
    assert all(len(one.reason) >= 10 for one in INTENDED)
    assert all(len(reason) >= 10 for reason in UNSEEN.values())


def _as_production(template: dict[str, Any]) -> dict[str, Any]:
    """The template as production's settings make it."""
    text = json.dumps(template)
    ours, theirs = configuration(STAGING), configuration(PRODUCTION)
    for path in sorted(ours, key=lambda p: -len(ours[p])):
        if len(ours[path]) > 8:
            text = text.replace(ours[path], theirs[path])
    return dict(json.loads(text.replace("staging.example.com", "example.com").replace("staging", "production")))


def test_templates_that_differ_by_intended_settings_alone_are_the_same(assembly: Assembly) -> None:
    for concern in STAGING.concerns:
        ours = assembly.template("eu", concern)
        assert compare_templates(ours, _as_production(ours), STAGING, PRODUCTION) == []


def test_a_branch_in_the_code_of_the_stacks_is_drift(assembly: Assembly) -> None:
    ours = assembly.template("eu", "data")
    theirs = _as_production(deepcopy(ours))
    name = next(n for n, r in theirs["Resources"].items() if r["Type"] == "AWS::DynamoDB::Table")
    theirs["Resources"][name]["Properties"]["DeletionProtectionEnabled"] = False
    (found,) = compare_templates(ours, theirs, STAGING, PRODUCTION)
    assert found.path.endswith("DeletionProtectionEnabled")
    assert found.is_drift


def test_the_command_answers_in_json_and_ends_well_only_without_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    clean = CliRunner().invoke(saldo, ["drift", "staging", "production", "--json"])
    assert clean.exit_code == 0, clean.output
    assert json.loads(clean.stdout)["drift"] == []
    wrong = replace(STAGING, vat_register_url="")
    monkeypatch.setattr("local.cli.drift.environment", lambda name: wrong if name == "staging" else PRODUCTION)
    drifted = CliRunner().invoke(saldo, ["drift", "staging", "production", "--json"])
    assert drifted.exit_code == 1
    assert [d["path"] for d in json.loads(drifted.stdout)["drift"]] == ["vat_register_url"]


def _answers(
    stub: Stubber, status: str, drifts: list[dict[str, Any]], listed: list[dict[str, Any]] | None = None
) -> None:
    for concern in STAGING.concerns:
        name, _ = STAGING.stack("eu", concern)
        stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "d"}, {"StackName": name})
        told = {"StackId": "s", "StackDriftDetectionId": "d", "DetectionStatus": status, "Timestamp": "2026-01-01"}
        stub.add_response("describe_stack_drift_detection_status", told)
        stub.add_response(
            "describe_stack_resource_drifts", {"StackResourceDrifts": drifts if concern == "data" else []}
        )
        summaries = listed or [] if concern == "data" else []
        stub.add_response("list_stack_resources", {"StackResourceSummaries": summaries})


def _listed(name: str, status: str | None) -> dict[str, Any]:
    told = {"DriftInformation": {"StackResourceDriftStatus": status}} if status else {}
    known = {"LastUpdatedTimestamp": "2026-01-01", "ResourceStatus": "CREATE_COMPLETE"}
    return {"LogicalResourceId": name, "ResourceType": "AWS::SQS::QueuePolicy", **known, **told}


HAND = {
    "StackId": "s",
    "LogicalResourceId": "Records",
    "ResourceType": "AWS::DynamoDB::Table",
    "StackResourceDriftStatus": "MODIFIED",
    "Timestamp": "2026-01-01",
    "PropertyDifferences": [
        {"PropertyPath": "/TimeToLive", "ExpectedValue": "a", "ActualValue": "b", "DifferenceType": "NOT_EQUAL"}
    ],
}


def test_a_change_by_hand_of_what_is_deployed_is_told_with_its_place() -> None:
    client = boto3.client("cloudformation", region_name="eu-central-1")
    with Stubber(client) as stub:
        _answers(stub, "DETECTION_COMPLETE", [HAND])
        (found,) = deployed_changes(STAGING, "eu", lambda *_: client)
    assert (found["resource"], found["status"], found["properties"]) == ("Records", "MODIFIED", "/TimeToLive")


def test_what_cloudformation_did_not_look_at_is_told_unless_it_is_known_that_it_cannot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = boto3.client("cloudformation", region_name="eu-central-1")
    there = [_listed("Seen", "IN_SYNC"), _listed("Unseen", "NOT_CHECKED"), _listed("New", None)]
    with Stubber(client) as stub:
        _answers(stub, "DETECTION_COMPLETE", [], there)
        found = list(deployed_changes(STAGING, "eu", lambda *_: client))
        assert [(one["resource"], one["status"]) for one in found] == [
            ("Unseen", "NOT_CHECKED"),
            ("New", "NOT_CHECKED"),
        ]
        monkeypatch.setattr("local.cli.drift.UNSEEN", {"AWS::SQS::QueuePolicy": "a reason"})
        _answers(stub, "DETECTION_COMPLETE", [], there)
        assert list(deployed_changes(STAGING, "eu", lambda *_: client)) == []


def test_a_stack_that_could_not_be_looked_at_is_not_clean() -> None:
    client = boto3.client("cloudformation", region_name="eu-central-1")
    with Stubber(client) as stub, pytest.raises(Unavailable, match="saldo-staging-data"):
        _answers(stub, "DETECTION_FAILED", [])
        list(deployed_changes(STAGING, "eu", lambda *_: client))
