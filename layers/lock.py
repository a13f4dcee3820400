"""Writes each layer's requirements.txt: its packages as the whole product pins them. Run after a new lock.

A layer names its packages in `layers/<name>/requirements.in`; versions and hashes come from `requirements.txt`, so
that a layer never differs from what was tested.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
LAYERS = ("runtime", "documents")


def pins(lock: str) -> dict[str, str]:
    """Package name → its block of a compiled lock (version and hashes), without environment markers."""
    found: dict[str, str] = {}
    name = ""
    for line in lock.splitlines(keepends=True):
        if line[:1].isalnum():
            name = line.partition("==")[0]
            line = line.partition(" ;")[0].rstrip(" \\\n") + " \\\n"
        if name and not line.startswith("#"):
            found[name] = found.get(name, "") + line
    return found


def names(layer: str) -> list[str]:
    text = (ROOT / "layers" / layer / "requirements.in").read_text()
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def locked(layer: str) -> str:
    """What the layer's requirements.txt must say. KeyError: a package that the product does not pin."""
    known = pins((ROOT / "requirements.txt").read_text())
    return "".join(known[name] for name in names(layer))


def main() -> None:
    for layer in LAYERS:
        (ROOT / "layers" / layer / "requirements.txt").write_text(locked(layer))


if __name__ == "__main__":
    main()
