"""Decisions on single sign-on: what may be registered, and who comes in as whom."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from saldo.access.model import Role
from saldo.access.model_sso import Connection, Identity, Joining, Registration, SsoProtocol
from saldo.access.rules import normal_email
from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.ids import fingerprint

SSO_BACK = "/sign-in/organisation/back"  # where the user pool sends people back to, on the portal
FLOW_HOLDS = timedelta(minutes=10)
_MOST_DOMAINS, _MOST_ACCOUNTS = 20, 20
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
# Everybody has a mailbox there: no organisation speaks for them.
_OF_EVERYBODY = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "icloud.com", "me.com"),
        *("yahoo.com", "aol.com", "gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com", "t-online.de"),
        *("orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "mail.com", "zoho.com", "yandex.com", "qq.com"),
    }
)
# Issuers that speak for every tenant of theirs: whoever has one could say to be anybody (Entra ID's `common`).
_MANY_TENANTS = ("/common", "/organizations", "/consumers")


def domain_of(email: str) -> str:
    """The domain of an address as domains are compared, "" when it has none."""
    return normal_email(email).rpartition("@")[2] if "@" in email else ""


def provider_name(organisation_id: str) -> str:
    """The provider's name in the user pool: at most 32 letters and digits, the same for the same organisation."""
    return f"o{fingerprint('sso', organisation_id)[:24]}"


def check_registration(given: Registration) -> None:
    """Refusal `invalid_sso` with every problem at once."""
    problems = Problems()
    for domain in given.domains:
        if not _DOMAIN.fullmatch(domain):
            problems.add("domains", "invalid_domain", f"{domain!r} is not a domain")
        elif domain in _OF_EVERYBODY:
            problems.add("domains", "domain_of_everybody", f"{domain} is everybody's; no organisation speaks for it")
    if not 1 <= len(given.domains) <= _MOST_DOMAINS or len(set(given.domains)) != len(given.domains):
        problems.add("domains", "invalid_domain", f"give 1 to {_MOST_DOMAINS} domains, each once")
    (_check_oidc if given.protocol is SsoProtocol.OIDC else _check_saml)(given, problems)
    if given.joining is not None:
        _check_joining(given.joining, problems)
    problems.refuse_if_any("this provider cannot be connected", "invalid_sso")


def _check_oidc(given: Registration, problems: Problems) -> None:
    if not _is_address(given.issuer) or urlsplit(given.issuer).query:
        problems.add("issuer", "invalid_issuer", "the issuer is an https address without a query")
    elif any(mark in given.issuer for mark in _MANY_TENANTS):
        problems.add(
            "issuer", "many_tenants", "this issuer speaks for everybody's tenants; give the organisation's own"
        )
    if not given.client_id or not given.client_secret:
        problems.add("client_id", "missing", "an OIDC provider needs a client id and its secret")


def _check_saml(given: Registration, problems: Problems) -> None:
    is_document = given.metadata.lstrip().startswith("<")
    if not is_document and not _is_address(given.metadata):
        problems.add("metadata", "invalid_metadata", "give the https address of the metadata, or the document")
    if is_document and ("EntityDescriptor" not in given.metadata or "<!DOCTYPE" in given.metadata):
        problems.add("metadata", "invalid_metadata", "this is not the metadata of a SAML identity provider")


def _check_joining(joining: Joining, problems: Problems) -> None:
    if joining.role is Role.ACCOUNT_ADMIN:
        problems.add("role", "not_by_itself", "nobody becomes an account admin without being invited")
    if not 1 <= len(joining.account_ids) <= _MOST_ACCOUNTS:
        problems.add("accounts", "missing", f"name 1 to {_MOST_ACCOUNTS} accounts of the organisation")


def _is_address(text: str) -> bool:
    """https, or http on this machine."""
    parts = urlsplit(text)
    plain = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    return bool(parts.hostname) and (parts.scheme == "https" or plain) and not parts.username and not parts.fragment


def verifier_of(browser_token: str, state: str) -> str:
    """The PKCE verifier (RFC 7636) of a flow; it follows from the browser's cookie, so nothing at rest knows it."""
    return _derived(browser_token, f"verifier {state}")


def nonce_of(browser_token: str, state: str) -> str:
    return _derived(browser_token, f"nonce {state}")


def challenge_of(verifier: str) -> str:
    """S256 (RFC 7636, 4.2)."""
    return _coded(sha256(verifier.encode()).digest())


def _derived(token: str, what: str) -> str:
    return _coded(hmac.new(token.encode(), f"saldo sso {what}".encode(), sha256).digest())


def _coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def identity_from(claims: Mapping[str, Any], connection: Connection) -> Identity:
    """Who a verified ID token of the user pool speaks of.

    Refusal `sso_failed` unless it is somebody of this provider and of no other; `sso_other_domain` for an address
    the organisation does not speak for. What else the token says (groups, custom attributes) means nothing here.
    """
    identities = claims.get("identities")
    if not isinstance(identities, list) or len(identities) != 1 or not isinstance(identities[0], Mapping):
        raise Refusal("sso_failed", "the organisation's sign-in did not work")
    told = identities[0]
    subject, email = told.get("userId"), claims.get("email")
    if told.get("providerName") != connection.provider or not isinstance(subject, str) or not subject:
        raise Refusal("sso_failed", "the organisation's sign-in did not work")
    if str(claims.get("cognito:username")).casefold() != f"{connection.provider}_{subject}".casefold():
        raise Refusal("sso_failed", "the organisation's sign-in did not work")
    if not isinstance(email, str) or email.count("@") != 1 or domain_of(email) not in connection.domains:
        raise Refusal("sso_other_domain", "the organisation's sign-in named an address that it does not speak for")
    name = claims.get("name")
    said = name.strip()[:100] if isinstance(name, str) else ""
    return Identity(subject, normal_email(email)[:254], said or normal_email(email).partition("@")[0][:100])
