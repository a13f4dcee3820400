"""Use cases of API keys: make, list, revoke, and admit whoever presents one."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

from saldo.access import records_api_keys as records
from saldo.access import rules_api_keys as rules
from saldo.access.model_api_keys import Admission, Allowance, ApiKey, NewKey
from saldo.access.records import count_failure
from saldo.access.rules import digest_of
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Problems, Refusal, Unavailable
from saldo.kernel.ids import check_id, new_id
from saldo.kernel.regions import region_of
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

_ROUNDS = 5


class TooMany(Refusal):
    """A limit is spent: `too_many_requests` of a key, `too_many_attempts` with wrong ones. Trying again makes sense
    after `retry_after_s`; `allowance` is the key's, None where no key was proved."""

    def __init__(self, code: str, message: str, retry_after_s: int, allowance: Allowance | None = None) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s
        self.allowance = allowance


class ApiKeys:
    """API keys of one region. `store` is the region's, not narrowed to a seller."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def create(
        self, entity_id: str, name: str, scopes: Iterable[str], days: int, requests_per_minute: int, actor: Actor
    ) -> NewKey:
        """Make a key of a seller. Refusal `invalid_input` names every wrong choice; NotFound for no such seller."""
        problems = Problems()
        wanted = rules.scopes_from(scopes, problems)
        rules.check_request(name, days, requests_per_minute, problems)
        problems.refuse_if_any("the key cannot be made")
        region_code = region_of(check_id(entity_id, "ent"))
        if self._store.get(entity_id, "entity") is None:
            raise NotFound(f"no such legal entity: {entity_id}")
        now = self._clock()
        key_id = new_id(f"key_{region_code}", now)
        token = rules.token_of(key_id, secrets.token_hex(32))
        expires_at = rules.expires_at(now, days)
        key = ApiKey(key_id, entity_id, name, wanted, digest_of(token), requests_per_minute, now, expires_at)
        unit = Unit(f"create {key_id}").insert(records.api_key_item(key))
        after = {"name": key.name, "scopes": sorted(wanted), "expires_at": instant_text(expires_at)}
        unit.put(audit_item(AuditRecord(entity_id, now, actor, "api_key.created", key_id, after=after)))
        self._store.write_one(unit)
        return NewKey(token, key)

    def of_entity(self, entity_id: str) -> list[ApiKey]:
        """Every key of a seller, dead ones too, the newest first."""
        rows = self._store.query_all(records.keys_agenda(entity_id), agenda=True, newest_first=True)
        wanted = [(row["pk"], row["sk"]) for row in rows]
        found = self._store.get_many(wanted, consistent=True)
        return [records.api_key_from(found[key]) for key in wanted if key in found]

    def revoke(self, key_id: str, actor: Actor, reason: str = "") -> ApiKey:
        """From now on the key is worth nothing; repeating changes nothing. NotFound for no such key."""
        item = self._store.get(*records.api_key_key(check_id(key_id, "key")))
        if item is None:
            raise NotFound(f"no such key: {key_id}")
        if "revoked_at" in item:
            return records.api_key_from(item)
        now = self._clock()
        unit = Unit(f"revoke {key_id}")
        unit.update(records.api_key_key(key_id), set={"revoked_at": instant_text(now)}, when={"revoked_at": None})
        unit.put(audit_item(AuditRecord(item["entity_id"], now, actor, "api_key.revoked", key_id, reason=reason)))
        if self._store.write_one(unit):
            return self.revoke(key_id, actor, reason)
        return records.api_key_from({**item, "revoked_at": instant_text(now)})

    def admit(self, token: str, network: str) -> Admission:
        """The living key of a token, its request counted, in one call (two at the first request of a minute).

        Refusal `invalid_key` for an unknown, wrong, revoked or expired one alike; `too_many_attempts` once a network
        has presented too many of them; `too_many_requests` when the key's minute is spent.
        """
        now = self._clock()
        item = self._proved(token, now)
        key = records.api_key_from(item) if item else None
        if item is None or key is None or not rules.is_alive(key, now):
            raise self._wrong(network, now)
        allowance = rules.allowance_of(key, item["used"], now)
        if allowance.is_spent:
            text = f"{allowance.limit} requests a minute are spent"
            raise TooMany("too_many_requests", text, allowance.resets_in_s, allowance)
        return Admission(key, allowance)

    def _proved(self, token: str, now: datetime) -> Item | None:
        """The record this token belongs to, with one request more; None when it belongs to none."""
        parts = rules.token_parts(token)
        if parts is None:
            return None
        key, digest, minute = records.api_key_key(parts.key_id), digest_of(token), rules.minute_of(now)
        for _ in range(_ROUNDS):
            counted = self._store.change(key, add={"used": 1}, when={"digest": digest, "minute": minute})
            if counted:
                return counted
            item = self._store.get(*key)
            if item is None or item["digest"] != digest:
                return None
            begun = {"minute": minute, "used": 1, "last_used_on": now.date().isoformat()}
            counted = self._store.change(key, set=begun, when={"digest": digest, "minute": item["minute"]})
            if counted:
                return counted
        raise Unavailable("the key is used from too many places at once")

    def _wrong(self, network: str, now: datetime) -> Refusal:
        """Every kind of no is the same no, and counted."""
        owner = rules.wrong_keys_owner(network, now)
        known = self._store.get(owner, "window") or {}
        if known.get("failures", 0) >= rules.MOST_WRONG_KEYS_OF_A_NETWORK:
            return TooMany("too_many_attempts", "too many wrong keys", rules.wrong_keys_forgotten_in_s(now))
        self._store.write_one(count_failure(Unit("wrong key"), owner, now))
        return Refusal("invalid_key", "no such key, or it was revoked, or it has expired")
