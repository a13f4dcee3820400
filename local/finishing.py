"""What the emulator's CloudFormation leaves out of a resource although the emulator itself knows it.

Each of these was found missing after a deployment: a table's time to live, encryption and recovery, and the time zone
of a schedule. They are set here, from the same template.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local import aws
from local.place import Place

_SCHEDULE_FIELDS = ("Name", "GroupName", "ScheduleExpression", "State", "Description", "Target", "KmsKeyArn")


def finish(place: Place, region_code: str, template: Mapping[str, Any]) -> None:
    """Complete every table and schedule of a deployed template. Safe to repeat."""
    for resource in template["Resources"].values():
        given = resource.get("Properties", {})
        if resource["Type"] == "AWS::DynamoDB::Table":
            _finish_table(aws.client(place, "dynamodb", region_code), given)
        elif resource["Type"] == "AWS::Scheduler::Schedule":
            _finish_schedule(aws.client(place, "scheduler", region_code), given)


def _finish_table(dynamodb: Any, given: Mapping[str, Any]) -> None:
    name, expiry = given["TableName"], given.get("TimeToLiveSpecification")
    described = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if expiry and described.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    if given.get("SSESpecification", {}).get("SSEEnabled"):
        dynamodb.update_table(TableName=name, SSESpecification={"Enabled": True, "SSEType": "KMS"})
    if given.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
        recovery = {"PointInTimeRecoveryEnabled": True}
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)


def _finish_schedule(scheduler: Any, given: Mapping[str, Any]) -> None:
    """Without its zone a cycle would start by the clock of Greenwich."""
    made = scheduler.get_schedule(Name=given["Name"])
    kept = {field: made[field] for field in _SCHEDULE_FIELDS if made.get(field)}
    window = {"Mode": given["FlexibleTimeWindow"]["Mode"]}
    zone = given["ScheduleExpressionTimezone"]
    scheduler.update_schedule(**kept, FlexibleTimeWindow=window, ScheduleExpressionTimezone=zone)
