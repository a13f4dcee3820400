"""What is asked of every page besides its words, and how a page is looked at: the modes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
DESKTOP, PHONE = {"width": 1180, "height": 760}, {"width": 320, "height": 640}
THOROUGH = os.environ.get("SALDO_THOROUGH") == "1"
"""`make journeys`: everything in every mode, with pictures; else each page in one mode: `make test` is to be quick."""


@dataclass(frozen=True)
class Mode:
    """How somebody looks. `script`: whether the browser runs any. `by_keyboard`: no mouse is there."""

    name: str
    size: dict[str, int]
    colours: str = "light"
    text: str = "100%"
    script: bool = True
    by_keyboard: bool = False

    @property
    def context(self) -> dict[str, Any]:
        """What the browser is opened with."""
        calm = {"reduced_motion": "reduce"}  # colours on their way to others would be judged half-way
        return {"viewport": self.size, "color_scheme": self.colours, "java_script_enabled": self.script, **calm}


MODES = (
    Mode("desktop", DESKTOP),
    Mode("phone", PHONE),
    Mode("large-text", DESKTOP, text="200%"),
    Mode("keyboard", DESKTOP, by_keyboard=True),
    Mode("no-script", PHONE, script=False),
    Mode("dark", DESKTOP, "dark"),
)

# What sticks to the window's edge would lie over the middle of a picture of the whole page.
_AS_ONE_SHEET = ".selection { position: static !important }"
_MOST_TABS = 60
# Buttons of one part of a page that are less than 4 px apart: a finger hits the other one.
_TOUCHING = """() => {
  const found = [], all = [...document.querySelectorAll('main :is(button, .button)')];
  const seen = all.filter(e => e.checkVisibility() && !e.matches('.link')).slice(0, 60);
  const boxes = seen.map(e => e.getBoundingClientRect());
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, j) => {
    const x = Math.max(a.left, b.left) - Math.min(a.right, b.right);
    const y = Math.max(a.top, b.top) - Math.min(a.bottom, b.bottom);
    if (a.width && b.width && x < 4 && y < 4) found.push(`${seen[i].innerText} and ${seen[i + 1 + j].innerText}`);
  }));
  return found;
}"""
# Rows of a table are made by one loop: in `make test` some of them are judged for all.
_AFEW = "{exclude: [['tbody tr:nth-child(n+12)'], ['option:nth-child(n+12)']]}"
# A page that waits for something loads itself anew after seconds; not while it is being looked at.
_STAY = """() => {
  if (document.querySelector('[data-refresh]')) for (let n = setTimeout(() => {}); n; n--) clearTimeout(n);
}"""


def flaws_of(page: Any, mode: Mode, axe: str) -> list[str]:
    """What is wrong with the page as it stands, in one mode: whatever axe knows of any impact, anything wider than the
    window or cut, a focus that starts or goes elsewhere than it should, an error summary that leads nowhere.

    page: in a context made by `mode.context` and, where it runs scripts, with `bypass_csp=True`. axe: its source, ""
    where it need not look.
    """
    page.evaluate(_STAY)
    with seen_as(page, mode):
        found = [f"{overflow(page)} px too wide: {_widest(page)}"] if overflow(page) > 0 else []
        found += [f"{cut!r} is cut" for cut in _cut(page)]
        found += [f"{pair} touch" for pair in page.evaluate(_TOUCHING)]
        found += _error_flaws(page) if page.locator(".errors").count() else []
        if mode.by_keyboard:
            found += _tab_flaws(page)
        elif mode.script:
            found += violations(page, axe) if axe else []
        elif not page.locator("main").inner_text().strip():
            found.append("says nothing without JavaScript")
    return [f"{mode.name}: {flaw}" for flaw in found]


def pictured(page: Any, mode: Mode, name: str) -> None:
    """A picture of the whole page in build/screenshots/<name>-<mode>.png."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with seen_as(page, mode):
        page.screenshot(path=str(SHOTS / f"{name}-{mode.name}.png"), full_page=True, style=_AS_ONE_SHEET)


