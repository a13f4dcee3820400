"""Becoming a colleague. By invitation: the link proves the mailbox, the provider takes the password, one unit grants.
By single sign-on: the organisation's provider says who it is, and an invitation or the organisation says what they may.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from saldo.access import records
from saldo.access.attempts import Attempts
from saldo.access.links import LinkPurpose, is_ours, link_from
from saldo.access.model import Grant, Origin, User
from saldo.access.model_people import Invitation, InvitationState
from saldo.access.model_sso import Connection, Identity
from saldo.access.ports import IdentityProvider
from saldo.access.records_people import (
    invitation_from,
    invitation_item,
    invitation_key,
    member_item,
    member_of,
    regrant,
)
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Problems, Refusal
from saldo.storage.items import Item
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_SESSIONS = 40


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation offers. `is_known`: the person signs in here already, so no password is chosen."""

    invitation: Invitation
    account_name: str
    is_known: bool


class Joining:
    """Invitations of one region, from the side of who was invited. `user_id_of`: the user of a provider's subject."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        identity: IdentityProvider,
        attempts: Attempts,
        clock: Clock,
        user_id_of: Callable[[str], str],
    ) -> None:
        self._store, self._sealer, self._identity = store, sealer, identity
        self._attempts, self._clock, self._user_id_of = attempts, clock, user_id_of

    def look(self, token: str, origin: Origin) -> Offer:
        """What the link offers, before anything happens. Refusal `link_invalid`, the same for every reason."""
        with self._attempts.limited(token, origin):
            invitation = self._standing(token)
            account = self._store.get(invitation.account_id, "account")
            if account is None:
                raise _invalid()
            return Offer(invitation, account["name"], self._user(invitation.email) is not None)

    def accept(self, token: str, name: str, password: str, origin: Origin) -> None:
        """Become a colleague. Refusal `link_invalid`, `invalid_person` (name), `password_weak`, `other_organisation`.

        Repeating it after a crash is safe: the grant and the end of the invitation are one unit.
        """
        with self._attempts.limited(token, origin):
            invitation = self._standing(token)
            item = self._user(invitation.email)
            user = self._joined(invitation, item) if item else self._enrolled(invitation, name, password)
            if not self._taken_up(invitation, item, user, origin):
                raise _invalid()

    def standing(self, token: str, origin: Origin) -> Invitation:
        """The invitation of a link, to be taken up by single sign-on. Refusal `link_invalid`."""
        with self._attempts.limited(token, origin):
            return self._standing(token)

    def by_sso(
        self,
        connection: Connection,
        identity: Identity,
        invitation_id: tuple[str, str],
        origin: Origin,
        known_as: str = "",
    ) -> str:
        """The id of who comes in for the first time, or takes up an invitation. `known_as`: who the subject is already.

        Refusal `sso_not_invited`, `other_organisation`.
        """
        if invitation_id != ("", ""):
            return self._invited_by_sso(connection, identity, invitation_id, origin, known_as)
        if connection.joining is None:
            raise _not_invited()
        grants = tuple(Grant(account_id, connection.joining.role) for account_id in connection.joining.account_ids)
        user = self._made(identity, connection.organisation_id, "en", grants)
        unit = Unit(f"join by sso {user.id}").insert(records.user_item(user, self._sealer, self._clock()))
        actor, after = Actor(user.id, "user", address=origin.address), {"role": connection.joining.role.value}
        for grant in grants:
            unit.put(member_item(member_of(user, grant), self._sealer))
            told = AuditRecord(grant.account_id, self._clock(), actor, "member.joined_by_sso", user.id, {}, after)
            unit.put(audit_item(told))
        if self._store.write_one(unit):
            raise _not_invited()
        return user.id

    def _invited_by_sso(
        self,
        connection: Connection,
        identity: Identity,
        invitation_id: tuple[str, str],
        origin: Origin,
        known_as: str,
    ) -> str:
        """An invitation is for one address, whoever has its link."""
        found = self._store.get(*invitation_key(*invitation_id))
        invitation = invitation_from(found, self._sealer) if found else None
        if invitation is None or not invitation.holds(self._clock()) or invitation.email != identity.email:
            raise _not_invited()
        if invitation.organisation_id != connection.organisation_id:
            raise _not_invited()
        item, grant = self._user(identity.email), Grant(invitation.account_id, invitation.role)
        if item:
            user = self._joined(invitation, item)
        else:
            user = self._made(identity, invitation.organisation_id, invitation.language, (grant,))
        if known_as not in ("", user.id):
            raise _not_invited()
        if not self._taken_up(invitation, item, user, origin):
            raise _not_invited()
        return user.id

    def _taken_up(self, invitation: Invitation, item: Item | None, user: User, origin: Origin) -> bool:
        """The grant and the end of the invitation, in one unit; False when it did not hold."""
        grant = Grant(invitation.account_id, invitation.role)
        unit = Unit(f"join {invitation.id}")
        if item is None:
            unit.insert(records.user_item(user, self._sealer, self._clock()))
        elif grant not in records.grants_from(item) and grant in user.grants:
            self._regrant(unit, item, user)
        granted = next(g for g in user.grants if g.account_id == grant.account_id)
        unit.put(member_item(member_of(user, granted), self._sealer))
        accepted = replace(invitation, state=InvitationState.ACCEPTED)
        unit.put(invitation_item(accepted, self._sealer), when={"state": InvitationState.OPEN.value})
        actor = Actor(user.id, "user", address=origin.address)
        after = {"role": granted.role.value, "by": invitation.by}
        told = AuditRecord(grant.account_id, self._clock(), actor, "invitation.accepted", invitation.id, {}, after)
        return self._store.write_one(unit.put(audit_item(told))) is None

    def _made(self, identity: Identity, organisation_id: str, language: str, grants: tuple[Grant, ...]) -> User:
        """A user of the pool whose password nobody knows: the address stays the one way to find somebody."""
        subject = self._identity.enrol(identity.email, f"{secrets.token_urlsafe(30)}-Aa1")
        user_id = self._user_id_of(subject)
        return User(user_id, organisation_id, identity.email, identity.name, language, grants)

    def _standing(self, token: str) -> Invitation:
        link = link_from(token)
        if link is None or not link.owner_id.startswith("acct_"):
            raise _invalid()
        item = self._store.get(*invitation_key(link.owner_id, link.id))
        if item is None or not is_ours(self._sealer, item["organisation_id"], LinkPurpose.INVITATION, link):
            raise _invalid()
        invitation = invitation_from(item, self._sealer)
        if not invitation.holds(self._clock()):
            raise _invalid()
        return invitation

    def _regrant(self, unit: Unit, item: Item, user: User) -> None:
        """One account more; the sessions they have do not know it, so they end."""
        regrant(unit, item, user.grants, self._clock())
        own = self._store.query_all(user.id, prefix=records.OWN_SESSIONS, consistent=True)
        for session in list(own)[-_MOST_SESSIONS:]:
            records.end_session(unit, user.id, records.summary_from(session).digest)

    def _user(self, email: str) -> Item | None:
        subject = self._identity.find(email)
        return self._store.get(*records.user_key(self._user_id_of(subject))) if subject else None

    def _joined(self, invitation: Invitation, item: Item) -> User:
        """A user who has access elsewhere in the organisation; a grant they have here already stays as it is."""
        user = records.user_from(item, self._sealer)
        if user.organisation_id != invitation.organisation_id:
            raise Refusal("other_organisation", "this address signs in for another organisation")
        if any(g.account_id == invitation.account_id for g in user.grants):
            return user
        return replace(user, grants=(*user.grants, Grant(invitation.account_id, invitation.role)))

    def _enrolled(self, invitation: Invitation, name: str, password: str) -> User:
        problems, name = Problems(), name.strip()
        if not 1 <= len(name) <= 100:
            problems.add("name", "invalid_name", "a name has 1 to 100 characters")
        problems.refuse_if_any("not a person", "invalid_person")
        subject = self._identity.enrol(invitation.email, password)
        grants = (Grant(invitation.account_id, invitation.role),)
        user_id, organisation = self._user_id_of(subject), invitation.organisation_id
        return User(user_id, organisation, invitation.email, name, invitation.language, grants)


def _invalid() -> Refusal:
    return Refusal("link_invalid", "this link has been used or has expired")


def _not_invited() -> Refusal:
    return Refusal("sso_not_invited", "nobody of this organisation has invited this address")
