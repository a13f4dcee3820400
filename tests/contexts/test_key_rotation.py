"""Data keys are wrapped anew, renewed and counted, and what was sealed stays readable throughout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from saldo.kernel.clock import instant_text
from saldo.kernel.errors import NotFound
from saldo.storage.key_rotation import Rewrapped, counted, renew, rewrap
from saldo.storage.sealing import CannotOpen, Erased, KeyRing, Sealer
from saldo.storage.wrapped_keys import WrappedKey
from tests.contexts.conftest import Region
from tests.contexts.conftest import region as region_fixture
from tests.crashes import assert_survives_every_crash

ORGANISATIONS = [f"org_eu_{i}" for i in range(3)]
PLACE = ("acct_eu_a", "profile#1")


@dataclass
class Rotation:
    """Three organisations with a sealed blob each, and a new KMS key that wraps from now on."""

    region: Region
    blobs: dict[str, bytes]
    keys: KeyRing
    old: str
    new: str

    def process(self) -> KeyRing:
        """A process that was just started, with the new KMS key."""
        return _ring(self.region, self.new)

    def reads(self, keys: KeyRing | None = None) -> bool:
        sealer = Sealer(keys or self.process(), "records")
        return all(sealer.open(o, PLACE, "p/1", blob) == {"of": o} for o, blob in self.blobs.items())


def _ring(region: Region, key_id: str) -> KeyRing:
    return KeyRing(region.kms, region.dynamodb, table="keys", kms_key_id=key_id, region_code="eu", clock=region.clock)


@contextmanager
def rotation() -> Iterator[Rotation]:
    made = region_fixture.__wrapped__()  # type: ignore[attr-defined]  # the fixture's own generator
    region: Region = next(made)
    yield of_region(region, 2)
    next(made, None)


def of_region(region: Region, organisations: int = 3) -> Rotation:
    old = region.keys.current_wrapper()
    sealer = Sealer(_ring(region, old), "records")
    blobs = {o: sealer.seal(o, PLACE, "p/1", {"of": o}) for o in ORGANISATIONS[:organisations]}
    new = region.kms.create_key()["KeyMetadata"]["Arn"]
    return Rotation(region, blobs, _ring(region, new), old, new)


@pytest.fixture
def scene(region: Region) -> Rotation:
    return of_region(region)


def test_every_key_comes_under_the_current_kms_key_and_a_second_pass_changes_nothing(scene: Rotation) -> None:
    assert scene.reads(), "a process with the new key opens what the old one wraps"
    assert counted(scene.keys) == {scene.old: 3}
    assert rewrap(scene.keys) == Rewrapped(wrapped=3)
    assert counted(scene.keys) == {scene.new: 3}
    before = list(scene.keys.wrapped_keys.all())
    assert rewrap(scene.keys) == Rewrapped(current=3)
    assert list(scene.keys.wrapped_keys.all()) == before and {k.version for k in before} == {2}
    scene.region.kms.disable_key(KeyId=scene.old.rpartition("/")[2])
    assert scene.reads(), "the old KMS key is needed no more"


def test_keys_wrapped_before_an_instant_are_wrapped_anew_under_the_same_kms_key(scene: Rotation) -> None:
    keys = _ring(scene.region, scene.old)
    assert rewrap(keys) == Rewrapped(current=3)
    scene.region.clock.advance(days=366)
    before = instant_text(scene.region.clock())
    assert rewrap(keys, wrapped_before=before) == Rewrapped(wrapped=3)
    assert rewrap(keys, wrapped_before=before) == Rewrapped(current=3)
    assert scene.reads(keys)


def test_records_from_before_the_kms_key_was_kept_are_wrapped_anew_too(scene: Rotation) -> None:
    for name in ("under", "wrapped_at", "version"):
        scene.region.dynamodb.update_item(
            TableName="keys",
            Key={"pk": {"S": ORGANISATIONS[0]}},
            UpdateExpression="REMOVE #n",
            ExpressionAttributeNames={"#n": name},
        )
    keys = _ring(scene.region, scene.old)
    assert counted(keys) == {scene.old: 2, "not kept": 1}
    assert rewrap(keys) == Rewrapped(wrapped=1, current=2)
    assert scene.reads(keys)


def test_stopped_at_any_call_and_repeated_every_key_is_wrapped_once() -> None:
    def end_state(scene: Rotation) -> Any:
        assert scene.reads()
        return sorted((k.organisation_id, k.version, k.under == scene.new) for k in scene.keys.wrapped_keys.all())

    calls = assert_survives_every_crash(
        rotation,
        lambda scene: [scene.region.dynamodb, scene.region.kms],
        lambda scene: rewrap(scene.process()),
        end_state,
    )
    assert calls == 1 + 1 + 2 * 4, "look at the KMS key, list; each key: read, unwrap, wrap, write"


def test_a_key_shredded_while_keys_are_wrapped_anew_stays_shredded(scene: Rotation) -> None:
    table = scene.keys.wrapped_keys
    read = table.find(ORGANISATIONS[0])
    assert read is not None and table.shred(read, "2026-11-01T00:00:00.000Z")
    assert not scene.keys.wrap_anew(read), "the record is not as it was read"
    assert rewrap(scene.keys) == Rewrapped(wrapped=2, shredded=1)
    with pytest.raises(Erased):
        scene.process().data_keys(ORGANISATIONS[0], create=True)


def test_a_renewed_key_seals_from_now_on_and_the_old_one_still_opens(scene: Rotation) -> None:
    one = ORGANISATIONS[0]
    other = scene.process()
    assert scene.reads(other), "another process has the first version in memory"
    assert renew(scene.keys, one) == 2
    sealed = Sealer(scene.keys, "records").seal(one, PLACE, "p/1", {"of": one})
    first, second = scene.process().data_keys(one)
    assert first != second and sealed[:3] == b"\x02\x00\x02"
    for keys in (other, scene.process()):
        assert Sealer(keys, "records").open(one, PLACE, "p/1", sealed) == {"of": one}
    assert scene.reads()
    assert rewrap(scene.keys).wrapped == 3
    assert scene.reads() and len(scene.process().data_keys(one)) == 2


def test_a_blob_does_not_open_as_another_versions(scene: Rotation) -> None:
    one = ORGANISATIONS[0]
    renew(scene.keys, one)
    sealer = Sealer(scene.process(), "records")
    sealed = sealer.seal(one, PLACE, "p/1", {"of": one})
    for forged in (b"\x01" + sealed[3:], b"\x02\x00\x01" + sealed[3:], b"\x02\x00\x09" + sealed[3:], b"\x03", b""):
        with pytest.raises(CannotOpen):
            sealer.open(one, PLACE, "p/1", forged)


def test_an_organisation_without_a_key_has_none_to_renew(scene: Rotation) -> None:
    with pytest.raises(NotFound):
        renew(scene.keys, "org_eu_nobody")
    assert scene.keys.wrapped_keys.add(WrappedKey("org_eu_gone", (), version=1, shredded_at="2026"))
    with pytest.raises(Erased):
        renew(scene.keys, "org_eu_gone")


class Elsewhere:
    """KMS in the region where copies lie: it knows a key of several regions by its id, and no ARN of the lost one."""

    def __init__(self, kms: Any, key: str) -> None:
        self._kms, self._key = kms, key

    def decrypt(self, *, KeyId: str, **asked: Any) -> Any:  # noqa: N803 - as boto3 names it
        assert KeyId == "mrk-1", "no such key in this region"
        return self._kms.decrypt(KeyId=self._key, **asked)


def test_what_a_lost_regions_key_wrapped_is_opened_by_its_replica(scene: Rotation) -> None:
    """The table was restored where its copies lay; what it says of the wrapping key names the region that is lost."""
    lost, there = (f"arn:aws:kms:{region}:111111111111:key/mrk-1" for region in ("eu-central-1", "eu-west-1"))
    wrapped, region = scene.keys.wrapped_keys, scene.region
    for key in wrapped.all():
        assert wrapped.replace(key, key.wrapped, lost, instant_text(region.clock()))
    kms: Any = Elsewhere(region.kms, scene.old)
    keys = KeyRing(kms, region.dynamodb, table="keys", kms_key_id=there, region_code="eu", clock=region.clock)
    assert scene.reads(keys)
