"""Feature flags through AppConfig: the list of the code, deployed bit by bit, taken back when an alarm is raised."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.cdk.names import Names
from infra.cdk.watched import WatchedFunction
from saldo.storage.flags import PROFILE, carried

# The name of the AppConfig environment, of which each application of ours has one.
ENVIRONMENT = "all"


class DeployedFlags(Construct):
    """`flags.json` reaches a fifth of the callers every two minutes, and is watched for ten more."""

    def __init__(self, scope: Construct, names: Names, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        super().__init__(scope, "Flags")
        self._application = appconfig.Application(self, "Application", application_name=names.of("flags"))
        watched = [appconfig.Monitor.from_cloud_watch_alarm(alarm) for alarm in alarms]
        there = appconfig.Environment(
            self, "Environment", application=self._application, environment_name=ENVIRONMENT, monitors=watched
        )
        pace = appconfig.RolloutStrategy.linear(
            growth_factor=20, deployment_duration=Duration.minutes(10), final_bake_time=Duration.minutes(10)
        )
        appconfig.HostedConfiguration(
            self,
            "List",
            application=self._application,
            name=PROFILE,
            content=appconfig.ConfigurationContent.from_inline_json(_content()),
            deploy_to=[there],
            deployment_strategy=appconfig.DeploymentStrategy(self, "Pace", rollout_strategy=pace),
        )

    def readable_by(self, function: WatchedFunction) -> None:
        """A policy of its own, since the function's alarm watches what the policy speaks of."""
        where = f"arn:{Aws.PARTITION}:appconfig:{Aws.REGION}:{Aws.ACCOUNT_ID}:application"
        policy = iam.Policy(self, f"{function.spec.camel}Reads", roles=[function.role])
        policy.add_statements(
            iam.PolicyStatement(
                actions=["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"],
                resources=[f"{where}/{self._application.application_id}/environment/*/configuration/*"],
            )
        )


def _content() -> str:
    return json.dumps(carried(), indent=1, sort_keys=True)
