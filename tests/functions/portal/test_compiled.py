"""Templates that were compiled with the bundle: taken where they are of this very text, never written by a function."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from functions.portal.compiled import Compiled, compile_all


def environment(templates: Path, compiled: Path) -> Environment:
    return Environment(loader=FileSystemLoader(templates), autoescape=True, bytecode_cache=Compiled(compiled))


def is_compiled(templates: Path, compiled: Path, name: str) -> bool:
    made, cache = environment(templates, compiled), Compiled(compiled)
    return cache.get_bucket(made, name, None, (templates / name).read_text()).code is not None


def test_what_was_compiled_is_taken_until_its_text_changes(tmp_path: Path) -> None:
    templates, compiled = tmp_path / "templates", tmp_path / "compiled"
    (templates / "parts").mkdir(parents=True)
    (templates / "page.html").write_text('{% from "parts/name.html" import name %}<p>{{ name(who) }}</p>')
    (templates / "parts" / "name.html").write_text("{% macro name(who) %}{{ who }}{% endmacro %}")
    compile_all(environment(templates, tmp_path), compiled)
    assert {file.name for file in compiled.iterdir()} == {"page.html", "parts.name.html"}
    assert is_compiled(templates, compiled, "page.html") and is_compiled(templates, compiled, "parts/name.html")
    assert environment(templates, compiled).get_template("page.html").render(who="A&B") == "<p>A&amp;B</p>"

    (templates / "page.html").write_text("<b>{{ who }}</b>")
    before = (compiled / "page.html").read_bytes()
    assert not is_compiled(templates, compiled, "page.html")
    assert environment(templates, compiled).get_template("page.html").render(who="A&B") == "<b>A&amp;B</b>"
    assert (compiled / "page.html").read_bytes() == before


def test_what_is_no_bytecode_of_this_python_is_left_alone(tmp_path: Path) -> None:
    templates, compiled = tmp_path / "templates", tmp_path / "compiled"
    templates.mkdir()
    compiled.mkdir()
    (templates / "page.html").write_text("<p>{{ who }}</p>")
    (compiled / "page.html").write_bytes(b"of another version")
    assert environment(templates, compiled).get_template("page.html").render(who="x") == "<p>x</p>"
