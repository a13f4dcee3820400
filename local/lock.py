"""`make lock`: pins and hashes of everything, from requirements.in and requirements-dev.in; layers get their share.

A layer's lock is cut out of requirements.txt, so that a function runs exactly what the tests ran.
"""

from __future__ import annotations

import re
import subprocess
import sys

from local.place import ROOT

LAYERS = ("runtime", "documents", "usage")
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


def names(layer: str) -> list[str]:
    """The packages that a layer carries."""
    lines = (ROOT / "layers" / layer / "requirements.in").read_text().splitlines()
    return [line.strip() for line in lines if line and line[0] != "#"]


def layer_lock(layer: str) -> str:
    """The lock of a layer; KeyError names a package that requirements.txt does not hold."""
    known = blocks((ROOT / "requirements.txt").read_text())
    return "# Cut out of requirements.txt by `make lock`.\n" + "".join(known[name] for name in sorted(names(layer)))


def main() -> None:
    _compile("requirements-dev")
    _compile("requirements", "--constraint", "requirements-dev.txt")
    _compile("requirements-judges")
    for layer in LAYERS:
        (ROOT / "layers" / layer / "requirements.txt").write_text(layer_lock(layer))


def _compile(name: str, *more: str) -> None:
    """For every platform and every Python from 3.11 on at once.

    What develops is resolved first: the emulator pins its AWS SDK, and functions run on what the tests ran on.
    """
    command = [sys.executable, "-m", "uv", "pip", "compile", "--universal", "--python-version", "3.11", *more]
    command += ["--generate-hashes", "--no-annotate", "--no-header", "--quiet", f"{name}.in", "-o", f"{name}.txt"]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
