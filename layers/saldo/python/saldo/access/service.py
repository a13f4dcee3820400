"""Use cases of access that need the identity provider: register, sign in, prove it again, recover."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from saldo.access import records, rules
from saldo.access.model import (
    Challenge,
    ChallengeKind,
    Grant,
    Origin,
    Seat,
    Session,
    SignedIn,
    Tokens,
    TotpSetup,
    User,
    UserStatus,
)
from saldo.access.ports import IdentityProvider, IdTokenVerifier
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.items import Item
from saldo.storage.sealing import CannotOpen, Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit


@dataclass(frozen=True, slots=True)
class Realm:
    """Which users these are: the region's code and the issuer of their tokens."""

    region_code: str
    issuer: str


class Access:
    """Users and sessions of one region. `store` is the region's, not narrowed to a customer."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        identity: IdentityProvider,
        tokens: IdTokenVerifier,
        realm: Realm,
        clock: Clock,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._sealer, self._identity, self._tokens = store, sealer, identity, tokens
        self._realm, self._clock, self._pause = realm, clock, pause

    # -- users -------------------------------------------------------------------------------------------------------

    def user_id_of(self, subject: str) -> str:
        return rules.user_id_of(self._realm.region_code, self._realm.issuer, subject)

    def enrol(self, user: User, password: str, actor: Actor) -> User:
        """Make a user with a password at the provider and put them on record; `user.id` is replaced by the real one.

        Repeating sets password, grants and names again and ends the user's sessions.
        """
        subject = self._identity.enrol(rules.normal_email(user.email), password)
        return self.register(replace(user, id=self.user_id_of(subject)), actor)

    def register(self, user: User, actor: Actor) -> User:
        """Put a user on record, or change one; the sessions they have end in the same unit."""
        unit = Unit(f"register {user.id}").put(records.user_item(user, self._sealer, self._clock()))
        for item in self._store.query_all(user.id, prefix=records.OWN_SESSIONS, consistent=True):
            records.end_session(unit, user.id, item["sk"].removeprefix(records.OWN_SESSIONS))
        after = {"grants": [f"{g.account_id} {g.role}" for g in user.grants], "status": user.status.value}
        unit.put(audit_item(AuditRecord(user.id, self._clock(), actor, "user.registered", user.id, after=after)))
        self._store.write_one(unit)
        return user

    def user(self, user_id: str) -> User:
        """Opens the sealed fields; NotFound for nobody."""
        item = self._store.get(*records.user_key(user_id))
        if item is None:
            raise NotFound("no such user")
        return records.user_from(item, self._sealer)

    # -- signing in --------------------------------------------------------------------------------------------------

    def sign_in(self, email: str, password: str, origin: Origin, old_token: str = "") -> SignedIn | Challenge:
        """Begin. Refusal `sign_in_failed` for every kind of no; `too_many_attempts` once there were too many."""
        email = rules.normal_email(email)
        return self._guarded(email, origin, old_token, lambda: self._identity.sign_in(email, password))

    def answer(self, challenge: Challenge, reply: str, origin: Origin, old_token: str = "") -> SignedIn | Challenge:
        """Go on with the reply to a challenge: the code, or the new password. Refusal `code_wrong`, `password_weak`
        and those of `sign_in`."""
        steps = {
            ChallengeKind.TOTP: self._identity.answer_totp,
            ChallengeKind.TOTP_SETUP: self._identity.answer_totp_setup,
            ChallengeKind.NEW_PASSWORD: self._identity.answer_new_password,
        }
        step = steps[challenge.kind]
        with_code = challenge.kind is not ChallengeKind.NEW_PASSWORD
        return self._guarded(challenge.email, origin, old_token, lambda: step(challenge, reply), with_code)

    def _guarded(
        self,
        email: str,
        origin: Origin,
        old_token: str,
        ask: Callable[[], Tokens | Challenge],
        with_code: bool = False,
    ) -> SignedIn | Challenge:
        """Ask the provider under the limits; a failure is counted and never answered faster than the floor."""
        began = time.monotonic()
        try:
            self._refuse_when_too_many(email, origin)
            try:
                answer = ask()
                if isinstance(answer, Challenge):
                    return answer
                return self._begin(answer, origin, old_token, with_code)
            except Refusal as refusal:
                if refusal.code in ("sign_in_failed", "code_wrong", "token_invalid"):
                    self._count_failure(email, origin)
                raise
        except Refusal:
            self._pause(max(0.0, rules.FAILURE_FLOOR_S - (time.monotonic() - began)))
            raise

    def _refuse_when_too_many(self, email: str, origin: Origin) -> None:
        by_user, by_address = rules.attempt_keys(email, origin.address, self._clock())
        found = self._store.get_many([(by_user, "window"), (by_address, "window")], consistent=True)
        counts = {key[0]: item["failures"] for key, item in found.items()}
        most = (by_user, rules.MOST_FAILURES_OF_A_USER), (by_address, rules.MOST_FAILURES_OF_AN_ADDRESS)
        if any(counts.get(owner, 0) >= limit for owner, limit in most):
            raise Refusal("too_many_attempts", "too many attempts; try again in 15 minutes")

    def _count_failure(self, email: str, origin: Origin) -> None:
        now = self._clock()
        unit = Unit("count a failed sign-in")
        for owner in rules.attempt_keys(email, origin.address, now):
            records.count_failure(unit, owner, now)
        self._store.write_one(unit)

    def _begin(self, tokens: Tokens, origin: Origin, old_token: str, with_code: bool) -> SignedIn:
        user_id = self.user_id_of(self._tokens.subject(tokens.id_token))
        item = self._store.get(*records.user_key(user_id))
        if item is None or item["status"] != UserStatus.ACTIVE or not item["grants"]:
            raise Refusal("sign_in_failed", "e-mail address or password is not right")
        now, token = self._clock(), secrets.token_urlsafe(32)
        session = Session(
            digest=rules.digest_of(token),
            user_id=user_id,
            organisation_id=item["organisation_id"],
            seats=self._seats(records.grants_from(item)),
            language=item["language"],
            has_totp=item["has_totp"] or with_code,
            began_at=now,
            seen_at=now,
            verified_at=now if with_code else None,
            origin=origin,
        )
        self._record(session, item, old_token)
        return SignedIn(token, session)

    def _record(self, session: Session, user: Item, old_token: str) -> None:
        """The session, the user's list of it, the end of the one it follows, and the audit: one unit."""
        unit = Unit(f"begin {session.digest}").insert(records.session_item(session))
        unit.put(records.own_session_item(session))
        # Holds only while the grants are those that were read: a change meanwhile must not be outlived.
        unit.require(records.user_key(session.user_id), when={"registered_at": user["registered_at"]})
        old = self._store.get(*records.session_key(rules.digest_of(old_token))) if old_token else None
        if old is not None:
            records.end_session(unit, old["user_id"], rules.digest_of(old_token))
        actor = Actor(session.user_id, "user", address=session.origin.address)
        unit.put(audit_item(AuditRecord(session.user_id, session.began_at, actor, "session.began", session.user_id)))
        if self._store.write_one(unit):
            raise Refusal("sign_in_failed", "e-mail address or password is not right")

    def _seats(self, grants: Sequence[Grant]) -> tuple[Seat, ...]:
        found = self._store.get_many([(g.account_id, "account") for g in grants])
        seats = []
        for grant in grants:
            item = found.get((grant.account_id, "account"))
            if item is not None:
                facts = (item["name"], item["currency"], item["entity_id"], item["time_zone"])
                seats.append(Seat(grant.account_id, grant.role, *facts))
        return tuple(seats)

    # -- proving it again --------------------------------------------------------------------------------------------

    def step_up(self, session: Session, password: str, code: str) -> None:
        """Prove again, by password and one-time code, who is there. Refusals as of `sign_in` and `answer`."""
        email = self.user(session.user_id).email

        def ask() -> Tokens | Challenge:
            first = self._identity.sign_in(email, password)
            if not isinstance(first, Challenge) or first.kind is not ChallengeKind.TOTP:
                raise Refusal("sign_in_failed", "e-mail address or password is not right")
            return self._identity.answer_totp(first, code)

        self._prove(session, email, ask)
        unit = Unit("step up").update(
            records.session_key(session.digest), set={"verified_at": instant_text(self._clock())}, exists=True
        )
        self._store.write_one(unit)

    def begin_totp(self, session: Session, password: str, code: str = "") -> TotpSetup:
        """A secret for an authenticator, once the password (and the old code, where there is one) is proven."""
        email = self.user(session.user_id).email

        def ask() -> Tokens | Challenge:
            first = self._identity.sign_in(email, password)
            again = isinstance(first, Challenge) and first.kind is ChallengeKind.TOTP
            return self._identity.answer_totp(first, code) if again else first  # type: ignore[arg-type] # see `again`

        tokens = self._prove(session, email, ask)
        secret = self._identity.start_totp_setup(tokens.access_token)
        fields = {"access_token": tokens.access_token, "secret": secret}
        sealed = self._sealer.seal(
            session.organisation_id, records.session_key(session.digest), records.SETUP_FIELDS, fields
        )
        return TotpSetup(secret, base64.urlsafe_b64encode(sealed).decode())

    def totp_secret(self, session: Session, state: str) -> str:
        """The secret inside a set-up under way, to show it again; Refusal `setup_expired` for a state of another."""
        return self._setup(session, state)["secret"]

    def confirm_totp(self, session: Session, state: str, code: str) -> None:
        """Finish the set-up with the first code; Refusal `code_wrong`, `setup_expired`."""
        self._identity.confirm_totp(self._setup(session, state)["access_token"], code)
        now = self._clock()
        unit = Unit(f"totp of {session.user_id}")
        unit.update(records.user_key(session.user_id), set={"has_totp": True}, exists=True)
        changes = {"has_totp": True, "verified_at": instant_text(now)}
        unit.update(records.session_key(session.digest), set=changes, exists=True)
        actor = Actor(session.user_id, "user", address=session.origin.address)
        unit.put(audit_item(AuditRecord(session.user_id, now, actor, "totp.confirmed", session.user_id)))
        self._store.write_one(unit)

    def _setup(self, session: Session, state: str) -> dict[str, str]:
        try:
            sealed = base64.urlsafe_b64decode(state)
            key = records.session_key(session.digest)
            return self._sealer.open(session.organisation_id, key, records.SETUP_FIELDS, sealed)
        except (ValueError, CannotOpen) as error:
            raise Refusal("setup_expired", "this set-up is over; begin again") from error

    def _prove(self, session: Session, email: str, ask: Callable[[], Tokens | Challenge]) -> Tokens:
        """The same limits as for a sign-in; the tokens must be this session's user's."""
        began = time.monotonic()
        try:
            self._refuse_when_too_many(email, session.origin)
            try:
                answer = ask()
                if isinstance(answer, Challenge):
                    raise Refusal("sign_in_failed", "e-mail address or password is not right")
                if self.user_id_of(self._tokens.subject(answer.id_token)) != session.user_id:
                    raise Refusal("sign_in_failed", "e-mail address or password is not right")
                return answer
            except Refusal:
                self._count_failure(email, session.origin)
                raise
        except Refusal:
            self._pause(max(0.0, rules.FAILURE_FLOOR_S - (time.monotonic() - began)))
            raise

    # -- recovering --------------------------------------------------------------------------------------------------

    def forgot_password(self, email: str, origin: Origin) -> None:
        """Send a code if the address is known; takes the same time and says the same either way."""
        began = time.monotonic()
        self._refuse_when_too_many(email, origin)
        self._count_failure(f"forgot {email}", origin)
        self._identity.forgot_password(rules.normal_email(email))
        self._pause(max(0.0, rules.FAILURE_FLOOR_S - (time.monotonic() - began)))

    def confirm_forgot(self, email: str, code: str, password: str, origin: Origin) -> None:
        """Set a new password with the code sent; Refusal `code_wrong`, `password_weak`, `too_many_attempts`."""
        began = time.monotonic()
        try:
            self._refuse_when_too_many(email, origin)
            try:
                self._identity.confirm_forgot(rules.normal_email(email), code, password)
            except Refusal as refusal:
                if refusal.code == "code_wrong":
                    self._count_failure(email, origin)
                raise
        except Refusal:
            self._pause(max(0.0, rules.FAILURE_FLOOR_S - (time.monotonic() - began)))
            raise
