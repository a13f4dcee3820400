"""Decisions on staff: which roles they have now, which go together, how long sessions and elevations live.

What staff may do is read anew with each request: taking a role away, or its time running out, works at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from saldo.access.model import UserStatus
from saldo.access.model_staff import Elevation, Post, Staff, StaffRole, StaffSession
from saldo.kernel.errors import Problems
from saldo.kernel.ids import fingerprint

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=8)
TOUCH_EVERY = timedelta(minutes=2)
# A post that no review has confirmed for so long, or that nobody used for so long, is none until a review confirms it.
UNREVIEWED = timedelta(days=190)
UNUSED = timedelta(days=90)
ELEVATION_HOURS = (1, 2, 4, 8)

ALL = frozenset(StaffRole)
# An auditor only looks, and who gives access does not agree to money.
_APART = (
    frozenset({StaffRole.ADMINISTRATOR, StaffRole.FINANCE_APPROVER}),
    *(frozenset({StaffRole.AUDITOR, role}) for role in StaffRole if role is not StaffRole.AUDITOR),
)


def staff_id_of(region_code: str, issuer: str, subject: str) -> str:
    """The member of staff a provider's subject is, for ever."""
    return f"staff_{region_code}_{fingerprint('staff', issuer, subject)}"


def ends_at(session: StaffSession) -> datetime:
    return min(session.seen_at + IDLE, session.began_at + ABSOLUTE)


def is_alive(session: StaffSession, now: datetime) -> bool:
    return now < ends_at(session)


def is_due_for_touch(session: StaffSession, now: datetime) -> bool:
    return now - session.seen_at >= TOUCH_EVERY


def is_unused(staff: Staff, now: datetime) -> bool:
    """Whether they did not sign in for so long that a review must say that they still need to."""
    confirmed = max((p.confirmed_at for p in staff.posts), default=staff.seen_at)
    return now - max(staff.seen_at, confirmed) > UNUSED


def holds(post: Post, now: datetime) -> bool:
    return now - post.confirmed_at <= UNREVIEWED


def elevations_at(staff: Staff, entity_id: str, now: datetime) -> tuple[Elevation, ...]:
    """Those that have not ended."""
    return tuple(e for e in staff.elevations if e.entity_id == entity_id and now < e.until)


def roles_at(staff: Staff, entity_id: str, now: datetime) -> frozenset[StaffRole]:
    """What they may do at a legal entity now: standing roles and living elevations; nothing when suspended."""
    if staff.status is not UserStatus.ACTIVE:
        return frozenset()
    standing = {p.role for p in staff.posts if p.entity_id == entity_id and holds(p, now)}
    # A role for a time is on top of a standing one: who has none here, or no more, has nothing to stand on.
    return frozenset(standing | {e.role for e in elevations_at(staff, entity_id, now)}) if standing else frozenset()


def entities_of(staff: Staff, now: datetime) -> tuple[str, ...]:
    """Legal entities where they have any role, in order."""
    return tuple(e for e in sorted({p.entity_id for p in staff.posts}) if roles_at(staff, e, now))


def check_posts(posts: Iterable[Post]) -> None:
    """Refusal `roles_apart` names every entity where two roles meet that must be two people's."""
    problems, by_entity = Problems(), dict[str, set[StaffRole]]()
    for post in posts:
        by_entity.setdefault(post.entity_id, set()).add(post.role)
    for entity_id, roles in sorted(by_entity.items()):
        for pair in _APART:
            if pair <= roles:
                problems.add(entity_id, "roles_apart", " and ".join(sorted(pair)) + " are two people's roles")
    problems.refuse_if_any("these roles do not go together", "roles_apart")


def may_be_raised_to(staff: Staff, entity_id: str, role: StaffRole, now: datetime) -> bool:
    """Whether a role for a time would be one they lack and may have beside those they have."""
    roles = roles_at(staff, entity_id, now)
    return bool(roles) and role not in roles and not any(pair <= roles | {role} for pair in _APART)
