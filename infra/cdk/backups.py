"""Backups that outlive a region: each day a copy of what cannot be made again, kept in another one that was named.

Point-in-time recovery (data.py) mends what was spoiled, to the second; it is lost with its region and account. Copies
lie where nobody can delete or shorten them before their time, the account's owner neither (vault lock). Wrapped data
keys have vaults of their own, whose lock holds the other way, too: a copy of a key is kept for three days, and nobody
can ask for more than four, so that shredding stays final.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.cdk.alarms import Rule, Runbook, alarm
from infra.cdk.environments import Copies, Environment, Region
from infra.cdk.keys import backups_key
from infra.cdk.names import Names
from infra.cdk.watched import Ward


class Kept(NamedTuple):
    """Days of backups: here, where they are on their way, and there. `no_longer`: a lock bounds them above, too."""

    here: int
    there: int
    no_longer: bool = False


RECORDS, KEYS = "records", "keys"
KEPT = {RECORDS: Kept(7, 14), KEYS: Kept(1, 3, no_longer=True)}
# Buckets whose files are nowhere else: issued documents, the roots of audit chains, usage that is not billed yet.
BUCKETS = ("documents", "audit", "usage")
_BEFORE_RUNS = events.Schedule.cron(hour="1", minute="0")
# After that many days a lock can be taken off by nobody.
_SECOND_THOUGHTS = Duration.days(3)
_KEY_USE = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]
_READS_BUCKET = [
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:GetBucketNotification",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetInventoryConfiguration",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:PutBucketNotification",
    "s3:PutInventoryConfiguration",
]
_READS_FILES = [
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
]
# AWS Backup hears of new files by a rule of its own, of this name.
_OWN_RULES = ["DeleteRule", "DescribeRule", "DisableRule", "EnableRule", "ListTargetsByRule", "PutRule"]
_OWN_TARGETS = ["PutTargets", "RemoveTargets"]


def vault_name(names: Names, kind: str) -> str:
    return names.of(f"backups_{kind}")


def copies_name(names: Names, code: str, kind: str) -> str:
    """Copies of both regions may lie in one, so their names say whose they are."""
    return names.of(f"copies_{code}_{kind}")


def copies_key(code: str) -> str:
    return f"copies-{code}"


def _vault(scope: Construct, kind: str, name: str, key: kms.IKey, days: int, policy: Any = None) -> backup.BackupVault:
    """Nothing in it goes before so many days are over."""
    return backup.BackupVault(
        scope,
        kind.title() + "Vault",
        backup_vault_name=name,
        encryption_key=key,
        access_policy=policy,
        lock_configuration=backup.LockConfiguration(
            min_retention=Duration.days(days),
            max_retention=Duration.days(days + 1) if KEPT[kind].no_longer else None,
            changeable_for=_SECOND_THOUGHTS,
        ),
        removal_policy=RemovalPolicy.RETAIN,
    )


class CopiesStack(Stack):
    """Where a region's copies lie: another region of the same law, in the same account or another."""

    def __init__(self, scope: Construct, id_: str, target: Environment, region: Region, **stack: Any) -> None:
        super().__init__(scope, id_, **stack)
        assert region.copies is not None, "no place for copies is named"
        self._target, self._region = target, region
        self._names = Names(target.name)
        key = backups_key(self, target.name, copies_key(region.code))
        for kind in (RECORDS, KEYS) if copies_keys(target, region.copies) else (RECORDS,):
            name = copies_name(self._names, region.code, kind)
            _vault(self, kind, name, key, KEPT[kind].there, self._lets_in())

    def _lets_in(self) -> iam.PolicyDocument:
        """Copies of the account that bills. The lock keeps them, from everybody."""
        comes = iam.PolicyStatement(
            principals=[iam.AccountPrincipal(self._target.account)],
            actions=["backup:CopyIntoBackupVault"],
            resources=["*"],
        )
        return iam.PolicyDocument(statements=[comes])


def place_of(target: Environment, copies: Copies) -> str:
    """Region and account, as names of resources have them."""
    return f"{copies.region}:{copies.account or target.account}"


def copies_keys(target: Environment, copies: Copies | None) -> bool:
    """Keys leave the region with the key that wraps them, which leaves no account."""
    return copies is not None and copies.account in ("", target.account)


