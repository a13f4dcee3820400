"""How users and sessions lie in the table.

`<user>` / `user`: grants in clear, e-mail and name sealed; countries they signed in from, when last.
`<user>` / `session#<digest>`: the user's own list.
`<user>` / `signed_in#<print>`: a browser the user signed in with, half a year.
`session_<digest>` / `session`: what every page reads. `attempts_<print>` / `window`: failed sign-ins of 15 minutes.
Plain items, read on every page: PynamoDB would cost the portal 180 ms of CPU at each cold start.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from saldo.access.model import Grant, Looked, Origin, Proof, Role, Seat, Session, SessionSummary, User, UserStatus
from saldo.access.model_acting import Acting
from saldo.access.records_views import view_items, views_from
from saldo.access.rules import ABSOLUTE, BROWSER_KNOWN, WINDOW
from saldo.access.rules_visibility import visibility_from, visibility_text
from saldo.accounts.model import ERASED
from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Erased, Sealer
from saldo.storage.units import Unit

PERSON_FIELDS = "user/1"
SETUP_FIELDS = "totp-setup/1"
SESSION = "session"
TAKEN = "taken_"  # how many documents were taken, by quarters of an hour
OWN_SESSIONS = "session#"
SIGN_IN_LINKS = "link#"
KNOWN_BROWSERS = "signed_in#"  # between `session#` and `user`, so that one range has all three


def user_key(user_id: str) -> Key:
    return user_id, "user"


def countries_from(item: Item) -> dict[str, datetime]:
    """From where a user signed in, and when last; of the user's own record."""
    return {country: instant_from(at) for country, at in item.get("countries", {}).items()}


def countries_item(countries: Mapping[str, datetime]) -> Item:
    return {country: instant_text(at) for country, at in countries.items()}


def session_key(digest: str) -> Key:
    return f"session_{digest}", SESSION


def own_session_key(user_id: str, digest: str) -> Key:
    return user_id, OWN_SESSIONS + digest


def user_item(user: User, sealer: Sealer, at: datetime) -> Item:
    """`registered_at` changes with every change of grants, so that a sign-in under way notices."""
    pk, sk = user_key(user.id)
    person = {"email": user.email, "name": user.name}
    return {
        "pk": pk,
        "sk": sk,
        "kind": "user",
        "organisation_id": user.organisation_id,
        "language": user.language,
        "status": user.status.value,
        "has_totp": user.has_totp,
        "has_passkey": user.has_passkey,
        "toured": user.toured,
        "registered_at": instant_text(at),
        "grants": grant_items(user.grants),
        "sealed": sealer.seal(user.organisation_id, (pk, sk), PERSON_FIELDS, person),
    }


def user_from(item: Item, sealer: Sealer) -> User:
    """The user; once the organisation's data key is shredded, one without e-mail whose name says so."""
    key = item["pk"], item["sk"]
    try:
        person = sealer.open(item["organisation_id"], key, PERSON_FIELDS, item["sealed"])
    except Erased:
        person = {"email": "", "name": ERASED}
    return User(
        id=item["pk"],
        organisation_id=item["organisation_id"],
        email=person["email"],
        name=person["name"],
        language=item["language"],
        grants=grants_from(item),
        has_totp=item["has_totp"],
        status=UserStatus(item["status"]),
        has_passkey=item.get("has_passkey", False),
        toured=item.get("toured", False),
    )


def grant_items(grants: tuple[Grant, ...]) -> list[Item]:
    return [
        {"account_id": g.account_id, "role": g.role.value} | ({"suspended": True} if g.suspended else {})
        for g in grants
    ]


def grants_from(item: Item) -> tuple[Grant, ...]:
    return tuple(Grant(g["account_id"], Role(g["role"]), g.get("suspended", False)) for g in item["grants"])


def seat_from(role: Role, account: Item) -> Seat:
    """What a session keeps of an account."""
    facts = (account["name"], account["currency"], account["entity_id"], account["time_zone"])
    return Seat(account["pk"], role, *facts, visibility_from(account.get("visibility")))


def _seat_item(seat: Seat) -> Item:
    item: Item = {name: getattr(seat, name) for name in Seat.__dataclass_fields__}
    item["visibility"] = visibility_text(seat.visibility)
    return item


def _seat_from(item: Item) -> Seat:
    return Seat(**{**item, "role": Role(item["role"]), "visibility": visibility_from(item.get("visibility"))})


