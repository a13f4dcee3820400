"""Somebody at a browser, with or without a mouse.

A journey is written once, in what people do (`follows`, `presses`, `fills`, …), and each `Mode` does it in its way: by
keyboard nothing is clicked, the focus is moved with Tab until it is on the thing, which is then worked with Enter,
Space, arrows and letters. Every page that a journey comes to is looked at as in the walk through all pages; in
`make test` those alone that no address leads to: checks before something is done, and forms with errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.web.looking import THOROUGH, Mode, flaws_of, pictured

_MOST_TABS = 250
_HAS_FOCUS = "e => e === document.activeElement"
_GROUP_HAS_FOCUS = "e => document.activeElement.name === e.name && document.activeElement.form === e.form"


@dataclass
class Person:
    """`page` is theirs alone. `name` is what pictures of what they see are called."""

    page: Any
    url: str
    mode: Mode
    axe: str
    name: str
    flaws: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    sent: bool = False

    def __post_init__(self) -> None:
        self.page.on("request", self._asked)

    def goes(self, path: str) -> None:
        """To an address that they know, or have from a mail."""
        self.page.goto(path if path.startswith("http") else self.url + path)
        self._looks()

    def follows(self, text: str, within: str = "main") -> None:
        """A link of this text."""
        self._leave_by(self._there(self.page.locator(within).get_by_role("link", name=text), text))

    def picks_from_menu(self, text: str) -> None:
        """A page of the account's menu, opened first where it folds."""
        link = self.page.locator("header nav").get_by_role("link", name=text, exact=True).first
        if not link.is_visible():
            self._work(self.page.locator("header nav summary").first, "Enter")
        self._leave_by(link)

    def presses(self, text: str, within: str = "main") -> None:
        """A button of this text, which leads to another page."""
        self._leave_by(self._there(self.page.locator(within).get_by_role("button", name=text), text))

    def fills(self, label: str, text: str) -> None:
        box = self._labelled(label)
        if not self.mode.by_keyboard:
            box.fill(text)
            return
        self._reach(box)
        is_date = box.get_attribute("type") == "date"
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.type(re.sub(r"(\d+)-(\d+)-(\d+)", r"\2\3\1", text) if is_date else text)

    def chooses(self, label: str, option: str) -> None:
        """One of a list that drops down."""
        box = self._labelled(label)
        if not self.mode.by_keyboard:
            box.select_option(label=option)
            return
        self._reach(box)
        self.page.keyboard.press("Home")
        for _ in range(box.locator("option").count()):
            if box.locator("option:checked").inner_text().strip() == option:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{label} does not offer {option!r}")

    def marks(self, label: str) -> None:
        """One of several circles, or a box."""
        control = self._labelled(label)
        if not self.mode.by_keyboard:
            control.check()
        elif control.get_attribute("type") == "checkbox":
            self._work(control, "Space")
        else:
            self._turn_to(control)
        assert control.is_checked(), f"{label} cannot be marked"

    def unfolds(self, text: str) -> None:
        self._work(self.page.locator("main summary", has_text=text).first, "Enter")

    def downloads(self, text: str) -> bytes:
        """The file behind a link of this text."""
        link = self.page.locator("main").get_by_role("link", name=text).first
        if self.mode.by_keyboard:
            self._reach(link)
        assert link.is_visible(), f"{text} cannot be seen"
        wants = {"Accept": "text/html,*/*;q=0.8"}
        answer = self.page.context.request.get(self.url + link.get_attribute("href"), headers=wants)
        assert answer.ok and "attachment" in answer.headers["content-disposition"], answer.status
        return bytes(answer.body())

    def sees(self, *texts: str) -> None:
        said = self.words
        missing = [text for text in texts if " ".join(text.split()) not in said]
        assert not missing, f"{self.page.url} does not say {missing}: {said}"

    def does_not_see(self, *texts: str) -> None:
        said = self.words
        assert not [text for text in texts if text in said], f"{self.page.url} says {texts}: {said}"

    def looks(self) -> None:
        """At this page in `make test`, too: the walk through all pages does not see it so."""
        self.sent = True
        self._looks()

    @property
    def words(self) -> str:
        """What the page says, apart from its frame."""
        return " ".join(str(self.page.inner_text("main")).split())

    def done(self) -> None:
        """The end: every flaw of every page that was come to, at once."""
        self.page.context.close()
        assert not self.flaws, f"{self.name}, {len(self.flaws)} flaws:\n" + "\n".join(self.flaws)

    # -- how -----------------------------------------------------------------------------------------------------

    def _asked(self, request: Any) -> None:
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self.sent = request.method == "POST" and request.redirected_from is None

    def _labelled(self, label: str) -> Any:
        return self._there(self.page.locator("main").get_by_label(label, exact=True), label)

    def _there(self, found: Any, what: str) -> Any:
        """The first of what was looked for, or an error that says what there is instead."""
        assert found.count(), f"there is no {what!r} on {self.page.url}: {self.words}"
        return found.first

    def _leave_by(self, control: Any) -> None:
        with self._leaving():
            self._work(control, "Enter")
        self._looks()

    @contextmanager
    def _leaving(self) -> Iterator[None]:
        with self.page.expect_navigation():
            yield

    def _work(self, control: Any, key: str) -> None:
        if not self.mode.by_keyboard:
            control.click()
            return
        self._reach(control)
        self.page.keyboard.press(key)

    def _reach(self, control: Any, has_focus: str = _HAS_FOCUS) -> None:
        """Tab by Tab until the focus is there: what cannot be reached so cannot be used."""
        there = control.element_handle()
        for _ in range(_MOST_TABS):
            if there.evaluate(has_focus):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{control} cannot be reached by keyboard on {self.page.url}")

    def _turn_to(self, control: Any) -> None:
        """Circles are one stop; arrows turn from one to the next."""
        self._reach(control, _GROUP_HAS_FOCUS)
        for _ in range(20):
            if control.is_checked():
                return
            if control.evaluate(_HAS_FOCUS):
                self.page.keyboard.press("Space")
            else:
                self.page.keyboard.press("ArrowDown")

    def _looks(self) -> None:
        """At this page, once; its name is its route's words and its title."""
        if self.url not in self.page.url:
            return
        title = self.page.title()
        key = re.sub(r"[^a-z]+", "-", f"{self.name}-{title}".lower()).strip("-")[:80]
        if key in self.seen or not (THOROUGH or self.sent):
            return
        self.seen.add(key)
        self.flaws += [f"{title} ({self.page.url}): {flaw}" for flaw in flaws_of(self.page, self.mode, self.axe)]
        if THOROUGH:
            pictured(self.page, self.mode, key)
