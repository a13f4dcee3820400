"""An address for every page there is, found as readers find them: by following links, in each state of `states.py`.

A page that no link leads to in any state fails the walk. Either a page should link to it; or only a mail does, then its
address goes into `World.paths` or `World.mailed` (world.py); or it needs a record that no account has, then `states.py`
or `handed_in.py` tells one; or it is no page at all, then it is named in NO_PAGE with the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from html import unescape
from urllib.parse import parse_qs, urlsplit

from tests.functions.portal.conftest import Portal
from tests.web.world import ENTITIES, STATES, World

NO_PAGE = {
    "/": "leads on",
    "/healthz": "for machines",
    "/.well-known/jwks.json": "for machines",
    "/static/{name}": "style and script",
    "/sign-in/organisation/back": "where an organisation's provider sends people back to; it leads on",
    "/staff/{entity_id}/templates/{template}": "a file",
}
_FILES = ("/pdf", ".csv", ".xlsx", "/content", "/zip", "/papers/{upload_id}")
_UNLINKED = ("/session/ending", "/session/prove", "/accounts?all=1")
_VIEWS = ("show", "kind")  # parts of an address that make another page of it
_TAG = re.compile(r'<\w+(?: class="[^"]*")?')
_WHOLE = ("usual", "empty")  # the states in which pages of a seller differ; those of a person are the same in all


@dataclass(frozen=True)
class Sample:
    """One page to look at: its route, an address of it, whose browser sees it (nobody's: ""), and the state.

    `shape`: the tags that it is drawn with. Where it is that of the usual state, and no text is longer, there is
    nothing to be seen that was not seen there.
    """

    route: str
    path: str
    who: str
    state: str
    shape: str = ""

    @property
    def name(self) -> str:
        """What its pictures are called: `accounts-invoices-invoice_id-long`."""
        return f"{self.page}-{self.state}"

    @property
    def page(self) -> str:
        """The same in each state."""
        words = [*re.findall(r"[a-z_-]+", self.route), *_view(self.path)]
        return "-".join(word for word in words if word not in ("account_id", "entity_id", ""))


@dataclass
class Found:
    """`dead`: what links lead to and is not there."""

    samples: list[Sample] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    routes: set[str] = field(default_factory=set)


def pages_of(portal: Portal) -> set[str]:
    """Every GET route that may draw a page."""
    gets = {path for path, methods in portal.app.routes.items() if "GET" in methods}
    return {path for path in gets if path not in NO_PAGE and not path.endswith(_FILES)}


def follow(world: World) -> Found:
    """Every page of every state, each once a view; what links lead to and is not there."""
    found = Found()
    for state, account_id in STATES.items():
        staff, home = f"/staff/{ENTITIES[state]}", f"/accounts/{account_id}"
        lists = [f"{home}/invoices{asked}" for asked in ("", "?text=RW", "?status=overdue")]
        customer = [home, "/profile", *_UNLINKED, *world.mailed.get(account_id, ()), *lists]
        for who, starts in (("customer", customer), ("desk", [staff, f"{staff}/accounts/{account_id}", "/staff?all=1",
                            "/styleguide"]), ("office", [staff])):  # fmt: skip
            _Crawl(world, found, state, who).go(starts)
    _Crawl(world, found, "usual", "").go(["/sign-in", "/paid", "/staff/sign-in", *world.paths.values()])
    return found


class _Crawl:
    """One reader on their way through one state."""

    def __init__(self, world: World, found: Found, state: str, who: str) -> None:
        self._found, self._state, self._who = found, state, who
        self._browser = world.browsers[who, "en"] if who else world.portal.browser()
        self._routes = _patterns(world.portal)
        self._seen: set[tuple[str, tuple[str, ...]]] = set()
        self._names = {sample.name for sample in found.samples}

    def go(self, starts: list[str]) -> None:
        """Starts for themselves, whatever they are pages of; what they lead to once a view."""
        waiting = [(path, True) for path in starts]
        while waiting:
            path, is_start = waiting.pop(0)
            at = _place(self._routes, path)
            if at is None or not _can_lead_on(at[1], self._state):
                continue
            key = (at[0], _view(path))
            if is_start or key not in self._seen:
                self._seen.add(key)
                waiting += [(link, False) for link in self._links(Sample(at[0], path, self._who, self._state), at[1])]

    def _links(self, sample: Sample, names: dict[str, str]) -> list[str]:
        """Links of the page, if it is one; it is looked at later where it belongs to this state."""
        page = self._browser.get(sample.path)
        is_page = page.status == 200 and page.headers.get("content-type", "").startswith("text/html")
        if page.status >= 400 and sample.who in ("customer", "desk"):
            self._found.dead.append(f"{page.status} at {sample.path}")
        if is_page and sample.name not in self._names and _belongs(names, self._state):
            self._found.samples.append(replace(sample, shape=" ".join(_TAG.findall(page.text.partition("<main")[2]))))
            self._names.add(sample.name)
        if page.status == 200:
            self._found.routes.add(sample.route)
        return [unescape(link) for link in re.findall(r'href="(/[^"#]*)', page.text if is_page else "")]


def _view(path: str) -> tuple[str, ...]:
    asked = parse_qs(urlsplit(path).query)
    return tuple(asked[name][0] for name in _VIEWS if name in asked)


def _patterns(portal: Portal) -> list[tuple[str, re.Pattern[str]]]:
    """Fixed parts before placeholders."""
    routes = sorted(pages_of(portal), key=lambda route: route.replace("{", "~"))
    return [(route, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route))) for route in routes]


def _place(routes: list[tuple[str, re.Pattern[str]]], path: str) -> tuple[str, dict[str, str]] | None:
    """The route of a page, and what its address names."""
    plain = urlsplit(path).path
    found = ((route, names.groupdict()) for route, pattern in routes if (names := pattern.fullmatch(plain)))
    return next(found, None)


def _can_lead_on(names: dict[str, str], state: str) -> bool:
    """Queues of the seller lead to what lies in them of this state's account, and are looked at in another state."""
    if "account_id" in names:
        return names["account_id"] == STATES[state]
    return names.get("entity_id", ENTITIES[state]) == ENTITIES[state] and (bool(names) or state == "usual")


def _belongs(names: dict[str, str], state: str) -> bool:
    return "account_id" in names or state in (_WHOLE if "entity_id" in names else ("usual",))
