"""Customer-managed keys: one for each kind of thing kept, each with the services that must use it."""

from __future__ import annotations

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

_USE = ["kms:Decrypt", "kms:GenerateDataKey"]
_LOGS_USE = [
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
]
_LOG_GROUP = "kms:EncryptionContext:aws:logs:arn"


def _key(
    scope: Construct, env: str, name: str, what: str, *, signs: bool = False, copied: bool | None = None
) -> kms.Key:
    """`signs`: ES256; KMS turns no such key by itself: README.md says how it is replaced. `copied`: other regions of
    the account may have it, too."""
    return kms.Key(
        scope,
        name.title().replace("-", "") + "Key",
        alias=f"saldo/{env}/{name}",
        description=f"Saldo ({env}): {what}",
        key_spec=kms.KeySpec.ECC_NIST_P256 if signs else None,
        key_usage=kms.KeyUsage.SIGN_VERIFY if signs else None,
        enable_key_rotation=None if signs else True,
        multi_region=copied,
        pending_window=Duration.days(30),
        removal_policy=RemovalPolicy.RETAIN,
    )


def _for_service(
    key: kms.Key, service: str, actions: list[str], conditions: dict[str, dict[str, str]] | None = None
) -> None:
    """Let an AWS service of this account use the key. In a key policy `*` names the key itself."""
    here = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Use" + service.partition(".")[0].title(),
            principals=[iam.ServicePrincipal(service)],
            actions=actions,
            resources=["*"],
            conditions=conditions or here,
        )
    )


def logs_key(scope: Construct, env: str, name: str = "logs") -> kms.Key:
    """The key of log groups in the scope's region. CloudWatch Logs sends no source account with its calls; it names the
    log group instead."""
    key = _key(scope, env, name, "log groups")
    group = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
    _for_service(key, f"logs.{Aws.REGION}.amazonaws.com", _LOGS_USE, {"ArnLike": {_LOG_GROUP: group}})
    return key


def backups_key(scope: Construct, env: str, name: str, shared_with: str = "") -> kms.Key:
    """The key of vaults. shared_with: the account that copies what lies under it."""
    key = _key(scope, env, name, "backups")
    if shared_with:
        copies = iam.AccountPrincipal(shared_with)
        use = iam.PolicyStatement(principals=[copies], actions=[*_USE, "kms:DescribeKey"], resources=["*"])
        grants = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        lend = iam.PolicyStatement(principals=[copies], actions=["kms:CreateGrant"], resources=["*"], conditions=grants)
        for statement in (use, lend):
            key.add_to_resource_policy(statement)
    return key


class Keys:
    """`records`: tables and buckets; `envelope`: wraps the data keys of organisations; `messages`: queues, topics,
    bus, secrets, state machines; `logs`: every log group; `details`: signs what sellers say of their bank accounts;
    `documents`: signs invoices and credit notes."""

    def __init__(self, scope: Construct, env: str, *, copied: bool = False) -> None:
        """copied: backups are kept in another region, where what the envelope key wrapped must be opened."""
        self.records = _key(scope, env, "records", "tables and buckets")
        self.envelope = _key(scope, env, "envelope", "wraps the data key of each organisation", copied=copied or None)
        self.messages = _key(scope, env, "messages", "queues, topics, bus, secrets and workflows")
        self.logs = logs_key(scope, env)
        self.details = _key(scope, env, "details", "signs sellers' bank details", signs=True)
        self.documents = _key(scope, env, "documents", "signs invoices and credit notes", signs=True)
        self._allow_messengers()

    def _allow_messengers(self) -> None:
        """Alarms publish to an encrypted topic, rules and failed invocations send to encrypted queues."""
        for service in ("cloudwatch.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"):
            _for_service(self.messages, service, _USE)
