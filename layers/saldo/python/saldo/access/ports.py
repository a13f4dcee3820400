"""What access needs of an identity provider, in Saldo's own words."""

from __future__ import annotations

from typing import Protocol

from saldo.access.model import Challenge, Tokens
from saldo.access.model_sso import AppClient, Connection, Registration


class IdentityProvider(Protocol):
    """Keeps passwords and one-time-code secrets.

    Every call raises Unavailable when the provider does not answer, and Refusal with one of: sign_in_failed (also for
    an unknown address), code_wrong, password_weak, too_many_attempts.
    """

    def enrol(self, email: str, password: str) -> str:
        """Make a user with a lasting password, or give an existing one this password; answers the subject."""
        ...

    def find(self, email: str) -> str:
        """The subject of the user with this address who may sign in, "" when there is none."""
        ...

    def sign_in(self, email: str, password: str) -> Tokens | Challenge: ...

    def answer_totp(self, challenge: Challenge, code: str) -> Tokens | Challenge: ...

    def answer_new_password(self, challenge: Challenge, password: str) -> Tokens | Challenge: ...

    def answer_totp_setup(self, challenge: Challenge, code: str) -> Tokens | Challenge:
        """Confirm the secret that a TOTP_SETUP challenge carried, with the first code."""
        ...

    def start_totp_setup(self, access_token: str) -> str:
        """A new secret (base 32) for a user who is signed in; the old one counts until the new one is confirmed."""
        ...

    def confirm_totp(self, access_token: str, code: str) -> None:
        """Confirm the secret with its first code and ask for codes from now on."""
        ...

    def forgot_password(self, email: str) -> None:
        """Send a code to the address if there is such a user; quiet either way."""
        ...

    def confirm_forgot(self, email: str, code: str, password: str) -> None: ...


class Federation(Protocol):
    """Brokers the identity providers of organisations. Unavailable when it does not answer."""

    def connect(self, provider: str, given: Registration) -> AppClient:
        """Make the provider known under this name, or anew with other details, and a client for it alone.

        Refusal `provider_refused`.
        """
        ...

    def disconnect(self, connection: Connection) -> None:
        """Forget the provider and its client; harmless when they are gone."""
        ...

    def drop_client(self, client_id: str) -> None: ...

    def authorize_url(self, connection: Connection, state: str, nonce: str, challenge: str) -> str:
        """Where the browser goes; it comes back with the state and a code. `challenge`: S256 of the PKCE verifier."""
        ...

    def exchange(self, connection: Connection, code: str, verifier: str) -> str:
        """The ID token for a code; nothing of it is believed yet. Refusal `sso_failed`."""
        ...


class Challenger(Protocol):
    """Makes another attempt cost something, before attempts are refused altogether."""

    def puzzle(self, about: str) -> str:
        """What the browser has to answer; the same for the same thing it is about."""
        ...

    def holds(self, about: str, answer: str) -> bool: ...


class IdTokenVerifier(Protocol):
    """Says whose an ID token is."""

    def subject(self, id_token: str) -> str:
        """The subject of a token that holds in every respect; Refusal `token_invalid` otherwise."""
        ...
