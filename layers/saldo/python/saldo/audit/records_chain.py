"""How chains lie in the table and roots in the locked bucket.

`<owner>` / `chain#<seq>`: a sealed link, never changed; `<owner>` / `chain#open`: the one that is still extended.
`chain/<day>.json` in the bucket: a day's root; `heads/<day>/<look>/<part>.json`: heads that moved since the one before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from saldo.audit.model import Anchor, Head, HeadsFile, Link, Linked
from saldo.audit.records import PREFIX as AUDIT_PREFIX
from saldo.audit.rules_chain import Kept, digest_of
from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.items import Item, Key

PREFIX = "chain#"
OPEN = f"{PREFIX}open"
ANCHOR_PREFIX = "chain/"
# Behind every number that a link can have.
UNREADABLE = 10**10
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def open_key(owner_id: str) -> Key:
    return owner_id, OPEN


def sealed_key(owner_id: str, seq: int) -> Key:
    return owner_id, f"{PREFIX}{seq:010d}"


def link_item(link: Link, *, sealed: bool) -> Item:
    # Keys of audit records all begin alike; what is left out here need not be paid for.
    records = [[r.sk.removeprefix(AUDIT_PREFIX), r.digest] for r in link.records]
    return {
        "pk": link.owner_id,
        "sk": sealed_key(link.owner_id, link.seq)[1] if sealed else OPEN,
        "kind": "chain",
        "seq": link.seq,
        "previous": link.previous.hex(),
        "records": records,
        "hash": link.hash,
        "linked_at": instant_text(link.linked_at),
        "floor": link.floor,
    }


def link_from(item: Item) -> Link:
    return Link(
        owner_id=item["pk"],
        seq=item["seq"] if item["sk"] == OPEN else int(item["sk"].removeprefix(PREFIX)),
        previous=bytes.fromhex(item["previous"]),
        records=tuple(Linked(AUDIT_PREFIX + sk, bytes(digest)) for sk, digest in item["records"]),
        hash=bytes(item["hash"]),
        linked_at=instant_from(item["linked_at"]),
        floor=item["floor"],
    )


def link_or_bent(item: Item) -> Link:
    """One that cannot be read is a link that does not have its hash."""
    try:
        return link_from(item)
    except (KeyError, TypeError, ValueError, AttributeError):
        seq = item["sk"].removeprefix(PREFIX)
        return Link(item["pk"], int(seq) if seq.isdecimal() else UNREADABLE, b"", (), b"", _NO_TIME)


def kept_from(owner_id: str, items: Iterable[Item]) -> Kept:
    """What an owner's records of these two kinds say, by their keys: what a record calls itself may be edited."""
    records, links = {}, []
    for item in items:
        if item["sk"].startswith(AUDIT_PREFIX):
            records[item["sk"]] = digest_of(item)
        elif item["sk"].startswith(PREFIX):
            links.append(link_or_bent(item))
    return Kept(owner_id, records, sorted(links, key=lambda link: link.seq))


def anchor_key(day: date) -> str:
    return f"{ANCHOR_PREFIX}{day.isoformat()}.json"


def anchor_bytes(anchor: Anchor) -> bytes:
    said = {
        "region": anchor.region,
        "day": anchor.day.isoformat(),
        "previous": anchor.previous,
        "root": anchor.root,
        "files": [[f.key, f.heads, f.root, f.digest] for f in anchor.files],
        "began_at": instant_text(anchor.began_at) if anchor.began_at else "",
    }
    return _json(said)


def anchor_from(body: bytes) -> Anchor:
    """Those written before heads had files of their own hold them."""
    said = json.loads(body)
    return Anchor(
        region=said["region"],
        day=date.fromisoformat(said["day"]),
        previous=said["previous"],
        root=said["root"],
        heads=_heads(said.get("heads", ())),
        files=tuple(HeadsFile(*row) for row in said.get("files", ())),
        began_at=instant_from(said["began_at"]) if said.get("began_at") else None,
    )


def heads_bytes(heads: Iterable[Head]) -> bytes:
    return _json({"heads": [[h.owner_id, h.seq, h.count, h.hash.hex()] for h in heads]})


def heads_from(body: bytes) -> tuple[Head, ...]:
    return _heads(json.loads(body)["heads"])


def _heads(rows: Iterable[Sequence[Any]]) -> tuple[Head, ...]:
    return tuple(Head(owner, seq, count, bytes.fromhex(hash_)) for owner, seq, count, hash_ in rows)


def _json(said: Item) -> bytes:
    return json.dumps(said, separators=(",", ":"), sort_keys=True).encode()
