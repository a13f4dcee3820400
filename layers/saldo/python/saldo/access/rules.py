"""Decisions on access: what roles may do, how long a session lives, when to ask again, when to stop asking."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from saldo.access.model import Failures, Proof, Role, Session
from saldo.kernel.ids import fingerprint
from saldo.kernel.money import Money

READERS = frozenset(Role)
PAYERS = frozenset({Role.PAYER, Role.ACCOUNT_ADMIN})

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
ABSOLUTE_BY_SSO = timedelta(hours=4)  # whom the organisation lets go is out by then; the others hardly notice
TOUCH_EVERY = timedelta(minutes=5)
FRESH = timedelta(minutes=5)
WARNING = timedelta(minutes=5)
BROWSER_KNOWN = timedelta(days=180)
WINDOW = timedelta(minutes=15)
MOST_FAILURES_OF_A_USER = 8
MOST_FAILURES_OF_AN_ADDRESS = 60
CHALLENGE_AFTER_OF_A_USER = 3
CHALLENGE_AFTER_OF_AN_ADDRESS = 20
FAILURE_FLOOR_S = 0.6
LINK_HOLDS = timedelta(minutes=15)

# Paying this much or more in one go asks for a one-time code again, of users who have one. Minor units.
STEP_UP_FROM_MINOR: Mapping[str, int] = {"EUR": 1_000_000, "USD": 1_000_000, "GBP": 1_000_000, "CHF": 1_000_000}


def digest_of(token: str) -> str:
    """The SHA-256 of a session's token, in hex: the only form in which it is stored."""
    return sha256(token.encode()).hexdigest()


def form_key(token: str) -> str:
    """What every form carries to prove that our own page sent it, "" for no token. A session's follows from the token
    that it began with."""
    return token and hmac.new(token.encode(), b"saldo form", sha256).hexdigest()[:43]


def form_key_fits(key: str, given: str) -> bool:
    """Compared in constant time; False where there is no key."""
    return bool(key) and hmac.compare_digest(key.encode(), given.encode("utf-8", "replace"))


def ends_at(session: Session) -> datetime:
    """When the session is over unless it is used again."""
    longest = ABSOLUTE_BY_SSO if session.proof is Proof.SSO else ABSOLUTE
    ends = min(session.seen_at + IDLE, session.began_at + longest)
    return min(ends, session.acting.until) if session.acting else ends


def is_alive(session: Session, now: datetime) -> bool:
    return now < ends_at(session)


def is_due_for_touch(session: Session, now: datetime) -> bool:
    """The time of last use is written every few minutes, not with every page."""
    return now - session.seen_at >= TOUCH_EVERY


def needs_step_up(session: Session, amount: Money, now: datetime) -> bool:
    """Whether paying this amount asks for a one-time code or a passkey first.

    Users with neither are not asked; amounts in a currency without a limit always ask.
    """
    if not session.has_factor or amount.minor < STEP_UP_FROM_MINOR.get(amount.currency, 0):
        return False
    return session.verified_at is None or now - session.verified_at > FRESH


def asks_challenge(failures: Failures) -> bool:
    """Whether another attempt has to bring the answer to a challenge: well before attempts are refused altogether."""
    return failures.of_user >= CHALLENGE_AFTER_OF_A_USER or failures.of_network >= CHALLENGE_AFTER_OF_AN_ADDRESS


def is_proven(session: Session, now: datetime) -> bool:
    """Whether a code or a passkey was given in the last minutes: what changes access asks for that of everybody."""
    return session.verified_at is not None and now - session.verified_at <= FRESH


def user_id_of(region_code: str, issuer: str, subject: str) -> str:
    """The user a provider's subject is: the same subject is the same user for ever, in this region."""
    return f"user_{region_code}_{fingerprint('user', issuer, subject)}"


def normal_email(text: str) -> str:
    """An address as it is compared: trimmed, lower case."""
    return text.strip().casefold()


def attempt_keys(email: str, address: str, now: datetime) -> tuple[str, str]:
    """Owners of the two counters of failed sign-ins of this window: by user and by network address."""
    window = str(int(now.timestamp() // WINDOW.total_seconds()))
    by_user = f"attempts_{fingerprint('user', normal_email(email), window)}"
    return by_user, f"attempts_{fingerprint('address', address, window)}"
