"""Use cases of access that need the identity provider: register, sign in, prove it again, recover."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from saldo.access import records, rules
from saldo.access.attempts import Attempts
from saldo.access.beginning import Arrival, Beginning, ProofByMail
from saldo.access.joining import Joining
from saldo.access.model import (
    Challenge,
    ChallengeKind,
    Failures,
    Grant,
    Origin,
    Proof,
    Session,
    SignedIn,
    Tokens,
    TotpSetup,
    User,
)
from saldo.access.passkeys import Passkeys
from saldo.access.ports import Challenger, Federation, IdentityProvider
from saldo.access.proof_of_work import ProofOfWork
from saldo.access.records_people import write_members
from saldo.access.sign_in_links import SignInLinks
from saldo.access.sso_sign_in import SsoSignIn
from saldo.access.tokens import RsaTokens
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.sealing import CannotOpen, Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit


class ChallengeAsked(Refusal):
    """Another attempt has to bring the answer to `puzzle`; unknown addresses meet it as soon as known ones."""

    def __init__(self, puzzle: str) -> None:
        super().__init__("challenge_asked", "answer the challenge with the next attempt")
        self.puzzle = puzzle


@dataclass(frozen=True, slots=True)
class Realm:
    """Which users these are: the region's code and the issuer of their tokens."""

    region_code: str
    issuer: str


