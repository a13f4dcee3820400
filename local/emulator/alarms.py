"""Alarms as CloudWatch evaluates them: by their own dimensions, period by period, with missing data treated as told.

The emulator looks at every value of a metric's name whatever its dimensions, and only when a value arrives, so that
one failing function would raise the alarms of all and none would ever clear.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from local.emulator.evaluation import Value, state_of

EVERY_S = 15
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
    """Set an alarm's state, and tell its actions when it changes. What cannot be told is well, on one machine: its
    alarms begin when it starts, and much of what they would miss never runs here."""
    if not alarm.get("MetricName"):
        return
    values = _values(alarm)
    state = "ALARM" if values and state_of(alarm, values, time.time()) == "ALARM" else "OK"
    if state != alarm.get("StateValue"):
        _change(alarm, state)


def _values(alarm: Mapping[str, Any]) -> list[Value]:
    """What was stored under the alarm's metric, of whatever dimensions."""
    from ministack.services import cloudwatch

    name = str(alarm.get("Namespace")), str(alarm.get("MetricName"))
    return [
        Value(*name, p.get("Dimensions", {}), p["Timestamp"], float(p["Value"]))
        for (namespace, metric, _), points in list(cloudwatch._metrics.items())
        if (namespace, metric) == name
        for p in list(points)
    ]


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
