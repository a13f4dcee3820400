"""The people of an account as rows."""

from __future__ import annotations

from dataclasses import dataclass

from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
from saldo.access.model import Role
from saldo.access.model_people import People

ACTS = (*(role.value for role in Role), "suspend", "restore", "remove")


@dataclass(frozen=True, slots=True)
class PersonRow:
    user_id: str
    name: str
    email: str
    role: str
    tag: Tag
    is_reader: bool


@dataclass(frozen=True, slots=True)
class InvitationRow:
    id: str
    name: str
    email: str
    role: str
    until: str


@dataclass(frozen=True, slots=True)
class PeopleView:
    people: tuple[PersonRow, ...]
    invitations: tuple[InvitationRow, ...]


def role_texts(words: Words) -> list[tuple[str, str, str]]:
    """Every role with what it may do, as `choices` takes them."""
    return [(role.value, words(f"role.{role}"), words(f"role_means.{role}")) for role in Role]


def people_view(people: People, reader_id: str, zone: str, words: Words) -> PeopleView:
    """reader_id: whoever looks; their own row says so."""
    active = Tag("done", words("people.active"))
    suspended = Tag("over", words("people.suspended"))
    rows = [
        PersonRow(
            m.user_id,
            m.name,
            m.email,
            words(f"role.{m.role}"),
            suspended if m.suspended else active,
            m.user_id == reader_id,
        )
        for m in people.members
    ]
    asked = [
        InvitationRow(i.id, i.name, i.email, words(f"role.{i.role}"), words.moment(i.expires_at, zone))
        for i in people.invitations
    ]
    return PeopleView(tuple(rows), tuple(asked))
