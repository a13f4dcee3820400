"""Decisions on the people of an account."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from saldo.access.model import Role
from saldo.access.model_people import Member, People
from saldo.access.rules import normal_email
from saldo.kernel.errors import Problems, Refusal

ADMINS = frozenset({Role.ACCOUNT_ADMIN})
INVITATION_HOLDS = timedelta(days=7)
MOST_PEOPLE = 200
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,180}\.[^\s@.<>,;:\"()\[\]\\]{2,24}")


def check_invitation(people: People, email: str, name: str) -> None:
    """Refusal `invalid_invitation` with every problem: email (invalid_email, is_member, is_invited), name, people."""
    problems, wanted = Problems(), normal_email(email)
    if not _EMAIL.fullmatch(wanted):
        problems.add("email", "invalid_email", "enter an e-mail address")
    if any(normal_email(m.email) == wanted for m in people.members):
        problems.add("email", "is_member", "this person is among your colleagues already")
    if any(normal_email(i.email) == wanted for i in people.invitations):
        problems.add("email", "is_invited", "this person is invited already")
    if not 1 <= len(name.strip()) <= 100:
        problems.add("name", "invalid_name", "a name has 1 to 100 characters")
    if len(people.members) + len(people.invitations) >= MOST_PEOPLE:
        problems.add("email", "too_many_people", f"an account has at most {MOST_PEOPLE} people")
    problems.refuse_if_any("this invitation cannot be sent", "invalid_invitation")


def other_admin(members: Sequence[Member], user_id: str) -> Member:
    """An admin who stays when this one goes; Refusal `last_admin` when there is none."""
    for member in members:
        if member.is_admin and member.user_id != user_id:
            return member
    raise Refusal("last_admin", "an account keeps at least one admin; make somebody else one first")
