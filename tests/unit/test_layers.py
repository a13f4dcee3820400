"""What the layers carry is what was tested, and nothing that they need is missing."""

from __future__ import annotations

import importlib.util
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
# Needed by Chalice's command line alone; its runtime imports the standard library only.
WITHOUT_NEEDS = {"chalice"}


def _lock() -> Any:
    spec = importlib.util.spec_from_file_location("lock", ROOT / "layers" / "lock.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("layer", ["runtime", "documents"])
def test_a_layer_pins_exactly_what_the_product_pins(layer: str) -> None:
    written = (ROOT / "layers" / layer / "requirements.txt").read_text()
    assert written == _lock().locked(layer), "run python layers/lock.py"


def test_the_layers_together_have_everything_their_packages_need() -> None:
    lock = _lock()
    carried = {name for layer in lock.LAYERS for name in lock.names(layer)}
    missing = {
        f"{name} needs {needed.name}"
        for name in carried - WITHOUT_NEEDS
        for needed in map(Requirement, requires(name) or [])
        if not needed.marker or needed.marker.evaluate({"extra": "", "python_version": "3.13"})
        if canonicalize_name(needed.name) not in carried
    }
    assert missing == set()
