"""Everything kept is under a key of our own, and the services that need that key may use it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.assembly import Assembly

LOGS_MAY = {
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
}


def _keys(assembly: Assembly, region: str) -> dict[str, dict[str, Any]]:
    resources = assembly.template(region, "data")["Resources"].values()
    return {r["Properties"]["Description"].split(": ")[1]: r for r in resources if r["Type"] == "AWS::KMS::Key"}


def _statements(key: dict[str, Any], service: str) -> list[dict[str, Any]]:
    found = key["Properties"]["KeyPolicy"]["Statement"]
    return [s for s in found if service in json.dumps(s["Principal"])]


@pytest.mark.parametrize("region", ["eu", "us"])
def test_the_log_service_may_use_the_key_of_the_logs_for_log_groups_only(assembly: Assembly, region: str) -> None:
    (statement,) = _statements(_keys(assembly, region)["log groups"], "logs.")
    assert set(statement["Action"]) == LOGS_MAY
    assert "log-group:*" in json.dumps(statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
    service = statement["Principal"]["Service"]["Fn::Join"][1]
    assert service == ["logs.", {"Ref": "AWS::Region"}, ".amazonaws.com"]


@pytest.mark.parametrize("service", ["cloudwatch.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"])
def test_alarms_rules_and_topics_may_use_the_key_of_the_messages(assembly: Assembly, service: str) -> None:
    for region in ("eu", "us"):
        key = _keys(assembly, region)["queues, topics, bus, secrets and workflows"]
        allowed = [a for s in _statements(key, service) for a in s["Action"]]
        assert {"kms:Decrypt", "kms:GenerateDataKey"} <= set(allowed)


def test_every_key_turns_each_year_and_is_kept_when_its_stack_goes(assembly: Assembly) -> None:
    keys = list(assembly.resources("AWS::KMS::Key"))
    signing = [name for name, key in keys if key["Properties"].get("KeyUsage") == "SIGN_VERIFY"]
    assert (len(keys), len(signing)) == (18, 4)
    for name, key in keys:
        assert key["Properties"].get("EnableKeyRotation", False) is (name not in signing), name
        assert key["DeletionPolicy"] == "Retain", name


def test_a_key_that_signs_does_nothing_else_and_each_has_functions_of_its_own(assembly: Assembly) -> None:
    signing = [k["Properties"] for _, k in assembly.resources("AWS::KMS::Key") if "KeySpec" in k["Properties"]]
    assert {(key["KeySpec"], key["KeyUsage"]) for key in signing} == {("ECC_NIST_P256", "SIGN_VERIFY")}
    may: dict[str, set[str]] = {"DetailsKey": set(), "DocumentsKey": set()}
    for name, policy in assembly.resources("AWS::IAM::Policy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if "kms:Sign" in json.dumps(statement["Action"]):
                key = next(key for key in may if key in json.dumps(statement["Resource"]))
                may[key].add(name.rpartition("/")[2].partition("Role")[0])
    assert may == {"DetailsKey": {"Portal"}, "DocumentsKey": {"Documents", "MakeBundles", "Delivery"}}


def test_tables_are_encrypted_recoverable_protected_and_kept(assembly: Assembly) -> None:
    tables = list(assembly.resources("AWS::DynamoDB::Table"))
    assert len(tables) == 4
    for name, table in tables:
        given = table["Properties"]
        assert given["SSESpecification"]["SSEType"] == "KMS", name
        assert given["SSESpecification"]["KMSMasterKeyId"], name
        assert given["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, name
        assert given["DeletionProtectionEnabled"] is True, name
        assert table["DeletionPolicy"] == "Retain", name


def test_wrapped_keys_are_forgotten_by_backups_within_a_day(assembly: Assembly) -> None:
    for region in ("eu", "us"):
        tables = assembly.template(region, "data")["Resources"].values()
        (keys,) = [t for t in tables if t.get("Properties", {}).get("TableName") == "saldo-staging-keys"]
        assert keys["Properties"]["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] == 1


def test_the_table_has_the_keys_the_code_expects(assembly: Assembly) -> None:
    from saldo.storage.schema import keys_table, records_table

    resources = assembly.template("eu", "data")["Resources"].values()
    tables = {r["Properties"]["TableName"]: r["Properties"] for r in resources if r["Type"] == "AWS::DynamoDB::Table"}
    for expected in (records_table("saldo-staging-records"), keys_table("saldo-staging-keys")):
        made = tables[expected["TableName"]]
        assert made["KeySchema"] == expected["KeySchema"]
        indexes = [
            {k: v for k, v in i.items() if k != "WarmThroughput"} for i in made.get("GlobalSecondaryIndexes", [])
        ]
        assert indexes == expected.get("GlobalSecondaryIndexes", [])


def test_buckets_are_private_encrypted_and_refuse_plain_http(assembly: Assembly) -> None:
    for name, bucket in assembly.resources("AWS::S3::Bucket"):
        given = bucket["Properties"]
        assert all(given["PublicAccessBlockConfiguration"].values()), name
        rule = given["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
        wanted = "AES256" if "AccessLog" in name else "aws:kms"
        assert rule["SSEAlgorithm"] == wanted, name
    policies = [json.dumps(p["Properties"]) for _, p in assembly.resources("AWS::S3::BucketPolicy")]
    assert all('"aws:SecureTransport": "false"' in policy for policy in policies)


def test_what_sellers_bring_in_is_forgotten_after_three_months_in_every_version(assembly: Assembly) -> None:
    for name, bucket in assembly.resources("AWS::S3::Bucket"):
        if name.partition("/")[2].startswith("Imports"):
            rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
            (whole,) = [rule for rule in rules if "ExpirationInDays" in rule and "Prefix" not in rule]
            assert (whole["ExpirationInDays"], whole["Status"]) == (90, "Enabled")
            assert whole["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
            return
    raise AssertionError("no bucket for imports")


@pytest.mark.parametrize(
    ("kind", "property_name"),
    [
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::Events::EventBus", "KmsKeyIdentifier"),
        ("AWS::SecretsManager::Secret", "KmsKeyId"),
        ("AWS::Scheduler::Schedule", "KmsKeyArn"),
        ("AWS::StepFunctions::StateMachine", "EncryptionConfiguration"),
    ],
)
def test_messages_logs_and_workflows_are_under_our_own_keys(assembly: Assembly, kind: str, property_name: str) -> None:
    found = list(assembly.resources(kind))
    assert found
    for name, resource in found:
        assert resource["Properties"].get(property_name), name


def test_logs_are_kept_for_three_months_and_no_longer(assembly: Assembly) -> None:
    for name, group in assembly.resources("AWS::Logs::LogGroup"):
        assert group["Properties"]["RetentionInDays"] == 90, name
