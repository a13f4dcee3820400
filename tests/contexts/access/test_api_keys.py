"""API keys as they lie in the table: shown once, admitted by their hash, counted, ended."""

from __future__ import annotations

import json

import pytest

from saldo.access.api_keys import ApiKeys, TooMany
from saldo.access.model_api_keys import NewKey
from saldo.access.rules_api_keys import MOST_WRONG_KEYS_OF_A_NETWORK, token_parts
from saldo.kernel.errors import NotFound, Refusal
from tests.contexts.conftest import Region
from tests.contexts.sellers import CLERK, ENTITY, register

HERE = "198.51.100.0/24"


@pytest.fixture
def keys(region: Region) -> ApiKeys:
    register(region.store, region.sealer, region.clock)
    return ApiKeys(region.store, region.clock)


def made(keys: ApiKeys, days: int = 30, rate: int = 600) -> NewKey:
    return keys.create(ENTITY, "warehouse", ["usage:write", "invoices:read"], days, rate, CLERK)


def test_a_key_is_admitted_by_its_token_and_the_table_holds_only_a_hash(region: Region, keys: ApiKeys) -> None:
    new = made(keys)
    admission = keys.admit(new.token, HERE)
    assert admission.key.entity_id == ENTITY and sorted(admission.key.scopes) == ["invoices:read", "usage:write"]
    secret = new.token.rpartition("_")[2]
    assert secret not in json.dumps(list(region.store.scan()), default=str)
    parts = token_parts(new.token)
    assert parts and (parts.region_code, parts.key_id) == ("eu", new.key.id)


def test_an_unknown_a_wrong_a_revoked_and_an_expired_key_read_the_same(region: Region, keys: ApiKeys) -> None:
    right, revoked, expired = made(keys), made(keys), made(keys, days=1)
    keys.revoke(revoked.key.id, CLERK, "leaked")
    region.clock.advance(days=2)
    wrong = right.token[:-64] + "0" * 64
    unknown = f"sk_eu_{'0' * 18}_{'0' * 64}"
    said = set()
    for token in (unknown, wrong, revoked.token, expired.token, "sk_eu_", "x" * 5000, "sk_xx" + right.token[5:]):
        with pytest.raises(Refusal) as no:
            keys.admit(token, HERE)
        said.add(str(no.value))
    assert len(said) == 1
    assert keys.admit(right.token, HERE)


def test_a_wrong_secret_is_refused_also_while_the_right_one_is_in_use(keys: ApiKeys) -> None:
    right = made(keys).token
    before = keys.admit(right, HERE).allowance.remaining
    with pytest.raises(Refusal, match="invalid_key"):
        keys.admit(right[:-64] + "0" * 64, HERE)
    assert keys.admit(right, HERE).allowance.remaining == before - 1, "whoever guesses uses nothing of it up"


def test_requests_of_a_minute_are_counted_and_begin_anew_with_the_next(region: Region, keys: ApiKeys) -> None:
    token = made(keys, rate=3).token
    assert [keys.admit(token, HERE).allowance.remaining for _ in range(3)] == [2, 1, 0]
    region.clock.advance(seconds=20)
    with pytest.raises(TooMany) as no:
        keys.admit(token, HERE)
    assert (no.value.code, no.value.retry_after_s) == ("too_many_requests", 40)
    region.clock.advance(seconds=40)
    assert keys.admit(token, HERE).allowance.remaining == 2


def test_a_network_that_presents_too_many_wrong_keys_is_told_to_wait_and_right_keys_go_on(
    region: Region, keys: ApiKeys
) -> None:
    right = made(keys)
    for _ in range(MOST_WRONG_KEYS_OF_A_NETWORK):
        with pytest.raises(Refusal, match="invalid_key"):
            keys.admit("wrong", HERE)
    with pytest.raises(TooMany, match="too_many_attempts") as no:
        keys.admit("wrong", HERE)
    assert 0 < no.value.retry_after_s <= 900
    assert keys.admit(right.token, HERE)
    with pytest.raises(Refusal, match="invalid_key"):
        keys.admit("wrong", "203.0.113.0/24")
    region.clock.advance(minutes=15)
    with pytest.raises(Refusal, match="invalid_key"):
        keys.admit("wrong", HERE)


def test_a_list_shows_the_newest_first_with_the_day_of_last_use(region: Region, keys: ApiKeys) -> None:
    first = made(keys)
    region.clock.advance(hours=1)
    second = made(keys)
    keys.admit(first.token, HERE)
    assert [k.id for k in keys.of_entity(ENTITY)] == [second.key.id, first.key.id]
    assert [k.last_used_on for k in keys.of_entity(ENTITY)] == [None, region.clock.now.date()]
    assert keys.of_entity("ent_eu_other") == []


def test_making_and_revoking_leave_audit_records_without_the_token(region: Region, keys: ApiKeys) -> None:
    new = made(keys)
    region.clock.advance(seconds=1)
    keys.revoke(new.key.id, CLERK, "left the company")
    assert keys.revoke(new.key.id, CLERK).revoked_at == region.clock.now
    trail = [i for i in region.store.query_all(ENTITY, prefix="audit#") if i["action"].startswith("api_key.")]
    assert [(i["action"], i["subject_id"], i["reason"]) for i in trail] == [
        ("api_key.created", new.key.id, ""),
        ("api_key.revoked", new.key.id, "left the company"),
    ]
    assert "sk_" not in json.dumps(trail)


def test_every_wrong_choice_of_a_new_key_is_named(keys: ApiKeys) -> None:
    with pytest.raises(Refusal) as no:
        keys.create(ENTITY, " ", ["usage:read", "quotes:write"], 0, 0, CLERK)
    assert [p.field for p in no.value.problems] == ["scopes", "name", "days", "requests_per_minute"]
    with pytest.raises(Refusal, match="without scopes"):
        keys.create(ENTITY, "x", [""], 1, 1, CLERK)
    with pytest.raises(NotFound):
        keys.create("ent_eu_gone", "x", ["quotes:write"], 1, 1, CLERK)
    with pytest.raises(NotFound):
        keys.revoke("key_eu_gone", CLERK)
