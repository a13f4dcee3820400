"""What people are told of: the kinds of notices, the ways they take, and what one person chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from saldo.access.model import Role


class NoticeKind(StrEnum):
    """Everything that somebody is told of without having asked at that moment. The names are permanent: choices and
    links in mails hold them."""

    INVOICE_READY = "invoice_ready"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    PAYMENT_STARTED = "payment_started"
    PAYMENT_SUCCEEDED = "payment_succeeded"
    PAYMENT_FAILED = "payment_failed"
    REFUNDED = "refunded"
    DEBIT_ANNOUNCED = "debit_announced"
    METHOD_EXPIRING = "method_expiring"
    APPROVAL_ASKED = "approval_asked"
    APPROVAL_DECIDED = "approval_decided"
    DISPUTE_MOVED = "dispute_moved"
    PROMISE_MOVED = "promise_moved"
    TERMS_DECIDED = "terms_decided"
    RENEWAL_ANNOUNCED = "renewal_announced"
    CERTIFICATE_DECIDED = "certificate_decided"
    TICKET_ANSWERED = "ticket_answered"
    LIMIT_REACHED = "limit_reached"
    ACCOUNT_CHANGED = "account_changed"
    SECURITY = "security"


class Way(StrEnum):
    EMAIL = "email"
    PORTAL = "portal"


class Mail(StrEnum):
    """How a notice is mailed. NONE: not at all. PERSON: to the person it is for. COPY: to the billing contacts, because
    it is a document of the account; a person may have a copy of their own."""

    NONE = "none"
    PERSON = "person"
    COPY = "copy"


class Must(StrEnum):
    """Why a notice cannot be switched off."""

    SECURITY = "security"
    LAW = "law"


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """Who is told of a kind of notice (roles on the account), how it is mailed, and whether it must be."""

    roles: frozenset[Role]
    mail: Mail = Mail.NONE
    must: Must | None = None


@dataclass(frozen=True, slots=True)
class NoticeChoices:
    """What one person chose, where they chose anything; for everything else the defaults hold.

    `read_until`: up to when they have read their notices, None when they never did.
    """

    chosen: Mapping[tuple[NoticeKind, Way], bool] = field(default_factory=dict)
    read_until: datetime | None = None
