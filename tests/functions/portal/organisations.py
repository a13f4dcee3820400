"""An organisation's own identity provider, as it looks behind the user pool: a real one, over HTTP."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import unescape
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit

import boto3
import pytest

from functions.portal import services
from local.provider.model import Claims, Person, Provider
from local.provider.server import ProviderProcess
from saldo.access.cognito_federation import CognitoFederation
from saldo.access.model_sso import Connection, Registration, SsoProtocol
from saldo.access.service import Access, Realm
from saldo.access.sso import SingleSignOn
from saldo.access.tokens import RsaTokens
from saldo.audit.model import Actor
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN, Browser, Page
from tests.functions.portal.conftest import Portal
from tests.functions.portal.identity import CLIENT, ISSUER, rsa_key
from tests.in_process_aws import in_process_aws

OPERATOR = Actor("saldo_command", "operator")
WHY, PROOF = "asked for by Rieke Harms", "TXT record of 2026-11-20"


def registration(organisation_id: str = scenes.ORGANISATION, **changes: Any) -> Registration:
    usual = Registration(
        organisation_id,
        SsoProtocol.OIDC,
        ("kontor.example",),
        issuer="https://login.kontor.example",
        client_id="saldo",
        client_secret="of the organisation",
    )
    return replace(usual, **changes)


@dataclass
class Pool:
    """The user pool's side: moto keeps its providers and clients, the provider answers its endpoints."""

    portal: Portal
    provider: Provider
    url: str
    sso: SingleSignOn
    cognito: Any
    pool_id: str
    broker: str = ""
    protocol: str = "OIDC"

    def connect(self, **changes: Any) -> Connection:
        made = self.sso.connect(registration(**changes), PROOF, OPERATOR, WHY)
        self.provider.secrets_of[made.client.id] = made.client.secret
        self.broker = made.provider
        return made

    def knows(self, *emails: str, **claims: Any) -> None:
        for email in emails:
            self.provider.people[email] = Person(f"pool-{email}", email, email.partition("@")[0].title(), claims)

    def federated(self, person: Person) -> Claims:
        """What Cognito adds to the token of somebody who came from elsewhere."""
        subject = f"idp-{person.email}"
        told = {"userId": subject, "providerName": self.broker, "providerType": self.protocol, "primary": "true"}
        usual = {"token_use": "id", "identities": [told], "cognito:username": f"{self.broker}_{subject}"}
        return usual | dict(person.claims)

    def left(self, browser: Browser, email: str) -> str:
        """Ask on the page; the address that it leads to."""
        browser.get("/sign-in/organisation")
        return leads_to(browser.post("/sign-in/organisation", {"email": email}))

    def back(self, url: str, email: str) -> str:
        """Sign in there; where the browser is sent back to, without our host."""
        request = urllib.request.Request(url, urlencode({"email": email}).encode())
        try:
            urllib.request.build_opener(_Stay).open(request)
        except HTTPError as answer:
            parts = urlsplit(answer.headers["Location"])
            return f"{parts.path}?{parts.query}"
        raise AssertionError("the provider sends nobody back")

    def sign_in(self, email: str, browser: Browser | None = None) -> tuple[Browser, Page]:
        browser = browser or self.portal.browser()
        return browser, browser.get(self.back(self.left(browser, email), email))


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def leads_to(page: Page) -> str:
    found = re.search(r'<meta http-equiv="refresh" content="0;url=([^"]+)">', page.text)
    return unescape(found[1]) if found else ""


Users = tuple[Any, str]  # a client of the identity provider's API, and the user pool


@contextmanager
def user_pool() -> Iterator[Users]:
    """moto takes its time over a pool's key: one for all."""
    with in_process_aws():
        cognito: Any = boto3.client("cognito-idp", region_name="eu-central-1")
        yield cognito, cognito.create_user_pool(PoolName="users")["UserPool"]["Id"]


@contextmanager
def federated(portal: Portal, users: Users, environment: pytest.MonkeyPatch) -> Iterator[Pool]:
    """The portal with a user pool that brokers one provider."""
    (cognito, pool_id), parts = users, (services.store(), services.sealer())
    provider = Provider(ISSUER, lambda: portal.clock().timestamp(), keys=[("first", rsa_key("first"))])
    with ProviderProcess(provider) as process:
        federation = CognitoFederation(cognito, pool_id, process.url, f"{ORIGIN}{services.SSO_BACK}")

        def keys() -> bytes:
            with urllib.request.urlopen(f"{process.url}/jwks") as answer:
                return bytes(answer.read())

        tokens, realm = RsaTokens(ISSUER, CLIENT, keys, portal.clock), Realm("eu", ISSUER)
        more = (portal.clock, portal.pauses.append, federation, ORIGIN)
        access = Access(*parts, portal.identity, tokens, realm, *more)
        environment.setattr(services, "access", lambda: access)
        sso = SingleSignOn(*parts, federation, portal.clock)
        made = Pool(portal, provider, process.url, sso, cognito, pool_id)
        provider.also = made.federated
        yield made
    _forget(cognito, pool_id)


def _forget(cognito: Any, pool_id: str) -> None:
    for client in cognito.list_user_pool_clients(UserPoolId=pool_id, MaxResults=10)["UserPoolClients"]:
        cognito.delete_user_pool_client(UserPoolId=pool_id, ClientId=client["ClientId"])
    for known in cognito.list_identity_providers(UserPoolId=pool_id)["Providers"]:
        cognito.delete_identity_provider(UserPoolId=pool_id, ProviderName=known["ProviderName"])
