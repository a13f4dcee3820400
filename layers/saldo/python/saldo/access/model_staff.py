"""The seller's people: who they are, what they may do at which legal entity, and their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from saldo.access.model import Origin, UserStatus


class StaffRole(StrEnum):
    """What a member of staff is at one legal entity."""

    SUPPORT = "support"
    COLLECTOR = "collector"
    AR_ANALYST = "ar_analyst"
    FINANCE_APPROVER = "finance_approver"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Post:
    """A standing role at one legal entity. `confirmed_at`: when it was given, or last confirmed by a review."""

    entity_id: str
    role: StaffRole
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class Elevation:
    """A role for a limited time, asked for with a reason and agreed to by a second person."""

    id: str
    entity_id: str
    role: StaffRole
    until: datetime
    reason: str
    agreed_by: str


@dataclass(frozen=True, slots=True)
class Staff:
    """One of the seller's people, without name and address. `version` rises with each change of what they may do.

    `seen_at`: when they last signed in (or were put on record).
    """

    id: str
    language: str
    posts: tuple[Post, ...]
    seen_at: datetime
    elevations: tuple[Elevation, ...] = ()
    status: UserStatus = UserStatus.ACTIVE
    version: int = 1


@dataclass(frozen=True, slots=True)
class StaffPerson:
    """What is personal of a member of staff: sealed wherever it is stored."""

    email: str
    name: str


@dataclass(frozen=True, slots=True)
class StaffSession:
    """A member of staff signed in on one browser, always with a one-time code. `digest`: SHA-256 of the token."""

    digest: str
    staff_id: str
    began_at: datetime
    seen_at: datetime
    origin: Origin


@dataclass(frozen=True, slots=True)
class StaffSignedIn:
    """A session that has just begun. `token` goes into the cookie and is forgotten here."""

    token: str
    session: StaffSession
