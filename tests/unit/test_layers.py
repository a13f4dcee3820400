"""What the layers carry is what was tested, and nothing that they need is missing."""

from __future__ import annotations

from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local import lock

ROOT = Path(__file__).parents[2]
# Needed by Chalice's command line alone; its runtime imports the standard library only.
WITHOUT_NEEDS = {"chalice"}


@pytest.mark.parametrize("layer", ["runtime", "documents"])
def test_a_layer_pins_exactly_what_the_product_pins(layer: str) -> None:
    written = (ROOT / "layers" / layer / "requirements.txt").read_text()
    assert written == lock.layer_lock(layer), "run make lock"


def test_the_layers_together_have_everything_their_packages_need() -> None:
    carried = {name for layer in lock.LAYERS for name in lock.names(layer)}
    missing = {
        f"{name} needs {needed.name}"
        for name in carried - WITHOUT_NEEDS
        for needed in map(Requirement, requires(name) or [])
        if not needed.marker or needed.marker.evaluate({"extra": "", "python_version": "3.13"})
        if canonicalize_name(needed.name) not in carried
    }
    assert missing == set()
