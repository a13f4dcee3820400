"""The portal with four accounts, each with one of everything: two of one organisation, one of another organisation of
the same seller, one of another seller. Whoever asks for what is another's asks for something that is there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from functions.portal import services
from saldo.access.model import User
from saldo.access.rules import form_key
from saldo.accounts.model import Organisation
from saldo.accounts.service import Accounts
from saldo.audit.model import job
from tests.contexts.sellers import CLERK, ENTITY, account, profile
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal, build, forget
from tests.functions.security.samples import ABROAD, ABROAD_ORGANISATION, FOREIGNER, SAMPLES, SISTER, Owner
from tests.functions.security.watch import Watch

NORTH, SOUTH, OTHERS = scenes.NORTH, scenes.SOUTH, scenes.OTHERS
NOBODYS, NO_ENTITY = "acct_eu_nobodyatall", "ent_eu_nobodyatall"
_PART = re.compile(r"{(\w+)}")
# Posts that look at their form before their record: filled in, so that only the record can be at fault.
FORMS: Mapping[str, Mapping[str, str]] = {
    "/staff/{entity_id}/accounts/{account_id}/tickets/{ticket_id}/take": {"priority": "normal"},
}


def parts(route: str) -> list[str]:
    return _PART.findall(route)


def objects(route: str) -> list[str]:
    """What in a route names a record besides the account and the legal entity."""
    return [part for part in parts(route) if part not in ("account_id", "entity_id")]


@dataclass
class Town:
    """`has`: account → part of a path → id of that account's. `owners`: account → whose partitions are its own."""

    portal: Portal
    has: dict[str, Mapping[str, str]] = field(default_factory=dict)
    owners: dict[str, frozenset[str]] = field(default_factory=dict)

    def path(self, route: str, at: str, of: str = "", **fixed: str) -> str:
        """The route at this account and its seller, with what lies in the account `of` (the same one)."""
        own, others = self.has[at], self.has[of or at]
        kept = {name: own[name] for name in ("account_id", "entity_id")} | fixed
        return _PART.sub(lambda part: kept.get(part[1]) or others[part[1]], route)

    def made_up(self, route: str, at: str, of: str = "") -> str:
        """The same with ids of the right form that name nothing."""
        nothing = {name: self.has[of or at][name][:-3] + "000" for name in objects(route)}
        return self.path(route, at, **nothing)

    def watch(self) -> Watch:
        return Watch(self.portal.region)

    def taken(self, watch: Watch, account_id: str) -> set[str]:
        """Partitions of this account (its organisation, its people) that were asked for."""
        return {pk for pk, _ in watch.read if set(pk.split("#")) & self.owners[account_id]}


def ask(browser: Browser, method: str, path: str, route: str = "") -> Page:
    """With the form key of the browser's own session, as our own page would send it."""
    if method == "GET":
        return browser.get(path)
    token = browser.cookies.get("saldo-staff" if path.startswith("/staff") else "saldo", "")
    return browser.post(path, {**FORMS.get(route, {}), "form_key": form_key(token)}, key=False)


@contextmanager
def furnished() -> Iterator[Town]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("FUNCTION", "BUCKET"):
            environment.setenv(f"SALDO_DOCUMENTS_{name}", "documents")
        environment.setenv("SALDO_STATE_MACHINE_ARN", "runs")
        environment.setenv("POWERTOOLS_METRICS_NAMESPACE", os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Saldo"))
        town = _filled(build(environment))
        yield town
        town.portal.region.restart()  # the documents function, too, remembers what it was made of
    forget()


def _filled(portal: Portal) -> Town:
    """One of everything for each account."""
    town = Town(portal)
    store, sealer = services.store(), services.sealer()
    accounts = Accounts(store, sealer, portal.clock)
    accounts.register_organisation(Organisation(ABROAD_ORGANISATION, "Ausland", "DE"), CLERK)
    far = account(ABROAD, organisation_id=ABROAD_ORGANISATION, entity_id=scenes.OTHER_ENTITY, name="Ausland SA")
    accounts.open_account(far, profile(ABROAD), CLERK)
    for account_id, entity_id, organisation_id, user_id in (
        (NORTH, ENTITY, scenes.ORGANISATION, portal.user_id("admin")),
        (SOUTH, ENTITY, scenes.ORGANISATION, _enrolled(portal, SISTER)),
        (OTHERS, ENTITY, scenes.OTHER_ORGANISATION, portal.user_id("stranger")),
        (ABROAD, scenes.OTHER_ENTITY, ABROAD_ORGANISATION, _enrolled(portal, FOREIGNER)),
    ):
        owner = Owner(store, sealer, account_id, entity_id, organisation_id, user_id)
        town.has[account_id] = {name: make(owner) for name, make in SAMPLES.items()}
        own = {account_id, user_id} | ({organisation_id} - {scenes.ORGANISATION}) | ({entity_id} - {ENTITY})
        town.owners[account_id] = frozenset(own)
    return town


def _enrolled(portal: Portal, person: User) -> str:
    return portal.access.enrol(person, scenes.PASSWORD, job("tests")).id
