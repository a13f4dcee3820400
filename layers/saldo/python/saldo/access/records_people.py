"""How the people of an account lie in the table, name and address sealed.

`<account>` / `people#member#<user>`: written with the user's grant, in the same unit.
`<account>` / `people#invitation#<id>`. Approvals of payments lie before them (saldo/payments), for the same reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from saldo.access import records
from saldo.access.model import Grant, Role, User
from saldo.access.model_people import Invitation, InvitationState, Member, People
from saldo.accounts.model import ERASED
from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Erased, Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

PREFIX = "people#"
_MEMBER, _INVITATION = PREFIX + "member#", PREFIX + "invitation#"
LAST = _MEMBER + "~"
FIELDS = "person/1"


def member_key(account_id: str, user_id: str) -> Key:
    return account_id, _MEMBER + user_id


def invitation_key(account_id: str, invitation_id: str) -> Key:
    return account_id, _INVITATION + invitation_id


def member_of(user: User, grant: Grant) -> Member:
    person = user.email, user.name, user.language
    return Member(grant.account_id, user.organisation_id, user.id, grant.role, grant.suspended, *person)


def member_item(member: Member, sealer: Sealer) -> Item:
    pk, sk = member_key(member.account_id, member.user_id)
    person = {"email": member.email, "name": member.name}
    return {
        "pk": pk,
        "sk": sk,
        "kind": "member",
        "user_id": member.user_id,
        "organisation_id": member.organisation_id,
        "role": member.role.value,
        "suspended": member.suspended,
        "language": member.language,
        "sealed": sealer.seal(member.organisation_id, (pk, sk), FIELDS, person),
    }


def member_from(item: Item, sealer: Sealer) -> Member:
    person = _opened(item, sealer)
    return Member(
        item["pk"],
        item["organisation_id"],
        item["user_id"],
        Role(item["role"]),
        item["suspended"],
        person["email"],
        person["name"],
        item["language"],
    )


def invitation_item(invitation: Invitation, sealer: Sealer) -> Item:
    pk, sk = invitation_key(invitation.account_id, invitation.id)
    person = {"email": invitation.email, "name": invitation.name}
    return {
        "pk": pk,
        "sk": sk,
        "kind": "invitation",
        "invitation_id": invitation.id,
        "organisation_id": invitation.organisation_id,
        "role": invitation.role.value,
        "language": invitation.language,
        "by": invitation.by,
        "invited_at": instant_text(invitation.invited_at),
        "until": instant_text(invitation.expires_at),
        "state": invitation.state.value,
        "sealed": sealer.seal(invitation.organisation_id, (pk, sk), FIELDS, person),
    }


def invitation_from(item: Item, sealer: Sealer) -> Invitation:
    person = _opened(item, sealer)
    return Invitation(
        account_id=item["pk"],
        id=item["invitation_id"],
        organisation_id=item["organisation_id"],
        email=person["email"],
        name=person["name"],
        language=item["language"],
        role=Role(item["role"]),
        by=item["by"],
        invited_at=instant_from(item["invited_at"]),
        expires_at=instant_from(item["until"]),
        state=InvitationState(item["state"]),
    )


def _opened(item: Item, sealer: Sealer) -> dict[str, str]:
    try:
        return sealer.open(item["organisation_id"], (item["pk"], item["sk"]), FIELDS, item["sealed"])
    except Erased:
        return {"email": "", "name": ERASED}


def people_of(store: Store, sealer: Sealer, account_id: str, now: datetime) -> People:
    """Everybody of an account, in one call."""
    return people_from(store.query_all(account_id, first=_INVITATION, last=LAST, consistent=True), sealer, now)


def names_of(store: Store, sealer: Sealer, keys: Sequence[Key]) -> dict[Key, str]:
    """Of members, by their keys; in one call for a hundred."""
    return {key: member_from(item, sealer).name for key, item in store.get_many(keys).items()}


def people_from(found: Iterable[Item], sealer: Sealer, now: datetime) -> People:
    """Those among these items."""
    items = list(found)
    members = [member_from(i, sealer) for i in items if i["kind"] == "member"]
    asked = [invitation_from(i, sealer) for i in items if i["kind"] == "invitation"]
    holding = sorted((i for i in asked if i.holds(now)), key=lambda i: i.invited_at, reverse=True)
    return People(tuple(sorted(members, key=lambda m: (m.name.casefold(), m.user_id))), tuple(holding))


def write_members(unit: Unit, old: tuple[Grant, ...], user: User, sealer: Sealer) -> Unit:
    """Bring the accounts' lists in line with a user's grants."""
    for grant in user.grants:
        unit.put(member_item(member_of(user, grant), sealer))
    for account_id in sorted({g.account_id for g in old} - {g.account_id for g in user.grants}):
        unit.delete(member_key(account_id, user.id))
    return unit


def regrant(unit: Unit, user: Item, grants: tuple[Grant, ...], now: datetime) -> Unit:
    """Give a user other grants; holds while neither grants nor sign-ins changed since the user was read."""
    changes = {"grants": records.grant_items(grants), "registered_at": instant_text(now)}
    when = {"registered_at": user["registered_at"], "signed_in_at": user.get("signed_in_at")}
    return unit.update((user["pk"], user["sk"]), set=changes, when=when, exists=True)
