"""The templates of the environment `staging`, synthesised with every rule checked, once for all tests and processes.

With what its settings may add, so that the rules see it: a month end made ready for, a secret of CloudFront's that is
being turned, and copies of one region's backups in another account.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import importlib
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from infra.cdk.environments import CONCERNS as CONCERNS
from infra.cdk.environments import COPIES, FRONT

ENV = "staging"
ADDED: Mapping[str, Any] = {"month_end_invoices": 1_000_000, "front_secrets": ["2026-11", "2027-05"]}
# The copies of one region go to an account of their own.
COPIES_ACCOUNT = "444444444444"
Resource = dict[str, Any]
_ROOT = Path(__file__).resolve().parents[1]
_FOLDER = _ROOT / "build" / "cdk.out" / "tests"
_SAID, _STAMP = "said.txt", "saldo-inputs.txt"


@dataclass(frozen=True)
class Assembly:
    """`said`: what CDK and its rules had to complain about; empty when they were content."""

    folder: Path
    said: str

    def template(self, region: str, concern: str) -> dict[str, Any]:
        return dict(json.loads((self.folder / f"saldo-{ENV}-{region}-{concern}.template.json").read_text()))

    def made(self, concern: str, kind: str, region: str = "eu") -> dict[str, Resource]:
        """Properties of what one stack makes of a kind (`Lambda::Function`), by name."""
        resources = self.template(region, concern)["Resources"]
        return {name: r["Properties"] for name, r in resources.items() if r["Type"] == f"AWS::{kind}"}

    def resources(self, kind: str = "") -> Iterator[tuple[str, Resource]]:
        """Every resource of both regions, or those of one type, with a name that says where it is."""
        for region in ("eu", "us"):
            for concern in (*CONCERNS, COPIES, FRONT):
                for name, resource in self.template(region, concern)["Resources"].items():
                    if resource["Type"] == kind or not kind:
                        yield f"{region}-{concern}/{name}", resource


@lru_cache(maxsize=1)
def assembly() -> Assembly:
    """Made by the first process that asks, found by the others, and made anew when anything that shapes it changes.

    The code of functions is no part of it: here it is not bundled, and only the routes are looked at.
    """
    with _alone():
        wanted = _shape()
        stamp = _FOLDER / _STAMP
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(_FOLDER, ignore_errors=True)
            (_FOLDER / _SAID).write_text(_synthesised())
            stamp.write_text(wanted)
        return Assembly(_FOLDER, (_FOLDER / _SAID).read_text())


def _shape() -> str:
    """A hash over everything that templates come from, and over this Python."""
    digest = hashlib.sha256(sys.version.encode())
    for file in [_ROOT / "cdk.json", Path(__file__), *_under("infra"), *sorted(_of_the_product())]:
        digest.update(str(file.relative_to(_ROOT)).encode() + b"\0" + file.read_bytes())
    digest.update(repr(sorted(p.name for p in (_ROOT / "docs" / "runbooks").iterdir())).encode())
    for module in ("app", "functions.api.v1.app"):
        routes = importlib.import_module(module).app.checked().routes
        told = {path: sorted((m, e.content_types) for m, e in methods.items()) for path, methods in routes.items()}
        digest.update(repr(sorted(told.items())).encode())
    return digest.hexdigest()


def _under(folder: str) -> list[Path]:
    files = sorted(p for p in (_ROOT / folder).rglob("*") if p.is_file())
    return [file for file in files if "__pycache__" not in file.parts]


def _of_the_product() -> set[Path]:
    """What the stacks import of rooms and functions, and what lies beside it as data."""
    found: set[Path] = set()
    for file in _under("infra"):
        if file.suffix == ".py":
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("saldo", "functions"):
                    module = Path(*(node.module or "").split(".")).with_suffix(".py")
                    (there,) = (p for p in (_ROOT / module, _ROOT / "layers/saldo/python" / module) if p.exists())
                    found |= {there, *there.parent.glob("*.json")}
    return found


def _synthesised() -> str:
    from infra.cdk.node import use_pinned_node

    use_pinned_node()
    from infra.cdk.application import application
    from infra.cdk.environments import context

    environments = context()["environments"]
    environments[ENV] |= ADDED
    environments[ENV]["regions"]["us"]["copies"] |= {"account": COPIES_ACCOUNT}
    try:
        application(
            ENV, outdir=str(_FOLDER), extra={"environments": environments, "aws:cdk:bundling-stacks": []}
        ).synth()
    except RuntimeError as error:
        return str(error)
    return ""


@contextmanager
def _alone() -> Iterator[None]:
    _FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with (_FOLDER.parent / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
