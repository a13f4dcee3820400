"""A short walk through the portal: which steps a role sees, one at a time, without anything but links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.portal.words import Words
from saldo.access.model import Role, Seat

_STEPS: Mapping[Role, tuple[str, ...]] = {
    Role.VIEWER: ("overview", "invoices", "notices", "help"),
    Role.PAYER: ("overview", "pay", "autopay", "notices", "help"),
    Role.APPROVER: ("overview", "approvals", "invoices", "notices", "help"),
    Role.ACCOUNT_ADMIN: ("overview", "pay", "people", "notices", "help"),
}
_PAGES = {
    "invoices": "/invoices",
    "pay": "/invoices?status=open",
    "autopay": "/autopay",
    "approvals": "/approvals",
    "people": "/people",
    "help": "/help",
}


@dataclass(frozen=True, slots=True)
class TourStep:
    """`place`: "2 of 5". `href`: the page it speaks of. `next`, `back`: the steps beside it, "" at the ends."""

    title: str
    text: str
    place: str
    href: str
    next: str
    back: str


def tour_of(asked: str, seat: Seat, toured: bool, home: str, words: Words) -> TourStep | None:
    """The step that is asked for; the first by itself for who has not been on the walk; None for who has."""
    names = _STEPS[seat.role]
    if not asked and toured:
        return None
    at = int(asked) if asked in {str(n) for n in range(1, len(names) + 1)} else 1
    name = names[at - 1]
    href = "/notifications" if name == "notices" else home + _PAGES[name] if name in _PAGES else ""
    return TourStep(
        words(f"tour.{name}"),
        words(f"tour.{name}.text"),
        words("tour.place", at=at, of=len(names)),
        href,
        f"{home}?tour={at + 1}" if at < len(names) else "",
        f"{home}?tour={at - 1}" if at > 1 else "",
    )