def session_item(session: Session) -> Item:
    pk, sk = session_key(session.digest)
    item: Item = {
        "pk": pk,
        "sk": sk,
        "kind": "session",
        "user_id": session.user_id,
        "organisation_id": session.organisation_id,
        "language": session.language,
        "has_totp": session.has_totp,
        "has_passkey": session.has_passkey,
        "began_at": instant_text(session.began_at),
        "seen_at": instant_text(session.seen_at),
        "seats": [_seat_item(seat) for seat in session.seats],
        **_place_item(session.origin),
        "elsewhere": session.elsewhere,
        "unread": session.unread,
        "toured": session.toured,
        "expires_at_s": _expiry(session.began_at),
    }
    if session.verified_at is not None:
        item["verified_at"] = instant_text(session.verified_at)
    if session.proof is not None:
        item["proof"] = session.proof.value
    if session.form_key:
        item["form_key"] = session.form_key
    if session.views:
        item["views"] = view_items(session.views)
    if session.acting is not None:
        until = {"until": instant_text(session.acting.until)}
        item["acting"] = {"staff_id": session.acting.staff_id, "consent_of": session.acting.consent_of} | until
    return item


def session_from(item: Item) -> Session:
    verified_at, acting = item.get("verified_at"), item.get("acting")
    return Session(
        digest=item["pk"].removeprefix("session_"),
        user_id=item["user_id"],
        organisation_id=item["organisation_id"],
        seats=tuple(_seat_from(seat) for seat in item["seats"]),
        language=item["language"],
        has_totp=item["has_totp"],
        began_at=instant_from(item["began_at"]),
        seen_at=instant_from(item["seen_at"]),
        verified_at=instant_from(verified_at) if verified_at else None,
        origin=_place_from(item),
        elsewhere=item.get("elsewhere", ""),
        acting=Acting(**{**acting, "until": instant_from(acting["until"])}) if acting else None,
        has_passkey=item.get("has_passkey", False),
        proof=Proof(item["proof"]) if "proof" in item else None,
        views=views_from(item.get("views", ())),
        unread=item.get("unread", 0),
        toured=item.get("toured", False),
        form_key=item.get("form_key", ""),
    )


def renewed_item(session: Session, old: Item) -> Item:
    """The session under another token; what was taken in it stays counted."""
    return session_item(session) | {name: value for name, value in old.items() if name.startswith(TAKEN)}


def looked_value(looked: Looked) -> Item:
    """What a session keeps of the document it asked for last."""
    return {name: getattr(looked, name) for name in Looked.__dataclass_fields__} | {"at": instant_text(looked.at)}


def looked_from(item: Item) -> Looked | None:
    """What this session asked for last, None where it never did."""
    value = item.get("looked")
    return Looked(**{**value, "at": instant_from(value["at"])}) if value else None


def own_session_item(session: Session) -> Item:
    pk, sk = own_session_key(session.user_id, session.digest)
    return {
        "pk": pk,
        "sk": sk,
        "kind": "own_session",
        "began_at": instant_text(session.began_at),
        **_place_item(session.origin),
        "expires_at_s": _expiry(session.began_at),
    }


def known_browser_item(user_id: str, origin: Origin, at: datetime) -> Item:
    """`origin.browser` is a digest of a cookie already; a print of it tells browsers apart and opens nothing."""
    return {
        "pk": user_id,
        "sk": KNOWN_BROWSERS + origin.browser[:32],
        "kind": "known_browser",
        "device": origin.device,
        "address": origin.address,
        "last_at": instant_text(at),
        "expires_at_s": int((at + BROWSER_KNOWN).timestamp()),
    }


def summary_from(item: Item) -> SessionSummary:
    digest = item["sk"].removeprefix(OWN_SESSIONS)
    return SessionSummary(digest, instant_from(item["began_at"]), _place_from(item))


def _place_item(origin: Origin) -> Item:
    place: Item = {"address": origin.address, "device": origin.device}
    return place | ({"country": origin.country} if origin.country else {})


def _place_from(item: Item) -> Origin:
    return Origin(item["address"], item["device"], country=item.get("country", ""))


def end_session(unit: Unit, user_id: str, digest: str) -> Unit:
    """Add the end of one session to the unit; harmless when it is over already."""
    return unit.delete(session_key(digest)).delete(own_session_key(user_id, digest))


def count_failure(unit: Unit, owner: str, now: datetime) -> Unit:
    expires = int((now + 2 * WINDOW).timestamp())
    return unit.update((owner, "window"), add={"failures": 1}, set={"kind": "attempts", "expires_at_s": expires})


def _expiry(began_at: datetime) -> int:
    return int((began_at + ABSOLUTE).timestamp())
