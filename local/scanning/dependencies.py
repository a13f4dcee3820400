"""pip-audit over every lock: what functions and layers run, what we develop with. The database is OSV's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.lock import LAYERS
from local.scanning.model import Finding, Scan
from local.scanning.tools import Answer, run

DATABASE = "https://api.osv.dev/v1/query"
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)\s*(?:;\s*(.*?))?\s*\\?$")


def locks(root: Path) -> list[Path]:
    """Every file of pins there is; a layer without one is an error elsewhere (tests/unit/test_layers.py)."""
    return [root / f"requirements{kind}.txt" for kind in ("", "-dev", "-judges")] + [
        root / "layers" / layer / "requirements.txt" for layer in LAYERS
    ]


def pins(lock: Path) -> dict[str, str]:
    """Name and version of each package that this Python would install from a lock."""
    from packaging.markers import Marker

    found = (_PIN.match(line) for line in lock.read_text().splitlines())
    return {plain(m[1]): m[2] for m in found if m and (not m[3] or Marker(m[3].rstrip(" \\")).evaluate())}


def scan(root: Path, database: str = DATABASE) -> Scan:
    checked: set[str] = set()
    findings: list[Finding] = []
    unchecked: list[str] = []
    for lock in locks(root):
        name = str(lock.relative_to(root))
        answer = _asked(lock, database)
        try:
            rows = json.loads(answer.out)["dependencies"]
        except (ValueError, KeyError, TypeError):
            unchecked.append(f"{name}: {answer.last_words}")
            continue
        seen = {plain(row["name"]): row for row in rows if "skip_reason" not in row}
        unchecked += [f"{name}: {package} was skipped" for package in sorted(set(pins(lock)) - set(seen))]
        checked |= {f"{package}=={row['version']}" for package, row in seen.items()}
        findings += [finding for row in seen.values() for finding in _findings(row)]
    return Scan("pip-audit", len(checked), "package", tuple(findings), tuple(unchecked))


def _asked(lock: Path, database: str) -> Answer:
    how = ["--disable-pip", "--require-hashes", "--strict", "--progress-spinner", "off", "--format", "json"]
    return run("pip_audit", [*how, "--vulnerability-service", "osv", "--osv-url", database, "-r", str(lock)])


def _findings(row: dict[str, Any]) -> Iterator[Finding]:
    for one in row["vulns"]:
        mended = ", ".join(one.get("fix_versions", [])) or "no version yet"
        yield Finding("pip-audit", one["id"], f"{row['name']}=={row['version']}", f"mended in {mended}")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
