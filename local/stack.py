"""What is deployed on this machine, by name: for the command line, the demo and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local import aws
from local.place import REGIONS, Place


@dataclass(frozen=True, slots=True)
class LocalStack:
    """One region of one instance. `functions`: logical name (`open_run`) to function name."""

    place: Place
    region_code: str
    region: str
    aws_url: str
    portal_origin: str
    table: str
    keys_table: str
    kms_key_id: str
    details_key_id: str
    documents_key_id: str
    documents_bucket: str
    imports_bucket: str
    audit_bucket: str
    bus: str
    user_pool_id: str
    user_pool_client_id: str
    staff_pool_id: str
    staff_pool_client_id: str
    gateway_url: str
    gateway_secret_arn: str
    gateway_queue_url: str
    state_machine_arn: str
    api_id: str
    api_stage: str
    functions: Mapping[str, str]

    @property
    def sign_in_url(self) -> str:
        """The emulator has no domain for a user pool: its own address answers."""
        return ""

    def client(self, service: str) -> Any:  # boto3 types each service apart; callers annotate
        """A boto3 client of this region."""
        return aws.client(self.place, service, self.region_code)

    def environment(self) -> dict[str, str]:
        """The settings that the deployed portal function has, with the AWS variables that reach this instance."""
        function = self.client("lambda").get_function_configuration(FunctionName=self.functions["portal"])
        return {**aws.environment(self.place, self.region_code), **function["Environment"]["Variables"]}


def endpoints(region_code: str, place: Place | None = None) -> LocalStack:
    """The deployed stack of a region (`eu`, `us`); LookupError says so when nothing is deployed there."""
    where = place or Place.from_environment()
    told = _outputs(where, region_code)
    try:
        return _stack(where, region_code, told)
    except KeyError as missing:
        raise LookupError(f"not deployed on this machine yet ({missing} is missing): make up") from missing


def _outputs(place: Place, region_code: str) -> dict[str, str]:
    """Outputs of all stacks of the region, by name."""
    cloudformation = aws.client(place, "cloudformation", region_code)
    stacks = cloudformation.describe_stacks()["Stacks"]
    return {o["OutputKey"]: o["OutputValue"] for stack in stacks for o in stack.get("Outputs", [])}


def _stack(place: Place, code: str, told: Mapping[str, str]) -> LocalStack:
    functions = aws.client(place, "lambda", code).get_paginator("list_functions").paginate()
    names = [f["FunctionName"] for page in functions for f in page["Functions"]]
    return LocalStack(
        place=place,
        region_code=code,
        region=REGIONS[code],
        aws_url=place.aws_url,
        portal_origin=place.portal_origins[code],
        table=told["RecordsTable"],
        keys_table=told["KeysTable"],
        kms_key_id=told["EnvelopeKeyArn"],
        details_key_id=told["DetailsKeyArn"],
        documents_key_id=told["DocumentsKeyArn"],
        documents_bucket=told["DocumentsBucket"],
        imports_bucket=told["ImportsBucket"],
        audit_bucket=told["AuditBucket"],
        bus=told["BusName"],
        user_pool_id=told["UserPoolId"],
        user_pool_client_id=told["UserPoolClientId"],
        staff_pool_id=told["StaffPoolId"],
        staff_pool_client_id=told["StaffPoolClientId"],
        gateway_url=place.gateway_url,
        gateway_secret_arn=told["GatewaySecretArn"],
        gateway_queue_url=told["GatewayQueueUrl"],
        state_machine_arn=told["InvoiceRunArn"],
        api_id=told["ApiId"],
        api_stage=told["StageName"],
        functions={n.removeprefix("saldo-local-").replace("-", "_"): n for n in names},
    )
