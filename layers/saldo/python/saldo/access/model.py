"""Users, what they may do, and their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from saldo.access.model_acting import Acting
from saldo.access.model_views import SavedView
from saldo.access.model_visibility import USUAL, Visibility


class Role(StrEnum):
    """What a user is on one account."""

    VIEWER = "viewer"
    PAYER = "payer"
    APPROVER = "approver"
    ACCOUNT_ADMIN = "account_admin"


class UserStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Grant:
    """One account and the role a user has on it; `suspended`: for the time being not."""

    account_id: str
    role: Role
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """A person of a customer. `email` and `name` are personal: sealed wherever they are stored.

    `toured`: they have seen, or put away, the walk through the portal.
    """

    id: str
    organisation_id: str
    email: str
    name: str
    language: str
    grants: tuple[Grant, ...]
    has_totp: bool = False
    status: UserStatus = UserStatus.ACTIVE
    has_passkey: bool = False
    toured: bool = False


@dataclass(frozen=True, slots=True)
class Seat:
    """A grant with what every page needs of its account; nothing personal."""

    account_id: str
    role: Role
    name: str
    currency: str
    entity_id: str
    time_zone: str
    visibility: Visibility = USUAL


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: the address cut to its network, and the browser in a word or two.

    `browser`: digest of the cookie by which a browser is known again, "" when it keeps none.
    `country`: of the address (ISO 3166-1, two letters), "" where nobody says who can be believed.
    """

    address: str = ""
    device: str = ""
    browser: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a page was asked for by a session: one document of an account. `action` is what the trail calls it.

    On record with the session before anything is read; whoever follows the records puts it on the account's trail.
    """

    account_id: str
    action: str
    subject_id: str
    at: datetime
    correlation_id: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed attempts of the running window: of the user, and of the network they come from."""

    of_user: int
    of_network: int


class Proof(StrEnum):
    """By what somebody showed who they are. CODE: password and one-time code. MAIL: a link from their mailbox.

    PASSKEY: a key of their device that the device itself unlocked. SSO: their organisation's identity provider.
    """

    PASSWORD = "password"  # noqa: S105 - the name of a proof
    CODE = "code"
    MAIL = "mail"
    PASSKEY = "passkey"
    SSO = "sso"

    @property
    def is_strong(self) -> bool:
        """Whether it proves two things at once: what they know or are, and what they have."""
        return self in (Proof.CODE, Proof.PASSKEY)


@dataclass(frozen=True, slots=True)
class Session:
    """A user signed in on one browser. `digest` is the SHA-256 of the token, in hex.

    `verified_at`: when the user last proved who they are with a one-time code or a passkey, None when never in this
    session. `proof`: how it began, None when that is not known.
    `acting`: it is a member of staff who looks at what the customer sees; `user_id` is then theirs.
    `elsewhere`: the browser of another session that was living when this one began, "" when there was none.
    `views`: the user's saved views, of all their accounts.
    `unread`: notices the user had not read when this was last counted: at the beginning and whenever it is kept alive.
    `form_key`: by which forms of its pages are known; it stays when the session gets another token.
    """

    digest: str
    user_id: str
    organisation_id: str
    seats: tuple[Seat, ...]
    language: str
    has_totp: bool
    began_at: datetime
    seen_at: datetime
    verified_at: datetime | None
    origin: Origin
    elsewhere: str = ""
    acting: Acting | None = None
    has_passkey: bool = False
    proof: Proof | None = None
    views: tuple[SavedView, ...] = ()
    unread: int = 0
    toured: bool = False
    form_key: str = ""

    @property
    def has_factor(self) -> bool:
        """Whether there is anything besides the password that they can be asked for."""
        return self.has_totp or self.has_passkey

    def seat(self, account_id: str) -> Seat | None:
        """The seat on this account, None when the user has none."""
        return next((s for s in self.seats if s.account_id == account_id), None)


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One line of a user's own list of sessions."""

    digest: str
    began_at: datetime
    origin: Origin


class ChallengeKind(StrEnum):
    """What the identity provider asks before it lets someone in."""

    TOTP = "totp"
    TOTP_SETUP = "totp_setup"
    NEW_PASSWORD = "new_password"  # noqa: S105 - the name of a step, not a password


@dataclass(frozen=True, slots=True)
class Challenge:
    """The next question of a sign-in. `state` is the provider's own and opaque; it lives minutes."""

    kind: ChallengeKind
    email: str
    state: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the identity provider gives for a completed sign-in. Never stored in clear, never logged."""

    id_token: str
    access_token: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun. `token` goes into the cookie and is forgotten here."""

    token: str
    session: Session


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """A one-time-code secret to be put into an authenticator. `state`: sealed, handed back with the first code."""

    secret: str
    state: str
