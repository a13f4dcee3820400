"""The templates of the environment `staging`, synthesised with every rule checked, once for all tests and processes."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from local.synthesis import inputs_hash

ENV = "staging"
CONCERNS = ("data", "portal", "runs", "events", "watch")
Resource = dict[str, Any]
_FOLDER = Path(__file__).resolve().parents[1] / "build" / "cdk.out" / "tests"
_SAID, _STAMP = "said.txt", "saldo-inputs.txt"


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


@lru_cache(maxsize=1)
def assembly() -> Assembly:
    """Made by the first process that asks, found by the others, and made anew when anything it comes from changes."""
    with _alone():
        wanted = inputs_hash()
        stamp = _FOLDER / _STAMP
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(_FOLDER, ignore_errors=True)
            (_FOLDER / _SAID).write_text(_synthesised())
            stamp.write_text(wanted)
        return Assembly(_FOLDER, (_FOLDER / _SAID).read_text())


def _synthesised() -> str:
    from infra.cdk.node import use_pinned_node

    use_pinned_node()
    from infra.cdk.application import application

    try:
        application(ENV, outdir=str(_FOLDER), extra={"aws:cdk:bundling-stacks": []}).synth()
    except RuntimeError as error:
        return str(error)
    return ""


@contextmanager
def _alone() -> Iterator[None]:
    _FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with (_FOLDER.parent / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
