"""Puts the synthesised templates onto the emulated AWS, with boto3 alone: no CDK command line, no bootstrap stack."""

from __future__ import annotations

import io
import json
import time
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.cdk.environments import CONCERNS
from local import aws
from local.dropped import DROPPED_ATTRIBUTES, is_dropped
from local.finishing import finish
from local.place import REGIONS, Place

Template = dict[str, Any]  # the JSON of CloudFormation


class DeploymentFailedError(RuntimeError):
    """A stack could not be made; the text names its resources and their reasons."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One assembly onto one instance."""

    place: Place
    assembly: Path

    def run(self) -> None:
        """Create or update every stack of both regions, then save the emulator's state."""
        with ThreadPoolExecutor(len(REGIONS)) as pool:
            for _ in pool.map(self._region, REGIONS):
                pass
        checkpoint(self.place)

    def _region(self, code: str) -> None:
        for concern in CONCERNS:
            self._stack(code, concern)

    def _stack(self, code: str, concern: str) -> None:
        artifact = f"saldo-local-{code}-{concern}"
        bucket = self._upload_assets(code, json.loads((self.assembly / f"{artifact}.assets.json").read_text()))
        template = without_dropped(json.loads((self.assembly / f"{artifact}.template.json").read_text()))
        key = f"{artifact}.template.json"
        aws.client(self.place, "s3", code).put_object(Bucket=bucket, Key=key, Body=json.dumps(template))
        name = f"saldo-local-{concern}"
        cloudformation = aws.client(self.place, "cloudformation", code)
        if self._change(cloudformation, name, f"{self.place.aws_url}/{bucket}/{key}", template):
            _wait(cloudformation, name)
        finish(self.place, code, template)

    def _upload_assets(self, code: str, manifest: Mapping[str, Any]) -> str:
        s3, bucket = aws.client(self.place, "s3", code), ""
        for file in manifest["files"].values():
            source = self.assembly / file["source"]["path"]
            destination = next(iter(file["destinations"].values()))
            bucket = destination["bucketName"]
            _ensure_bucket(s3, bucket, REGIONS[code])
            if file["source"]["packaging"] == "zip" and not _exists(s3, bucket, destination["objectKey"]):
                s3.put_object(Bucket=bucket, Key=destination["objectKey"], Body=zipped(source))
        return str(bucket)

    def _change(self, cloudformation: Any, name: str, url: str, template: Template) -> bool:
        """True when something is to be waited for."""
        given = self._parameters(template)
        arguments = {"StackName": name, "TemplateURL": url, "Parameters": given}
        arguments["Capabilities"] = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
        try:
            if _status(cloudformation, name) is None:
                cloudformation.create_stack(**arguments)
            else:
                cloudformation.update_stack(**arguments)
        except cloudformation.exceptions.ClientError as error:
            if "No updates are to be performed" in str(error):
                return False
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
            # A slow answer made the client ask twice: the stack of the first request is the one to wait for.
        return True

    def _parameters(self, template: Template) -> list[dict[str, str]]:
        values = {"PortalOrigins": json.dumps(self.place.portal_origins), "GatewayUrl": self.place.gateway_url}
        known = template.get("Parameters", {})
        return [{"ParameterKey": k, "ParameterValue": v} for k, v in values.items() if k in known]


def without_dropped(template: Template) -> Template:
    """The template without what is dropped, without what only CDK's own command line reads."""
    resources = template["Resources"]
    gone = {name for name, resource in resources.items() if is_dropped(resource)}
    kept = {name: resource for name, resource in resources.items() if name not in gone}
    for name, resource in kept.items():
        depends = resource.get("DependsOn", [])
        depends = [depends] if isinstance(depends, str) else depends
        if set(_references(resource.get("Properties", {}))) & gone:
            raise DeploymentFailedError(f"{name} refers to a resource that is dropped on one machine")
        for attribute in DROPPED_ATTRIBUTES:
            resource.pop(attribute, None)
        if depends:
            resource["DependsOn"] = [other for other in depends if other not in gone]
    parameters = {k: v for k, v in template.get("Parameters", {}).items() if k != "BootstrapVersion"}
    outputs = {k: v for k, v in template.get("Outputs", {}).items() if not set(_references(v)) & gone}
    plain = {k: v for k, v in template.items() if k not in ("Rules", "Parameters", "Outputs", "Resources")}
    return {**plain, "Parameters": parameters, "Resources": kept, "Outputs": outputs}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("Ref"), str):
            yield value["Ref"]
        got = value.get("Fn::GetAtt")
        if got:
            yield got[0] if isinstance(got, list) else got.partition(".")[0]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def zipped(folder: Path) -> bytes:
    """A zip of a folder or file, the same bytes for the same content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def _ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    from botocore.exceptions import ClientError

    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **where)


def _exists(s3: Any, bucket: str, key: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True


def _status(cloudformation: Any, name: str) -> str | None:
    try:
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except cloudformation.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _wait(cloudformation: Any, name: str, limit_s: float = 120) -> None:
    until = time.monotonic() + limit_s
    while (status := _status(cloudformation, name) or "GONE").endswith("IN_PROGRESS"):
        if time.monotonic() > until:
            raise DeploymentFailedError(f"{name} is still {status} after {limit_s:.0f} s")
        time.sleep(0.1)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise DeploymentFailedError(f"{name}: {status}\n" + "\n".join(_reasons(cloudformation, name)))


def _reasons(cloudformation: Any, name: str) -> list[str]:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [e for e in events if "FAILED" in e["ResourceStatus"]]
    return [f"  {e['LogicalResourceId']} ({e['ResourceType']}): {e.get('ResourceStatusReason', '')}" for e in failed]


def checkpoint(place: Place) -> None:
    """Save the whole state of the emulator now."""
    request = urllib.request.Request(f"{place.aws_url}/_saldo/checkpoint", method="POST")  # noqa: S310 - own port
    with urllib.request.urlopen(request, timeout=60):  # noqa: S310 - own port
        pass
