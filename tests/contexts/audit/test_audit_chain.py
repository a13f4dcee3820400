"""Chains in a real table and a locked bucket: linked once whatever the stream does, each way of tampering named."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import permutations
from random import Random
from typing import Any

import boto3
import pytest

from saldo.audit.anchors import AuditAnchors, Proof
from saldo.audit.chain import AuditChain
from saldo.audit.model import Actor, Anchor, AuditRecord, Break, Head, Link
from saldo.audit.records import audit_item
from saldo.audit.records_chain import heads_from, link_from, link_item
from saldo.audit.rules_chain import head_of, root_of
from saldo.kernel.errors import NotFound
from saldo.kernel.ids import new_id
from saldo.storage.files import Files
from saldo.storage.items import Item
from saldo.storage.looks import Look
from saldo.storage.units import Unit
from tests.contexts.conftest import Region

OWNERS = ("acct_eu_one", "acct_eu_two", "ent_eu_seller")
ONE = OWNERS[0]


@dataclass
class Night:
    """What a night's look came to, of all its parts."""

    anchor: Anchor
    heads: list[Head]
    caught_up: dict[str, int] = field(default_factory=dict)
    breaks: list[Break] = field(default_factory=list)


@dataclass
class Books:
    """Audit records of some owners, and whoever tampers with them."""

    region: Region
    s3: Any
    anchors: AuditAnchors
    chain: AuditChain

    def act(self, owner_id: str, times: int = 1) -> list[Item]:
        """So many acts, a second apart; their records, written and not yet linked."""
        items = []
        for i in range(times):
            self.region.clock.advance(seconds=1)
            actor, at = Actor("user_eu_clerk", "staff"), self.region.clock()
            items.append(audit_item(AuditRecord(owner_id, at, actor, "price.changed", f"subject_{i}", after={"n": i})))
        self.region.store.put_many(items)
        return items

    def links(self, owner_id: str = ONE) -> list[Item]:
        return list(self.region.store.query_all(owner_id, prefix="chain#", consistent=True))

    def put(self, *items: Item) -> None:
        self.region.store.put_many(items)

    def drop(self, *items: Item) -> None:
        for item in items:
            self.region.store.write_one(Unit("drop").delete((item["pk"], item["sk"])))

    def next_day(self) -> None:
        self.region.clock.advance(days=1)

    def begun(self, parts: int = 3) -> Look:
        return Look(new_id("look", self.region.clock()), self.region.clock(), parts)

    def anchor(self, parts: int = 3) -> Night:
        look = self.begun(parts)
        found = [self.anchors.part(look, part) for part in range(parts)]
        anchor = self.anchors.together(look)
        files = [self.s3.get_object(Bucket="audit", Key=one.key)["Body"].read() for one in anchor.files]
        night = Night(anchor, [head for body in files for head in heads_from(body)])
        for one in found:
            night.caught_up |= one.caught_up
            night.breaks += one.breaks
        return night

    def prove(self, owner_id: str | None = ONE) -> Proof:
        self.region.clock.advance(hours=2)
        return self.anchors.prove(owner_id)

    def broken(self) -> Break:
        (found,) = self.prove().breaks
        everywhere = self.prove(None).breaks
        assert everywhere == [found]
        return found


@pytest.fixture
def books(region: Region) -> Books:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="audit", ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 3653}}
    lock: Any = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket="audit", ObjectLockConfiguration=lock)
    anchors = AuditAnchors(region.store, region.clock, Files(s3, "audit"), "eu")
    return Books(region, s3, anchors, AuditChain(region.store, region.clock))


@pytest.fixture
def anchored(books: Books) -> Books:
    """Three owners with chains of three links, one act apart from the next, anchored on one day."""
    for owner in OWNERS:
        for lot in (9, 8, 3):
            books.chain.link(books.act(owner, lot))
    books.region.clock.advance(hours=2)
    books.anchor()
    books.next_day()
    return books


def _records(books: Books) -> list[Item]:
    return list(books.region.store.query_all(ONE, prefix="audit#", consistent=True))


# -- linking ---------------------------------------------------------------------------------------------------


