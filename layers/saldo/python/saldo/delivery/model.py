"""Copies of documents under way to customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from saldo.access.model_notices import NoticeKind


class Channel(StrEnum):
    EMAIL = "email"


class DeliveryStatus(StrEnum):
    """Where one copy stands. QUEUED: about to be handed over, the answer is not in yet.

    UNKNOWN: handed over, perhaps; the answer was lost. DELIVERED, OPENED and BOUNCED are later news of the channel.
    """

    QUEUED = "queued"
    UNKNOWN = "unknown"
    SENT = "sent"
    FAILED = "failed"
    DELIVERED = "delivered"
    OPENED = "opened"
    BOUNCED = "bounced"


_S = DeliveryStatus
MOVES: Mapping[DeliveryStatus, frozenset[DeliveryStatus]] = {
    _S.QUEUED: frozenset({_S.SENT, _S.FAILED, _S.UNKNOWN}),
    _S.UNKNOWN: frozenset({_S.QUEUED, _S.FAILED, _S.SENT}),
    _S.FAILED: frozenset({_S.QUEUED}),
    _S.SENT: frozenset({_S.DELIVERED, _S.OPENED, _S.BOUNCED}),
    _S.DELIVERED: frozenset({_S.OPENED, _S.BOUNCED}),
    _S.OPENED: frozenset(),
    _S.BOUNCED: frozenset(),
}

HANDED_OVER = frozenset({_S.SENT, _S.DELIVERED, _S.OPENED, _S.BOUNCED})


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One line of a delivery's history."""

    at: datetime
    status: DeliveryStatus


@dataclass(frozen=True, slots=True)
class Delivery:
    """One document's way over one channel. Names no address: `recipients` counts them, `profile_version` has them.

    `attempts` counts hand-overs begun, `lost_answers` those whose answer never came. `permanent` marks a failure
    that repeating will not mend. `message_id` is the channel's own name for the copy.
    `reader_id`: the user whose own copy it is, "" for the account's.
    """

    account_id: str
    document_id: str
    document_kind: str
    channel: Channel
    status: DeliveryStatus
    attempts: int
    lost_answers: int
    attempt_at: datetime
    recipients: int
    profile_version: int
    message_id: str = ""
    failure_code: str = ""
    permanent: bool = False
    reader_id: str = ""
    history: tuple[StatusChange, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Reader:
    """One of an account's people who gets a copy of their own. `email` is personal."""

    user_id: str
    email: str
    kinds: frozenset[NoticeKind]


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes with a document: plain texts in the customer's language, and the document itself, where there is one.

    `facts` are (label, value) pairs shown under the intro. `sender` is the seller's name, `reply_to` their address.
    `to`: the one person it is for, where it is not for the addresses of the billing profile.
    `notice`: what people choose about it, None for what was asked for. `reader_id`: the user at `to`, if they are one.
    `stop`: the words, and `stop_url` the address, by which that user ends mail of this kind without signing in.
    `page`: the portal's page of it for who signs in, where `url` does more than show it.
    `warning`: what must not be missed, a paragraph of its own under the facts.
    `holds_while`: records (owner, sort key) whose fields must still have these values when the letter is handed over.
    """

    language: str
    sender: str
    reply_to: str
    subject: str
    greeting: str
    intro: str
    facts: tuple[tuple[str, str], ...]
    button: str
    url: str
    questions: str
    closing: str
    file_name: str = ""
    pdf: bytes = b""
    to: str = ""
    notice: NoticeKind | None = None
    reader_id: str = ""
    stop: str = ""
    stop_url: str = ""
    page: str = ""
    warning: str = ""
    holds_while: tuple[tuple[tuple[str, str], Mapping[str, Any]], ...] = ()
