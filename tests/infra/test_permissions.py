"""Least privilege, read from the policies themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from infra.cdk.functions import ALL, ANCHOR_AUDIT, CHECK_INVARIANTS
from infra.cdk.grants import wrapped_for
from tests.assembly import Assembly

# Actions for which AWS knows no resource.
NO_RESOURCE_LEVEL = {
    "dynamodb:ListStreams",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
    # What AWS Backup asks before it backs up buckets.
    "cloudwatch:GetMetricData",
    "events:ListRules",
    "s3:ListAllMyBuckets",
}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statements(assembly: Assembly) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, policy in assembly.resources("AWS::IAM::Policy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            yield name, statement


def _of(assembly: Assembly, camel: str) -> list[dict[str, Any]]:
    return [s for name, s in _statements(assembly) if name.partition("/")[2].startswith(f"{camel}Role")]


def test_no_policy_allows_a_whole_service(assembly: Assembly) -> None:
    for name, statement in _statements(assembly):
        for action in _listed(statement["Action"]):
            assert not action.endswith(":*"), name
            assert action != "*", name


def test_a_policy_on_all_resources_names_only_actions_without_resources(assembly: Assembly) -> None:
    for name, statement in _statements(assembly):
        if statement["Effect"] == "Allow" and "*" in _listed(statement["Resource"]):
            assert set(_listed(statement["Action"])) <= NO_RESOURCE_LEVEL, name


def test_no_function_deletes_a_version_of_a_file(assembly: Assembly) -> None:
    """That is for who erases a customer, and is asked for by hand."""
    for name, statement in _statements(assembly):
        if statement["Effect"] == "Allow":
            assert "s3:DeleteObjectVersion" not in _listed(statement["Action"]), name


# Who looks at every record of a region: the hourly auditor, and the nightly one of the audit chains.
SCANNERS = (CHECK_INVARIANTS, ANCHOR_AUDIT)


def test_only_the_auditors_may_scan(assembly: Assembly) -> None:
    auditors = tuple(spec.camel for spec in SCANNERS)
    for name, statement in _statements(assembly):
        if statement["Effect"] == "Allow" and "dynamodb:Scan" in _listed(statement["Action"]):
            assert name.partition("/")[2].startswith(auditors), name


def test_every_other_function_is_denied_scans_whatever_else_it_is_granted(assembly: Assembly) -> None:
    for spec in ALL:
        if spec not in SCANNERS:
            camel = spec.camel
            denied = [s for s in _of(assembly, camel) if s["Effect"] == "Deny"]
            assert len(denied) == 2, spec.name
            assert all("dynamodb:Scan" in _listed(s["Action"]) for s in denied), spec.name


def test_the_auditor_writes_what_it_found_and_deletes_nothing(assembly: Assembly) -> None:
    """What it writes are differences (tests/functions/staff/test_differences.py), and for its own parts what each
    found; it opens no data key and no other file."""
    allowed = [s for s in _of(assembly, "CheckInvariants") if s["Effect"] == "Allow"]
    actions = {action for statement in allowed for action in _listed(statement["Action"])}
    assert "dynamodb:Scan" in actions and "dynamodb:DeleteItem" not in actions
    assert not {action for action in actions if action.startswith(("ses:", "states:", "events:", "lambda:"))}
    files = {json.dumps(s["Resource"]) for s in allowed if any(a.endswith("Object") for a in _listed(s["Action"]))}
    assert len(files) == 1 and all("Work" in one and "/books/*" in one for one in files)
    assert "s3:DeleteObject" not in actions


def test_only_functions_that_handle_personal_data_may_unwrap_keys(assembly: Assembly) -> None:
    expected = {"Portal", "Documents", "Delivery", "ImportInvoices", "CheckTaxIds", "CreateDouble", "Canary"}
    expected |= {"CollectPayments", "MakeBundles", "RenewTerms"}  # their letters are sealed
    found = set()
    for name, statement in _statements(assembly):
        if "kms:Decrypt" in _listed(statement["Action"]) and "EnvelopeKey" in json.dumps(statement["Resource"]):
            assert statement["Condition"]["StringEquals"].keys() == wrapped_for("eu").keys(), name
            found.add(name.partition("/")[2].partition("Role")[0])
    assert found == expected


def test_keys_of_stores_are_used_through_their_service_only(assembly: Assembly) -> None:
    """The stream's reader is Lambda itself; CDK grants it the key without naming the way."""
    readers = ("PublishEvents", "LinkAudit")
    for name, statement in _statements(assembly):
        uses_store_key = "RecordsKey" in json.dumps(statement["Resource"]) and statement["Effect"] == "Allow"
        reads_stream = name.partition("/")[2].startswith(readers)
        if uses_store_key and "kms:Decrypt" in _listed(statement["Action"]) and not reads_stream:
            assert "kms:ViaService" in json.dumps(statement.get("Condition", {})), name


