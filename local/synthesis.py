"""Templates and assets of the environment `local`, made again only when something they come from has changed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.place import ROOT

ASSEMBLY = ROOT / "build" / "cdk.out" / "local"
_SOURCES = ("cdk.json", "app.py", "functions", "layers/saldo/python", "infra/cdk", "requirements.txt")
STAMP = "saldo-inputs.txt"


def inputs_hash() -> str:
    """A hash over names and bytes of everything the templates and assets come from, and over this Python."""
    digest = hashlib.sha256(sys.version.encode())
    for file in _files():
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for source in _SOURCES:
        path = ROOT / source
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        elif path.exists():
            yield path


def synthesise() -> tuple[Path, bool]:
    """The folder of the cloud assembly, and whether it had to be made. RuntimeError carries CDK's own words."""
    with _alone():
        wanted = inputs_hash()
        stamp = ASSEMBLY / STAMP
        if stamp.exists() and stamp.read_text() == wanted:
            return ASSEMBLY, False
        partial = ASSEMBLY.with_name("local.part")
        shutil.rmtree(partial, ignore_errors=True)
        _run_cdk_app(partial)
        (partial / STAMP).write_text(wanted)
        shutil.rmtree(ASSEMBLY, ignore_errors=True)
        partial.rename(ASSEMBLY)
        return ASSEMBLY, True


def _run_cdk_app(out: Path) -> None:
    environment = {**os.environ, "CDK_OUTDIR": str(out), "SALDO_ENV": "local", "PYTHONPATH": str(ROOT)}
    environment["CDK_CONTEXT_JSON"] = json.dumps({"unchecked": True})
    done = subprocess.run(
        [sys.executable, "-m", "infra.cdk"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"synthesis failed:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}")


@contextmanager
def _alone() -> Iterator[None]:
    """Two instances may start at once; one synthesises, the other waits and finds it done."""
    ASSEMBLY.parent.mkdir(parents=True, exist_ok=True)
    with (ASSEMBLY.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
