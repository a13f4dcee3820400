"""What the journeys ask of a page besides its words."""

from __future__ import annotations

from typing import Any


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
