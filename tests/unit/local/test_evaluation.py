"""Alarms as CloudWatch evaluates them: periods, missing data, M of N, metric math, and composite rules."""

from __future__ import annotations

from typing import Any

import pytest

from local.emulator.evaluation import Value, composite_state, state_of

NOW = 10_000.0


def _alarm(**over: Any) -> dict[str, Any]:
    usual = {
        "Namespace": "N", "MetricName": "m", "Period": 300, "EvaluationPeriods": 1, "Threshold": 1, "Statistic": "Sum",
        "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching",
    }  # fmt: skip
    return usual | over


def _value(seconds_ago: float, value: float = 1, **dimensions: str) -> Value:
    return Value("N", "m", dimensions, NOW - seconds_ago, value)


def test_an_alarm_is_raised_when_its_period_reaches_the_threshold_and_clears_with_time() -> None:
    values = [_value(10)]
    assert state_of(_alarm(), values, NOW) == "ALARM"
    assert state_of(_alarm(), values, NOW + 301) == "OK"


def test_an_alarm_over_two_periods_waits_for_both_or_for_as_many_as_it_is_told() -> None:
    assert state_of(_alarm(EvaluationPeriods=2), [_value(10, 5)], NOW) == "OK"
    assert state_of(_alarm(EvaluationPeriods=2), [_value(10, 5), _value(310)], NOW) == "ALARM"
    assert state_of(_alarm(EvaluationPeriods=2, DatapointsToAlarm=1), [_value(310)], NOW) == "ALARM"


@pytest.mark.parametrize(
    ("treated", "state"),
    [("notBreaching", "OK"), ("breaching", "ALARM"), ("missing", "INSUFFICIENT_DATA"), ("ignore", "INSUFFICIENT_DATA")],
)
def test_silence_is_what_the_alarm_takes_it_for(treated: str, state: str) -> None:
    assert state_of(_alarm(TreatMissingData=treated), [], NOW) == state


def test_values_of_other_dimensions_are_not_the_alarms() -> None:
    alarm = _alarm(Dimensions=[{"Name": "f", "Value": "a"}])
    assert state_of(alarm, [_value(10, f="b"), _value(10)], NOW) == "OK"
    assert state_of(alarm, [_value(10, f="a")], NOW) == "ALARM"


def test_an_alarm_may_ask_for_less() -> None:
    alarm = _alarm(ComparisonOperator="LessThanThreshold", TreatMissingData="breaching")
    assert state_of(alarm, [_value(10)], NOW) == "OK"
    assert state_of(alarm, [_value(10, 0)], NOW) == state_of(alarm, [], NOW) == "ALARM"


def _of(expression: str) -> dict[str, Any]:
    def stat(id_: str, name: str) -> dict[str, Any]:
        metric = {"Namespace": "N", "MetricName": name}
        return {"Id": id_, "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"}, "ReturnData": False}

    metrics = [{"Id": "e", "Expression": expression}, stat("a", "m"), stat("b", "absent")]
    return {**_alarm(Metrics=metrics), "MetricName": None}


@pytest.mark.parametrize(
    ("expression", "state"),
    [
        ("a/2", "ALARM"), ("a/4", "OK"), ("a+b", "OK"), ("FILL(a,0)+FILL(b,0)", "ALARM"), ("a/FILL(b,0)", "OK"),
        ("IF(a>=2,1,0)", "ALARM"), ("IF(a>=3,1,0)", "OK"), ("IF((FILL(b,0)+a)>=2,a/4/0.1,0)", "ALARM"),
    ],
)  # fmt: skip
def test_metric_math_is_computed_and_what_cannot_be_is_missing(expression: str, state: str) -> None:
    assert state_of(_of(expression), [_value(10, 2)], NOW) == state


def test_a_composite_alarm_follows_its_rule() -> None:
    rule = '((ALARM("long") AND ALARM("short")) OR ALARM(other))'
    quiet = {"long": "ALARM", "short": "OK", "other": "INSUFFICIENT_DATA"}
    assert composite_state(rule, quiet) == "OK"
    assert composite_state(rule, quiet | {"short": "ALARM"}) == "ALARM"
    assert composite_state("NOT OK(long)", quiet) == "ALARM"
