"""Every page there is, in every state, language and mode: sound, whoever looks at it and however.

Pages are found by following links (samples.py) and held against the table of routes, so that a new page is looked at
as soon as it is there. `make test` looks at each in three of its states, in one mode and language, which turn from
state to state; `make journeys` at all of them, with pictures in build/screenshots/.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.portal.words import LANGUAGES
from tests.functions.portal import conftest as portals
from tests.web.looking import MODES, THOROUGH, Mode, flaws_of, pictured
from tests.web.samples import Found, Sample, follow, pages_of
from tests.web.serving import served
from tests.web.states import STATES, World, tell

pytestmark = pytest.mark.web


@dataclass
class Walk:
    """The world behind a port, and one browser's windows onto it: one for each reader, with or without scripts."""

    url: str
    world: World
    found: Found
    chromium: Any
    axe: str
    windows: dict[tuple[str, str, bool], Any] = field(default_factory=dict)

    def window(self, who: str, language: str, mode: Mode) -> Any:
        key = (who, language, mode.script)
        if key not in self.windows:
            context = self.chromium.new_context(locale=language, bypass_csp=True, **mode.context)
            cookies = self.world.browsers[who, language].cookies if who else {}
            context.add_cookies([{"name": n, "value": v, "url": self.url} for n, v in cookies.items()])
            self.windows[key] = context.new_page()
        return self.windows[key]

    def flaws(self, sample: Sample, language: str, modes: tuple[Mode, ...]) -> list[str]:
        found, at = [], None
        for mode in modes:
            page = self.window(sample.who, language, mode)
            if page is not at:
                page.set_viewport_size(mode.size)
                page.goto(self.url + sample.path)
                at = page
            found += flaws_of(page, mode, self.axe)
            if THOROUGH:
                pictured(page, mode, f"{sample.name}-{language}")
        return [f"{sample.path} ({language}): {flaw}" for flaw in found]


# Forms that ask for something in writing, what was typed before taken out of them, and nothing checked by the browser.
_ASKING = (
    "main form[method=post]:has(button:not([type=button]))"
    ":has(input:not([type=hidden], [type=checkbox], [type=radio]), textarea)"
)
_EMPTIED = """form => {
  form.noValidate = true;
  for (const e of form.elements) {
    if (e.type === 'checkbox' || e.type === 'radio') e.checked = false;
    else if (e.matches('input:not([type=hidden]), textarea')) e.value = '';
  }
}"""


@pytest.fixture(scope="module")
def walk(chromium: Any, axe: str) -> Iterator[Walk]:
    with pytest.MonkeyPatch.context() as environment, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        portal = portals.build(environment, f"http://localhost:{port}", f"http://localhost:{port}/pretend-gateway")
        world = tell(portal, environment)
        free.close()
        with served(portal.app, port) as url:
            made = Walk(url, world, follow(world), chromium, axe)
            yield made
        for page in made.windows.values():
            page.context.close()
    portals.forget()


def test_every_page_is_led_to_from_another_or_from_a_mail(walk: Walk) -> None:
    missing = sorted(pages_of(walk.world.portal) - walk.found.routes)
    assert not missing, f"no link leads to {', '.join(missing)}: tests/web/samples.py says what to do"
    assert not walk.found.dead, f"links lead to what is not there: {walk.found.dead}"


def turns(samples: list[Sample]) -> Iterator[tuple[Sample, str, tuple[Mode, ...]]]:
    """Which sample is looked at in which language and modes; over its states a page comes to all of them."""
    routes = sorted({s.route for s in samples})
    for sample in samples:
        route, state = routes.index(sample.route), list(STATES).index(sample.state)
        if THOROUGH:
            yield from ((sample, language, MODES) for language in LANGUAGES)
        elif state == 0 or (route + state) % 3:
            mode, language = MODES[(route + 5 * state) % len(MODES)], LANGUAGES[(route + state) % len(LANGUAGES)]
            yield sample, language, (mode,)


@pytest.mark.parametrize("state", STATES)
def test_every_page_is_sound(walk: Walk, state: str) -> None:
    flaws = []
    for sample, language, modes in turns(walk.found.samples):
        if sample.state == state:
            flaws += walk.flaws(sample, language, modes)
    assert not flaws, f"{len(flaws)} flaws:\n" + "\n".join(flaws)


def test_a_form_that_is_sent_empty_says_what_is_wrong_and_where(walk: Walk) -> None:
    """Every form that is met: an error summary that leads to its fields, in a page that is sound, or the next page."""
    flaws, told = [], 0
    for n, sample in enumerate(s for s in walk.found.samples if s.state == "usual"):
        mode = MODES[n % len(MODES)]
        for language in LANGUAGES if THOROUGH else (LANGUAGES[n % len(LANGUAGES)],):
            page = walk.window(sample.who, language, mode)
            page.goto(walk.url + sample.path)
            for which in range(page.locator(_ASKING).count()):
                told += _sent_empty(walk, page, sample, which)
                found = flaws_of(page, mode, walk.axe)
                flaws += [f"{sample.path}, form {which} sent empty ({language}): {flaw}" for flaw in found]
    assert told > 15 and not flaws, f"{len(flaws)} flaws:\n" + "\n".join(flaws)


def _sent_empty(walk: Walk, page: Any, sample: Sample, which: int) -> bool:
    """Whether it was answered with errors. After the first form the page is asked for anew."""
    if which:
        page.goto(walk.url + sample.path)
    form = page.locator(_ASKING).nth(which)
    form.evaluate(_EMPTIED)
    with page.expect_navigation() as answer:
        form.locator("button:not([type=button])").first.click()
    assert answer.value is None or answer.value.status < 500, f"{answer.value.status} of {sample.path}"
    return bool(page.locator(".errors").count())
