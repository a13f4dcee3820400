"""`make lock`: pins and hashes of everything, from requirements.in and requirements-dev.in; layers get their share.

A layer's lock is cut out of requirements.txt, so that a function runs exactly what the tests ran.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from local.place import ROOT

LAYERS = ("runtime", "documents")
_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==")


def blocks(lock: str) -> dict[str, str]:
    """Each package of a lock with its lines: pin, marker and hashes."""
    found: dict[str, str] = {}
    name = ""
    for line in lock.splitlines(keepends=True):
        started = _NAME.match(line)
        if started:
            name = started[1].lower().replace("_", "-")
        if name and not line.startswith("#"):
            found[name] = found.get(name, "") + line
    return found


def layer_lock(layer: str) -> str:
    """The lock of a layer; KeyError names a package that requirements.txt does not hold."""
    folder = ROOT / "layers" / layer
    names = [n.strip() for n in (folder / "requirements.in").read_text().splitlines() if n and n[0] != "#"]
    known = blocks((ROOT / "requirements.txt").read_text())
    return "# Cut out of requirements.txt by `make lock`.\n" + "".join(known[name] for name in sorted(names))


def main() -> None:
    for source in ("requirements", "requirements-dev"):
        _compile(ROOT / f"{source}.in", ROOT / f"{source}.txt")
    for layer in LAYERS:
        (ROOT / "layers" / layer / "requirements.txt").write_text(layer_lock(layer))


def _compile(source: Path, target: Path) -> None:
    """For every platform and every Python from 3.11 on at once."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-annotate", "--no-header", "--quiet", source.name, "-o", target.name]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
