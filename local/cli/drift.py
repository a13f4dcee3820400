"""`saldo drift`: in what environments differ without being meant to, and what is deployed and not as its template."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from infra.cdk.drift import STAGES, UNSEEN, Difference, compare, compare_templates
from infra.cdk.environments import AWS_REGIONS, Environment, environment
from local.cli.voice import Voice, speaks_json, table
from local.place import ROOT
from saldo.kernel.errors import Refusal, Unavailable

_MOST_POLLS = 120
_LOOKED_AT = ("IN_SYNC", "MODIFIED", "DELETED")


@click.command()
@click.argument("here", type=click.Choice(STAGES))
@click.argument("there", type=click.Choice(STAGES), required=False)
@click.option("--templates", is_flag=True, help="Synthesise both and compare every property, too.")
@click.pass_obj
@speaks_json
def drift(_sites: object, voice: Voice, here: str, there: str | None, templates: bool) -> None:
    """Two environments: settings that differ. One: its deployed stacks against their templates (needs credentials).

    Exit status 1 when something differs that is not meant to, or was not looked at (infra/cdk/drift.py: INTENDED,
    UNSEEN).
    """
    if there is None:
        deployed = [change for code in AWS_REGIONS for change in deployed_changes(environment(here), code, _client)]
        voice.answer({"deployed": deployed}, lambda console: _show_deployed(console, deployed))
        raise SystemExit(1 if deployed else 0)
    found = compare(environment(here), environment(there))
    if templates:
        found += between_templates(environment(here), environment(there))
    wrong = [one for one in found if one.is_drift]
    document = {"drift": [asdict(d) for d in wrong], "intended": [asdict(d) for d in found if not d.is_drift]}
    voice.answer(document, lambda console: _show(console, here, there, found))
    raise SystemExit(1 if wrong else 0)


def between_templates(here: Environment, there: Environment) -> list[Difference]:
    """Of every stack of both regions, synthesised now."""
    with tempfile.TemporaryDirectory() as folder:
        for env in (here, there):
            _synthesise(env.name, Path(folder) / env.name)
        found = []
        for code in AWS_REGIONS:
            for concern in here.concerns:
                ours, theirs = (_template(Path(folder), env.name, code, concern) for env in (here, there))
                found += [
                    Difference(f"{code}-{concern}: {d.path}", d.here, d.there, d.reason)
                    for d in compare_templates(ours, theirs, here, there)
                ]
        return found


def _synthesise(name: str, folder: Path) -> None:
    """Templates alone: no rules, no layers."""
    context = json.dumps({"unchecked": True, "aws:cdk:bundling-stacks": []})
    given = {**os.environ, "CDK_OUTDIR": str(folder), "SALDO_ENV": name, "CDK_CONTEXT_JSON": context}
    done = subprocess.run(
        [sys.executable, "-m", "infra.cdk"], cwd=ROOT, env=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refusal("not_synthesised", f"{name}: {done.stderr.strip()[-800:]}")


def _template(folder: Path, name: str, code: str, concern: str) -> Any:
    return json.loads((folder / name / f"saldo-{name}-{code}-{concern}.template.json").read_text())


def deployed_changes(env: Environment, code: str, client: Callable[[str, str], Any]) -> Iterator[dict[str, str]]:
    """What CloudFormation finds changed by hand in one region, and what it did not look at.

    client: (service, AWS region) → boto3's client.
    """
    for concern in env.concerns:
        stack, aws_region = env.stack(code, concern)
        cloudformation = client("cloudformation", aws_region)
        detection = cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
        _wait(cloudformation, stack, detection)
        yield from (_changed(code, concern, one) for one in _drifts(cloudformation, stack))
        yield from (_unseen(code, concern, one) for one in _not_looked_at(cloudformation, stack))


def _drifts(cloudformation: Any, stack: str) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {"StackName": stack, "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    while True:
        page = cloudformation.describe_stack_resource_drifts(**asked)
        yield from page["StackResourceDrifts"]
        if not page.get("NextToken"):
            return
        asked["NextToken"] = page["NextToken"]


def _not_looked_at(cloudformation: Any, stack: str) -> Iterator[dict[str, Any]]:
    """Resources whose state CloudFormation does not know; the list of drifts leaves them out."""
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for one in page["StackResourceSummaries"]:
            status = one.get("DriftInformation", {}).get("StackResourceDriftStatus", "NOT_CHECKED")
            if status not in _LOOKED_AT and one["ResourceType"] not in UNSEEN:
                yield one


def _wait(cloudformation: Any, stack: str, detection: str) -> None:
    """Raises Unavailable when it does not end, or comes to nothing: what was not seen is not clean."""
    for _ in range(_MOST_POLLS):
        told = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if told["DetectionStatus"] == "DETECTION_COMPLETE":
            return
        if told["DetectionStatus"] == "DETECTION_FAILED":
            raise Unavailable(f"{stack} could not be looked at: {told.get('DetectionStatusReason', '')}")
        time.sleep(2)
    raise Unavailable(f"looking at {stack} does not end")


def _changed(code: str, concern: str, one: dict[str, Any]) -> dict[str, str]:
    places = ", ".join(d["PropertyPath"] for d in one.get("PropertyDifferences", []))
    return {
        "region": code,
        "stack": concern,
        "resource": one["LogicalResourceId"],
        "type": one["ResourceType"],
        "status": one["StackResourceDriftStatus"],
        "properties": places,
    }


def _unseen(code: str, concern: str, one: dict[str, Any]) -> dict[str, str]:
    status = one.get("DriftInformation", {}).get("StackResourceDriftStatus", "NOT_CHECKED")
    return {
        "region": code,
        "stack": concern,
        "resource": one["LogicalResourceId"],
        "type": one["ResourceType"],
        "status": status,
        "properties": "",
    }


def _client(service: str, region: str) -> Any:
    import boto3

    made: Any = boto3.client
    return made(service, region_name=region)


def _show(console: Console, here: str, there: str, found: list[Difference]) -> None:
    rows = [("[red]drift[/]" if d.is_drift else "meant", d.path, d.here, d.there, d.reason) for d in found]
    console.print(table("", "what", here, there, "why", rows=rows))
    console.print(f"{sum(d.is_drift for d in found)} differences are not meant to be")


def _show_deployed(console: Console, changes: list[dict[str, str]]) -> None:
    rows = [(c["region"], c["stack"], c["resource"], c["status"], c["properties"]) for c in changes]
    console.print(table("region", "stack", "resource", "", "properties", rows=rows))
    console.print(f"{len(changes)} deployed resources are not as their templates say, or were not looked at")
