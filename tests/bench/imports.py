"""What importing each function costs a cold start, in CPU time of a fresh interpreter with compiled files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bench.figures import Figure

ROOT = Path(__file__).resolve().parents[2]
PORTAL_BAR_MS = 400
_PROBE = "import time; t = time.process_time(); import {module}; print((time.process_time() - t) * 1000)"


def handler_modules() -> list[str]:
    """Every module of functions/ that defines a handler, and the portal's."""
    files = sorted((ROOT / "functions").rglob("*.py"))
    handlers = [f for f in files if "\ndef handler(" in f.read_text()]
    return [".".join(f.relative_to(ROOT).with_suffix("").parts) for f in handlers]


def import_ms(module: str, times: int = 5) -> float:
    """The least of some runs: what the import itself costs when nothing else disturbs it."""
    return min(_once(module) for _ in range(times))


def _once(module: str) -> float:
    path = f"{ROOT}:{ROOT / 'layers/saldo/python'}"
    env = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "AWS_DEFAULT_REGION": "eu-central-1"}
    probe = _PROBE.format(module=module)
    done = subprocess.run([sys.executable, "-c", probe], env=env, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def figures() -> list[Figure]:
    with_table = "app; from functions.services import store; store()"
    found = [
        Figure("import of app (portal)", import_ms("app"), "ms CPU", None, "lower"),
        Figure("import of the API", import_ms("functions.api.v1.app"), "ms CPU", None, "lower"),
        Figure("import of app with the table's client", import_ms(with_table), "ms CPU", PORTAL_BAR_MS, "lower"),
    ]
    for module in handler_modules():
        found.append(Figure(f"import of {module}", import_ms(module, 3), "ms CPU", None, "lower"))
    return found
