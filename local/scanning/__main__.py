"""`python -m local.scanning [--json]`: 0 clean, 1 something is found, 2 something could not be checked."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime

from local.place import ROOT
from local.scanning import code, dependencies, vendors
from local.scanning.acknowledged import ACKNOWLEDGED
from local.scanning.model import Verdict, verdict


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.scanning")
    parser.add_argument("--json", action="store_true", help="the whole verdict as JSON")
    as_json = parser.parse_args().json
    database = os.environ.get("SALDO_OSV_URL", dependencies.DATABASE)
    scans = [
        dependencies.scan(ROOT, database),
        code.scan_code(ROOT),
        code.scan_secrets(ROOT),
        vendors.scan(datetime.now(UTC).date()),
    ]
    found = verdict(scans, ACKNOWLEDGED)
    print(json.dumps({**asdict(found), "exit_code": found.exit_code}, indent=2) if as_json else "\n".join(told(found)))
    return found.exit_code


def told(found: Verdict) -> list[str]:
    lines = [f"  {s.scanner:15} {s.checked:5} {s.of_what}s checked, {len(s.findings)} findings" for s in found.scans]
    lines += [f"  FOUND        {f.scanner} {f.rule} {f.where}: {f.says}" for f in found.open]
    lines += [f"  STALE        {a.scanner} {a.rule} {a.where}: acknowledged and found no more" for a in found.stale]
    lines += [f"  NOT CHECKED  {one}" for one in found.unchecked]
    words = {
        0: "clean: what is found is acknowledged (local/scanning/acknowledged.py)",
        1: "mend it, or acknowledge it with its reason in local/scanning/acknowledged.py",
        2: "NOT CLEAN: something could not be checked",
    }
    return [*lines, words[found.exit_code]]


if __name__ == "__main__":
    sys.exit(main())
