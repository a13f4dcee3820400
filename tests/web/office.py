"""Where the people of the journeys meet: the portal, the payment provider with its own pages, a browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local.gateway.server import GatewayProcess
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal
from tests.functions.portal.identity import totp
from tests.web.looking import Mode
from tests.web.person import Person
from tests.web.states import hear

HOME = f"/accounts/{scenes.NORTH}"
PASSWORD = scenes.PASSWORD


@dataclass
class Office:
    """Where they meet: the portal, its gateway, and a browser. Each person has a window of their own."""

    url: str
    portal: Portal
    chromium: Any
    axe: str
    mode: Mode
    provider: GatewayProcess
    people: list[Person] = field(default_factory=list)

    def person(self, name: str) -> Person:
        context = self.chromium.new_context(locale="en-US", bypass_csp=True, **self.mode.context)
        page = context.new_page()
        made = Person(page, self.url, self.mode, self.axe, name)
        self.people.append(made)
        return made

    def customer(self, who: str) -> Person:
        """Somebody of Kontor Nord, signed in with all they have."""
        somebody, known = self.person(who), self.portal.identity.people[scenes.PEOPLE[who].email]
        somebody.goes("/sign-in")
        somebody.fills("E-mail address", scenes.PEOPLE[who].email)
        somebody.fills("Password", PASSWORD)
        somebody.presses("Sign in")
        if known.secret:
            somebody.fills("6-digit code", self.portal.code())
            somebody.presses("Continue")
        return somebody

    def clerk(self, who: str) -> Person:
        """Somebody of the seller: password and code, whose key the first sign-in tells."""
        somebody = self.person(f"staff {who}")
        somebody.goes("/staff/sign-in")
        somebody.fills("E-mail address", scenes.STAFF[who][0].email)
        somebody.fills("Password", PASSWORD)
        somebody.presses("Sign in")
        secret = somebody.page.locator("input[name=secret]").get_attribute("value")
        secret = secret or self.portal.staff_identity.people[scenes.STAFF[who][0].email].secret
        somebody.fills("6-digit code", totp(secret, self.portal.clock().timestamp()))
        somebody.presses("Continue")
        return somebody

    def news(self) -> None:
        """What the provider has to tell arrives."""
        hear(self.provider.book, self.portal.clock())


def invoice(number: str) -> str:
    """The number of one of Kontor Nord's invoices, by the end of it."""
    return f"RW-2026-{number}"
