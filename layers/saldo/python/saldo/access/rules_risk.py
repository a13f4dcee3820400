"""How risky a sign-in is: points for what is unusual, and what follows from their sum.

No address is looked up anywhere: the network (/24, /48) stands for the place. Weights after what is public of such
scores (OWASP Automated Threats OAT-008, NIST SP 800-63B 5.2.2); each is one line here, so that they can be argued with.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from saldo.kernel.errors import Refusal

STEP_UP_FROM, BLOCK_FROM = 50, 100
MOST_DOWNLOADS, BLOCKED_DOWNLOADS = 60, 240  # documents a session takes in a quarter of an hour
_ODD_HOURS = frozenset({23, 0, 1, 2, 3, 4, 5})


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of one sign-in. `is_first`: the user never signed in before, so nothing of it can be new.

    `sign_ins`: the user's in the last hour. `failures`: of the user or the network in the running window.
    `hour`: of the day where the account is.
    """

    is_first: bool
    new_browser: bool
    new_network: bool
    sign_ins: int
    failures: int
    hour: int


class Verdict(StrEnum):
    ALLOW = "allow"
    STEP_UP = "step_up"
    BLOCK = "block"


class SignInBlocked(Refusal):
    """Too risky. It reads like any other no; whoever watches is told apart."""

    def __init__(self) -> None:
        super().__init__("sign_in_failed", "e-mail address or password is not right")


@dataclass(frozen=True, slots=True)
class Assessment:
    """`reasons`: names and points of what counted."""

    score: int
    reasons: tuple[str, ...]
    verdict: Verdict


def assess(signals: Signals) -> Assessment:
    """The points of a sign-in and what they lead to."""
    known = not signals.is_first
    points = {
        "new_browser": 20 * (known and signals.new_browser),
        "new_network": 20 * (known and signals.new_network),
        "odd_hour": 10 * (signals.hour in _ODD_HOURS),
        "velocity": 60 if signals.sign_ins >= 20 else 30 * (signals.sign_ins >= 10),
        "failures": 40 if signals.failures >= 6 else 20 * (signals.failures >= 3),
    }
    score = sum(points.values())
    reasons = tuple(f"{name} {value}" for name, value in points.items() if value)
    return Assessment(score, reasons, _verdict(score, STEP_UP_FROM, BLOCK_FROM))


def assess_downloads(taken: int) -> Verdict:
    """What the documents and lists that a session took in the running window lead to."""
    return _verdict(taken, MOST_DOWNLOADS, BLOCKED_DOWNLOADS)


def _verdict(score: int, step_up: int, block: int) -> Verdict:
    if score >= block:
        return Verdict.BLOCK
    return Verdict.STEP_UP if score >= step_up else Verdict.ALLOW
