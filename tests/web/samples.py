"""An address for every page there is, found as readers find them: by following links, in each state of `states.py`.

A page that no link leads to in any state fails the walk. Either a page should link to it; or only a mail does, then its
address goes into `World.paths` (states.py); or it needs a record that no account has, then `states.py` tells one; or it
is no page at all, then it is named in NO_PAGE with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qs, urlsplit

from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal
from tests.web.states import ENTITIES, STATES, World

NO_PAGE = {
    "/": "leads on",
    "/healthz": "for machines",
    "/static/{name}": "style and script",
    "/sign-in/organisation/back": "where an organisation's provider sends people back to; it leads on",
    "/staff/{entity_id}/templates/{template}": "a file",
}
# NOT WALKED YET: pages for whose records `states.py` tells none. Function tests draw them, nothing here looks at them.
# Each one that gets its record leaves this list; none may be added.
NOT_WALKED = frozenset(
    {
        "/accounts/{account_id}/bundles/{bundle_id}",
        "/accounts/{account_id}/certificate",
        "/accounts/{account_id}/certificate/{upload_id}",
        "/accounts/{account_id}/files/{about}/{upload_id}",
        "/accounts/{account_id}/invoices/views/new",
        "/accounts/{account_id}/invoices/views/{view_id}",
        "/accounts/{account_id}/invoices/{invoice_id}/files",
        "/accounts/{account_id}/plans/{promise_id}",
        "/staff/{entity_id}/accounts/{account_id}/certificates/{upload_id}",
        "/staff/{entity_id}/accounts/{account_id}/files/{about}/{upload_id}",
        "/staff/{entity_id}/accounts/{account_id}/promises/{promise_id}",
        "/staff/{entity_id}/accounts/{account_id}/terms/{request_id}",
        "/staff/{entity_id}/files/paper/{upload_id}",
        "/unsubscribe/{token}",
    }
)
_FILES = ("/pdf", ".csv", ".xlsx", "/content", "/zip", "/papers/{upload_id}")
_UNLINKED = ("/session/ending", "/session/prove", "/accounts?all=1")
_WHOLE = ("usual", "empty")  # the states in which pages of a seller differ; those of a person are the same in all


@dataclass(frozen=True)
class Sample:
    """One page to look at: its route, an address of it, whose browser sees it (nobody's: ""), and the state."""

    route: str
    path: str
    who: str
    state: str

    @property
    def name(self) -> str:
        """What its pictures are called: `accounts-invoices-invoice_id-long`."""
        view = parse_qs(urlsplit(self.path).query).get("show", [""])[0]
        words = [*re.findall(r"[a-z_-]+", self.route), view]
        known = ("account_id", "entity_id", "")
        return "-".join([w for w in words if w not in known]) + f"-{self.state}"


@dataclass
class Found:
    samples: list[Sample] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    routes: set[str] = field(default_factory=set)


def pages_of(portal: Portal) -> set[str]:
    """Every GET route that may draw a page."""
    gets = {path for path, methods in portal.app.routes.items() if "GET" in methods}
    return {path for path in gets if path not in {*NO_PAGE, *NOT_WALKED} and not path.endswith(_FILES)}


def follow(world: World) -> Found:
    """Every page of every state, each once a view; what links lead to and is not there."""
    found = Found()
    for state, account_id in STATES.items():
        staff = f"/staff/{ENTITIES[state]}"
        customer = [f"/accounts/{account_id}", "/profile", *_UNLINKED]
        for who, starts in (("customer", customer), ("desk", [staff, f"{staff}/accounts/{account_id}", "/staff?all=1",
                            "/styleguide"]), ("office", [staff])):  # fmt: skip
            _crawl(world, found, state, who, starts)
    for starts in (["/sign-in", "/paid", "/staff/sign-in", *world.paths.values()],):
        _crawl(world, found, "usual", "", starts)
    return found


def _crawl(world: World, found: Found, state: str, who: str, starts: list[str]) -> None:
    browser = world.browsers[who, "en"] if who else world.portal.browser()
    seen, waiting = set[tuple[str, str]](), list(starts)
    while waiting:
        path = waiting.pop(0)
        route = _route(world.portal, path, state)
        if route is None or (route, _view(path)) in seen:
            continue
        seen.add((route, _view(path)))
        waiting += _looked_at(found, browser, Sample(route, path, who, state))


def _looked_at(found: Found, browser: Browser, sample: Sample) -> Iterator[str]:
    """Links of the page, if it is one."""
    page = browser.get(sample.path)
    is_page = page.status == 200 and page.headers.get("content-type", "").startswith("text/html")
    if page.status >= 400 and sample.who in ("customer", "desk"):
        found.dead.append(f"{page.status} at {sample.path}")
    if is_page and not any(sample.name == s.name for s in found.samples):
        found.samples.append(sample)
    if is_page or page.status == 200:
        found.routes.add(sample.route)
    yield from (unescape(link) for link in re.findall(r'href="(/[^"#]*)', page.text if is_page else ""))


def _view(path: str) -> str:
    return str(parse_qs(urlsplit(path).query).get("show", ""))


def _route(portal: Portal, path: str, state: str) -> str | None:
    """The route of a page that is looked at in this state; fixed parts before placeholders."""
    plain = urlsplit(path).path
    for route in sorted(pages_of(portal), key=lambda r: r.replace("{", "~")):
        names = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route), plain)
        if names:
            return route if _belongs(names.groupdict(), state) else None
    return None


def _belongs(names: dict[str, str], state: str) -> bool:
    if "account_id" in names:
        return names["account_id"] == STATES[state]
    if "entity_id" in names:
        return names["entity_id"] == ENTITIES[state] and state in _WHOLE
    return state == "usual"
