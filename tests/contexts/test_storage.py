"""The records table: all or nothing, scoped, sealed."""

from __future__ import annotations

import base64
import json
from decimal import Decimal

import boto3
import pytest
from botocore.exceptions import ClientError

from saldo.kernel.errors import Refusal
from saldo.storage.files import Files
from saldo.storage.items import to_attribute
from saldo.storage.sealing import CannotOpen, KeyRing, Sealer
from saldo.storage.store import OutOfScope
from saldo.storage.units import Unit
from tests.contexts.conftest import Region


def _item(pk: str, sk: str, **values: object) -> dict[str, object]:
    return {"pk": pk, "sk": sk, "kind": sk.split("#")[0], **values}


def test_values_come_back_as_they_went_in(region: Region) -> None:
    item = _item("a", "x", n=7, d=Decimal("0.10"), t=True, none=None, b=b"\x00", list=[1, "two"], map={"k": 3})
    region.store.write_one(Unit("put").put(item))
    assert region.store.get("a", "x") == item


def test_what_was_read_ahead_is_answered_once_without_a_call_and_in_its_scope_and_sight(region: Region) -> None:
    kept, hidden, other = _item("a", "x", n=1), _item("a", "hidden"), _item("b", "x")
    region.store.put_many([kept, hidden, other])
    calls = []
    region.dynamodb.meta.events.register("before-send", lambda event_name, **_: calls.append(event_name))
    ahead = {("a", "x"): kept, ("a", "hidden"): hidden, ("a", "none"): None, ("b", "x"): other}
    store = region.store.within("a", ahead=ahead, sees=lambda item: item["sk"] != "hidden").within("a")
    assert store.get_many([("a", "x"), ("a", "hidden"), ("a", "none")]) == {("a", "x"): kept}
    with pytest.raises(OutOfScope):
        store.get("b", "x")
    assert calls == []
    region.store.write_one(Unit("n").put(kept | {"n": 2}))
    calls.clear()
    assert store.get("a", "x") == kept | {"n": 2} and len(calls) == 1, "who asks again learns what it is by now"
    assert region.store.get_many([("a", "x")]) == {("a", "x"): kept | {"n": 2}}


def test_a_look_at_one_moment_reads_each_record_once_and_leaves_the_store_as_it_was(region: Region) -> None:
    region.store.put_many([_item("a", "x", n=1), _item("a", "y#1"), _item("a", "y#2")])
    calls = []
    region.dynamodb.meta.events.register("before-send", lambda event_name, **_: calls.append(event_name))
    look = region.store.within("a").remembering()
    assert look.get("a", "x") and look.get("a", "none") is None and len(look.query("a", prefix="y#").items) == 2
    before = len(calls)
    keys = [("a", "x"), ("a", "none"), ("a", "y#1"), ("a", "y#2")]
    assert [sk for _, sk in look.get_many(keys)] == ["x", "y#1", "y#2"] and look.get("a", "none") is None
    assert len(calls) == before
    assert region.store.get("a", "x") and len(calls) == before + 1


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError):
        to_attribute(0.1)


def test_a_unit_whose_guard_is_taken_writes_nothing_and_the_others_of_its_pack_are_written(region: Region) -> None:
    region.store.write_one(Unit("first").insert(_item("a", "guard#1")))
    units = [
        Unit("again").insert(_item("a", "guard#1")).insert(_item("a", "effect#1")),
        Unit("other").insert(_item("b", "guard#1")).insert(_item("b", "effect#1")),
    ]
    conflicts = region.store.write(units)
    assert [(c.unit, c.keys) for c in conflicts] == [("again", (("a", "guard#1"),))]
    assert region.store.get("a", "effect#1") is None
    assert region.store.get("b", "effect#1") is not None


def test_many_units_travel_in_few_calls(region: Region) -> None:
    calls = []
    region.dynamodb.meta.events.register("before-send", lambda event_name, **_: calls.append(event_name))
    units = [Unit(f"u{i}").insert(_item(f"a{i}", "x")).insert(_item(f"a{i}", "y")) for i in range(120)]
    assert region.store.write(units) == []
    assert len(calls) == 3


def test_what_did_not_hold_is_told_whichever_call_it_travelled_in(region: Region) -> None:
    taken = [0, 60, 119]
    region.store.write([Unit(f"taken {i}").insert(_item(f"a{i}", "x")) for i in taken])
    units = [Unit(f"u{i}").insert(_item(f"a{i}", "x")).insert(_item(f"a{i}", "y")) for i in range(120)]
    assert [c.unit for c in region.store.write(units)] == [f"u{i}" for i in taken]


def test_two_units_on_one_item_go_in_separate_calls_and_both_count(region: Region) -> None:
    units = [Unit(f"u{i}").update(("a", "balance"), add={"n": 1}) for i in range(3)]
    assert region.store.write(units) == []
    item = region.store.get("a", "balance")
    assert item is not None and item["n"] == 3


def test_a_scoped_store_reaches_no_other_owner(region: Region) -> None:
    region.store.write_one(Unit("put").put(_item("acct_eu_b", "x", agenda_pk="open#acct_eu_b", agenda_on="1")))
    mine = region.store.within("acct_eu_a")
    for reach in (
        lambda: mine.get("acct_eu_b", "x"),
        lambda: mine.get_many([("acct_eu_b", "x")]),
        lambda: mine.query("acct_eu_b"),
        lambda: mine.query("open#acct_eu_b", agenda=True),
        lambda: mine.write_one(Unit("w").put(_item("acct_eu_b", "x"))),
        lambda: mine.within("acct_eu_b"),
        lambda: list(mine.scan()),
    ):
        with pytest.raises(OutOfScope):
            reach()


