"""`saldo staff add`, `list`, and `saldo code`: the seller's people, and a one-time code without an app."""

from __future__ import annotations

import base64
import secrets
import time

import click
from rich.console import Console

from functions.portal.words import LANGUAGES
from local.cli.site import Site, Sites, sealer_of
from local.cli.voice import Voice, speaks_json, table
from saldo.access.cognito import CognitoIdentity
from saldo.access.model_staff import Post, Staff, StaffPerson, StaffRole
from saldo.access.rules_staff import check_posts
from saldo.access.service import Realm
from saldo.access.staff import StaffAccess, StaffDirectory
from saldo.access.tokens import RsaTokens
from saldo.audit.model import Actor
from saldo.kernel.clock import instant_text, system_clock
from saldo.kernel.errors import Refusal
from saldo.storage.store import Store

_OPERATOR = Actor("saldo_command", "operator")
_ROLES = ", ".join(role.value for role in StaffRole)


@click.group(name="staff")
def staff_group() -> None:
    """The seller's own people: who may sign in at /staff, and as what."""


@staff_group.command()
@click.option("--entity", "entity_id", required=True, help="Legal entity where they work.")
@click.option("--email", required=True, help="Address they sign in with.")
@click.option("--name", required=True, help="Their name, as colleagues and auditors read it.")
@click.option("--roles", required=True, metavar="ROLE,…", help=f"What they are there: {_ROLES}.")
@click.option("--language", default="en", show_default=True, type=click.Choice(LANGUAGES))
@click.pass_obj
@speaks_json
def add(sites: Sites, voice: Voice, entity_id: str, email: str, name: str, roles: str, language: str) -> None:
    """Let somebody in, or give them other roles and a new password. The password is shown this once."""
    site, now = sites.of(entity_id), system_clock()
    try:
        posts = tuple(Post(entity_id, StaffRole(role.strip()), now) for role in roles.split(","))
    except ValueError as error:
        raise Refusal("invalid_role", f"roles are {_ROLES}") from error
    check_posts(posts)
    password = f"{secrets.token_urlsafe(15)}-Aa1"
    made = _access(site).enrol(Staff("", language, posts, now), StaffPerson(email, name), password, _OPERATOR)
    document = {"staff_id": made.id, "password": password}
    voice.answer(document, lambda console: console.print(f"{made.id}\npassword (shown this once): {password}"))


@staff_group.command(name="list")
@click.option("--entity", "entity_id", required=True, help="Legal entity whose people they are.")
@click.pass_obj
@speaks_json
def list_staff(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Who has a role at a legal entity."""
    site = sites.of(entity_id)
    found = StaffDirectory(_store(site), sealer_of(site)).at(entity_id)
    rows = [(s.id, p.name, ", ".join(x.role for x in s.posts if x.entity_id == entity_id), s) for s, p in found]
    document = {"staff": [{"id": i, "name": n, "roles": r, "seen_at": instant_text(s.seen_at)} for i, n, r, s in rows]}
    voice.answer(document, lambda console: _show(console, [(i, n, r) for i, n, r, _ in rows]))


@click.command(name="code")
@click.argument("key")
@speaks_json
def code(voice: Voice, key: str) -> None:
    """The one-time code of now for a key as the sign-in page shows it (RFC 6238). For this machine's demo."""
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    try:
        secret = base64.b32decode(key.replace(" ", "").upper())
    except ValueError as error:
        raise Refusal("invalid_key", "not a key as the sign-in page shows it") from error
    now = TOTP(secret, 6, SHA1(), 30, enforce_key_length=False).generate(int(time.time())).decode()  # noqa: S303
    voice.answer({"code": now}, lambda console: console.print(now))


def _show(console: Console, rows: list[tuple[str, str, str]]) -> None:
    console.print(table("staff", "name", "roles", rows=rows))


def _store(site: Site) -> Store:
    return Store(site.client("dynamodb"), site.table)


def _access(site: Site) -> StaffAccess:
    identity = CognitoIdentity(site.client("cognito-idp"), site.staff_pool_id, site.staff_pool_client_id)
    tokens = RsaTokens(identity.issuer, site.staff_pool_client_id, identity.key_set, system_clock)
    realm = Realm(site.region_code, identity.issuer)
    return StaffAccess(_store(site), sealer_of(site), identity, tokens, realm, system_clock)
