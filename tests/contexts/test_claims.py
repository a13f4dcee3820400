"""Records of several parts change together: claimed, decided, and then all of them, or none."""

from __future__ import annotations

import pytest

from saldo.storage.claims import (
    CLAIM,
    Claim,
    claim_all,
    drop_parts,
    follow_all,
    give_back,
    in_parts,
    keep_parts,
    kept_parts,
)
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.contexts.conftest import Region

OWNER = "acct_eu_1"
DECIDING = (OWNER, "wallet")
UNDECIDED = {"state": "claiming"}
MOST_OF_A_PART, COUNT = 8, 21


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saldo.storage.claims.MOST_OF_A_PART", MOST_OF_A_PART)


@pytest.fixture
def there(region: Region) -> Store:
    """Records 0 … of version 1, and the one that decides."""
    store = region.store
    store.put_many({"pk": OWNER, "sk": f"thing#{n:04d}", "kind": "thing", "version": 1} for n in range(COUNT))
    store.put_many([{"pk": OWNER, "sk": "wallet", "kind": "wallet", **UNDECIDED}])
    return store


def wanted() -> list[Unit]:
    """Each thing moved on; one that is not there yet, and one that is only ever inserted, beside them."""
    unit = Unit("move", most=10_000)
    for n in range(COUNT):
        set = {"version": 2, "packed": b"\x00\xff", "names": {"en": "Thing", "de": None}, "parts": [1, "a"]}
        unit.update(key(n), set=set, remove=("gone",), when={"version": 1, CLAIM: None})
    unit.put({"pk": OWNER, "sk": "new", "kind": "sum", "minor": 5}, when={"revision": None, CLAIM: None})
    unit.insert({"pk": OWNER, "sk": "page#1", "kind": "page"})
    return in_parts(unit)


def _asked(part: Unit) -> list[object]:
    lists = [{**w.asked, "remove": list(w.asked.get("remove", ()))} for w in part.writes]
    return [(w.verb, w.key, asked) for w, asked in zip(part.writes, lists, strict=True)]


def key(n: int) -> Key:
    return OWNER, f"thing#{n:04d}"


def things(store: Store) -> list[Item]:
    return list(store.query_all(OWNER, prefix="thing#", consistent=True))


def claimed(store: Store) -> tuple[Claim, list[Unit]]:
    parts = wanted()
    claim = Claim.of(OWNER, parts)
    assert keep_parts(store, claim, parts, DECIDING, UNDECIDED)
    assert claim_all(store, claim, parts, DECIDING, UNDECIDED)
    return claim, parts


def test_parts_hold_all_writes_in_their_order() -> None:
    parts = wanted()
    assert [len(part.writes) for part in parts] == [MOST_OF_A_PART, MOST_OF_A_PART, 7]
    assert Claim.of(OWNER, parts) == Claim.of(OWNER, wanted()) != Claim.of(OWNER, parts, "otherwise")


def test_what_is_kept_reads_as_it_was_put(there: Store) -> None:
    claim, parts = claimed(there)
    kept = kept_parts(there, claim)
    assert [_asked(part) for part in kept] == [_asked(part) for part in parts]
    drop_parts(there, claim, len(parts))
    assert kept_parts(there, claim) == []


def test_while_they_are_claimed_nobody_else_changes_them(there: Store) -> None:
    claim, _ = claimed(there)
    assert {item[CLAIM] for item in things(there)} == {claim.text}
    assert {item["version"] for item in things(there)} == {1}
    other = Unit("other").update(key(3), set={"version": 9}, when={"version": 1, CLAIM: None})
    assert there.write_one(other) is not None


def test_once_decided_all_follow_and_doing_it_again_changes_nothing(there: Store) -> None:
    claim, _ = claimed(there)
    kept = kept_parts(there, claim)
    follow_all(there, claim, kept)
    after = list(there.query_all(OWNER, consistent=True))
    assert all(item["version"] == 2 and item["packed"] == b"\x00\xff" and CLAIM not in item for item in things(there))
    new, page = there.get(OWNER, "new"), there.get(OWNER, "page#1")
    assert new == {"pk": OWNER, "sk": "new", "kind": "sum", "minor": 5} and page is not None
    there.write_one(Unit("later").update(key(0), set={"version": 3}, when={"version": 2, CLAIM: None}))
    follow_all(there, claim, kept)
    give_back(there, claim, kept)
    assert [item for item in there.query_all(OWNER, consistent=True) if item["sk"] != "thing#0000"] == [
        item for item in after if item["sk"] != "thing#0000"
    ]
    assert things(there)[0]["version"] == 3


def test_given_back_they_are_as_they_were(there: Store) -> None:
    before = list(there.query_all(OWNER, consistent=True))
    claim, parts = claimed(there)
    give_back(there, claim, kept_parts(there, claim))
    drop_parts(there, claim, len(parts))
    assert list(there.query_all(OWNER, consistent=True)) == before


def test_one_that_changed_meanwhile_is_not_claimed_and_the_others_are_given_back(there: Store) -> None:
    there.write_one(Unit("meanwhile").update(key(10), set={"version": 7}, when={"version": 1}))
    before = list(there.query_all(OWNER, consistent=True))
    parts = wanted()
    claim = Claim.of(OWNER, parts)
    assert not claim_all(there, claim, parts, DECIDING, UNDECIDED)
    assert any(CLAIM in item for item in things(there))
    give_back(there, claim, parts)
    assert list(there.query_all(OWNER, consistent=True)) == before


def test_two_who_want_the_same_claim_together(there: Store) -> None:
    claim, parts = claimed(there)
    assert claim_all(there, claim, parts, DECIDING, UNDECIDED)
    assert not claim_all(there, Claim.of(OWNER, parts, "otherwise"), parts, DECIDING, UNDECIDED)


def test_once_it_is_decided_nothing_is_claimed_nor_kept_any_more(there: Store) -> None:
    parts = wanted()
    claim = Claim.of(OWNER, parts)
    there.write_one(Unit("decide").update(DECIDING, set={"state": "taken back"}))
    assert not keep_parts(there, claim, parts, DECIDING, UNDECIDED)
    assert not claim_all(there, claim, parts, DECIDING, UNDECIDED)
    assert kept_parts(there, claim) == [] and not any(CLAIM in item for item in things(there))
