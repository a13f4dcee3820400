"""Feature flags through AppConfig: the list of the code, deployed bit by bit.

Nothing takes a flag back by itself. What reads flags today runs once a day, hours after the last caller got the list:
no alarm within any bake could show what a flag did. Whoever turns one on looks the next morning at what it steers. The
first flag that something reads all the time brings monitors and a bake with it.
"""

from __future__ import annotations

import json

from aws_cdk import Aws, Duration
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.cdk.names import Names
from infra.cdk.watched import WatchedFunction
from saldo.storage.flags import PROFILE, carried

# The name of the AppConfig environment, of which each application of ours has one.
ENVIRONMENT = "all"


class DeployedFlags(Construct):
    """`flags.json` reaches a fifth of the callers every two minutes: ten from a deployment to everybody."""

    def __init__(self, scope: Construct, names: Names) -> None:
        super().__init__(scope, "Flags")
        self._application = appconfig.Application(self, "Application", application_name=names.of("flags"))
        there = appconfig.Environment(self, "Environment", application=self._application, environment_name=ENVIRONMENT)
        pace = appconfig.RolloutStrategy.linear(growth_factor=20, deployment_duration=Duration.minutes(10))
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
