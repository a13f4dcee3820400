"""Signing in through the organisation's identity provider: authorization code, PKCE, state and nonce of one browser."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from saldo.access import records, records_sso, rules
from saldo.access.attempts import Attempts
from saldo.access.beginning import Arrival, Beginning
from saldo.access.joining import Joining
from saldo.access.model import Origin, Proof, SignedIn
from saldo.access.model_sso import Connection, Flow, Identity
from saldo.access.ports import Federation, IdentityProvider
from saldo.access.rules_sso import FLOW_HOLDS, challenge_of, domain_of, identity_from, nonce_of, verifier_of
from saldo.access.tokens import RsaTokens
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal
from saldo.storage.sealing import CannotOpen, Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit


class SsoSignIn:
    """Sign-ins of one region by single sign-on. `tokens`: of the user pool, whatever the client."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        identity: IdentityProvider,
        federation: Federation | None,
        tokens: RsaTokens,
        attempts: Attempts,
        joining: Joining,
        clock: Clock,
        user_id_of: Callable[[str], str],
    ) -> None:
        self._store, self._sealer, self._identity, self._federation = store, sealer, identity, federation
        self._tokens, self._attempts, self._joining, self._clock = tokens, attempts, joining, clock
        self._user_id_of = user_id_of
        self._beginning = Beginning(store, sealer, clock)

    @property
    def _broker(self) -> Federation:
        assert self._federation is not None, "built without a federation: nobody can leave for a provider"
        return self._federation

    def leads(self, email: str) -> Connection | None:
        """The provider that an address's domain leads to. Nobody is looked up: only the domain decides."""
        domain = domain_of(email)
        owner = self._store.get(*records_sso.domain_key(domain)) if domain else None
        item = self._store.get(*records_sso.connection_key(owner["organisation_id"])) if owner else None
        try:
            return records_sso.connection_from(item, self._sealer) if item else None
        except CannotOpen:
            return None  # the organisation was erased

    def ask(self, email: str, browser_token: str, follow: str) -> str:
        """Where to send the browser, "" when the domain leads nowhere. It is not counted: a whole organisation comes
        from one network at nine o'clock, and there is nothing to guess."""
        connection = self.leads(email)
        return self.begin(connection, browser_token, follow) if connection else ""

    def begin(
        self, connection: Connection, browser_token: str, follow: str, invitation: tuple[str, str] = ("", "")
    ) -> str:
        """Write the flow and answer where the browser goes. `browser_token`: of the cookie it must come back with."""
        state = secrets.token_urlsafe(32)
        until, browser = self._clock() + FLOW_HOLDS, rules.digest_of(browser_token)
        flow = Flow(state, connection.organisation_id, connection.provider, browser, follow, until, invitation)
        self._store.write_one(Unit("begin sso").insert(records_sso.flow_item(flow)))
        nonce, challenge = nonce_of(browser_token, state), challenge_of(verifier_of(browser_token, state))
        return self._broker.authorize_url(connection, state, nonce, challenge)

    def finish(
        self, state: str, code: str, browser_token: str, origin: Origin, old_token: str = ""
    ) -> tuple[SignedIn, str]:
        """A session, and where to go on. A state works once, in the browser that left with it.

        Refusal `sso_failed` (also for who may not sign in), `sso_other_domain`, `sso_not_invited`, `token_invalid`.
        """
        with self._attempts.limited(f"sso {rules.digest_of(browser_token)}", origin) as failures:
            flow = self._taken(state, browser_token)
            connection = self._connection(flow)
            token = self._broker.exchange(connection, code, verifier_of(browser_token, state))
            claims = self._tokens.for_audience(connection.client.id).claims(token, nonce_of(browser_token, state))
            identity = identity_from(claims, connection)
            user_id = self._user(connection, identity, flow, origin)
            arrival = Arrival(user_id, origin, Proof.SSO, failures, old_token)
            try:
                return self._beginning.begin(arrival), flow.follow
            except Refusal as refusal:
                raise _failed() if refusal.code == "sign_in_failed" else refusal from refusal

    def _taken(self, state: str, browser_token: str) -> Flow:
        """The flow, used up. One of another browser is not: whoever was lured here ends nobody's sign-in."""
        item = self._store.get(*records_sso.flow_key(state)) if state else None
        flow = records_sso.flow_from(item, state) if item else None
        if flow is None or not browser_token or flow.browser != rules.digest_of(browser_token):
            raise _failed()
        used = Unit("use sso state").delete(records_sso.flow_key(state), when={"browser": flow.browser})
        if self._store.write_one(used) or self._clock() >= flow.until:
            raise _failed()
        return flow

    def _connection(self, flow: Flow) -> Connection:
        item = self._store.get(*records_sso.connection_key(flow.organisation_id))
        if item is None or item["provider"] != flow.provider:
            raise _failed()
        return records_sso.connection_from(item, self._sealer)

    def _user(self, connection: Connection, identity: Identity, flow: Flow, origin: Origin) -> str:
        """Who the subject is. Known subjects stay who they are; others are bound by an address of the organisation's,
        once: an address that is given to somebody else does not take over the first one's access."""
        key = records_sso.subject_key(connection.organisation_id, connection.provider, identity.subject)
        bound = self._store.get(*key)
        if bound is not None:
            self._refuse_disabled(bound["user_id"])
            if flow.invitation != ("", ""):
                self._joining.by_sso(connection, identity, flow.invitation, origin, bound["user_id"])
            return str(bound["user_id"])
        subject = self._identity.find(identity.email)
        user_id = self._user_id_of(subject) if subject else ""
        item = self._store.get(*records.user_key(user_id)) if user_id else None
        if item is None or flow.invitation != ("", ""):
            user_id = self._joining.by_sso(connection, identity, flow.invitation, origin)
        elif item["organisation_id"] != connection.organisation_id:
            raise Refusal("sso_not_invited", "nobody of this organisation has invited this address")
        if self._store.write_one(records_sso.bind(Unit("bind sso"), connection, identity.subject, user_id)):
            raise _failed()
        return user_id

    def _refuse_disabled(self, user_id: str) -> None:
        """Who was disabled in the user pool stays out, whatever way they come."""
        item = self._store.get(*records.user_key(user_id))
        if item is None or not self._identity.find(records.user_from(item, self._sealer).email):
            raise _failed()


def _failed() -> Refusal:
    return Refusal("sso_failed", "the organisation's sign-in did not work")