class Access:
    """Users and sessions of one region. `store` is the region's, not narrowed to a customer.

    `origin`: the portal's, at which passkeys are used. `federation`: what brokers organisations' own providers.
    """

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        identity: IdentityProvider,
        tokens: RsaTokens,
        realm: Realm,
        clock: Clock,
        pause: Callable[[float], None] = time.sleep,
        federation: Federation | None = None,
        origin: str = "",
    ) -> None:
        self._store, self._sealer, self._identity, self._tokens = store, sealer, identity, tokens
        self._realm, self._clock = realm, clock
        self._attempts, self._beginning = Attempts(store, clock, pause), Beginning(store, sealer, clock)
        self._challenger: Challenger = ProofOfWork()
        self.joining = Joining(store, sealer, identity, self._attempts, clock, self.user_id_of)
        self.links = SignInLinks(store, sealer, identity, self._attempts, clock, self.user_id_of)
        self.passkeys = Passkeys(store, sealer, self._attempts, origin, clock)
        self._sso = (store, sealer, identity, federation, tokens)

    @property
    def sso(self) -> SsoSignIn:
        """Sign-ins through organisations' own providers, which the user pool brokers."""
        return SsoSignIn(*self._sso, self._attempts, self.joining, self._clock, self.user_id_of)

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
        old = self._store.get(*records.user_key(user.id))
        user = replace(user, has_passkey=bool(old and old.get("has_passkey")))
        unit = Unit(f"register {user.id}").put(records.user_item(user, self._sealer, self._clock()))
        write_members(unit, records.grants_from(old) if old else (), user, self._sealer)
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

    def with_address(self, email: str) -> tuple[str, tuple[Grant, ...]]:
        """Id and grants of who signs in with this address, ("", ()) when nobody does. The provider knows addresses;
        no index of them lies in the table."""
        subject = self._identity.find(rules.normal_email(email))
        user_id = self.user_id_of(subject) if subject else ""
        item = self._store.get(*records.user_key(user_id)) if user_id else None
        return (user_id, records.grants_from(item)) if item else ("", ())

    # -- signing in --------------------------------------------------------------------------------------------------

    def sign_in(
        self, email: str, password: str, origin: Origin, old_token: str = "", solution: str = ""
    ) -> SignedIn | Challenge:
        """Begin. Refusal `sign_in_failed` for every kind of no; `challenge_asked` (ChallengeAsked, with the puzzle)
        after some; `too_many_attempts` once there were too many; `proof_by_mail` when a link was mailed instead."""
        email = rules.normal_email(email)
        with self._attempts.limited(email, origin) as failures:
            self._refuse_unsolved(email, origin, failures, solution)
            answer = self._identity.sign_in(email, password)
            return self._went_on(answer, Proof.PASSWORD, origin, old_token, failures)

    def answer(self, challenge: Challenge, reply: str, origin: Origin, old_token: str = "") -> SignedIn | Challenge:
        """Go on with the reply to a challenge: the code, or the new password. Refusal `code_wrong`, `password_weak`
        and those of `sign_in`."""
        steps = {
            ChallengeKind.TOTP: self._identity.answer_totp,
            ChallengeKind.TOTP_SETUP: self._identity.answer_totp_setup,
            ChallengeKind.NEW_PASSWORD: self._identity.answer_new_password,
        }
        proof = Proof.PASSWORD if challenge.kind is ChallengeKind.NEW_PASSWORD else Proof.CODE
        with self._attempts.limited(challenge.email, origin) as failures:
            answer = steps[challenge.kind](challenge, reply)
            return self._went_on(answer, proof, origin, old_token, failures)

    def _refuse_unsolved(self, email: str, origin: Origin, failures: Failures, solution: str) -> None:
        if not rules.asks_challenge(failures):
            return
        about = f"{email} {origin.browser} {origin.address} {failures.of_user}"
        if not self._challenger.holds(about, solution):
            raise ChallengeAsked(self._challenger.puzzle(about))

    def _went_on(
        self, answer: Tokens | Challenge, proof: Proof, origin: Origin, old_token: str, failures: Failures
    ) -> SignedIn | Challenge:
        if isinstance(answer, Challenge):
            return answer
        user_id = self.user_id_of(self._tokens.subject(answer.id_token))
        try:
            return self._beginning.begin(Arrival(user_id, origin, proof, failures, old_token))
        except ProofByMail:
            self.links.send(user_id, origin)
            raise

    # -- proving it again --------------------------------------------------------------------------------------------

    def step_up(self, session: Session, password: str, code: str) -> SignedIn:
        """Prove again, by password and one-time code, who is there: the session goes on under another token.
        Refusals as of `sign_in` and `answer`."""
        email = self.user(session.user_id).email

        def ask() -> Tokens | Challenge:
            first = self._identity.sign_in(email, password)
            if not isinstance(first, Challenge) or first.kind is not ChallengeKind.TOTP:
                raise Refusal("sign_in_failed", "e-mail address or password is not right")
            return self._identity.answer_totp(first, code)

        self._prove(session, email, ask)
        return self._beginning.renew(session)

    def prove_password(self, session: Session, password: str) -> None:
        """For who has nothing else yet. Refusals as of `sign_in`."""
        email = self.user(session.user_id).email
        self._prove(session, email, lambda: self._identity.sign_in(email, password))

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

    def confirm_totp(self, session: Session, state: str, code: str) -> SignedIn:
        """Finish the set-up with the first code; the session goes on under another token. Refusal `code_wrong`,
        `setup_expired`."""
        self._identity.confirm_totp(self._setup(session, state)["access_token"], code)
        actor = Actor(session.user_id, "user", address=session.origin.address)
        told = audit_item(AuditRecord(session.user_id, self._clock(), actor, "totp.confirmed", session.user_id))
        return self._beginning.renew(session, lambda unit: unit.put(told), has_totp=True)

    def _setup(self, session: Session, state: str) -> dict[str, str]:
        try:
            sealed = base64.urlsafe_b64decode(state)
            key = records.session_key(session.digest)
            return self._sealer.open(session.organisation_id, key, records.SETUP_FIELDS, sealed)
        except (ValueError, CannotOpen) as error:
            raise Refusal("setup_expired", "this set-up is over; begin again") from error

    def _prove(self, session: Session, email: str, ask: Callable[[], Tokens | Challenge]) -> Tokens:
        """The same limits as for a sign-in; the tokens must be this session's user's."""
        with self._attempts.limited(email, session.origin):
            answer = ask()
            if isinstance(answer, Challenge):
                raise Refusal("sign_in_failed", "e-mail address or password is not right")
            if self.user_id_of(self._tokens.subject(answer.id_token)) != session.user_id:
                raise Refusal("sign_in_failed", "e-mail address or password is not right")
            return answer

    # -- recovering --------------------------------------------------------------------------------------------------

    def forgot_password(self, email: str, origin: Origin) -> None:
        """Send a code if the address is known; takes the same time and says the same either way."""
        email = rules.normal_email(email)
        with self._attempts.rationed("forgot", email, origin):
            self._identity.forgot_password(email)

    def confirm_forgot(self, email: str, code: str, password: str, origin: Origin) -> None:
        """Set a new password with the code sent; Refusal `code_wrong`, `password_weak`, `too_many_attempts`."""
        email = rules.normal_email(email)
        with self._attempts.limited(email, origin):
            self._identity.confirm_forgot(email, code, password)
