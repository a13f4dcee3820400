"""Seven people do their everyday work (journeys.py). `make test` sees each in one mode, `make journeys` in all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.documents import render
from functions.portal import services
from local.gateway.server import GatewayProcess
from saldo.payments.service import Payments
from saldo.payments.simulator import SimulatedGateway
from tests.functions.portal import conftest as portals
from tests.functions.portal import scenes
from tests.web import states
from tests.web.conftest import Site
from tests.web.journeys import JOURNEYS
from tests.web.looking import MODES, THOROUGH
from tests.web.office import Office
from tests.web.serving import served
from tests.web.world import USUAL_TEXTS, World

pytestmark = pytest.mark.web
_ASKED = [
    (who, mode)
    for n, who in enumerate(JOURNEYS)
    for k, mode in enumerate(MODES)
    if THOROUGH or k == (n + 1) % len(MODES)
]


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chromium: Any, axe: str) -> Iterator[Office]:
    """Kontor Nord with a subscription, some usage and everything allowed; behind it the provider with its own pages."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    provider = GatewayProcess(tmp_path, [portals.SECRET], {}, clock=lambda: scenes.NOW).start(deliver=False)
    portal = portals.build(monkeypatch, f"http://localhost:{port}", provider.url)
    gateway = SimulatedGateway(provider.url, lambda: portals.SECRET)
    monkeypatch.setattr(services, "payments", lambda: Payments(services.store(), gateway, portal.clock))
    portal.region.restart()  # nothing is left of what another test built
    monkeypatch.setattr(services, "rendered", lambda asked: _rendered(portal, asked))
    states.sold(portal)
    for part in (states.sees_all, states.subscribed, states.used):
        part(World(portal), scenes.NORTH, USUAL_TEXTS)
    with served(portal.app, port) as url:
        yield Office(url, portal, chromium, axe, MODES[0], provider)
    provider.stop()
    monkeypatch.undo()
    portals.forget()
    portal.region.restart()


def _rendered(portal: portals.Portal, asked: dict[str, str]) -> bytes:
    """What the documents function makes, without the queue for a function's start."""
    answer = render.handler(asked, None)
    assert "key" in answer, answer
    return portal.region.buckets.files["documents", answer["key"]]


@pytest.mark.parametrize(("who", "mode"), _ASKED, ids=[f"{who}-{mode.name}" for who, mode in _ASKED])
def test_everyday_work_is_done(office: Office, who: str, mode: Any) -> None:
    office.mode = mode
    JOURNEYS[who](office)
    for somebody in office.people:
        somebody.done()


def test_the_account_switch_opens_closes_and_leads_elsewhere(site: Site, chromium: Any) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 640})
    page = context.new_page()
    page.goto(f"{site.url}/sign-in")
    page.fill("#email", site.email)
    page.fill("#password", site.password)
    page.click("main button")
    page.goto(site.home)
    page.click("summary")
    assert page.is_visible("text=All accounts together")
    page.keyboard.press("Escape")
    assert not page.is_visible("text=All accounts together")
    page.click("summary")
    page.click("text=Kontor Süd GmbH")
    page.wait_for_url(f"**/accounts/{scenes.SOUTH}")
    context.close()
