"""What CloudWatch makes of an alarm's definition and of values: pure, used by the emulator and by tests of templates.

Source: Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms" (evaluation, missing data), "Using metric math",
"Combining alarms". An alarm looks at its last `EvaluationPeriods` periods, of which `DatapointsToAlarm` must breach; a
period without a value counts as `TreatMissingData` says. On an expression, each period's values are put into it; what
cannot be computed (a division by zero, a value that is missing and not filled) is missing.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Alarm = Mapping[str, Any]  # properties as in a template, references resolved
_STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Average": lambda values: sum(values) / len(values),
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_ARITHMETIC: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.GtE: operator.ge,
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a metric. at: seconds since 1970."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    at: float
    value: float


def state_of(alarm: Alarm, values: Sequence[Value], now: float) -> str:
    """`ALARM`, `OK`, or `INSUFFICIENT_DATA` when nothing can be said."""
    wanted = int(alarm["EvaluationPeriods"])
    points = [_datapoint(alarm, values, now - back * _period(alarm)) for back in range(wanted)]
    compare = _COMPARE[alarm["ComparisonOperator"]]
    breaching = [None if p is None else compare(p, float(alarm["Threshold"])) for p in points]
    missing = alarm.get("TreatMissingData") or "missing"
    if missing in ("breaching", "notBreaching"):
        breaching = [missing == "breaching" if b is None else b for b in breaching]
    if all(b is None for b in breaching):
        return "INSUFFICIENT_DATA"
    return "ALARM" if sum(map(bool, breaching)) >= int(alarm.get("DatapointsToAlarm") or wanted) else "OK"


def composite_state(rule: str, states: Mapping[str, str]) -> str:
    """Of a composite alarm's rule over the states of others, by the name or ARN that stands in the rule."""
    asked = re.sub(r"(ALARM|OK|INSUFFICIENT_DATA)\(\"?([^\")]+)\"?\)", lambda m: str(states[m[2]] == m[1]), rule)
    words = asked.replace("AND", "and").replace("OR", "or").replace("NOT", "not")
    return "ALARM" if _truth(ast.parse(words, mode="eval").body) else "OK"


def _truth(node: ast.expr) -> bool:
    if isinstance(node, ast.BoolOp):
        parts = [_truth(v) for v in node.values]
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    if isinstance(node, ast.UnaryOp):
        return not _truth(node.operand)
    assert isinstance(node, ast.Constant), f"not part of an alarm rule: {ast.dump(node)}"
    return bool(node.value)


def _period(alarm: Alarm) -> float:
    stats = [m["MetricStat"]["Period"] for m in alarm.get("Metrics", []) if "MetricStat" in m]
    assert len(set(stats)) <= 1, "metrics of one alarm have one period"
    return float(stats[0] if stats else alarm.get("Period", 60))


def _datapoint(alarm: Alarm, values: Sequence[Value], until: float) -> float | None:
    """The alarm's value for the period that ends then."""
    since = until - _period(alarm)
    seen = [v for v in values if since < v.at <= until]
    if not alarm.get("Metrics"):
        return _statistic(_matching(alarm, seen), alarm)
    found: dict[str, float | None] = {}
    for metric in alarm["Metrics"]:
        if "MetricStat" in metric:
            stat = metric["MetricStat"]
            found[metric["Id"]] = _statistic(_matching(stat["Metric"], seen), {"Statistic": stat["Stat"]})
    (returned,) = (m for m in alarm["Metrics"] if m.get("ReturnData", True))
    return _computed(ast.parse(returned["Expression"], mode="eval").body, found)


def _matching(metric: Mapping[str, Any], seen: Sequence[Value]) -> list[float]:
    """By all of its dimensions, and no other."""
    dimensions = {d["Name"]: str(d["Value"]) for d in metric.get("Dimensions") or []}
    name = metric["Namespace"], metric["MetricName"]
    return [v.value for v in seen if (v.namespace, v.name) == name and dict(v.dimensions) == dimensions]


def _statistic(found: list[float], alarm: Alarm) -> float | None:
    if not found:
        return None
    extended = alarm.get("ExtendedStatistic")
    if extended:
        rank = min(len(found) - 1, int(len(found) * float(str(extended)[1:]) / 100))
        return sorted(found)[rank]
    return float(_STATISTICS[alarm.get("Statistic", "Average")](found))


def _computed(node: ast.expr, found: Mapping[str, float | None]) -> float | None:
    """As much of metric math as our alarms use: numbers, names, + - * /, comparisons, FILL and IF."""
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type] # numbers are the only constants there are
    if isinstance(node, ast.Name):
        return found[node.id]
    if isinstance(node, ast.Call):
        return _called(node, found)
    if isinstance(node, ast.Compare):
        return _combined(node.ops[0], _computed(node.left, found), _computed(node.comparators[0], found))
    assert isinstance(node, ast.BinOp), f"metric math that we do not know: {ast.dump(node)}"
    return _combined(node.op, _computed(node.left, found), _computed(node.right, found))


def _called(node: ast.Call, found: Mapping[str, float | None]) -> float | None:
    assert isinstance(node.func, ast.Name)
    first, *others = (_computed(argument, found) for argument in node.args)
    if node.func.id == "FILL":
        return others[0] if first is None else first
    assert node.func.id == "IF", f"metric math that we do not know: {node.func.id}"
    return None if first is None else others[0] if first else others[1]


def _combined(op: ast.AST, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    if isinstance(op, ast.Div):
        return left / right if right else None
    return float(_ARITHMETIC[type(op)](left, right))
