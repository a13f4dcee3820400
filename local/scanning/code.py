"""bandit over everything that is deployed or run, and detect-secrets over everything that git keeps."""

from __future__ import annotations

import json
from pathlib import Path

from local.scanning.model import Finding, Scan
from local.scanning.tools import run, tracked

_CODE = ("app.py", "functions/", "infra/", "layers/", "local/")
# Locks are hashes, one a line; pictures are no text.
_NO_SECRETS_IN = ("requirements.txt", "requirements-dev.txt", ".png")


def scan_code(root: Path) -> Scan:
    files = [name for name in tracked(root) if name.endswith(".py") and name.startswith(_CODE)]
    answer = run("bandit", ["--quiet", "--format", "json", *files], cwd=root)
    try:
        said = json.loads(answer.out)
    except ValueError:
        return Scan("bandit", 0, "file", unchecked=(answer.last_words,))
    seen = {name.removeprefix("./") for name in said["metrics"]} - {"_totals"}
    failed = [f"{error['filename']}: {error['reason']}" for error in said["errors"]]
    missed = [f"{name} was skipped" for name in sorted(set(files) - seen)]
    findings = [
        Finding(
            "bandit", one["test_id"], f"{one['filename'].removeprefix('./')}:{one['line_number']}", one["issue_text"]
        )
        for one in said["results"]
    ]
    return Scan("bandit", len(seen), "file", tuple(findings), tuple(failed + missed))


def scan_secrets(root: Path) -> Scan:
    files = [name for name in tracked(root) if not name.endswith(_NO_SECRETS_IN)]
    answer = run("detect_secrets", ["scan", "--no-verify", *files], cwd=root)
    try:
        said = json.loads(answer.out)["results"]
    except (ValueError, KeyError):
        return Scan("detect-secrets", 0, "file", unchecked=(answer.last_words,))
    complaints = [
        line.strip() for line in answer.err.splitlines() if "error" in line.lower() or "unable" in line.lower()
    ]
    findings = [
        Finding("detect-secrets", one["type"], f"{name}:{one['line_number']}", "looks like a secret")
        for name, ones in said.items()
        for one in ones
    ]
    return Scan("detect-secrets", len(files), "file", tuple(findings), tuple(complaints))
