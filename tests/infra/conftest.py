"""The templates of the environment `staging`, synthesised once for all tests of the deployment, rules checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.cdk.node import use_pinned_node

use_pinned_node()
ENV = "staging"
CONCERNS = ("data", "portal", "runs", "events", "watch")
Resource = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """`said`: what CDK and its rules had to complain about; empty when they were content."""

    folder: Path
    said: str

    def template(self, region: str, concern: str) -> dict[str, Any]:
        return dict(json.loads((self.folder / f"saldo-{ENV}-{region}-{concern}.template.json").read_text()))

    def resources(self, kind: str = "") -> Iterator[tuple[str, Resource]]:
        """Every resource of both regions, or those of one type, with a name that says where it is."""
        for region in ("eu", "us"):
            for concern in CONCERNS:
                for name, resource in self.template(region, concern)["Resources"].items():
                    if resource["Type"] == kind or not kind:
                        yield f"{region}-{concern}/{name}", resource


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    from infra.cdk.application import application

    folder = tmp_path_factory.mktemp("assembly")
    app = application(ENV, outdir=str(folder), extra={"aws:cdk:bundling-stacks": []})
    try:
        app.synth()
    except RuntimeError as error:
        return Assembly(folder, str(error))
    return Assembly(folder, "")
