"""A browser with a screen nobody sees, and the portal it looks at.

`portal_url` is the portal of this process over HTTP. Where the whole system is up, a `tests/stack` fixture of the same
shape may take its place: an origin, who may sign in with which password, and an account to look at.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.functions.portal import conftest as portals
from tests.functions.portal import scenes
from tests.web.serving import served

ROOT = Path(__file__).parents[2]
_AXE = (ROOT / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js", ROOT / "build" / "axe.min.js")
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]


@dataclass(frozen=True)
class Site:
    """A portal to be looked at."""

    url: str
    email: str
    password: str
    account_id: str
    portal: portals.Portal

    @property
    def home(self) -> str:
        return f"{self.url}/accounts/{self.account_id}"


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which judges pages for accessibility."""
    found = next((p for p in _AXE if p.exists()), None)
    if found is None:
        pytest.fail("axe-core is not in build/: `make test` fetches it; NO_BROWSER=1 leaves browser tests out")
    return found.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    if os.environ.get("NO_BROWSER") == "1":
        pytest.skip("NO_BROWSER=1")
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, chromium: Any) -> Iterator[Site]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    portal = portals.build(monkeypatch, f"http://localhost:{port}", f"http://localhost:{port}/pretend-gateway")
    with served(portal.app, port) as url:
        yield Site(url, scenes.PEOPLE["admin"].email, scenes.PASSWORD, scenes.NORTH, portal)
    monkeypatch.undo()
    portals.forget()
