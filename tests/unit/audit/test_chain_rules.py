"""A chain of audit records: what it covers cannot change unseen, and what was done to it gets its name."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from saldo.audit.model import Anchor, Head, Link, Linked
from saldo.audit.rules_chain import FULL, Kept, digest_of, extend, first_break, first_broken_day, head_of, root_of

OWNER = "acct_eu_1"
AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
LAST = "audit#~"


def record(i: int) -> Linked:
    sk = f"audit#2026-11-01T09:00:{i:02d}.000Z#print"
    return Linked(sk, sha256(sk.encode()).digest())


def chained(*lots: int) -> Kept:
    """A chain of records 0, 1, 2 … that came in lots of these sizes."""
    sealed: list[Link] = []
    head, at = None, 0
    for size in lots:
        step = extend(OWNER, head, [record(at + i) for i in range(size)], AT)
        sealed += [step.sealed] if step.sealed else []
        head, at = step.open, at + size
    links = [*sealed, head] if head else []
    return Kept(OWNER, {record(i).sk: record(i).digest for i in range(at)}, links)


def proven(kept: Kept, *heads: Head) -> bool:
    return first_break(kept, [("2026-11-01", h) for h in heads], first="", before=LAST) is None


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8))
def test_a_chain_proves_whatever_lots_its_records_came_in(lots: list[int]) -> None:
    kept = chained(*lots)
    assert proven(kept)
    assert len(kept.linked) == sum(lots)
    assert all(len(link.records) >= FULL for link in kept.links[:-1])


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.data())
def test_every_head_a_chain_ever_had_is_still_in_it(lots: list[int], data: st.DataObject) -> None:
    kept = chained(*lots)
    earlier = chained(*lots[: data.draw(st.integers(1, len(lots)))])
    assert proven(kept, head_of(earlier.links[-1]))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_a_chain_that_was_made_anew_agrees_with_no_earlier_head(lots: list[int], data: st.DataObject) -> None:
    kept = chained(*lots)
    bent = data.draw(st.integers(0, sum(lots) - 1))
    forged = {sk: (sha256(b"forged").digest() if sk == record(bent).sk else d) for sk, d in kept.records.items()}
    links: list[Link] = []
    head = None
    for link in kept.links:
        step = extend(OWNER, head, [Linked(r.sk, forged[r.sk]) for r in link.records], AT)
        links += [step.sealed] if step.sealed else []
        head = step.open
    assert head
    anew = Kept(OWNER, forged, [*links, head])
    assert proven(anew)
    found = first_break(anew, [("2026-11-01", head_of(kept.links[-1]))], first="", before=LAST)
    assert found and found.kind == "rewritten"


def test_digests_tell_numbers_from_texts_and_not_one_writing_of_a_number_from_another() -> None:
    assert digest_of({"after": {"n": Decimal("1.50")}}) == digest_of({"after": {"n": Decimal("1.5")}})
    assert digest_of({"after": {"n": 1}}) != digest_of({"after": {"n": "1"}})
    assert digest_of({"after": {"n": True}}) != digest_of({"after": {"n": 1}})
    assert digest_of({"pk": "a", "sk": "b", "x": 1}) == digest_of({"x": 1})


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=9, unique=True), st.randoms())
def test_a_root_does_not_depend_on_the_order_and_does_on_every_head(hashes: list[bytes], random: object) -> None:
    heads = [Head(f"acct_eu_{i}", 1, 1, h) for i, h in enumerate(hashes)]
    shuffled = sorted(heads, key=lambda h: h.hash)
    assert root_of(heads) == root_of(shuffled)
    for i in range(len(heads)):
        assert root_of(heads[:i] + heads[i + 1 :]) != root_of(heads)


def anchors(*days: int) -> list[tuple[Anchor, str, int]]:
    found: list[tuple[Anchor, str, int]] = []
    for day in days:
        heads = (Head(OWNER, 1, day, b"h"),)
        previous = found[-1][1] if found else ""
        found.append((Anchor("eu", date(2026, 11, day), previous, root_of(heads), heads), f"print {day}", 1))
    return found


def test_days_follow_each_other_and_a_missing_or_bent_one_is_named() -> None:
    whole = anchors(1, 2, 3)
    assert first_broken_day("eu", whole) is None
    missing = first_broken_day("eu", [whole[0], whole[2]])
    assert missing and missing.kind == "deleted" and "2026-11-03" in missing.what
    headless = first_broken_day("eu", whole[1:])
    assert headless and headless.kind == "deleted"
    twice = first_broken_day("eu", [(whole[0][0], whole[0][1], 2), *whole[1:]])
    assert twice and twice.kind == "edited" and "again" in twice.what
    bent = Anchor("eu", date(2026, 11, 1), "", "00", whole[0][0].heads)
    edited = first_broken_day("eu", [(bent, "print 1", 1), *whole[1:]])
    assert edited and edited.kind == "edited" and "2026-11-01" in edited.what
