"""What the journeys ask of a page besides its words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
DESKTOP, PHONE = {"width": 1180, "height": 760}, {"width": 320, "height": 640}
# How a page is looked at: width, colours, size of text. Without JavaScript it is looked at apart.
MODES: dict[str, tuple[dict[str, int], str, str]] = {
    "desktop": (DESKTOP, "light", "100%"),
    "dark": (DESKTOP, "dark", "100%"),
    "phone": (PHONE, "light", "100%"),
    "large-text": (DESKTOP, "light", "200%"),
}

# What sticks to the window's edge would lie over the middle of a picture of the whole page.
_AS_ONE_SHEET = ".selection { position: static !important }"


def looked_at(page: Any, name: str, axe: str) -> None:
    """The page as it stands, in every mode: no flaw that axe knows, nothing cut or wider than the window, focus that
    starts where it should, readable without JavaScript. Pictures go to build/screenshots/<name>-<mode>.png.

    page: in a context with `bypass_csp=True`, also after a form was sent. AssertionError names every flaw at once.
    """
    SHOTS.mkdir(parents=True, exist_ok=True)
    flaws = _focus_flaws(page)
    for mode, (size, colours, text) in MODES.items():
        with _seen_as(page, size, colours, text):
            page.screenshot(path=str(SHOTS / f"{name}-{mode}.png"), full_page=True, style=_AS_ONE_SHEET)
            flaws += [f"{mode}: {overflow(page)} px too wide"] if overflow(page) > 0 else []
            flaws += [f"{mode}: {cut} is cut" for cut in _cut(page)]
            flaws += [f"{mode}: {v}" for v in violations(page, axe)] if mode != "large-text" else []
    flaws += _without_script(page, name)
    assert not flaws, f"{name} ({page.url}): " + "; ".join(flaws)


@contextmanager
def _seen_as(page: Any, size: dict[str, int], colours: str, text: str) -> Iterator[None]:
    before = page.viewport_size
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=colours)
    page.evaluate("size => { document.documentElement.style.fontSize = size; scrollTo(0, 0); }", text)
    yield
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(before)


def _cut(page: Any) -> list[str]:
    """Buttons, tags and figures whose text does not fit them."""
    return list(
        page.evaluate(
            "[...document.querySelectorAll('button, .button, .tag, td, th, dd')]"
            ".filter(e => e.offsetParent && getComputedStyle(e).overflow !== 'visible')"
            ".filter(e => e.scrollWidth > e.clientWidth + 1)"
            ".map(e => e.innerText.slice(0, 40))"
        )
    )


def _focus_flaws(page: Any) -> list[str]:
    """The error summary has the focus where there is one; else the first Tab is the way to the content, which works."""
    flaws = ["an element jumps the order of focus"] if page.locator("[tabindex]:not([tabindex='-1'])").count() else []
    if page.locator(".errors").count():
        at = page.evaluate("document.activeElement.closest('.errors, main') && document.activeElement.className")
        title = page.title()
        return (
            flaws
            + ([] if at == "errors" else ["the error summary has no focus"])
            + ([] if ": " in title or "\u202f: " in title else ["the title does not say that there is an error"])
        )
    page.evaluate("document.activeElement.blur()")
    if page.evaluate("!document.querySelector('.skip').matches('body > a:first-child')"):
        flaws.append("the way to the content does not come first")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    if page.evaluate("document.activeElement.id") != "main":
        flaws.append("the way to the content does not lead there")
    return flaws


def _without_script(page: Any, name: str) -> list[str]:
    """The very page that was sent, in a browser that runs no script: its content is there and fits."""
    context = page.context.browser.new_context(java_script_enabled=False, viewport=PHONE)
    bare = context.new_page()
    html = page.content()
    bare.route(page.url.split("#")[0], lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    bare.goto(page.url.split("#")[0])
    bare.screenshot(path=str(SHOTS / f"{name}-no-script.png"), full_page=True)
    said = bare.locator("main").inner_text().strip()
    context.close()
    return [] if said else ["says nothing without JavaScript"]


def violations(page: Any, axe: str) -> list[str]:
    """What axe-core finds, of any impact, with where."""
    page.evaluate(axe)
    found = page.evaluate("axe.run()")
    return [f"{v['id']} ({v['impact']}): {v['nodes'][0]['html'][:200]}" for v in found["violations"]]


def overflow(page: Any) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def sign_in(page: Any, site: Any) -> None:
    page.goto(f"{site.url}/sign-in")
    page.fill("#email", site.email)
    page.fill("#password", site.password)
    page.click("main button")
    page.wait_for_url("**/accounts*")


def focused(page: Any) -> str:
    """The focused element in a word: its text, label or name."""
    return str(
        page.evaluate(
            "(() => { const e = document.activeElement; return (e.innerText || e.getAttribute('aria-label') || e.name"
            " || e.id || e.tagName).trim(); })()"
        )
    )


def tab_to(page: Any, wanted: str, most: int = 80) -> None:
    """Press Tab until something whose text, label or name begins so has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if focused(page).startswith(wanted):
            return
    raise AssertionError(f"{wanted!r} cannot be reached by keyboard; last was {focused(page)!r}")