def test_whatever_the_stream_repeats_or_reorders_each_record_is_linked_once(books: Books) -> None:
    items = [i for owner in OWNERS for i in books.act(owner, 30)]
    random = Random(7)
    delivered = items + random.choices(items, k=60)
    random.shuffle(delivered)
    linked = sum(books.chain.link(delivered[i : i + 11]) for i in range(0, len(delivered), 11))
    assert linked == len(items)
    proof = books.prove(None)
    assert (proof.breaks, proof.records, proof.owners) == ([], 90, 3)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_lots_may_come_in_any_order(books: Books, order: tuple[int, ...]) -> None:
    lots = [books.act(ONE, 9) for _ in range(3)]
    assert sum(books.chain.link(lots[i]) for i in order) == 27
    assert sum(books.chain.link(lot) for lot in lots) == 0
    assert books.prove().breaks == []


@pytest.mark.parametrize("before", [0, 1])
def test_two_that_link_at_once_link_once(books: Books, before: int) -> None:
    """One loses the race for the head, looks again, and finds its record linked or links it behind."""
    if before:
        books.chain.link(books.act(ONE))
    first, second = books.act(ONE), books.act(ONE)
    other = AuditChain(books.region.store, books.region.clock)
    write = books.region.store.write
    raced: list[int] = []

    def interrupted(units: Any) -> Any:
        if not raced:
            raced.append(1)
            other.link([*first, *second])
        return write(units)

    books.region.store.write = interrupted  # type: ignore[method-assign]
    assert books.chain.link(first) == 0
    assert books.prove().breaks == []
    assert sum(len(link["records"]) for link in books.links()) == before + 2


def test_what_the_stream_missed_is_named_and_linked_when_caught_up(books: Books) -> None:
    books.chain.link(books.act(ONE, 2))
    books.act(ONE, 3)
    assert books.prove().breaks[0].kind == "unlinked"
    assert (books.chain.catch_up(ONE), books.chain.catch_up(ONE)) == (3, 0)
    assert books.prove().breaks == []


def test_the_nightly_look_links_what_was_missed_and_leaves_what_is_on_its_way(books: Books) -> None:
    books.act(ONE, 3)
    books.region.clock.advance(hours=2)
    books.act(OWNERS[1])
    night = books.anchor()
    assert (night.caught_up, [h.owner_id for h in night.heads]) == ({ONE: 3}, [ONE])


def test_a_record_linked_long_after_its_time_is_counted(books: Books) -> None:
    items = books.act(ONE)
    books.region.clock.advance(days=3)
    books.chain.link(items)
    assert books.prove().late == 1


def test_two_acts_of_one_instant_leave_two_records(books: Books) -> None:
    at, actor = books.region.clock(), Actor("user_eu_clerk", "staff")
    one, other = (audit_item(AuditRecord(ONE, at, actor, "price.changed", "subject", after={"n": n})) for n in (1, 2))
    assert one["sk"] != other["sk"]


# -- anchoring -------------------------------------------------------------------------------------------------


def test_a_day_is_anchored_once_and_the_next_holds_only_what_moved(anchored: Books) -> None:
    anchored.chain.link(anchored.act(ONE))
    second = anchored.anchor()
    assert [h.owner_id for h in second.heads] == [ONE]
    assert anchored.anchor().anchor == second.anchor
    proof = anchored.prove(None)
    assert (proof.breaks, [d.isoformat() for d in proof.days]) == ([], ["2026-11-01", "2026-11-02"])


def test_days_without_a_look_lose_nothing(anchored: Books) -> None:
    anchored.chain.link(anchored.act(OWNERS[1]))
    anchored.region.clock.advance(days=9)
    assert [h.owner_id for h in anchored.anchor().heads] == [OWNERS[1]]


def test_a_root_cannot_be_deleted_and_one_written_over_is_named(anchored: Books) -> None:
    key = "chain/2026-11-01.json"
    (version,) = [one["VersionId"] for one in anchored.s3.list_object_versions(Bucket="audit", Prefix=key)["Versions"]]
    with pytest.raises(anchored.s3.exceptions.ClientError, match="AccessDenied"):
        anchored.s3.delete_object(Bucket="audit", Key=key, VersionId=version)
    said = json.loads(anchored.s3.get_object(Bucket="audit", Key=key)["Body"].read())
    anchored.s3.put_object(Bucket="audit", Key=key, Body=json.dumps(said | {"files": []}).encode())
    anchored.s3.delete_object(Bucket="audit", Key=key)
    found = anchored.prove(None).breaks
    assert [(b.owner_id, b.kind) for b in found] == [("eu", "edited")]
    assert "again" in found[0].what


