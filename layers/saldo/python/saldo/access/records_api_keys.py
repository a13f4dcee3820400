"""How API keys lie in the table: `<key>` / `api_key`, on the agenda `api_keys#<entity>` under the time they were made.

The record counts its own requests (`minute`, `used`), so that one conditional write both proves a token and counts it.
Plain items: read with every request.
"""

from __future__ import annotations

from datetime import date

from saldo.access.model_api_keys import ApiKey, Scope
from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.items import Item, Key


def api_key_key(key_id: str) -> Key:
    return key_id, "api_key"


def keys_agenda(entity_id: str) -> str:
    return f"api_keys#{entity_id}"


def api_key_item(key: ApiKey) -> Item:
    pk, sk = api_key_key(key.id)
    return {
        "pk": pk,
        "sk": sk,
        "kind": "api_key",
        "agenda_pk": keys_agenda(key.entity_id),
        "agenda_on": instant_text(key.created_at),
        "entity_id": key.entity_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "digest": key.digest,
        "requests_per_minute": key.requests_per_minute,
        "created_at": instant_text(key.created_at),
        "expires_at": instant_text(key.expires_at),
        "minute": 0,
        "used": 0,
    }


def api_key_from(item: Item) -> ApiKey:
    revoked_at, last_used_on = item.get("revoked_at"), item.get("last_used_on")
    return ApiKey(
        id=item["pk"],
        entity_id=item["entity_id"],
        name=item["name"],
        scopes=frozenset(map(Scope, item["scopes"])),
        digest=item["digest"],
        requests_per_minute=item["requests_per_minute"],
        created_at=instant_from(item["created_at"]),
        expires_at=instant_from(item["expires_at"]),
        last_used_on=date.fromisoformat(last_used_on) if last_used_on else None,
        revoked_at=instant_from(revoked_at) if revoked_at else None,
    )