def test_functions_run_under_a_role_of_their_own_without_managed_policies(assembly: Assembly) -> None:
    roles = set()
    for name, function in assembly.resources("AWS::Lambda::Function"):
        role = name.partition("/")[0] + json.dumps(function["Properties"]["Role"])
        assert role not in roles, name
        roles.add(role)
    for name, role in assembly.resources("AWS::IAM::Role"):
        if "lambda.amazonaws.com" in json.dumps(role["Properties"]["AssumeRolePolicyDocument"]):
            assert "ManagedPolicyArns" not in role["Properties"], name


def test_usage_in_files_is_counted_by_a_function_that_only_reads_and_added_by_one_that_cannot_read(
    assembly: Assembly,
) -> None:
    def on_usage(camel: str) -> set[str]:
        statements = [
            s for s in _of(assembly, camel) if "Usage" in json.dumps(s["Resource"]) and s["Effect"] == "Allow"
        ]
        objects = [s for s in statements if any(a.startswith("s3:") for a in _listed(s["Action"]))]
        assert all("/usage/*" in json.dumps(s["Resource"]) for s in objects)
        return {action for s in objects for action in _listed(s["Action"])}

    assert on_usage("CountUsage") == {"s3:GetObject"}
    assert on_usage("ImportUsage") == {"s3:PutObject"}
    for spec in ALL:
        if spec.name not in ("count_usage", "import_usage"):
            assert on_usage(spec.camel) == set(), spec.name
    written = {a for s in _of(assembly, "CountUsage") if s["Effect"] == "Allow" for a in _listed(s["Action"])}
    assert not {a for a in written if a.startswith(("dynamodb:Put", "dynamodb:Update", "dynamodb:Delete", "s3:Put"))}


def test_only_the_step_that_bills_asks_for_usage_in_files(assembly: Assembly) -> None:
    invoking = [(name, s) for name, s in _statements(assembly) if "lambda:InvokeFunction" in _listed(s["Action"])]
    counting = [name for name, s in invoking if "count-usage" in json.dumps(s["Resource"])]
    asking = {name.partition("/")[2].partition("Role")[0] for name in counting}
    assert asking == {"BillAccounts"}


LIFTS_A_LOCK = re.compile(r"s3:(Delete|Bypass|PutObjectRetention|PutObjectLegalHold|PutBucket(?!Notification))")


def test_no_function_may_lift_the_lock_of_an_audit_root_or_delete_one(assembly: Assembly) -> None:
    for name, statement in _statements(assembly):
        if statement["Effect"] == "Allow":
            for action in _listed(statement["Action"]):
                of_uploads = action == "s3:DeleteObject" and _only_uploads(statement)
                assert of_uploads or not LIFTS_A_LOCK.match(action), name


def _only_uploads(statement: dict[str, Any]) -> bool:
    """Files that customers hand in have an end; audit roots lie in another bucket."""
    return all("GetAttUploads" in json.dumps(resource) for resource in _listed(statement["Resource"]))


def test_pages_cannot_read_what_nobody_looked_at_nor_write_what_is_clean(assembly: Assembly) -> None:
    def on(camel: str, action: str) -> str:
        found = [s for s in _of(assembly, camel) if action in _listed(s["Action"]) and "Uploads" in json.dumps(s)]
        return json.dumps([s["Resource"] for s in found])

    assert "/incoming/*" in on("Portal", "s3:PutObject") and "/clean/" not in on("Portal", "s3:PutObject")
    assert "/clean/*" in on("Portal", "s3:GetObject") and "/incoming/" not in on("Portal", "s3:GetObject")
    assert "/clean/paper/*" in on("Portal", "s3:DeleteObject") and "/incoming/" not in on("Portal", "s3:DeleteObject")
    for name, statement in _statements(assembly):
        if "GetAttUploads" in json.dumps(statement["Resource"]) and statement["Effect"] == "Allow":
            assert name.partition("/")[2].startswith(("Portal", "ExamineUploads", "KeepUploads")), name


def test_audit_roots_are_written_by_the_nightly_function_alone(assembly: Assembly) -> None:
    for name, statement in _statements(assembly):
        if "chain/*" in json.dumps(statement["Resource"]):
            assert name.partition("/")[2].startswith(ANCHOR_AUDIT.camel), name


def test_audit_roots_cannot_be_deleted_by_anybody_for_ten_years(assembly: Assembly) -> None:
    buckets = [b["Properties"] for _, b in assembly.resources("AWS::S3::Bucket")]
    buckets = [b for b in buckets if b.get("ObjectLockEnabled")]
    assert len(buckets) == 2
    for bucket in buckets:
        assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": 3653}
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
