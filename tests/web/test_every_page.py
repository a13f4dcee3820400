"""Every page there is, in every state, language and mode: sound, whoever looks at it and however.

Pages are found by following links (samples.py) and held against the table of routes, so that a new page is looked at
as soon as it is there. `make test` looks at each in up to three of its states, in one mode and language, which turn
from state to state; `make journeys` at all of them, with pictures in build/screenshots/. A page is the same in each
language but for how long its words are: axe looks at it in every mode in one language, which turns, and once in the
others, whose pictures are one, too; whether anything is cut, too wide or out of reach is asked in all. One visit serves
it all: the page is judged as it is, then its forms are sent empty from there.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.portal.words import LANGUAGES
from tests.contexts.sellers import ENTITY
from tests.functions.portal import conftest as portals
from tests.web.looking import MODES, THOROUGH, Mode, flaws_of, pictured
from tests.web.samples import Found, Sample, follow, pages_of
from tests.web.serving import served
from tests.web.states import tell
from tests.web.world import LONG_TEXTS, MANY, STATES, World

pytestmark = pytest.mark.web


@dataclass
class Walk:
    """The world behind a port, and one browser's windows onto it: one for each reader, with or without scripts.

    `sent`: forms that were sent empty, by where to and language, and whether errors came back.
    """

    url: str
    world: World
    found: Found
    chromium: Any
    axe: str
    windows: dict[tuple[str, str, bool], Any] = field(default_factory=dict)
    sent: dict[tuple[str, str], bool] = field(default_factory=dict)

    def window(self, who: str, language: str, mode: Mode) -> Any:
        key = (who, language, mode.script)
        if key not in self.windows:
            context = self.chromium.new_context(locale=language, bypass_csp=True, **mode.context)
            cookies = self.world.browsers[who, language].cookies if who else {}
            context.add_cookies([{"name": n, "value": v, "url": self.url} for n, v in cookies.items()])
            self.windows[key] = context.new_page()
        return self.windows[key]

    def flaws(self, sample: Sample, language: str, modes: tuple[Mode, ...]) -> list[str]:
        """Of a page as it is, then of what its forms answer when they are sent empty."""
        found, at = [], None
        own = LANGUAGES[sum(map(ord, sample.name)) % len(LANGUAGES)]
        for mode in modes:
            whole = not THOROUGH or language == own or mode is modes[0]
            page = self.window(sample.who, language, mode)
            if page is not at:
                page.set_viewport_size(mode.size)
                page.goto(self.url + sample.path)
                at = page
            found += flaws_of(page, mode, self.axe if whole else "")
            if THOROUGH and whole:
                pictured(page, mode, f"{sample.name}-{language}")
        mode = modes[len(self.sent) % len(modes)]
        found += self._of_forms(sample, language, mode, at)
        return [f"{sample.path} ({language}): {flaw}" for flaw in found]

    def _of_forms(self, sample: Sample, language: str, mode: Mode, at: Any) -> list[str]:
        """Each form once, on the first page that has it: an error summary that leads to its fields, in a page that is
        sound, or the next page."""
        page, found = self.window(sample.who, language, mode), list[str]()
        for which in range(at.locator(_ASKING).count()):
            if page is not at:
                page.goto(self.url + sample.path)
            form = page.locator(_ASKING).nth(which)
            key = (re.sub(r"/[a-z]+_[^/]+", "/_", form.get_attribute("action") or ""), language if THOROUGH else "")
            if key in self.sent:
                continue
            self.sent[key] = self._sent_empty(page, form)
            found += [f"form {which} sent empty: {flaw}" for flaw in flaws_of(page, mode, self.axe)]
            at = None
        return found

    def _sent_empty(self, page: Any, form: Any) -> bool:
        """Whether it was answered with errors."""
        form.evaluate(_EMPTIED)
        with page.expect_navigation() as answer:
            form.locator("button:not([type=button])").first.click()
        assert answer.value is None or answer.value.status < 500, f"{answer.value.status} of {page.url}"
        return bool(page.locator(".errors").count())


# Forms of ours that ask for something in writing, what was typed before taken out of them, and nothing checked by the
# browser. The one that takes a file to the bucket is answered by the bucket.
_ASKING = (
    "main form[method=post]:not([enctype]):has(button:not([type=button]))"
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


def turns(samples: list[Sample], wanted: str) -> Iterator[tuple[Sample, str, tuple[Mode, ...]]]:
    """Which sample is looked at in which language and modes, each turning with the page and its state; `wanted`: one
    language, where all are looked at."""
    routes, usual = sorted({s.route for s in samples}), {s.page: s.shape for s in samples if s.state == "usual"}
    for sample in samples:
        route, state = routes.index(sample.route), list(STATES).index(sample.state)
        seen = sample.state in ("empty", "many") and usual.get(sample.page) == sample.shape
        if THOROUGH:
            yield sample, wanted, MODES
        elif state == 0 or ((route + state) % 3 and not seen):
            mode, language = MODES[(route + 5 * state) % len(MODES)], LANGUAGES[(route + state) % len(LANGUAGES)]
            yield sample, language, (mode,)


@pytest.mark.parametrize("wanted", LANGUAGES if THOROUGH else ["turning"])
@pytest.mark.parametrize("state", STATES)
def test_every_page_is_sound_and_says_what_is_wrong_with_a_form(walk: Walk, state: str, wanted: str) -> None:
    flaws = []
    for sample, language, modes in turns(walk.found.samples, wanted):
        if sample.state == state:
            flaws += walk.flaws(sample, language, modes)
    assert not flaws, f"{len(flaws)} flaws:\n" + "\n".join(flaws)
    assert state != "usual" or sum(walk.sent.values()) > 20, "forms that are sent empty are answered with errors"


_MOVED = {
    "legal_name": LONG_TEXTS.company,
    "lines": "\n".join([LONG_TEXTS.subject[:100]] * 4),
    "city": LONG_TEXTS.words[:80],
    "emails": f"{LONG_TEXTS.email}\nbooks@kontor.example",
    "purchase_order": "4711-BESCHAFFUNG-" * 2,
    "why": LONG_TEXTS.words[:300],
}


@pytest.mark.parametrize("who", ["customer", "desk"])
def test_what_a_change_of_billing_details_does_is_told_on_a_sound_page(walk: Walk, who: str) -> None:
    """With the longest there may be, and every invoice that is out to be corrected. No link leads there."""
    home = f"/accounts/{MANY}" if who == "customer" else f"/staff/{ENTITY}/accounts/{MANY}"
    n = {"customer": 1, "desk": 4}[who]
    modes, languages = (MODES, LANGUAGES) if THOROUGH else (MODES[n : n + 1], LANGUAGES[n % 4 : n % 4 + 1])
    flaws = []
    for mode, language in ((mode, language) for mode in modes for language in languages):
        page = walk.window(who, language, mode)
        page.goto(f"{walk.url}{home}/details/change")
        for name, text in _MOVED.items():
            if page.locator(f"#{name}").count():
                page.fill(f"#{name}", text)
        with page.expect_navigation():
            page.locator("main form button").first.click()
        flaws += [f"{language}: {flaw}" for flaw in flaws_of(page, mode, walk.axe)]
        page.locator("input[name=correct]").first.check()
        if THOROUGH:
            pictured(page, mode, f"details-check-{who}-{language}")
    assert not flaws, "\n".join(flaws)
