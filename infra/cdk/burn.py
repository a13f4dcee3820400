"""Burn-rate alarms: how fast the error budget of a promise is being spent, over a long and a short window at once.

The windows and rates are those of Google's Site Reliability Workbook, chapter 5 ("Multiwindow, Multi-Burn-Rate
Alerts"): 2 % of a month's budget within an hour or 5 % within six wake somebody; 10 % within three days are a ticket.
The short window ends the alarm soon after the trouble does.

As fits CloudWatch: both windows of a pair are alarms of their own, since all metrics of one alarm share a period, and a
composite alarm says AND. The longest period is a day, so three days are three days in a row, each over the rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.cdk.alarms import Rule, Runbook, own_metric, quiet_alarm, tells
from infra.cdk.names import Names
from infra.cdk.objectives import Counted, Objective


@dataclass(frozen=True, slots=True)
class Window:
    """`periods` periods of so many minutes, in each of which the budget burns at `rate` or faster."""

    rate: float
    minutes: int
    periods: int = 1

    @property
    def called(self) -> str:
        whole = self.minutes * self.periods
        return f"{whole // 1440}d" if whole >= 1440 else f"{whole // 60}h" if whole >= 60 else f"{whole}m"


Pair = tuple[Window, Window]
FAST: Sequence[Pair] = ((Window(14.4, 60), Window(14.4, 5)), (Window(6, 360), Window(6, 30)))
SLOW: Sequence[Pair] = ((Window(1, 1440, 3), Window(1, 360)),)
_SAYS = {"Fast": "burns its error budget so fast that it will not last", "Slow": "burns its error budget steadily"}


class BurnAlarms(Construct):
    """The two alarms of one promise: `fast` wakes somebody, `slow` can wait for the morning."""

    def __init__(self, scope: Construct, objective: Objective, names: Names, topic: sns.ITopic) -> None:
        super().__init__(scope, objective.title.title().replace(" ", ""))
        self._objective, self._names = objective, names
        self.fast = self._composite("Fast", FAST, topic)
        self.slow = self._composite("Slow", SLOW, topic)

    def _composite(self, id_: str, pairs: Sequence[Pair], topic: sns.ITopic) -> cloudwatch.CompositeAlarm:
        both = [cloudwatch.AlarmRule.all_of(*(self._burning(id_, window) for window in pair)) for pair in pairs]
        rule = self._rule(f"{self._objective.title} {_SAYS[id_]}.")
        made = cloudwatch.CompositeAlarm(
            self, id_, alarm_rule=cloudwatch.AlarmRule.any_of(*both), alarm_description=rule.description
        )
        tells(made, topic)
        return made

    def _burning(self, id_: str, window: Window) -> cloudwatch.IAlarmRule:
        says = f"{self._objective.title} burns its budget {window.rate:g} times too fast over {window.called}."
        metric = burn_rate(self._objective, self._names, window.minutes)
        rule = self._rule(says, window.rate, window.periods)
        made = quiet_alarm(self, f"{id_}{window.called}", metric, rule)
        return cloudwatch.AlarmRule.from_alarm(made, cloudwatch.AlarmState.ALARM)

    def _rule(self, says: str, threshold: float = 1, periods: int = 1) -> Rule:
        return Rule(Runbook(self._objective.runbook), says, threshold, periods)


def burn_rate(objective: Objective, names: Names, minutes: int) -> cloudwatch.MathExpression:
    """How many times faster than allowed the budget is spent: 1 spends it exactly within the promise's days.

    0 while fewer events than `least_bad` are bad: on few events a share means little.
    """
    ids = {counted: f"m{n}" for n, counted in enumerate(dict.fromkeys([*objective.bad, *objective.total]))}
    bad, total = (
        "+".join(f"FILL({ids[counted]},0)" for counted in counted_in) for counted_in in (objective.bad, objective.total)
    )
    return cloudwatch.MathExpression(
        expression=f"IF(({bad})>={objective.least_bad},({bad})/({total})/{objective.budget:g},0)",
        using_metrics={id_: _metric(counted, names, minutes) for counted, id_ in ids.items()},
        period=Duration.minutes(minutes),
        label=f"{objective.title}: times too fast",
    )


def _metric(counted: Counted, names: Names, minutes: int) -> cloudwatch.Metric:
    if counted.source == "own":
        return own_metric(counted.metric, counted.owner, minutes)
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=counted.metric,
        dimensions_map={"FunctionName": names.of(counted.owner)},
        period=Duration.minutes(minutes),
        statistic="Sum",
    )
