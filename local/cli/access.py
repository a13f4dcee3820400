"""`saldo access`: the first of a customer's people, and who signs in through their organisation's provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from functions.portal.words import LANGUAGES
from local.cli.accounts import staff
from local.cli.site import Site, Sites, sealer_of, store_of
from local.cli.voice import Voice, speaks_json, table
from saldo.access.cognito_federation import CognitoFederation
from saldo.access.colleagues import Colleagues
from saldo.access.model import Role
from saldo.access.model_sso import Connection, Joining, Registration, SsoProtocol
from saldo.access.rules_sso import SSO_BACK
from saldo.access.sso import SingleSignOn
from saldo.audit.model import Actor
from saldo.kernel.clock import instant_text, system_clock
from saldo.kernel.errors import NotFound

_OPERATOR = Actor("saldo_command", "operator")
_SECRET = "SALDO_SSO_SECRET"  # noqa: S105 - the name of a variable


@click.group(name="access")
def access_group() -> None:
    """How customers' people get in."""


@access_group.command()
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--email", required=True, help="Where the link goes; they sign in with it.")
@click.option("--name", required=True, help="Their name, as colleagues read it.")
@click.option("--role", type=click.Choice([r.value for r in Role]), default=Role.ACCOUNT_ADMIN.value, show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option("--reason", required=True, help="Who of the customer asked for it; the account's people see it.")
@click.pass_obj
@speaks_json
def invite(
    sites: Sites, voice: Voice, account_id: str, email: str, name: str, role: str, language: str, reason: str
) -> None:
    """Mail somebody a link with which they join an account: its first admin, who invites all others on the portal."""
    site = sites.of(account_id)
    colleagues = Colleagues(store_of(site), sealer_of(site), system_clock)
    made = colleagues.invite(account_id, email, name, Role(role), language, staff(), reason)
    told = {"account_id": account_id, "role": role, "expires_at": instant_text(made.expires_at)}
    voice.answer(told, lambda console: console.print(f"The link is on its way; it holds until {told['expires_at']}."))


@access_group.group(name="sso")
def sso_group() -> None:
    """Single sign-on of an organisation (org_…, or one of its accounts). See docs/single-sign-on.md."""


@sso_group.command()
@click.argument("whose", metavar="ORGANISATION")
@click.option("--protocol", type=click.Choice([p.value for p in SsoProtocol]), default="oidc", show_default=True)
@click.option("--issuer", default="", help="OIDC: the provider's issuer, of the organisation's own tenant.")
@click.option("--client-id", default="", help="OIDC: the client that the organisation registered for Saldo.")
@click.option("--client-secret", envvar=_SECRET, default="", help=f"OIDC: its secret; better in {_SECRET}.")
@click.option("--metadata", default="", help="SAML: address of the provider's metadata, or a file of it.")
@click.option("--domains", required=True, metavar="DOMAIN,…", help="Domains of the addresses it may speak for.")
@click.option("--proven-by", "proof", required=True, help="How these domains were proven to be the organisation's.")
@click.option("--joining", metavar="ROLE:ACCOUNT,…", help="What who was not invited becomes; without it, nothing.")
@click.option("--reason", required=True, help="Who of the organisation asked for it.")
@click.pass_obj
@speaks_json
def connect(
    sites: Sites,
    voice: Voice,
    whose: str,
    protocol: str,
    issuer: str,
    client_id: str,
    client_secret: str,
    metadata: str,
    domains: str,
    proof: str,
    joining: str | None,
    reason: str,
) -> None:
    """Connect a provider, or the same organisation's with other details. Its secret goes to the user pool alone."""
    site = sites.of(whose)
    told = Path(metadata).read_text(encoding="utf-8") if metadata and Path(metadata).is_file() else metadata
    names = tuple(name.strip().casefold() for name in domains.split(",") if name.strip())
    provider = {"issuer": issuer, "client_id": client_id, "client_secret": client_secret, "metadata": told}
    owner, kind = _organisation(site, whose), SsoProtocol(protocol)
    given = Registration(owner, kind, names, **provider, joining=_joining(joining))
    _answer(voice, _sso(site).connect(given, proof, _OPERATOR, reason), site)


@sso_group.command()
@click.argument("whose", metavar="ORGANISATION")
@click.pass_obj
@speaks_json
def show(sites: Sites, voice: Voice, whose: str) -> None:
    """What is connected, and the addresses that the provider has to know of us."""
    site = sites.of(whose)
    found = _sso(site).of(_organisation(site, whose))
    if found is None:
        raise NotFound("this organisation has no identity provider connected")
    _answer(voice, found, site)


@sso_group.command()
@click.argument("whose", metavar="ORGANISATION")
@click.option("--on/--off", "only", default=True, show_default=True)
@click.option("--reason", required=True, help="Who of the organisation asked for it.")
@click.pass_obj
@speaks_json
def only(sites: Sites, voice: Voice, whose: str, only: bool, reason: str) -> None:
    """Make it the only way in (no password, no link, no passkey), or one of several again."""
    site = sites.of(whose)
    _answer(voice, _sso(site).require(_organisation(site, whose), only, _OPERATOR, reason), site)


@sso_group.command()
@click.argument("whose", metavar="ORGANISATION")
@click.option("--reason", required=True, help="Who of the organisation asked for it.")
@click.pass_obj
@speaks_json
def disconnect(sites: Sites, voice: Voice, whose: str, reason: str) -> None:
    """Forget the provider: who came in by it is out within minutes, and its domains are free."""
    site = sites.of(whose)
    organisation_id = _organisation(site, whose)
    _sso(site).disconnect(organisation_id, _OPERATOR, reason)
    voice.answer({"organisation_id": organisation_id, "connected": False}, lambda c: c.print("Disconnected."))


def _joining(text: str | None) -> Joining | None:
    if not text:
        return None
    role, _, accounts = text.partition(":")
    try:
        return Joining(Role(role), tuple(a.strip() for a in accounts.split(",") if a.strip()))
    except ValueError as error:
        raise click.BadParameter(f"roles are {', '.join(Role)}", param_hint="--joining") from error


def _organisation(site: Site, whose: str) -> str:
    if not whose.startswith("acct_"):
        return whose
    account = store_of(site).get(whose, "account")
    if account is None:
        raise NotFound("no such account")
    return str(account["organisation_id"])


def _sso(site: Site) -> SingleSignOn:
    back = f"{site.portal_origin}{SSO_BACK}"
    federation = CognitoFederation(site.client("cognito-idp"), site.user_pool_id, site.sign_in_url, back)
    return SingleSignOn(store_of(site), sealer_of(site), federation, system_clock)


def _document(connection: Connection, site: Site) -> dict[str, Any]:
    """Nothing secret. `redirect_uri`, `acs_url` and `entity_id` are what the provider has to know."""
    where = site.sign_in_url or site.aws_url
    oidc = {"redirect_uri": f"{where}/oauth2/idpresponse"}
    saml = {"acs_url": f"{where}/saml2/idpresponse", "entity_id": f"urn:amazon:cognito:sp:{site.user_pool_id}"}
    joining = connection.joining
    return {
        "organisation_id": connection.organisation_id,
        "protocol": connection.protocol.value,
        "provider": connection.told_as,
        "domains": list(connection.domains),
        "only": connection.only,
        "joining": {"role": joining.role.value, "account_ids": list(joining.account_ids)} if joining else None,
        "connected_at": instant_text(connection.connected_at),
        **(oidc if connection.protocol is SsoProtocol.OIDC else saml),
    }


def _answer(voice: Voice, connection: Connection, site: Site) -> None:
    document = _document(connection, site)

    def shown(console: Console) -> None:
        console.print(table("what", "is", rows=[(name, str(value)) for name, value in document.items()]))

    voice.answer(document, shown)
