"""The matrix: who asks, for which routes, for whose records, and what is then wrong.

Generated from the declared rules: a route that is added is asked by everybody it is not for. `faults` says what is
wrong with one refusal; the tests expect none, and some for bugs that they plant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.functions.portal.browser import Browser, Page
from tests.functions.security.town import NOBODYS, Town, ask
from tests.functions.security.watch import Watch

Declared = dict[tuple[str, str], Any]


@dataclass(frozen=True, slots=True)
class Case:
    """`asker` asks for `of`'s records; `like` is the path that a refusal must look like: that of what is not there.

    `concerns`: whether a route is not for them. `path`, `like`: of a route. `may_read`: whether a key of `of` may be
    read all the same by a route of this method and path (what is read with the session, and decides on the refusal).
    `same_way`: off where it is no secret that it is there.
    """

    name: str
    asker: Callable[[Town], Browser]
    concerns: Callable[[str, str, Any], bool]
    path: Callable[[Town, str], str]
    like: Callable[[Town, str], str]
    of: str = ""
    may_read: Callable[[str, str, tuple[str, str]], bool] = lambda *_: False
    same_way: bool = True


def is_one_of(key: tuple[str, str], named: Iterable[str]) -> bool:
    """Whether a key is of a sort key that a rule names, whatever stands where it names parts of the path."""
    return any(fnmatchcase(key[1], re.sub(r"{[^}]+}", "*", sk)) for sk in named)


def nothing_there(town: Town, route: str) -> str:
    """The route on an account that does not exist."""
    return town.path(route, next(iter(town.has)), account_id=NOBODYS)


def routes_of(case: Case, declared: Declared) -> list[tuple[str, str]]:
    return [(m, p) for (m, p), rule in sorted(declared.items()) if not rule.anyone and case.concerns(m, p, rule)]


def all_faults(town: Town, case: Case, declared: Declared) -> list[str]:
    """Of every route that the case concerns; there is at least one, or the case itself is at fault."""
    browser, concerned = case.asker(town), routes_of(case, declared)
    assert concerned, f"no route concerns {case.name}"
    return [f"{case.name}: {m} {p}: {fault}" for m, p in concerned for fault in faults(town, case, browser, m, p)]


def faults(town: Town, case: Case, browser: Browser, method: str, route: str) -> Iterator[str]:
    """What is wrong with how one request is refused: its answer, what it read, what it wrote, what it cost."""
    ask(browser, method, case.like(town, route), route)  # what is made once a process is made now
    page, watch = _asked(town, browser, method, case.path(town, route), route)
    like, likewise = _asked(town, browser, method, case.like(town, route), route)
    if page.status != 404:
        yield f"answered {page.status} {page.location}"
    if _said(page) != _said(like):
        yield "reads unlike what is not there"
    read = town.taken(watch, case.of) if case.of else set()
    if any(not case.may_read(method, route, key) for key in watch.read if key[0] in read):
        yield f"read {sorted(read)}"
    if watch.written:
        yield f"wrote {sorted(watch.written)}"
    if watch.calls != likewise.calls:
        yield f"costs {dict(watch.calls)}, what is not there {dict(likewise.calls)}"
    if case.same_way and watch.went != likewise.went:
        yield "goes another way than what is not there"


def _asked(town: Town, browser: Browser, method: str, path: str, route: str) -> tuple[Page, Watch]:
    with town.watch() as watch, watch.followed():
        page = ask(browser, method, path, route)
    return page, watch


def _said(page: Page) -> tuple[Any, ...]:
    return page.status, page.text, page.headers, page.cookies_set
