"""Rules of cdk-nag that Saldo does not follow, each with its place and its reason. Exceptions exist nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import aws_cdk as cdk

from infra.cdk.functions import RUN_STEPS


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """`where`: a pattern over the construct's path below its stack; `rule`: cdk-nag's id.

    `findings`: for rules on policies, each wildcard that may stand there. `<env>`, `<account>` and `<region>` are those
    of the stack, `<there>` is where its copies go, `<steps>` stands for each of the workflow's functions by its
    logical id.
    """

    rule: str
    where: str
    reason: str
    findings: tuple[str, ...] = ()


_OWN_EXECUTION = (
    'Resource::arn:<AWS::Partition>:states:<region>:<account>:execution:{"Fn::Select":[6,{"Fn::Split":'
    '[":",{"Ref":"InvoiceRunMachine9F0D5268"}]}]}'
)


ACKNOWLEDGED = (
    Acknowledged(
        "AwsSolutions-L1",
        r"\w+/Function/Resource",
        "python3.13 is the runtime that every dependency is tested on; a newer one is taken when all of them are.",
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"\w+/Role/DefaultPolicy/Resource",
        "X-Ray accepts trace segments on all resources only.",
        ("Resource::*",),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"(Portal|Documents|MakeBundles|Delivery|ImportUsage|ImportInvoices|ImportOrders)/Role/DefaultPolicy/Resource",
        "Objects get their names at run time; the bucket is named.",
        (
            "Resource::saldo-<env>-data:ExportsOutputFnGetAttDocuments7E5B2978Arn159F38C5/*",
            "Resource::saldo-<env>-data:ExportsOutputFnGetAttImportsC5EA4F6FArnBBEA0D9A/*",
            "Resource::saldo-<env>-data:ExportsOutputFnGetAttImportsC5EA4F6FArnBBEA0D9A/*.report.jsonl",
            "Resource::saldo-<env>-data:ExportsOutputFnGetAttImportsC5EA4F6FArnBBEA0D9A/*.997.edi",
        ),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"(ImportUsage|CountUsage)/Role/DefaultPolicy/Resource",
        "A part's name is the hash of its bytes; the bucket and the folder are named.",
        ("Resource::saldo-<env>-data:ExportsOutputFnGetAttUsage04F2BA28Arn86599BD6/usage/*",),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"(Portal|ExamineUploads|KeepUploads)/Role/DefaultPolicy/Resource",
        "Files that are handed in are named after their upload; bucket and folder are named.",
        (
            "Resource::saldo-<env>-data:ExportsOutputFnGetAttUploads4F6EB0FDArn5513CBEA/incoming/*",
            "Resource::saldo-<env>-data:ExportsOutputFnGetAttUploads4F6EB0FDArn5513CBEA/clean/*",
            "Resource::saldo-<env>-data:ExportsOutputFnGetAttUploads4F6EB0FDArn5513CBEA/clean/paper/*",
        ),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"AnchorAudit/Role/DefaultPolicy/Resource",
        "A day's root is named after its day, its heads after their look; bucket and folder are named.",
        (
            "Resource::saldo-<env>-data:ExportsOutputFnGetAttAudit3D8ADE0AArn5960E565/chain/*",
            "Resource::saldo-<env>-data:ExportsOutputFnGetAttAudit3D8ADE0AArn5960E565/heads/*",
        ),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"(OpenRun|NumberInvoices)/Role/DefaultPolicy/Resource",
        "A list of batches is named after what is on it; bucket and folder are named.",
        ("Resource::saldo-<env>-data:ExportsOutputFnGetAttWorkBF636A8BArnF74119B3/batches/*",),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"InvoiceRun/Machine/Role/DefaultPolicy/Resource",
        "Lists of batches are named after what is on them; CDK names the bucket they are read from.",
        ("Resource::arn:<AWS::Partition>:s3:::saldo-<env>-data:ExportsOutputRefWorkBF636A8B85762773/*",),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"CheckInvariants/Role/DefaultPolicy/Resource",
        "What a part finds is named after its look; bucket and folder are named.",
        ("Resource::saldo-<env>-data:ExportsOutputFnGetAttWorkBF636A8BArnF74119B3/books/*",),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"(PublishEvents|LinkAudit)/Role/DefaultPolicy/Resource",
        "CDK grants a stream's dead-letter queue its key in these two families of actions; the key is named.",
        ("Action::kms:GenerateDataKey*", "Action::kms:ReEncrypt*"),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"InvoiceRun/Machine/Role/DefaultPolicy/Resource",
        "The workflow invokes its seven functions, named one by one, in any version; log delivery and X-Ray have no"
        " resource level.",
        ("Resource::*", "Resource::<<steps>.Arn>:*"),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"InvoiceRun/Machine/DistributedMapPolicy/Resource",
        "A distributed map starts and reads executions of its own workflow, whose names are made at run time.",
        (f"{_OWN_EXECUTION}:*", f"{_OWN_EXECUTION}/*:*"),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"Backups/Role/DefaultPolicy/Resource",
        "Files, recovery points and rules of AWS Backup's own get their names at run time; buckets, account and prefix"
        " are named. The key of the copies is known by its alias alone, which is a condition. Lists of buckets and"
        " rules, and metrics, have no resource level.",
        (
            "Resource::*",
            "Resource::<Documents7E5B2978.Arn>/*",
            "Resource::<Audit3D8ADE0A.Arn>/*",
            "Resource::<Usage04F2BA28.Arn>/*",
            "Resource::arn:<AWS::Partition>:backup:*:<AWS::AccountId>:recovery-point:*",
            "Resource::arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:rule/AwsBackupManagedRule*",
            "Resource::arn:<AWS::Partition>:kms:<there>:key/*",
        ),
    ),
    Acknowledged(
        "AwsSolutions-IAM5",
        r"Flags/\w+Reads/Resource",
        "AppConfig names environments and profiles itself; the application is named, and holds flags alone.",
        (
            "Resource::arn:<AWS::Partition>:appconfig:<AWS::Region>:<AWS::AccountId>:application/"
            "<FlagsApplication639FE066>/environment/*/configuration/*",
        ),
    ),
    Acknowledged(
        "AwsSolutions-IAM4",
        r"Releases/(Portal|ApiV1)Group/ServiceRole/Resource",
        "CodeDeploy moves aliases under the policy that AWS keeps for it, as narrow as CodeDeploy allows.",
        ("Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited",),
    ),
    Acknowledged(
        "AwsSolutions-IAM4",
        r"Api/CloudWatchRole/Resource",
        "API Gateway writes its logs through one role of the whole account, for which AWS keeps this policy.",
        ("Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",),
    ),
    Acknowledged(
        "AwsSolutions-APIG2",
        r"Api/Resource",
        "Requests are validated in the portal, which names every error of a form at once; API Gateway names one.",
    ),
    Acknowledged(
        "AwsSolutions-APIG4",
        r"Api/Default/.*Resource",
        "Pages are authorised in the portal by a revocable session with roles for each account, which no authoriser"
        " of API Gateway knows; sign-in, health and signed webhooks are public by nature.",
    ),
    Acknowledged(
        "AwsSolutions-COG4",
        r"Api/Default/.*Resource",
        "The portal signs users in through Cognito itself and keeps its own session; see APIG4.",
    ),
    Acknowledged(
        "AwsSolutions-COG2",
        r"Users/Resource",
        "A second factor is each customer's choice, offered on the security page; the pool of staff requires it.",
    ),
    Acknowledged(
        "AwsSolutions-COG8",
        r"(Users|Staff)/Resource",
        "The plus plan's risk score costs per user; the firewall limits attempts and Cognito locks guessed accounts.",
    ),
    Acknowledged(
        "AwsSolutions-SMG4",
        r"GatewaySecret/Resource",
        "The secret is shared with the payment gateway and changes when both sides change it: receivers accept the old"
        " and the new signature meanwhile.",
    ),
    Acknowledged(
        "AwsSolutions-SMG4",
        r"CanarySecret/Resource",
        "It opens an account of our own with nothing in it; a new secret makes the canary's user anew.",
    ),
    Acknowledged(
        "AwsSolutions-SMG4",
        r"FrontSecret[\w-]+/Resource",
        "CloudFront and the firewall must change together: a further name in `front_secrets` turns it (README.md).",
    ),
    Acknowledged(
        "AwsSolutions-CFR1",
        r"Distribution/Resource",
        "Customers sit in any country; a new one counts towards the risk of a sign-in, and keeps nobody out by itself.",
    ),
    Acknowledged(
        "AwsSolutions-CFR3",
        r"Distribution/Resource",
        "It is logged by the second version of standard logging, which the rule does not know: encrypted, without"
        " addresses and paths.",
    ),
    Acknowledged(
        "AwsSolutions-SMG4",
        r"TaxSecret/Resource",
        "The tax service gives out the credentials; nothing here can make it accept new ones.",
    ),
    Acknowledged(
        "AwsSolutions-SQS3",
        r"\w+Dead/Queue/Resource",
        "This queue is itself the dead-letter queue, of scheduled, asynchronous or streamed calls.",
    ),
)


# Rules of cfn-lint left out, each with its reason.
CFN_LINT_IGNORED = {
    "W3005": "CDK names a dependency on a role's policy and its role together; the second is implied, not wrong.",
}


def acknowledge(stack: cdk.Stack, env: str) -> None:
    """Acknowledge each rule at exactly the constructs its pattern matches."""
    prefix = stack.node.path + "/"
    for construct in stack.node.find_all():
        path = construct.node.path.removeprefix(prefix)
        for known in ACKNOWLEDGED:
            if re.fullmatch(known.where, path):
                for id_ in _ids(known, stack, env):
                    note = cdk.Acknowledgment(id=id_, reason=known.reason)
                    cdk.Validations.of(construct).acknowledge(note)


def _ids(known: Acknowledged, stack: cdk.Stack, env: str) -> Iterator[str]:
    rule = f"AwsSolutions::{known.rule}"
    if not known.findings:
        yield rule
    for finding in known.findings:
        here = finding.replace("<env>", env).replace("<account>", stack.account).replace("<region>", stack.region)
        here = here.replace("<there>", getattr(stack, "copies_go_to", ""))
        for step in _steps(stack) if "<steps>" in here else ("",):
            yield f"{rule}[{here.replace('<steps>', step)}]"


def _steps(stack: cdk.Stack) -> list[str]:
    """Logical ids of the functions that the workflow calls."""
    functions = [stack.node.find_child(spec.camel).node.find_child("Function").node.default_child for spec in RUN_STEPS]
    return [str(stack.resolve(stack.get_logical_id(f))) for f in functions if isinstance(f, cdk.CfnElement)]
