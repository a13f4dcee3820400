"""The audit record, the one who acts, and the chain that records lie in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user, a member of staff, or a job. `on_behalf_of` when staff acts for a customer.

    `address` is where from (an IP address, truncated to its network by the edge), `correlation_id` ties the
    act to its logs.
    """

    id: str
    kind: str
    correlation_id: str = ""
    address: str = ""
    on_behalf_of: str = ""


def job(name: str, correlation_id: str = "") -> Actor:
    """One of Saldo's own jobs as an actor (`invoice_run`, `gateway_events`)."""
    return Actor(id=name, kind="job", correlation_id=correlation_id)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One act on one owner's records. `before` and `after` hold changed fields, never personal or secret ones."""

    owner_id: str
    at: datetime
    actor: Actor
    action: str
    subject_id: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """One audit record in a chain: its sort key, and SHA-256 of its canonical form."""

    sk: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """A block of an owner's audit records. `seq` counts from 1; `previous` and `hash` are SHA-256 digests.

    The link with the highest `seq` is open: it is extended until it is full, then sealed. `linked_at`: when it was
    last extended. `floor`: the greatest sort key in any sealed link before it, "" when there is none.
    """

    owner_id: str
    seq: int
    previous: bytes
    records: tuple[Linked, ...]
    hash: bytes
    linked_at: datetime
    floor: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """How far an owner's chain went when a day was anchored: `count` records in link `seq`, and their hash."""

    owner_id: str
    seq: int
    count: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class HeadsFile:
    """A part of a day's heads, in a file of its own: how many, their root, and the file's SHA-256."""

    key: str
    heads: int
    root: str
    digest: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A region's root of one day, over the heads that moved since the anchor before. `previous`: its file's SHA-256.

    files: where the heads lie. began_at: what was linked before it, a minute apart, is in this root or in one before.
    An anchor without files holds its `heads` itself, and what moved until its day ended may be in the next.
    """

    region: str
    day: date
    previous: str
    root: str
    heads: tuple[Head, ...] = ()
    files: tuple[HeadsFile, ...] = ()
    began_at: datetime | None = None


class BreakKind(StrEnum):
    """What was done to a chain, as far as it tells."""

    EDITED = "edited"
    DELETED = "deleted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    REPEATED = "repeated"
    UNLINKED = "unlinked"


@dataclass(frozen=True, slots=True)
class Break:
    """The first broken link of an owner, or the first broken day (`owner_id` is then the region's code, `seq` 0)."""

    owner_id: str
    kind: BreakKind
    seq: int
    what: str
