"""What a region is made ready with before a month ends, and that nothing is where nothing was asked for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cdk import capacity
from infra.cdk.capacity import capacity_for
from infra.cdk.drift import STAGES, compare_templates
from infra.cdk.environments import environment
from tests.assembly import ADDED, Assembly

READY = capacity_for(ADDED["month_end_invoices"])
STAGING = environment("staging")


def test_nothing_is_made_ready_unless_somebody_says_for_how_many() -> None:
    assert capacity_for(0) is None
    assert all(environment(name).month_end_invoices == 0 for name in (*STAGES, "local"))


def test_a_million_invoices_are_billed_in_a_quarter_of_an_hour() -> None:
    assert READY is not None
    assert READY.write_units == 14_445 >= 1_000_000 * capacity.WRITE_UNITS / (15 * 60)
    assert READY.read_units == capacity.USUAL_READS, "which it takes anyway"
    assert READY.at_once == 25


@given(st.integers(1, 10**9))
def test_never_less_than_a_table_takes_anyway_nor_more_than_aws_gives_unasked(invoices: int) -> None:
    ready, more = capacity_for(invoices), capacity_for(2 * invoices)
    assert ready is not None and more is not None
    assert capacity.USUAL_WRITES <= ready.write_units <= more.write_units <= capacity.MOST_UNITS
    assert capacity.USUAL_READS <= ready.read_units <= more.read_units <= capacity.MOST_UNITS
    assert 1 <= ready.at_once <= more.at_once <= capacity.MOST_AT_ONCE


def test_table_and_index_take_it_at_once(assembly: Assembly) -> None:
    assert READY is not None
    tables = {t["TableName"]: t for t in assembly.made("data", "DynamoDB::Table").values()}
    records = tables["saldo-staging-records"]
    warm = {"ReadUnitsPerSecond": READY.read_units, "WriteUnitsPerSecond": READY.write_units}
    assert records["WarmThroughput"] == warm
    assert [index["WarmThroughput"] for index in records["GlobalSecondaryIndexes"]] == [warm]
    assert "WarmThroughput" not in tables["saldo-staging-keys"], "no run opens a data key"


def test_portal_and_api_are_ready_from_the_last_noon_of_a_month_until_the_thirds(assembly: Assembly) -> None:
    assert READY is not None
    targets = assembly.made("portal", "ApplicationAutoScaling::ScalableTarget").values()
    assert len(targets) == 2
    for target in targets:
        assert target["ScalableDimension"] == "lambda:function:ProvisionedConcurrency"
        assert (target["MinCapacity"], target["MaxCapacity"]) == (0, READY.at_once)
        orders = {a["Schedule"]: a["ScalableTargetAction"] for a in target["ScheduledActions"]}
        assert orders == {
            "cron(0 12 L * ? *)": {"MinCapacity": READY.at_once, "MaxCapacity": READY.at_once},
            "cron(0 12 3 * ? *)": {"MinCapacity": 0, "MaxCapacity": 0},
        }


def test_a_run_has_as_many_functions_as_its_batches_and_cannot_take_those_of_the_portal(assembly: Assembly) -> None:
    functions = {f["FunctionName"]: f for f in assembly.made("runs", "Lambda::Function").values()}
    reserved = {name: f["ReservedConcurrentExecutions"] for name, f in functions.items() if _is_reserved(f)}
    steps = ("saldo-staging-bill-accounts", "saldo-staging-issue-invoices")
    assert reserved == dict.fromkeys(steps, STAGING.run_concurrency * len(STAGING.regions[0].entities))


def _is_reserved(function: dict[str, Any]) -> bool:
    return "ReservedConcurrentExecutions" in function


@pytest.mark.parametrize("concern", ["data", "portal", "runs"])
def test_an_environment_that_is_made_ready_has_not_drifted_from_one_that_is_not(
    assembly: Assembly, concern: str
) -> None:
    ours = assembly.template("eu", concern)
    assert compare_templates(ours, _without(ours), STAGING, STAGING) == []


def _without(value: Any) -> Any:
    """The template as it is where nothing is made ready."""
    if isinstance(value, dict):
        left_out = ("WarmThroughput", "ReservedConcurrentExecutions")
        kept = {name: one for name, one in value.items() if name not in left_out and "AliasScaling" not in name}
        return {name: _without(one) for name, one in kept.items()}
    return [_without(one) for one in value] if isinstance(value, list) else value
