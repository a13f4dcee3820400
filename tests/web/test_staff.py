"""Pages of staff, as a member of staff meets them: sound in every mode."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.web.conftest import Site
from tests.web.looking import looked_at

pytestmark = pytest.mark.web


def as_staff(chromium: Any, site: Site, who: str) -> Any:
    """A page whose browser has the session of a member of staff (the codes are tested without a browser)."""
    context = chromium.new_context(bypass_csp=True)
    token = site.portal.staff_token(who)
    context.add_cookies([{"name": "saldo-staff", "value": token, "url": site.url}])
    return context.new_page()


def test_pages_of_staff_are_sound_in_every_mode(site: Site, chromium: Any, axe: str) -> None:
    home = f"{site.url}/staff/{ENTITY}"
    seen = {
        "admin": {
            "staff-work": home,
            "staff-access": f"{home}/access",
            "staff-elevation": f"{home}/elevation",
            "staff-audit": f"{home}/audit",
            "styleguide": f"{site.url}/styleguide",
        },
        "analyst": {
            "staff-customers": f"{home}/customers?q=kontor",
            "staff-account": f"{home}/accounts/{scenes.NORTH}",
            "staff-bank": f"{home}/seller",
            "staff-nothing": f"{home}/orders",
        },
    }
    flaws = []
    for who, pages in seen.items():
        page = as_staff(chromium, site, who)
        for name, url in pages.items():
            page.goto(url)
            try:
                looked_at(page, name, axe)
            except AssertionError as found:
                flaws.append(str(found))
        page.context.close()
    assert not flaws, "\n".join(flaws)