def test_a_cursor_of_another_owner_is_refused(region: Region) -> None:
    for owner in ("acct_eu_a", "acct_eu_b"):
        region.store.write([Unit(f"{owner}{i}").put(_item(owner, f"x#{i}")) for i in range(3)])
    foreign = region.store.query("acct_eu_b", limit=1).cursor
    with pytest.raises(Refusal):
        region.store.within("acct_eu_a").query("acct_eu_a", limit=1, cursor=foreign)
    with pytest.raises(Refusal, match="invalid_cursor"):
        region.store.query("acct_eu_a", cursor="nonsense")


@pytest.mark.parametrize(
    "place",
    [
        {"pk": 1, "sk": "x#1"}, ["acct_eu_a", "x#1"], "acct_eu_a", {"pk": "acct_eu_a"},
        {"pk": "acct_eu_b", "sk": "x#1"}, {"pk": "acct_eu_a", "sk": "y#1"},
        {"pk": "acct_eu_a", "sk": "x#1", "more": "x"},
        {"pk": "acct_eu_a", "sk": 1},
        {"pk": "acct_eu_a", "sk": "x#1", "agenda_pk": "a", "agenda_on": "b"},
    ],
)  # fmt: skip
def test_a_cursor_of_our_own_making_or_of_another_list_begins_nowhere(region: Region, place: object) -> None:
    """The table itself refuses a place outside of what is asked for, as an error of ours."""
    cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
    with pytest.raises(Refusal, match="invalid_cursor"):
        region.store.query("acct_eu_a", prefix="x#", cursor=cursor)


def test_pages_follow_each_other_without_gap_or_repeat(region: Region) -> None:
    region.store.put_many([_item("a", f"x#{i:02d}") for i in range(30)])
    first = region.store.query("a", limit=20)
    second = region.store.query("a", limit=20, cursor=first.cursor)
    assert [i["sk"] for i in first.items + second.items] == [f"x#{i:02d}" for i in range(30)]
    assert second.cursor is None


def test_sealed_fields_open_only_where_they_were_sealed(region: Region) -> None:
    blob = region.sealer.seal("org_eu_a", ("acct_eu_a", "profile#1"), "profile/1", {"name": "Ada"})
    assert b"Ada" not in blob
    assert region.sealer.open("org_eu_a", ("acct_eu_a", "profile#1"), "profile/1", blob) == {"name": "Ada"}
    region.sealer.seal("org_eu_b", ("acct_eu_b", "profile#1"), "profile/1", {})
    for organisation, key, kind in (
        ("org_eu_b", ("acct_eu_a", "profile#1"), "profile/1"),
        ("org_eu_a", ("acct_eu_a", "profile#2"), "profile/1"),
        ("org_eu_a", ("acct_eu_a", "profile#1"), "user/1"),
    ):
        with pytest.raises(CannotOpen):
            region.sealer.open(organisation, key, kind, blob)


def test_a_second_process_opens_with_the_same_wrapped_key_and_no_other_region_can(region: Region) -> None:
    blob = region.sealer.seal("org_eu_a", ("a", "x"), "k/1", {"v": 1})
    key_id = region.keys._kms_key_id
    again = KeyRing(region.kms, region.dynamodb, table="keys", kms_key_id=key_id, region_code="eu")
    assert Sealer(again, "records").open("org_eu_a", ("a", "x"), "k/1", blob) == {"v": 1}
    abroad = KeyRing(region.kms, region.dynamodb, table="keys", kms_key_id=key_id, region_code="us")
    with pytest.raises(ClientError):
        Sealer(abroad, "records").open("org_eu_a", ("a", "x"), "k/1", blob)


def test_a_wrapped_key_opens_for_its_own_organisation_alone(region: Region) -> None:
    blob = region.sealer.seal("org_eu_a", ("a", "x"), "k/1", {"v": 1})
    stolen = region.dynamodb.get_item(TableName="keys", Key={"pk": {"S": "org_eu_a"}})["Item"]
    region.dynamodb.put_item(TableName="keys", Item=stolen | {"pk": {"S": "org_eu_b"}})
    with pytest.raises(ClientError):
        region.sealer.open("org_eu_b", ("a", "x"), "k/1", blob)


def test_a_shredded_key_makes_its_sealed_fields_unreadable(region: Region) -> None:
    blob = region.sealer.seal("org_eu_a", ("a", "x"), "k/1", {"v": 1})
    region.dynamodb.delete_item(TableName="keys", Key={"pk": {"S": "org_eu_a"}})
    key_id = region.keys._kms_key_id
    later = KeyRing(region.kms, region.dynamodb, table="keys", kms_key_id=key_id, region_code="eu")
    with pytest.raises(CannotOpen):
        Sealer(later, "records").open("org_eu_a", ("a", "x"), "k/1", blob)


def test_a_new_file_that_meets_another_write_is_tried_again_until_it_is_known_which_came_first(region: Region) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="documents")
    files, left = Files(s3, "documents"), [1, 2]

    def under_way(**_: object) -> None:
        if left:
            raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, f"PutObject {left.pop()}")

    s3.meta.events.register_first("before-send.s3.PutObject", under_way)
    assert files.put_new("a.pdf", b"first", "application/pdf") and files.get("a.pdf") == b"first"
    assert not files.put_new("a.pdf", b"second", "application/pdf") and files.get("a.pdf") == b"first"
    left.extend([1, 2, 3])
    with pytest.raises(ClientError, match="ConditionalRequestConflict"):
        files.put_new("b.pdf", b"x", "application/pdf")