class Backups(Construct):
    """A region's daily backups and their copies, and who is told when they fail."""

    def __init__(self, scope: Construct, target: Environment, region: Region, copies: Copies, ward: Ward) -> None:
        super().__init__(scope, "Backups")
        self._target, self._region, self._copies, self._ward = target, region, copies, ward
        self._key = backups_key(self, target.name, "backups", shared_with=copies.account)
        self._role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "backup.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
            description="Backs up tables and buckets and copies the backups",
        )
        self._vaults: list[str] = []

    def keep(self, records: dynamodb.ITable, keys: dynamodb.ITable, buckets: Sequence[s3.IBucket]) -> None:
        """All of these, each day."""
        self._daily(RECORDS, [records], buckets)
        if copies_keys(self._target, self._copies):
            self._daily(KEYS, [keys], [])
        self._may(self._vaults, ["backup:CopyFromBackupVault", "backup:CopyIntoBackupVault"])
        self._may(self._vaults, ["backup:DescribeBackupVault"])
        points = f"arn:{Aws.PARTITION}:backup:*:{Aws.ACCOUNT_ID}:recovery-point:*"
        self._may([points], ["backup:TagResource"])
        self._opens()
        self._hears_of_files()
        self._watch()

    def _daily(self, kind: str, tables: Sequence[dynamodb.ITable], buckets: Sequence[s3.IBucket]) -> None:
        names, days = self._ward.names, KEPT[kind]
        here = _vault(self, kind, vault_name(names, kind), self._key, days.here)
        name = copies_name(names, self._region.code, kind)
        away = f"arn:{Aws.PARTITION}:backup:{place_of(self._target, self._copies)}:backup-vault:{name}"
        there = backup.BackupVault.from_backup_vault_arn(self, f"{kind.title()}There", away)
        plan = backup.BackupPlan(self, f"{kind.title()}Plan", backup_plan_name=vault_name(names, kind))
        plan.add_rule(
            backup.BackupPlanRule(
                rule_name="daily",
                backup_vault=here,
                schedule_expression=_BEFORE_RUNS,
                start_window=Duration.hours(1),
                completion_window=Duration.hours(12),
                delete_after=Duration.days(days.here),
                copy_actions=[
                    backup.BackupPlanCopyActionProps(
                        destination_backup_vault=there, delete_after=Duration.days(days.there)
                    )
                ],
            )
        )
        arns = [*(table.table_arn for table in tables), *(bucket.bucket_arn for bucket in buckets)]
        plan.add_selection(
            kind.title(),
            backup_selection_name=kind,
            role=self._role,
            disable_default_backup_policy=True,
            resources=[backup.BackupResource.from_arn(arn) for arn in arns],
        )
        self._vaults += [here.backup_vault_arn, away]
        self._may(
            [table.table_arn for table in tables],
            ["dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:StartAwsBackupJob"],
        )
        if buckets:
            self._may([bucket.bucket_arn for bucket in buckets], _READS_BUCKET)
            self._may([bucket.arn_for_objects("*") for bucket in buckets], _READS_FILES)

    def _may(self, resources: list[str], actions: list[str], conditions: dict[str, Any] | None = None) -> None:
        self._role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions))

    def _opens(self) -> None:
        """What tables and buckets lie under, and what backups and their copies do."""
        grants = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        live, kept = self._ward.keys.records.key_arn, self._key.key_arn
        services = [f"{service}.{Aws.REGION}.amazonaws.com" for service in ("dynamodb", "s3")]
        self._may([live], _KEY_USE, {"StringEquals": {"kms:ViaService": services}})
        self._may([kept], _KEY_USE)
        self._may([live, kept], ["kms:CreateGrant"], grants)
        there = f"arn:{Aws.PARTITION}:kms:{place_of(self._target, self._copies)}:key/*"
        alias = f"alias/saldo/{self._target.name}/{copies_key(self._region.code)}"
        named = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}
        self._may([there], _KEY_USE, named)
        self._may([there], ["kms:CreateGrant"], {**named, **grants})

    def _hears_of_files(self) -> None:
        rules = f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:rule/AwsBackupManagedRule*"
        self._may([rules], [f"events:{action}" for action in (*_OWN_RULES, *_OWN_TARGETS)])
        self._may(["*"], ["cloudwatch:GetMetricData", "events:ListRules", "s3:ListAllMyBuckets"])

    def _watch(self) -> None:
        """Silence is failure: a job that fails, expires or is never begun completes nothing for 30 hours."""
        completed = cloudwatch.Metric(
            namespace="AWS/Backup",
            metric_name="NumberOfBackupJobsCompleted",
            dimensions_map={"BackupVaultName": vault_name(self._ward.names, RECORDS)},
            period=Duration.hours(6),
            statistic="Sum",
        )
        rule = Rule(Runbook.BACKUPS_FAILING, "No backup of the records was completed for 30 h.", periods=5, below=True)
        alarm(self, "BackupsSilent", completed, rule, self._ward.alarms)
        self._copies_that_fail()

    def _copies_that_fail(self) -> None:
        """What a copy comes to is told by an event, in the region it leaves."""
        said = "A copy of the backups to another region failed. Runbook: " + Runbook.BACKUPS_FAILING.path
        events.Rule(
            self,
            "CopiesFailed",
            rule_name=self._ward.names.of("copies_failed"),
            description="Copies of backups that failed are told to people",
            event_pattern=events.EventPattern(
                source=["aws.backup"], detail_type=["Copy Job State Change"], detail={"state": ["FAILED"]}
            ),
            targets=[targets.SnsTopic(self._ward.alarms, message=events.RuleTargetInput.from_text(said))],
        )
