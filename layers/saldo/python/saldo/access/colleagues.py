"""Use cases of an account's admins: whom they invite, and what their colleagues may do. Staff needs a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from saldo.access import records
from saldo.access.links import LinkPurpose, new_link_id
from saldo.access.model import Grant, Role
from saldo.access.model_people import Invitation, InvitationState, Member, People
from saldo.access.notes import Note, NoteKind, add_note, new_note_id
from saldo.access.records_people import (
    invitation_from,
    invitation_item,
    invitation_key,
    member_item,
    member_key,
    people_of,
    regrant,
)
from saldo.access.rules import normal_email
from saldo.access.rules_people import INVITATION_HOLDS, check_invitation, other_admin
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.items import Item
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

_Change = Callable[[Grant], Grant | None]
_MOST_TRIES = 5
_SESSIONS_A_UNIT = 40


class Colleagues:
    """The people of accounts of one region. `store` is the region's; who may call is for the caller to have checked."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._store, self._sealer, self._clock = store, sealer, clock

    def people(self, account_id: str) -> People:
        """Everybody of the account, in one call."""
        return people_of(self._store, self._sealer, account_id, self._clock())

    def invite(
        self, account_id: str, email: str, name: str, role: Role, language: str, actor: Actor, reason: str = ""
    ) -> Invitation:
        """Ask somebody to join and have the link mailed, in one unit. Refusal `invalid_invitation` with every problem,
        `reason_required` (staff)."""
        _check_reason(actor, reason)
        people, email = self.people(account_id), normal_email(email)
        check_invitation(people, email, name)
        account, now = self._account(account_id), self._clock()
        invitation = Invitation(
            account_id=account_id,
            id=new_link_id(),
            organisation_id=account["organisation_id"],
            email=email,
            name=name.strip(),
            language=language,
            role=role,
            by=actor.id,
            invited_at=now,
            expires_at=now + INVITATION_HOLDS,
        )
        unit = Unit(f"invite {invitation.id}").insert(invitation_item(invitation, self._sealer))
        add_note(unit, _note(invitation, account, people.member(actor.id)), self._sealer)
        unit.put(audit_item(self._told(account_id, actor, "invitation.sent", invitation.id, reason, {}, role)))
        self._store.write_one(unit)
        return invitation

    def withdraw(self, account_id: str, invitation_id: str, actor: Actor, reason: str = "") -> None:
        """The link opens nothing from now on; NotFound when it holds no more anyway."""
        _check_reason(actor, reason)
        item = self._store.get(*invitation_key(account_id, invitation_id))
        if item is None:
            raise NotFound("no such invitation")
        was = invitation_from(item, self._sealer)
        unit = Unit(f"withdraw {invitation_id}")
        withdrawn = replace(was, state=InvitationState.WITHDRAWN)
        unit.put(invitation_item(withdrawn, self._sealer), when={"state": InvitationState.OPEN.value})
        unit.put(audit_item(self._told(account_id, actor, "invitation.withdrawn", invitation_id, reason)))
        if self._store.write_one(unit):
            raise NotFound("no such invitation")

    def change_role(self, account_id: str, user_id: str, role: Role, actor: Actor, reason: str = "") -> None:
        """Another role, and the end of the user's sessions, in one unit. Refusal `last_admin`, NotFound."""
        self._change(account_id, user_id, lambda g: replace(g, role=role), actor, "member.role_changed", reason)

    def suspend(self, account_id: str, user_id: str, actor: Actor, reason: str = "") -> None:
        """No access to the account until `restore`; sessions and refusals as of `change_role`."""
        self._change(account_id, user_id, lambda g: replace(g, suspended=True), actor, "member.suspended", reason)

    def restore(self, account_id: str, user_id: str, actor: Actor, reason: str = "") -> None:
        self._change(account_id, user_id, lambda g: replace(g, suspended=False), actor, "member.restored", reason)

    def remove(self, account_id: str, user_id: str, actor: Actor, reason: str = "") -> None:
        """No grant on the account any more; the user stays for other accounts of the organisation."""
        self._change(account_id, user_id, lambda _: None, actor, "member.removed", reason)

    def _change(self, account_id: str, user_id: str, change: _Change, actor: Actor, action: str, reason: str) -> None:
        _check_reason(actor, reason)
        for _ in range(_MOST_TRIES):
            people = self.people(account_id)
            member = people.member(user_id)
            user, sessions = self._user(user_id)
            if member is None or user is None:
                raise NotFound("no such colleague")
            new = change(Grant(account_id, member.role, member.suspended))
            if new == Grant(account_id, member.role, member.suspended):
                return
            unit = self._unit(people, member, new, user)
            for digest in sessions:
                records.end_session(unit, user_id, digest)
            role = new.role if new else None
            unit.put(audit_item(self._told(account_id, actor, action, user_id, reason, _shown(member), role)))
            if self._store.write_one(unit) is None:
                return
        raise Refusal("changed_meanwhile", "somebody else changed this at the same time; look and try again")

    def _unit(self, people: People, member: Member, new: Grant | None, user: Item) -> Unit:
        """The grant in the user's record and in the account's list. An admin goes only while another one stays."""
        key, was = member_key(member.account_id, member.user_id), {"role": member.role.value}
        unit = Unit(f"change {member.user_id}")
        granted = (g if g.account_id != member.account_id else new for g in records.grants_from(user))
        regrant(unit, user, tuple(g for g in granted if g is not None), self._clock())
        if new is None:
            unit.delete(key, when=was)
        else:
            changed = replace(member, role=new.role, suspended=new.suspended)
            unit.put(member_item(changed, self._sealer), when=was)
        if member.is_admin and not (new and new.role is Role.ACCOUNT_ADMIN and not new.suspended):
            stays = other_admin(people.members, member.user_id)
            still = {"role": Role.ACCOUNT_ADMIN.value, "suspended": False}
            unit.require(member_key(member.account_id, stays.user_id), when=still)
        return unit

    def _user(self, user_id: str) -> tuple[Item | None, list[str]]:
        """The user's record and sessions. Of very many, the oldest end here and now: ending early harms nobody."""
        last = records.user_key(user_id)[1]
        items = list(self._store.query_all(user_id, first=records.OWN_SESSIONS, last=last, consistent=True))
        digests = [records.summary_from(i).digest for i in items if i["kind"] == "own_session"]
        for start in range(_SESSIONS_A_UNIT, len(digests), _SESSIONS_A_UNIT):
            unit = Unit("end sessions")
            for digest in digests[start : start + _SESSIONS_A_UNIT]:
                records.end_session(unit, user_id, digest)
            self._store.write_one(unit)
        return next((i for i in items if i["sk"] == last), None), digests[:_SESSIONS_A_UNIT]

    def _account(self, account_id: str) -> Item:
        item = self._store.get(account_id, "account")
        if item is None:
            raise NotFound("no such account")
        return item

    def _told(
        self,
        account_id: str,
        actor: Actor,
        action: str,
        subject: str,
        reason: str,
        before: dict[str, str] | None = None,
        role: Role | None = None,
    ) -> AuditRecord:
        after = {"role": role.value} if role else {}
        return AuditRecord(account_id, self._clock(), actor, action, subject, before or {}, after, reason)


def _shown(member: Member) -> dict[str, str]:
    return {"role": member.role.value, "suspended": "yes" if member.suspended else "no"}


def _check_reason(actor: Actor, reason: str) -> None:
    if actor.kind == "staff" and not reason.strip():
        raise Refusal("reason_required", "say why this is done for the customer")


def _note(invitation: Invitation, account: Item, by: Member | None) -> Note:
    values = {"account": account["name"], "role": invitation.role.value, "by": by.name if by else ""}
    return Note(
        account_id=invitation.account_id,
        id=new_note_id(invitation.invited_at),
        kind=NoteKind.INVITATION,
        organisation_id=invitation.organisation_id,
        entity_id=account["entity_id"],
        language=invitation.language,
        email=invitation.email,
        written_at=invitation.invited_at,
        until=invitation.expires_at,
        values=values,
        link=(LinkPurpose.INVITATION, invitation.account_id, invitation.id),
    )
