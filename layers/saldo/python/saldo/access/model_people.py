"""The people of an account, as its admins see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from saldo.access.model import Role


@dataclass(frozen=True, slots=True)
class Member:
    """A user with a grant on the account. `email` and `name` are personal."""

    account_id: str
    organisation_id: str
    user_id: str
    role: Role
    suspended: bool
    email: str
    name: str
    language: str = "en"

    @property
    def is_admin(self) -> bool:
        """Whether this one can look after the others now."""
        return self.role is Role.ACCOUNT_ADMIN and not self.suspended


class InvitationState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody asked to join. `email` and `name` are personal. `by`: id of who asked."""

    account_id: str
    id: str
    organisation_id: str
    email: str
    name: str
    language: str
    role: Role
    by: str
    invited_at: datetime
    expires_at: datetime
    state: InvitationState = InvitationState.OPEN

    def holds(self, now: datetime) -> bool:
        return self.state is InvitationState.OPEN and now < self.expires_at


@dataclass(frozen=True, slots=True)
class People:
    """Members by name, then invitations that hold, newest first."""

    members: tuple[Member, ...]
    invitations: tuple[Invitation, ...]

    def member(self, user_id: str) -> Member | None:
        return next((m for m in self.members if m.user_id == user_id), None)
