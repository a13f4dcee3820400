"""Alarms as CloudWatch evaluates them: by their own dimensions, period by period, with missing data treated as told.

The emulator looks at every value of a metric's name whatever its dimensions, and only when a value arrives, so that
one failing function would raise the alarms of all and none would ever clear.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

EVERY_S = 15
_STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Average": lambda values: sum(values) / len(values),
}
log = logging.getLogger("saldo.emulator")
Alarm = dict[str, Any]  # the emulator's own record


def install() -> None:
    from ministack.services import cloudwatch

    from local.emulator.replace import around

    around(cloudwatch, "_evaluate_alarm", lambda _old: evaluate)
    threading.Thread(target=_keep_looking, name="saldo-alarms", daemon=True).start()


def evaluate_here() -> None:
    """Look at every alarm of the current account and region."""
    from ministack.services import cloudwatch

    for alarm in list(cloudwatch._alarms.values()):
        evaluate(alarm)


def evaluate(alarm: Alarm) -> None:
    """Set an alarm's state from the last `EvaluationPeriods` periods, and tell its actions when it changes."""
    if not alarm.get("MetricName"):
        return
    state = "ALARM" if breaching(alarm, _points(alarm), time.time()) else "OK"
    if state != alarm.get("StateValue"):
        _change(alarm, state)


def breaching(alarm: Mapping[str, Any], points: Sequence[Mapping[str, Any]], now: float) -> bool:
    """Whether each period reaches the threshold; a period without values never does (NOT_BREACHING)."""
    period = float(alarm.get("Period", 60))
    for back in range(int(alarm.get("EvaluationPeriods", 1))):
        until = now - back * period
        values = [float(p["Value"]) for p in points if until - period < p["Timestamp"] <= until]
        if not values or _statistic(alarm, values) < float(alarm.get("Threshold", 0)):
            return False
    return True


def _statistic(alarm: Mapping[str, Any], values: list[float]) -> float:
    extended = alarm.get("ExtendedStatistic")
    if extended:
        rank = min(len(values) - 1, int(len(values) * float(str(extended)[1:]) / 100))
        return sorted(values)[rank]
    return float(_STATISTICS[alarm.get("Statistic", "Average")](values))


def _points(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    from ministack.services import cloudwatch

    wanted = {d["Name"]: str(d["Value"]) for d in alarm.get("Dimensions") or []}
    name = alarm.get("Namespace"), alarm.get("MetricName")
    found: list[Mapping[str, Any]] = []
    for (namespace, metric, _), points in list(cloudwatch._metrics.items()):
        if (namespace, metric) == name:
            found += [p for p in list(points) if p.get("Dimensions", {}) == wanted]
    return found


def _change(alarm: Alarm, state: str) -> None:
    from ministack.services import cloudwatch

    before = alarm.get("StateValue", "INSUFFICIENT_DATA")
    reason = f"{alarm.get('MetricName')} over {alarm.get('EvaluationPeriods', 1)} period(s): {state}"
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)


def _keep_looking() -> None:
    from local.emulator.metrics import Gauges

    gauges = Gauges()
    while True:
        time.sleep(EVERY_S)
        try:
            gauges.read()
            _evaluate_everywhere()
        except Exception:
            log.exception("alarms could not be evaluated")


def _evaluate_everywhere() -> None:
    from ministack.services import cloudwatch

    from local.emulator.metrics import scope

    for account, region in {(key[0], key[1]) for key in list(cloudwatch._alarms._data)}:
        with scope(account, region):
            evaluate_here()
