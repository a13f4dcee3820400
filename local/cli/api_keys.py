"""`saldo api-keys create`, `list`, `revoke`."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console

from local.cli.site import Site, Sites, store_of
from local.cli.voice import Voice, speaks_json, table
from saldo.access.api_keys import ApiKeys
from saldo.access.model_api_keys import ApiKey, Scope
from saldo.access.rules_api_keys import REQUESTS_PER_MINUTE, is_alive
from saldo.audit.model import Actor
from saldo.kernel.clock import instant_text, system_clock

_OPERATOR = Actor("saldo_command", "operator")
_SCOPES = ", ".join(scope.value for scope in Scope)


@click.group(name="api-keys")
def api_keys_group() -> None:
    """Keys with which a seller's own systems call the API (docs/api.md)."""


@api_keys_group.command()
@click.option("--entity", "entity_id", required=True, help="Legal entity whose records the key reaches.")
@click.option("--scopes", required=True, metavar="SCOPE,…", help=f"What it may be used for: {_SCOPES}.")
@click.option("--name", required=True, help="Which system it is for; its events and orders go by this name.")
@click.option("--days", default=365, show_default=True, help="How long it lives.")
@click.option("--per-minute", default=REQUESTS_PER_MINUTE, show_default=True, help="Requests it has a minute.")
@click.pass_obj
@speaks_json
def create(sites: Sites, voice: Voice, entity_id: str, scopes: str, name: str, days: int, per_minute: int) -> None:
    """Make a key. It is shown this once and kept nowhere: only its hash is stored."""
    keys = _keys(sites.of(entity_id))
    made = keys.create(entity_id, name, scopes.split(","), days, per_minute, _OPERATOR)
    document = {"token": made.token, **_document(made.key)}
    voice.answer(document, lambda console: _show_new(console, made.token, made.key))


@api_keys_group.command(name="list")
@click.option("--entity", "entity_id", required=True, help="Legal entity whose keys they are.")
@click.pass_obj
@speaks_json
def list_keys(sites: Sites, voice: Voice, entity_id: str) -> None:
    """List a seller's keys, the newest first, ended ones too."""
    found = _keys(sites.of(entity_id)).of_entity(entity_id)
    voice.answer({"keys": [_document(key) for key in found]}, lambda console: _show(console, found))


@api_keys_group.command()
@click.argument("key_id", metavar="KEY")
@click.option("--reason", default="", help="Why, for the audit record.")
@click.pass_obj
@speaks_json
def revoke(sites: Sites, voice: Voice, key_id: str, reason: str) -> None:
    """End a key (key_…, as the list shows it) at once; repeating is harmless."""
    key = _keys(sites.of(key_id)).revoke(key_id, _OPERATOR, reason)
    voice.answer(_document(key), lambda console: console.print(f"{key.id} is worth nothing any more."))


def _keys(site: Site) -> ApiKeys:
    return ApiKeys(store_of(site), system_clock)


def _status(key: ApiKey) -> str:
    if is_alive(key, system_clock()):
        return "alive"
    return "revoked" if key.revoked_at else "expired"


def _document(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "entity_id": key.entity_id,
        "name": key.name,
        "status": _status(key),
        "scopes": sorted(key.scopes),
        "requests_per_minute": key.requests_per_minute,
        "created_at": instant_text(key.created_at),
        "expires_at": instant_text(key.expires_at),
        "last_used_on": key.last_used_on.isoformat() if key.last_used_on else None,
    }


def _show_new(console: Console, token: str, key: ApiKey) -> None:
    console.print(f"[bold]{token}[/]", soft_wrap=True)
    console.print(f"{key.id}, {key.name}, until {key.expires_at:%Y-%m-%d}. Keep it now: it cannot be shown again.")


def _show(console: Console, keys: list[ApiKey]) -> None:
    rows = [
        (
            key.id,
            key.name,
            ", ".join(sorted(key.scopes)),
            _status(key),
            f"{key.expires_at:%Y-%m-%d}",
            key.last_used_on.isoformat() if key.last_used_on else "never",
        )
        for key in keys
    ]
    columns = ("key", "name", "scopes", "is", "until", "last used")
    console.print(table(*columns, rows=rows) if rows else "There are no keys.")