@contextmanager
def seen_as(page: Any, mode: Mode) -> Iterator[None]:
    """Size, colours and size of text; what has the focus keeps it."""
    if page.viewport_size != mode.size:
        page.set_viewport_size(mode.size)
    page.emulate_media(color_scheme=mode.colours)
    page.evaluate("size => { document.documentElement.style.fontSize = size; }", mode.text)
    yield
    page.evaluate("document.documentElement.style.fontSize = ''")


def _cut(page: Any) -> list[str]:
    """Buttons, tags and figures whose text does not fit them."""
    return list(
        page.evaluate(
            "[...document.querySelectorAll('button, .button, .tag, td, th, dd, dt, summary, h1, h2, li')]"
            ".filter(e => e.offsetParent && getComputedStyle(e).overflow !== 'visible' && !e.matches('.hidden'))"
            ".filter(e => e.scrollWidth > e.clientWidth + 1)"
            ".map(e => e.innerText.slice(0, 40))"
        )
    )


def _widest(page: Any) -> str:
    """What reaches furthest to the right, for whoever has to mend it."""
    return str(
        page.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => e.checkVisibility())"
            ".map(e => [e.getBoundingClientRect().right, e.outerHTML])"
            ".sort((a, b) => b[0] - a[0] || a[1].length - b[1].length).map(([, html]) => html.slice(0, 120))[0]"
        )
    )


def _error_flaws(page: Any) -> list[str]:
    """The summary has the focus, the title says that there is an error, each line leads to a field that is there."""
    flaws = [] if _has_focus(page) else ["the summary has no focus"]
    if ": " not in page.title().replace("\u202f", ""):
        flaws.append("the title does not say that there is an error")
    lost = page.evaluate(
        "[...document.querySelectorAll('.errors a')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    return flaws + [f"an error leads to #{name}, which is not there" for name in lost]


def _has_focus(page: Any) -> bool:
    """Browsers give a summary the focus when they first draw it, which may be a moment after the page is there."""
    for _ in range(20):
        if page.evaluate("document.activeElement.className") == "errors":
            return True
        page.wait_for_timeout(50)
    return False


_FOCUS = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const own = e.type === 'date' && !e.matches(':focus-visible');  // the calendar's button inside has a ring of its own
  const ring = own || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const x = Math.min(Math.max(box.left + Math.min(box.width / 2, 20), 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
  const top = document.elementFromPoint(x, y);
  const open = top && (e.contains(top) || top.contains(e) || (e.labels && [...e.labels].some(l => l.contains(top))));
  const before = window.lastFocus && (window.lastFocus.compareDocumentPosition(e) & 2);
  window.lastFocus = e;
  return {name: (e.innerText || e.getAttribute('aria-label') || e.name || e.id || e.tagName).trim().slice(0, 60),
          ring, open: !!open && box.width > 0, back: !!before,
          first: e.matches('body > a.skip'), out: e === document.body};
}"""


def _tab_flaws(page: Any) -> list[str]:
    """Tab by Tab: first the way to the content, then every control in the order of the page, each to be seen."""
    page.evaluate("() => { document.activeElement.blur(); window.lastFocus = null; scrollTo(0, 0); }")
    flaws = ["an element jumps the order of focus"] if page.locator("[tabindex]:not([tabindex='-1'])").count() else []
    has_summary = page.locator(".errors").count() > 0
    for n in range(_MOST_TABS):
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUS)
        if at["out"] or (n and at["first"]):
            break
        if n == 0 and not has_summary and not page.evaluate("document.activeElement.matches('body > a.skip')"):
            flaws.append("the way to the content does not come first")
        flaws += [f"the focus on {at['name']!r} cannot be seen"] if not at["ring"] else []
        flaws += [f"{at['name']!r} has the focus and lies under something"] if not at["open"] else []
        flaws += [f"the focus goes back to {at['name']!r}"] if at["back"] and n else []
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    if page.evaluate("document.activeElement.id") != "main":
        flaws.append("the way to the content does not lead there")
    return flaws


def violations(page: Any, axe: str) -> list[str]:
    """What axe-core finds, of any impact, with where. No rule asked needs it to load style sheets (`preload`)."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found = page.evaluate(
        f"axe.run({'document' if THOROUGH else _AFEW}, {{resultTypes: ['violations'], preload: false}})"
    )
    return [f"{v['id']} ({v['impact']}): {v['nodes'][0]['html'][:200]}" for v in found["violations"]]


def overflow(page: Any) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
