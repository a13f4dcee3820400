"""Templates of staff to pages: their own, over the portal's parts."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from functions.portal import pages as portal_pages
from functions.portal.answers import Answer
from functions.portal.static_files import addresses
from functions.portal.words import LANGUAGES, NAMES
from functions.staff import rules
from functions.staff.visit import StaffVisit

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent / "templates"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The portal's, which finds templates of staff, too."""
    from jinja2 import FileSystemLoader

    made = portal_pages.environment().overlay(loader=FileSystemLoader([_FOLDER, portal_pages.FOLDER]))
    made.globals = dict(portal_pages.environment().globals)
    return made


def page(visit: StaffVisit, template: str, /, *, status: int = 200, **values: object) -> Answer:
    """A whole page. Templates see the visit as `v`, the words as `t`, the lists of roles as `may`, and the values."""
    shared = {"v": visit, "t": visit.words, "static": addresses(), "languages": [(c, NAMES[c]) for c in LANGUAGES]}
    shared |= {"problems": (), "layout": "staff_base.html", "entrance": "/staff/sign-in"}
    shared |= {"may": rules, "raised": _raised(visit)}
    return Answer(environment().get_template(f"{template}.html").render({**shared, **values}), status)


def _raised(visit: StaffVisit) -> list[tuple[str, str, str]]:
    """Roles for a time, as the top of every page tells them: role, until when, id."""
    if visit.desk is None:
        return []
    words, zone = visit.words, visit.desk.time_zone
    return [(words(f"staff_role.{e.role}"), words.moment(e.until, zone), e.id) for e in visit.desk.elevations]
