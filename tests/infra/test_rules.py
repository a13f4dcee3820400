"""Independent judges of the templates: cdk-nag, cfn-lint, and our own list of what one machine leaves out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from infra.cdk.acknowledgements import ACKNOWLEDGED, CFN_LINT_IGNORED
from infra.cdk.environments import CONCERNS
from local.dropped import DROPPED
from tests.assembly import Assembly

SUPPORTED_BY_THE_EMULATOR = [
    "ApiGateway::Account",
    "ApiGateway::Deployment",
    "ApiGateway::GatewayResponse",
    "ApiGateway::Method",
    "ApiGateway::Resource",
    "ApiGateway::RestApi",
    "ApiGateway::Stage",
    "ApiGateway::DomainName",
    "ApiGateway::BasePathMapping",
    "CertificateManager::Certificate",
    "CloudWatch::Alarm",
    "CloudWatch::Dashboard",
    "Cognito::UserPool",
    "Cognito::UserPoolClient",
    "DynamoDB::Table",
    "Events::EventBus",
    "Events::Rule",
    "IAM::Policy",
    "IAM::Role",
    "KMS::Alias",
    "KMS::Key",
    "AppConfig::Application",
    "AppConfig::ConfigurationProfile",
    "AppConfig::Deployment",
    "AppConfig::DeploymentStrategy",
    "AppConfig::Environment",
    "AppConfig::HostedConfigurationVersion",
    "Lambda::Alias",
    "Lambda::EventInvokeConfig",
    "Lambda::EventSourceMapping",
    "Lambda::Function",
    "Lambda::LayerVersion",
    "Lambda::Permission",
    "Lambda::Version",
    "Logs::LogGroup",
    "Route53::RecordSet",
    "S3::Bucket",
    "S3::BucketPolicy",
    "SES::EmailIdentity",
    "SNS::Subscription",
    "SNS::Topic",
    "SNS::TopicPolicy",
    "SQS::Queue",
    "SQS::QueuePolicy",
    "Scheduler::Schedule",
    "SecretsManager::Secret",
    "StepFunctions::StateMachine",
    "WAFv2::WebACL",
]
# What only settings ask for that one machine does not have (test_month_end.py, test_backups.py).
NOT_ASKED_FOR = {
    "ApplicationAutoScaling::ScalableTarget",
    "Backup::BackupPlan",
    "Backup::BackupSelection",
    "Backup::BackupVault",
}


def test_the_rules_of_cdk_nag_are_met_or_acknowledged(assembly: Assembly) -> None:
    report = assembly.folder / "validation-report.json"
    found = report.read_text() if report.exists() and assembly.said else ""
    assert not assembly.said, found[:4000]


def test_every_acknowledgement_gives_a_reason() -> None:
    for known in ACKNOWLEDGED:
        assert len(known.reason) > 30, known


def test_cfn_lint_is_content(assembly: Assembly) -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    ignored = [word for rule in CFN_LINT_IGNORED for word in ("-i", rule)]
    templates = [str(p) for p in sorted(assembly.folder.glob("*-eu-*.template.json"))]
    done = subprocess.run([str(linter), *ignored, "--", *templates], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_one_machine_leaves_out_nothing_but_the_named_types(assembly: Assembly) -> None:
    here = ((name, r) for name, r in assembly.resources() if name.partition("/")[0].partition("-")[2] in CONCERNS)
    kinds = {resource["Type"].removeprefix("AWS::") for _, resource in here}
    dropped = {kind.removeprefix("AWS::") for kind in DROPPED}
    assert kinds - set(SUPPORTED_BY_THE_EMULATOR) <= dropped | NOT_ASKED_FOR


def test_the_firewall_that_one_machine_leaves_out_stands_before_the_portal(assembly: Assembly) -> None:
    for region in ("eu", "us"):
        resources = assembly.template(region, "portal")["Resources"]
        guarded = [r for r in resources.values() if r["Type"] == "AWS::WAFv2::WebACLAssociation"]
        assert len(guarded) == 1
        assert "stages" in json.dumps(guarded[0]["Properties"]["ResourceArn"])


def test_both_regions_have_the_same_stacks(assembly: Assembly) -> None:
    for concern in ("portal", "runs", "events", "watch", "front"):
        ours, theirs = (
            sorted(r["Type"] for r in assembly.template(region, concern)["Resources"].values())
            for region in ("eu", "us")
        )
        assert ours == theirs, concern
