"""The templates of the tests are made anew when what shapes them changes, and only then."""

from __future__ import annotations

import pytest

import app
from functions.portal.endpoint import PUBLIC, edge
from tests.assembly import _of_the_product, _shape


def test_a_new_route_makes_templates_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _shape()
    assert _shape() == before
    monkeypatch.setitem(edge.declared, ("GET", "/planted"), PUBLIC)
    monkeypatch.setitem(app.app.routes, "/planted", app.app.routes["/"])
    assert _shape() != before


def test_what_the_stacks_import_of_the_product_is_looked_at() -> None:
    assert {"schema.py", "flags.json"} <= {file.name for file in _of_the_product()}
