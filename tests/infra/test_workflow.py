"""The workflow's definition, as Step Functions will read it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.assembly import Assembly


@pytest.fixture(scope="module")
def states(assembly: Assembly) -> dict[str, Any]:
    """States by name, with the states inside the maps."""
    resources = assembly.template("eu", "runs")["Resources"].values()
    (machine,) = [r for r in resources if r["Type"] == "AWS::StepFunctions::StateMachine"]
    pieces = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    text = "".join(p if isinstance(p, str) else "arn" for p in pieces)
    found = dict(json.loads(text)["States"])
    for state in list(found.values()):
        found.update(state.get("ItemProcessor", {}).get("States", {}))
    return found


def test_a_run_goes_through_its_states_in_order(states: dict[str, Any]) -> None:
    assert states["OpenRun"]["Next"] == "AnythingDue"
    assert states["AnythingDue"]["Choices"][0]["Next"] == "BillBatches"
    assert states["BillBatches"]["Next"] == "DryRun"
    assert states["DryRun"]["Default"] == "NumberInvoices"
    assert states["NumberInvoices"]["Next"] == "AnythingNumbered"
    assert states["AnythingNumbered"]["Choices"][0]["Next"] == "IssueBatches"
    assert states["AnythingNumbered"]["Default"] == "ReconcileRun"
    assert states["IssueBatches"]["Next"] == "ReconcileRun"
    assert states["ReconcileRun"]["Next"] == "CloseRun"


def test_a_dry_run_numbers_and_issues_nothing(states: dict[str, Any]) -> None:
    (dry,) = states["DryRun"]["Choices"]
    assert dry == {"Variable": "$.dry_run", "BooleanEquals": True, "Next": "ReconcileRun"}


def test_a_run_with_nothing_due_is_closed_at_once(states: dict[str, Any]) -> None:
    assert states["AnythingDue"]["Default"] == "CloseRun"


def test_every_task_is_retried_on_outages_and_every_step_ends_in_a_recorded_failure(states: dict[str, Any]) -> None:
    for name, state in states.items():
        if state["Type"] == "Task":
            retried = {error for rule in state["Retry"] for error in rule["ErrorEquals"]}
            assert {"Unavailable", "Lambda.ServiceException", "Lambda.TooManyRequestsException"} <= retried, name
        caught = state["Type"] == "Map" or (state["Type"] == "Task" and "Next" in state and name != "FailRun")
        if caught:
            assert state["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "FailRun"}], name
    assert states["FailRun"]["Next"] == "RunFailed"


@pytest.mark.parametrize(
    ("name", "told"), [("BillBatches", "$.batches.key"), ("IssueBatches", "$.numbered.batches.key")]
)
def test_batches_are_express_children_that_get_their_run_attempt_and_batch_from_a_file(
    states: dict[str, Any], name: str, told: str
) -> None:
    state = states[name]
    assert state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    assert set(state["ItemSelector"]) == {"run_id.$", "attempt.$", "batch.$"}
    assert state["ItemReader"]["ReaderConfig"] == {"InputType": "JSON"}
    assert state["ItemReader"]["Parameters"]["Key.$"] == told
    assert state["MaxConcurrency"] == 40
    assert state["ResultPath"] is None
