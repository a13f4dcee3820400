"""The workflow's definition, as Step Functions will read it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest

from infra.cdk.functions import BILL_ACCOUNTS, FAIL_RUN, ISSUE_INVOICES, RUN_STEPS, FunctionSpec
from infra.cdk.invoice_run import EXPRESS_S
from saldo.invoicing.run.model import ACCOUNTS_PER_BATCH, INVOICES_PER_BATCH
from tests.assembly import Assembly
from tests.bench.counted_run import CPU_S, last
from tests.bench.sizing import CALL_S
from tests.crashes import CRASHES, Injector, Kind
from tests.simulation.prepared import prepared
from tests.simulation.region import Region, quiet
from tests.simulation.workflows import FAILURES, invoke, scenes, workflows


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


def test_every_step_ends_in_a_recorded_failure(states: dict[str, Any]) -> None:
    for name, state in states.items():
        caught = state["Type"] == "Map" or (state["Type"] == "Task" and "Next" in state and name != "FailRun")
        if caught:
            assert state["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "FailRun"}], name
    assert states["FailRun"]["Next"] == "RunFailed"


def _outages_of_lambda() -> list[str]:
    """As AWS documents them for workflows."""
    own = ("ClientExecutionTimeoutException", "ServiceException", "AWSLambdaException", "SdkClientException")
    return [f"Lambda.{name}" for name in (*own, "TooManyRequestsException")]


def test_every_step_waits_for_lambda_and_is_tried_again_whatever_ended_it(states: dict[str, Any]) -> None:
    """`Sandbox.Timedout` is what today's runtimes say when a function ran out of time."""
    for name, state in states.items():
        if state["Type"] == "Task":
            outage, anything = state["Retry"]
            assert set(_outages_of_lambda()) < set(outage["ErrorEquals"]), name
            assert anything["ErrorEquals"] == ["States.ALL"] and anything["MaxAttempts"] == 2, name


# A process that dies gives its caller no name; what is done in part is no failure.
ANSWERED = [kind for kind in Kind if kind not in (*CRASHES, Kind.PART)]


def _run_told(region: Region, told: Callable[[str, Exception | None], object]) -> None:
    """A run in which everything happens, telling which function is called, and what one was left with."""

    def call(function: str, event: dict[str, Any]) -> Any:
        told(function.rpartition(".")[2], None)
        try:
            return invoke(function, event)
        except Exception as error:
            told(function.rpartition(".")[2], error)
            raise

    with patch.object(scenes, "invoke", call):
        scenes.bill(region, scenes.FEB)


def test_whatever_call_of_a_step_aws_fails_the_step_is_left_with_a_name_its_state_retries(
    states: dict[str, Any],
) -> None:
    """Each operation of each step, the first time that the step asks for it, and each kind of answer."""
    flow = next(flow for flow in workflows() if flow.name == "run: everything")
    asked: list[str] = []
    left: set[tuple[str, str]] = set()
    with quiet(), prepared(flow) as scene:
        numbers: dict[tuple[str, str], int] = {}
        region, count = scene.again(), itertools.count(1)
        region.wire.watch = lambda operation: numbers.setdefault((asked[-1], operation), next(count))
        _run_told(region, lambda function, _: asked.append(function))
        for number, kind in itertools.product(numbers.values(), ANSWERED):
            region, injector = scene.again(), Injector()
            injector.attach([region.wire])
            injector.arm(number, kind)
            with suppress(*FAILURES):
                _run_told(region, lambda f, error: left.add((f, type(error).__name__)) if error else None)
            assert injector.struck
    assert {function for function, _ in left} == {spec.name for spec in RUN_STEPS if spec is not FAIL_RUN}
    for function, name in left:
        state = states[function.title().replace("_", "")]
        assert name in state["Retry"][0]["ErrorEquals"], (function, name)


def _waits_s(rule: dict[str, Any]) -> list[int]:
    longest, first = rule.get("MaxDelaySeconds", 10**9), rule["IntervalSeconds"]
    return [min(longest, first * int(rule["BackoffRate"]) ** n) for n in range(rule["MaxAttempts"])]


OUTAGE_S = 45 * 60


def test_a_run_sits_out_an_outage_of_three_quarters_of_an_hour(states: dict[str, Any]) -> None:
    for state in states.values():
        if state["Type"] == "Map":
            assert state["Retry"][0]["ErrorEquals"] == ["States.ALL"]
            assert sum(_waits_s(state["Retry"][0])) >= OUTAGE_S
        elif state["Type"] == "Task" and "Next" in state:
            rule = state["Retry"][0]
            full = 2 if rule["JitterStrategy"] == "FULL" else 1
            assert sum(_waits_s(rule)) / full >= OUTAGE_S * 0.95


@pytest.mark.parametrize(
    ("name", "spec", "invoices"),
    [
        ("BillAccounts", BILL_ACCOUNTS, ACCOUNTS_PER_BATCH),
        ("IssueInvoices", ISSUE_INVOICES, INVOICES_PER_BATCH),
    ],
)
def test_a_batch_ends_within_its_express_child_and_a_usual_one_can_be_tried_every_time(
    states: dict[str, Any], name: str, spec: FunctionSpec, invoices: int
) -> None:
    """`invoices` are as slow as if all that a run does for one were done in this step."""
    state = states[name]
    assert spec.timeout_s < state["TimeoutSeconds"] < EXPRESS_S
    usual_s = invoices * (last().calls * CALL_S + CPU_S)
    rule = state["Retry"][0]
    assert sum(_waits_s(rule)) + (1 + rule["MaxAttempts"]) * usual_s < EXPRESS_S


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