def test_in_however_many_parts_a_day_is_looked_at_the_roots_follow_each_other(anchored: Books) -> None:
    for parts in (1, 5, 2):
        for owner in OWNERS:
            anchored.chain.link(anchored.act(owner))
        anchored.region.clock.advance(minutes=2)
        night = anchored.anchor(parts)
        assert (len(night.anchor.files), {h.owner_id for h in night.heads}, night.breaks) == (parts, {*OWNERS}, [])
        anchored.next_day()
    assert (anchored.prove(None).breaks, len(anchored.prove(None).days)) == ([], 4)


def test_each_file_of_the_root_before_is_read_by_one_part_alone(anchored: Books) -> None:
    files = [one["Key"] for one in anchored.s3.list_object_versions(Bucket="audit", Prefix="heads/")["Versions"]]
    read: list[str] = []
    anchored.s3.meta.events.register("before-call.s3.GetObject", lambda params, **_: read.append(params["url_path"]))
    look = anchored.begun(2)
    for part in range(2):
        anchored.anchors.part(look, part)
    assert sorted(path.removeprefix("/") for path in read if "heads/" in path) == sorted(files)


def test_a_look_of_which_a_part_is_missing_comes_to_no_root(books: Books) -> None:
    look = books.begun()
    for part in (0, 2):
        books.anchors.part(look, part)
    assert not books.anchors.is_whole(look)
    with pytest.raises(NotFound):
        books.anchors.together(look)
    books.anchors.part(look, 1)
    assert books.anchors.is_whole(look) and books.anchors.together(look) == books.anchors.together(look)


def test_what_a_part_laid_down_first_stands(books: Books) -> None:
    books.chain.link(books.act(ONE, 2))
    books.region.clock.advance(hours=2)
    look = books.begun(1)
    books.anchors.part(look, 0)
    books.chain.link(books.act(OWNERS[1]))
    books.anchors.part(look, 0)
    (file,) = books.anchors.together(look).files
    assert file.heads == 1
    books.next_day()
    assert {h.owner_id for h in books.anchor().heads} == {OWNERS[1]}
    assert books.prove(None).breaks == []


def test_heads_written_over_are_named_and_the_first_hold(anchored: Books) -> None:
    (key,) = [one["Key"] for one in anchored.s3.list_object_versions(Bucket="audit", Prefix="heads/")["Versions"]][:1]
    anchored.s3.put_object(Bucket="audit", Key=key, Body=b'{"heads":[]}')
    assert anchored.prove(None).breaks == []
    day = anchored.s3.get_object(Bucket="audit", Key="chain/2026-11-01.json")["Body"].read()
    said = json.loads(day)
    said["files"] = [[k, n, root, "0" * 64 if k == key else digest] for k, n, root, digest in said["files"]]
    anchored.s3.put_object(Bucket="audit", Key="chain/2026-11-02.json", Body=json.dumps(said).encode())
    assert any(key in broken.what for broken in anchored.prove(None).breaks)


def test_roots_from_before_heads_had_files_of_their_own_are_still_proven(books: Books) -> None:
    for owner in OWNERS:
        books.chain.link(books.act(owner, 9))
    heads = sorted((head_of(link_from(books.links(owner)[-1])) for owner in OWNERS), key=lambda h: h.owner_id)
    rows = [[h.owner_id, h.seq, h.count, h.hash.hex()] for h in heads]
    said = {"region": "eu", "day": "2026-11-01", "previous": "", "root": root_of(heads), "heads": rows}
    books.s3.put_object(Bucket="audit", Key="chain/2026-11-01.json", Body=json.dumps(said).encode())
    assert books.prove(None).days == [date(2026, 11, 1)] and books.prove(None).breaks == []
    books.next_day()
    books.chain.link(books.act(ONE))
    books.region.clock.advance(minutes=2)
    night = books.anchor()
    assert (night.breaks, {h.owner_id for h in night.heads} >= {ONE}) == ([], True)
    assert books.prove(None).breaks == []
    books.drop(*books.links(OWNERS[1]), *books.region.store.query_all(OWNERS[1], prefix="audit#"))
    assert [(b.owner_id, b.kind) for b in books.prove(None).breaks] == [(OWNERS[1], "truncated")]


# -- tampering -------------------------------------------------------------------------------------------------


