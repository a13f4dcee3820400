"""From the deployed portal through the emulated user pool to a real OpenID Connect provider, and back."""

from __future__ import annotations

import re
import secrets
import time
import urllib.request
from dataclasses import replace
from html import unescape
from http.cookiejar import CookieJar
from urllib.parse import urlencode

import pytest

from local.cli.access import _sso
from local.cli.site import keys_of, store_of
from local.provider.model import Person, Provider
from local.provider.server import ProviderProcess
from local.stack import LocalStack
from saldo.access.model import Role
from saldo.access.model_sso import Joining, Registration, SsoProtocol
from saldo.accounts.model import Organisation
from saldo.accounts.service import Accounts
from saldo.audit.model import Actor
from saldo.kernel.clock import system_clock
from saldo.kernel.errors import Refusal
from saldo.storage.sealing import Sealer
from tests.contexts.sellers import account, entity, profile

pytestmark = pytest.mark.stack
OPERATOR = Actor("saldo_command", "operator")
MARK = secrets.token_hex(4)
ORGANISATION, ACCOUNT, ENTITY = f"org_eu_sso{MARK}", f"acct_eu_sso{MARK}", f"ent_eu_sso{MARK}"
DOMAIN = f"{MARK}.example"
EMAIL = f"ina@{DOMAIN}"


def founded(stack: LocalStack) -> None:
    accounts = Accounts(store_of(stack), Sealer(keys_of(stack), stack.table), system_clock)
    accounts.register_entity(replace(entity(ENTITY), number_prefix=MARK), OPERATOR)
    accounts.register_organisation(Organisation(ORGANISATION, "Ina & Co", "DE"), OPERATOR)
    opened = account(ACCOUNT, organisation_id=ORGANISATION, entity_id=ENTITY, name="Ina & Co")
    accounts.open_account(opened, profile(ACCOUNT), OPERATOR)


def in_a_browser(stack: LocalStack, email: str) -> str:
    """What the browser shows in the end."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = browser.open(f"{stack.portal_origin}/sign-in/organisation", timeout=20).read().decode()
    fields = dict(re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', page)) | {"email": email}
    asked = urllib.request.Request(f"{stack.portal_origin}/sign-in/organisation", urlencode(fields).encode())
    page = browser.open(asked, timeout=20).read().decode()
    found = re.search(r'content="0;url=([^"]+)"', page)
    assert found, page
    there = browser.open(unescape(found[1]), timeout=20)
    assert "Sign in at your organisation" in there.read().decode()
    answer = urllib.request.Request(there.geturl(), urlencode({"email": email}).encode())
    return str(browser.open(answer, timeout=20).read().decode())


def test_somebody_of_an_organisation_signs_in_through_its_provider(stacks: dict[str, LocalStack]) -> None:
    stack = stacks["eu"]
    founded(stack)
    people = {EMAIL: Person(f"idp-{MARK}", EMAIL, "Ina Ott")}
    with ProviderProcess(Provider("", time.time, {"saldo": "s3cret"}, people)) as provider:
        given = Registration(
            ORGANISATION,
            SsoProtocol.OIDC,
            (DOMAIN,),
            issuer=provider.url,
            client_id="saldo",
            client_secret="s3cret",
            joining=Joining(Role.VIEWER, (ACCOUNT,)),
        )
        sso = _sso(stack)
        sso.connect(given, "a domain of the test", OPERATOR, "asked for by the test")
        for _ in range(2):  # made at the first time, known at the second
            page = in_a_browser(stack, EMAIL)
            assert "Ina &amp; Co" in page and "/sign-out" in page
        sso.disconnect(ORGANISATION, OPERATOR, "done")
        with pytest.raises((AssertionError, OSError, Refusal)):
            in_a_browser(stack, EMAIL)
