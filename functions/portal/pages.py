"""Templates to pages."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from functions.portal.answers import Answer
from functions.portal.presenters.tables import Column
from functions.portal.static_files import addresses
from functions.portal.words import LANGUAGES, NAMES

if TYPE_CHECKING:
    from jinja2 import Environment

    from functions.portal.visit import Visit

FOLDER = Path(__file__).parent / "templates"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Jinja2 with everything escaped and nothing undefined let through. Templates call `column(text, kind)`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from functions.portal import compiled

    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=compiled.Compiled(Path(__file__).parent / compiled.FOLDER),
    )
    made.globals["column"] = Column
    return made


def page(visit: Visit, template: str, /, *, status: int = 200, **values: object) -> Answer:
    """A whole page. Templates see the visit as `v`, the words as `t`, and the values given."""
    shared = {"v": visit, "t": visit.words, "static": addresses(), "languages": [(c, NAMES[c]) for c in LANGUAGES]}
    shared |= {"problems": (), "layout": "base.html", "entrance": "/sign-in"}
    text = environment().get_template(f"{template}.html").render({**shared, **values})
    return Answer(text, status)
