"""One line of the notification centre, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from saldo.access.model import Role
from saldo.access.model_notices import NoticeKind
from saldo.access.model_visibility import Visibility


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened, for one reader. `account_id` is "" for what concerns the reader alone.

    `what`: the act on the trail, or `invoice` / `credit_note`. `minor` is None where no amount belongs to it;
    `due_on`: the day it is about (due date, day of the debit).
    """

    account_id: str
    kind: NoticeKind
    at: datetime
    what: str
    subject_id: str
    number: str = ""
    minor: int | None = None
    currency: str = ""
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at an account, with the role as it is now. `zone` is the account's."""

    user_id: str
    account_id: str
    role: Role
    visibility: Visibility
    zone: str


@dataclass(frozen=True, slots=True)
class IssuedInvoice:
    """What of an invoice or credit note notices tell. `asked_minor`: open and neither in dispute
    nor promised."""

    invoice_id: str
    is_credit_note: bool
    number: str
    currency: str
    total_minor: int
    asked_minor: int
    due_on: date
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """Newest first. `since`: accounts of which only what happened after an instant was read, because there is so much.

    `read_from`: what happened later has not been read yet. `left_out`: accounts beyond those that are read at once.
    """

    notices: tuple[Notice, ...]
    read_from: datetime
    since: Mapping[str, datetime]
    left_out: int = 0

    @property
    def unread(self) -> int:
        return sum(notice.at > self.read_from for notice in self.notices)
