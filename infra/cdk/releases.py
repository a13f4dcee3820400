"""How new code reaches those who wait for an answer: a tenth of the requests first, all after ten quiet minutes.

Functions that people and their systems call stand behind an alias that CodeDeploy moves; an alarm within those minutes
moves it back, and the stack with it. What queues, schedules and the stream call takes new code at once: it is tried
again and kept as a dead letter, so a release that is rolled back loses nothing there. A run calls the versions that it
was started with.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.cdk.capacity import MonthEndCapacity
from infra.cdk.watched import WatchedFunction

LIVE = "live"
# Long enough for each alarm that is given to `stop_at` to see its periods within it, and CloudWatch's delay.
PACE = codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_10_MINUTES


class Releases:
    """The aliases of one stack, released one beside the other."""

    def __init__(self, scope: Construct) -> None:
        self._scope = Construct(scope, "Releases")
        self._application = codedeploy.LambdaApplication(self._scope, "Application")
        self._aliases: list[lambda_.Alias] = []
        self._groups: dict[str, codedeploy.LambdaDeploymentGroup] = {}

    def alias(self, watched: WatchedFunction) -> lambda_.Alias:
        """What is called instead of the function itself."""
        made = lambda_.Alias(
            self._scope,
            f"{watched.spec.camel}Live",
            alias_name=LIVE,
            version=watched.function.current_version,
            description="What callers reach; CodeDeploy moves it",
        )
        self._aliases.append(made)
        self._groups[watched.spec.name] = codedeploy.LambdaDeploymentGroup(
            self._scope,
            f"{watched.spec.camel}Group",
            application=self._application,
            alias=made,
            deployment_config=PACE,
            auto_rollback=codedeploy.AutoRollbackConfig(
                failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
            ),
        )
        return made

    def ready_for_month_end(self, capacity: MonthEndCapacity) -> None:
        """So many of each alias are started before a month ends, and let go when its invoices have been looked at.

        Application Auto Scaling does it under a role that AWS keeps for it. An alias that is being moved at that very
        hour takes no order: no release at noon of a month's last day.
        """
        for alias in self._aliases:
            scaled = alias.add_auto_scaling(min_capacity=0, max_capacity=capacity.at_once)
            for id_, day, started in (("MonthEnd", "L", capacity.at_once), ("AfterMonthEnd", "3", 0)):
                noon = autoscaling.Schedule.cron(day=day, hour="12", minute="0")
                scaled.scale_on_schedule(id_, schedule=noon, min_capacity=started, max_capacity=started)

    def stop_at(self, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        """Any of these moves every alias back."""
        for group in self._groups.values():
            for alarm in alarms:
                group.add_alarm(alarm)