def test_an_edited_record_is_named(anchored: Books) -> None:
    record = _records(anchored)[12]
    anchored.put(record | {"after": {"n": 99}})
    found = anchored.broken()
    assert (found.kind, found.seq) == ("edited", 2)
    assert record["sk"] in found.what


def test_an_edited_actor_is_an_edit_too(anchored: Books) -> None:
    anchored.put(_records(anchored)[0] | {"actor": {"id": "user_eu_other", "kind": "staff"}})
    assert (anchored.broken().kind, anchored.broken().seq) == ("edited", 1)


def test_a_deleted_record_is_named(anchored: Books) -> None:
    record = _records(anchored)[19]
    anchored.drop(record)
    found = anchored.broken()
    assert (found.kind, found.seq) == ("deleted", 3)
    assert record["sk"] in found.what


def test_of_several_the_first_is_named(anchored: Books) -> None:
    records = _records(anchored)
    anchored.drop(records[19], records[3])
    assert anchored.broken().seq == 1


def test_two_records_that_changed_places_are_named(anchored: Books) -> None:
    one, other = _records(anchored)[1:3]
    anchored.put(one | {"sk": other["sk"]}, other | {"sk": one["sk"]})
    assert (anchored.broken().kind, anchored.broken().seq) == ("reordered", 1)


def test_links_that_changed_places_are_named(anchored: Books) -> None:
    one, other, _ = anchored.links()
    anchored.put(one | {"sk": other["sk"]}, other | {"sk": one["sk"]})
    assert (anchored.broken().kind, anchored.broken().seq) == ("reordered", 1)


def test_records_in_another_order_in_their_link_are_named(anchored: Books) -> None:
    link = anchored.links()[1]
    a, b, *others = link["records"]
    anchored.put(link | {"records": [b, a, *others]})
    assert (anchored.broken().kind, anchored.broken().seq) == ("reordered", 2)


def test_an_edited_link_is_named(anchored: Books) -> None:
    link = anchored.links()[1]
    anchored.put(link | {"records": link["records"][:-1]})
    assert (anchored.broken().kind, anchored.broken().seq) == ("edited", 2)


def test_a_deleted_link_is_named(anchored: Books) -> None:
    anchored.drop(anchored.links()[1])
    assert (anchored.broken().kind, anchored.broken().seq) == ("deleted", 2)


# What a link says, as it is stored.
_MARKS = sorted(
    link_item(Link(ONE, 1, b"", (), b"", datetime(2026, 11, 1, tzinfo=UTC)), sealed=False).keys() - {"pk", "sk"}
)


def _edited(value: Any) -> Any:
    match value:
        case bytes() | list():
            return value[:-1]
        case str() if value.startswith("2026"):
            return "2020-01-01T00:00:00.000Z"
        case str():
            return value[1:] + "0"
        case _:
            return value + 1


def _cut(books: Books, owner_id: str, before: Item, last: Item) -> None:
    """The end goes with its records; the link before is the open one again. All that is left agrees with itself."""
    gone = [{"pk": owner_id, "sk": f"audit#{sk}"} for sk, _ in last["records"]]
    books.drop(*books.links(owner_id)[-2:], *gone)
    books.put(before | {"sk": "chain#open"})


@pytest.mark.parametrize(("second", "under_way"), [(8, False), (5, True)])
def test_whatever_is_edited_of_whichever_link_its_end_cannot_be_cut_unseen_after_a_night(
    books: Books, second: int, under_way: bool
) -> None:
    """An owner for each link and mark. Links 1 and 2 are in a root; 3 was made since, and 2 extended unless it was
    full; the end is cut. `under_way`: a night passed between records and links."""
    owners = {f"acct_eu_{link}_{mark}": (link, mark) for link in range(3) for mark in _MARKS}
    for lot in (8, second):
        books.chain.link([item for owner in owners for item in books.act(owner, lot)])
    books.next_day()
    books.anchor(1)
    books.next_day()
    since = [[item for owner in owners for item in books.act(owner, lot)] for lot in (3, 1)]
    if under_way:
        books.region.clock.advance(minutes=30)
        books.anchor(1)
    for items in since:
        books.chain.link(items)
    there = {owner: books.links(owner) for owner in owners}
    for owner, (link, mark) in owners.items():
        books.put(there[owner][link] | {mark: _edited(there[owner][link][mark])})
    books.next_day()
    books.anchor(1)
    for owner, links in there.items():
        _cut(books, owner, *links[-2:])
    assert {b.owner_id for b in books.prove(None).breaks} == set(owners)


