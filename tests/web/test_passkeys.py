"""Passkeys as a person meets them: a real browser, with an authenticator that Chromium makes up (WebAuthn 11)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.portal import scenes
from tests.web.conftest import Site
from tests.web.looking import MODES, flaws_of

pytestmark = pytest.mark.web
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_a_passkey_is_made_signs_in_and_proves_who_is_there(site: Site, chromium: Any, axe: str) -> None:
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    control = context.new_cdp_session(page)
    control.send("WebAuthn.enable")
    control.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    _sign_in(page, site)
    page.goto(f"{site.url}/profile/passkeys/new")
    assert not flaws_of(page, MODES[0], axe)
    page.click("text=Make the passkey")
    page.wait_for_selector("[data-told]:visible")
    assert "is not right" in page.inner_text("[data-told]")  # no password yet
    page.fill("#name", "My notebook")
    page.fill("#password", scenes.PASSWORD)
    page.click("text=Make the passkey")
    page.wait_for_url("**/profile?done=passkey")
    assert "My notebook" in page.inner_text("#passkeys ~ *, section:has(#passkeys), main")
    page.click("text=Rename or remove")
    assert not flaws_of(page, MODES[0], axe)
    context.clear_cookies()
    page.goto(f"{site.url}/sign-in")
    page.click("text=Sign in with a passkey")
    page.wait_for_url("**/accounts")
    site.portal.clock.advance(minutes=10)
    page.goto(f"{site.url}/session/prove?next=/profile")
    assert not flaws_of(page, MODES[0], axe)
    page.click("text=Use a passkey")
    page.wait_for_url("**/profile")
    context.close()


def _sign_in(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/sign-in")
    page.fill("#email", site.email)
    page.fill("#password", site.password)
    page.click("main button")
    page.wait_for_url("**/accounts*")


def test_without_an_authenticator_the_page_says_so_and_offers_other_ways(site: Site, chromium: Any) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/sign-in")
    assert not page.is_visible("text=Sign in with a passkey") and page.is_visible("text=Sign in by a link instead")
    context.close()
