"""How new code reaches those who wait for an answer: a tenth of the requests first, all after five quiet minutes.

Functions that people and their systems call stand behind an alias that CodeDeploy moves; an alarm within those minutes
moves it back, and the stack with it. What queues, schedules and the stream call takes new code at once: it is tried
again and kept as a dead letter, so a release that is rolled back loses nothing there. A run calls the versions that it
was started with.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.cdk.watched import WatchedFunction

LIVE = "live"
PACE = codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES


class Releases:
    """The aliases of one stack, released one beside the other."""

    def __init__(self, scope: Construct) -> None:
        self._scope = Construct(scope, "Releases")
        self._application = codedeploy.LambdaApplication(self._scope, "Application")
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

    def stop_at(self, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        """Any of these moves every alias back."""
        for group in self._groups.values():
            for alarm in alarms:
                group.add_alarm(alarm)