def test_links_that_lack_a_mark_are_named_and_the_night_goes_on(anchored: Books) -> None:
    marks = sorted(set(_MARKS) - {"kind"})
    anchored.chain.link([item for mark in marks for item in anchored.act(mark, 2)])
    for mark in marks:
        (link,) = anchored.links(mark)
        anchored.put({name: value for name, value in link.items() if name != mark})
    anchored.chain.link(anchored.act(ONE))
    night = anchored.anchor()
    assert {b.owner_id for b in night.breaks} == {b.owner_id for b in anchored.prove(None).breaks} == set(marks)
    assert ONE in {h.owner_id for h in night.heads}
    assert {b.owner_id for b in anchored.anchor().breaks} <= set(marks)


def test_a_link_that_was_made_to_look_older_than_it_is_is_named(anchored: Books) -> None:
    """So it would be in no night's root, and a record that came late would not be counted."""
    anchored.chain.link(anchored.act(ONE, 2))
    link = anchored.links()[-1]
    anchored.put(link | {"linked_at": "2026-11-01T00:00:00.000Z"})
    found = anchored.broken()
    assert (found.kind, found.seq) == ("edited", 3)
    assert "root of 2026-11-01, which does not hold it" in found.what


def test_a_chain_without_its_end_is_named_against_the_root(anchored: Books) -> None:
    """The tail goes with its records, and what is left agrees with itself."""
    anchored.drop(anchored.links()[2], *_records(anchored)[17:])
    sealed = anchored.links()[1]
    anchored.drop(sealed)
    anchored.put(sealed | {"sk": "chain#open"})
    found = anchored.broken()
    assert (found.kind, found.seq) == ("truncated", 3)
    assert "2026-11-01" in found.what


def test_a_chain_that_is_gone_whole_is_named_against_the_root(anchored: Books) -> None:
    anchored.drop(*anchored.links(), *_records(anchored))
    assert (anchored.broken().kind, anchored.broken().seq) == ("truncated", 1)
    assert [(b.owner_id, b.kind) for b in anchored.anchor().breaks] == [(ONE, "truncated")]


@pytest.mark.parametrize("parts", [1, 3])
def test_the_night_does_not_catch_up_with_a_chain_that_was_cut(anchored: Books, parts: int) -> None:
    """Its records are there and in no link: that they were linked once is what the root says."""
    anchored.drop(anchored.links()[2])
    anchored.region.clock.advance(hours=2)
    night = anchored.anchor(parts)
    assert {(b.owner_id, b.kind) for b in night.breaks} == {(ONE, "truncated")}
    assert night.caught_up == {}


def test_a_link_that_is_sealed_while_it_is_compared_is_no_break(anchored: Books) -> None:
    """Its two places are read one after the other; a link moves from one to the other."""
    get_many = anchored.region.store.get_many
    anchored.region.store.get_many = lambda *_, **__: {}  # type: ignore[method-assign, assignment]
    breaks = anchored.anchor().breaks
    anchored.region.store.get_many = get_many  # type: ignore[method-assign]
    assert breaks == []


def test_a_forged_record_under_a_chain_made_anew_is_named_against_the_root(anchored: Books) -> None:
    anchored.put(_records(anchored)[0] | {"after": {"n": 99}})
    anchored.drop(*anchored.links())
    anchored.chain.catch_up(ONE)
    assert anchored.broken().kind in ("rewritten", "truncated")


def test_a_record_added_behind_the_streams_back_is_named(anchored: Books) -> None:
    record = _records(anchored)[5]
    anchored.put(record | {"sk": record["sk"] + "x", "after": {"n": 77}})
    found = anchored.broken()
    assert found.kind == "unlinked"
    assert record["sk"] + "x" in found.what


def test_from_a_day_on_only_its_records_are_compared_and_every_link_is_proven(anchored: Books) -> None:
    anchored.put(_records(anchored)[0] | {"after": {"n": 99}})
    today = anchored.region.clock().date()
    anchored.chain.link(anchored.act(ONE, 2))
    anchored.region.clock.advance(hours=2)
    later = anchored.anchors.prove(ONE, today)
    assert (later.breaks, later.records, later.links) == ([], 2, 3)
    anchored.drop(anchored.links()[0])
    assert anchored.anchors.prove(ONE, today).breaks[0].kind == "deleted"
