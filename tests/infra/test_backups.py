"""A region's records are kept where its loss does not reach, and keys no longer than shredding allows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from infra.cdk.environments import COPIED_WITHIN, COPIES, Copies, context, environment
from tests.assembly import COPIES_ACCOUNT, Assembly

STAGES = ("sandbox", "staging", "production")


def _rule(assembly: Assembly, kind: str, region: str = "eu") -> dict[str, Any]:
    plans = [p["BackupPlan"] for p in assembly.made("data", "Backup::BackupPlan", region).values()]
    (plan,) = [p for p in plans if p["BackupPlanName"] == f"saldo-staging-backups-{kind}"]
    (rule,) = plan["BackupPlanRule"]
    return dict(rule)


def _vaults(assembly: Assembly, concern: str, region: str = "eu") -> dict[str, dict[str, Any]]:
    made = assembly.made(concern, "Backup::BackupVault", region).values()
    return {vault["BackupVaultName"]: vault for vault in made}


def _copied_to(rule: dict[str, Any]) -> str:
    (copy,) = rule["CopyActions"]
    return "".join(p if isinstance(p, str) else "aws" for p in copy["DestinationBackupVaultArn"]["Fn::Join"][1])


@pytest.mark.parametrize(("region", "place"), [("eu", "eu-west-1:111111111111"), ("us", f"us-west-2:{COPIES_ACCOUNT}")])
def test_the_records_go_each_day_to_a_vault_in_another_region_and_where_asked_another_account(
    assembly: Assembly, region: str, place: str
) -> None:
    rule = _rule(assembly, "records", region)
    assert rule["ScheduleExpression"] == "cron(0 1 * * ? *)"
    name = f"saldo-staging-copies-{region}-records"
    assert _copied_to(rule) == f"arn:aws:backup:{place}:backup-vault:{name}"
    assert name in _vaults(assembly, COPIES, region)
    selections = assembly.made("data", "Backup::BackupSelection", region).values()
    (chosen,) = [s["BackupSelection"] for s in selections if s["BackupSelection"]["SelectionName"] == "records"]
    kept = {arn["Fn::GetAtt"][0].rstrip("0123456789ABCDEF") for arn in chosen["Resources"]}
    assert kept == {"Records", "Documents", "Audit", "Usage"}


def test_every_vault_is_locked_under_a_key_of_our_own_and_outlives_its_stack(assembly: Assembly) -> None:
    vaults = list(assembly.resources("AWS::Backup::BackupVault"))
    assert len(vaults) == 4 + 2
    for name, vault in vaults:
        assert vault["Properties"]["EncryptionKeyArn"]["Fn::GetAtt"][0].startswith(("BackupsBackupsKey", "Copies")), (
            name
        )
        assert vault["Properties"]["LockConfiguration"]["ChangeableForDays"] == 3, name
        assert vault["DeletionPolicy"] == "Retain", name


@pytest.mark.parametrize("kind", ["records", "keys"])
def test_what_the_plan_keeps_is_what_the_locks_allow(assembly: Assembly, kind: str) -> None:
    rule = _rule(assembly, kind)
    here = _vaults(assembly, "data")[f"saldo-staging-backups-{kind}"]["LockConfiguration"]
    there = _vaults(assembly, COPIES)[f"saldo-staging-copies-eu-{kind}"]["LockConfiguration"]
    assert rule["Lifecycle"]["DeleteAfterDays"] == here["MinRetentionDays"]
    assert rule["CopyActions"][0]["Lifecycle"]["DeleteAfterDays"] == there["MinRetentionDays"]


def test_a_copy_of_a_key_is_kept_three_days_and_nobody_can_ask_for_more_than_four(assembly: Assembly) -> None:
    for concern, name, days in (("data", "backups-keys", 1), (COPIES, "copies-eu-keys", 3)):
        lock = _vaults(assembly, concern)[f"saldo-staging-{name}"]["LockConfiguration"]
        assert (lock["MinRetentionDays"], lock["MaxRetentionDays"]) == (days, days + 1)


def test_keys_leave_the_region_only_with_what_opens_them(assembly: Assembly) -> None:
    """KMS copies a key into another region of its account, never into another account."""
    for region, leaves in (("eu", True), ("us", False)):
        keys = assembly.made("data", "KMS::Key", region).values()
        (envelope,) = [key for key in keys if "wraps the data key" in key["Description"]]
        assert envelope.get("MultiRegion", False) is leaves
        assert any("keys" in name for name in _vaults(assembly, COPIES, region)) is leaves


def test_aws_backup_reads_what_it_keeps_and_nothing_else(assembly: Assembly) -> None:
    policies = assembly.made("data", "IAM::Policy")
    (policy,) = [p for name, p in policies.items() if name.startswith("BackupsRole")]
    roles = assembly.made("data", "IAM::Role")
    assert not [role for name, role in roles.items() if name.startswith("BackupsRole") and "ManagedPolicyArns" in role]
    text = json.dumps(policy["PolicyDocument"])
    assert not [word for word in ("dynamodb:*", "s3:*", "Imports", "Uploads", "PutItem", "DeleteItem") if word in text]


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_keeps_copies_under_the_law_of_its_region(stage: str) -> None:
    for region in environment(stage).regions:
        assert region.copies and region.copies.region in COPIED_WITHIN[region.code]


@pytest.mark.parametrize(
    ("copies", "why"),
    [
        ({"region": "us-west-2"}, "copies may be kept in"),
        ({"region": "eu-west-2"}, "copies may be kept in"),  # London
        ({"region": "eu-central-1"}, "lost with it"),
    ],
)
def test_copies_elsewhere_are_refused(copies: dict[str, str], why: str) -> None:
    settings = context()
    settings["environments"]["staging"]["regions"]["eu"]["copies"] = copies
    with pytest.raises(ValueError, match=why):
        environment("staging", settings)


def test_one_machine_keeps_none() -> None:
    local = environment("local")
    assert COPIES not in local.concerns and not any(region.copies for region in local.regions)
    eu = replace(local.regions[0], copies=Copies("eu-west-1"))
    assert replace(local, regions=(eu,)).stack("eu", COPIES) == ("saldo-local-copies-eu", "eu-west-1")
