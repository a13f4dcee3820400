"""How staff lie in the table.

`<staff>` / `staff`: roles in clear, e-mail and name sealed · `<staff>` / `session#<digest>`: their own list
`staff_session_<digest>` / `session` · `<entity>` / `people`: ids of those with a role at a legal entity, and when their
access was last reviewed; one record, so that a page can have it read with the session ·
`<entity>` / `access_review#<instant>`: what a review said. Plain items: each page of staff reads two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from saldo.access.model import Origin, UserStatus
from saldo.access.model_staff import Elevation, Post, Staff, StaffPerson, StaffRole, StaffSession
from saldo.access.rules_staff import ABSOLUTE
from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Sealer
from saldo.storage.units import Unit

PERSON_FIELDS = "staff/1"
OWN_SESSIONS = "session#"
PEOPLE = "people"
REVIEWS = "access_review#"


def staff_key(staff_id: str) -> Key:
    return staff_id, "staff"


def session_key(digest: str) -> Key:
    return f"staff_session_{digest}", "session"


def own_session_key(staff_id: str, digest: str) -> Key:
    return staff_id, OWN_SESSIONS + digest


def people_key(entity_id: str) -> Key:
    return entity_id, PEOPLE


def enlist(unit: Unit, entity_id: str, staff_id: str) -> Unit:
    """Somebody has a role at a legal entity, in the unit that gives it."""
    return unit.update(people_key(entity_id), set={"kind": PEOPLE, staff_id: True})


def strike_off(unit: Unit, entity_id: str, staff_id: str) -> Unit:
    """Somebody has none there any more."""
    return unit.update(people_key(entity_id), remove=[staff_id])


def note_review(unit: Unit, entity_id: str, at: datetime, gone: Sequence[str]) -> Unit:
    """Access was reviewed; `gone`: who has no role there any more."""
    return unit.update(people_key(entity_id), set={"kind": PEOPLE, "reviewed_at": instant_text(at)}, remove=gone)


def people_from(item: Item | None) -> list[str]:
    """Ids of everyone with a role, from the record of a legal entity's people."""
    return sorted(name for name in item or {} if name.startswith("staff_"))


def reviewed_at(item: Item | None) -> datetime | None:
    """When their access was last reviewed."""
    at = (item or {}).get("reviewed_at")
    return instant_from(at) if at else None


def sealed_for(staff_id: str) -> str:
    """Whose data key seals names of staff: one for a region's staff, apart from every customer's."""
    return "_".join(staff_id.split("_")[:2])


def staff_item(staff: Staff, person: StaffPerson, sealer: Sealer) -> Item:
    pk, sk = staff_key(staff.id)
    fields = {"email": person.email, "name": person.name}
    return {
        "pk": pk,
        "sk": sk,
        "kind": "staff",
        "language": staff.language,
        "status": staff.status.value,
        "version": staff.version,
        "seen_at": instant_text(staff.seen_at),
        "posts": posts_field(staff.posts),
        "elevations": elevations_field(staff.elevations),
        "sealed": sealer.seal(sealed_for(staff.id), (pk, sk), PERSON_FIELDS, fields),
    }


def posts_field(posts: Iterable[Post]) -> list[Item]:
    return [
        {"entity_id": p.entity_id, "role": p.role.value, "confirmed_at": instant_text(p.confirmed_at)} for p in posts
    ]


def elevations_field(elevations: Iterable[Elevation]) -> list[Item]:
    plain = ("id", "entity_id", "reason", "agreed_by")
    return [
        {name: getattr(e, name) for name in plain} | {"role": e.role.value, "until": instant_text(e.until)}
        for e in elevations
    ]


def staff_from(item: Item) -> Staff:
    return Staff(
        id=item["pk"],
        language=item["language"],
        posts=tuple(Post(p["entity_id"], StaffRole(p["role"]), instant_from(p["confirmed_at"])) for p in item["posts"]),
        seen_at=instant_from(item["seen_at"]),
        elevations=tuple(
            Elevation(**{**e, "role": StaffRole(e["role"]), "until": instant_from(e["until"])})
            for e in item["elevations"]
        ),
        status=UserStatus(item["status"]),
        version=item["version"],
    )


def person_from(item: Item, sealer: Sealer) -> StaffPerson:
    fields = sealer.open(sealed_for(item["pk"]), (item["pk"], item["sk"]), PERSON_FIELDS, item["sealed"])
    return StaffPerson(fields["email"], fields["name"])


def change(unit: Unit, staff: Staff, **fields: object) -> Unit:
    """Change what one may do, if it is still what `staff` says; one writer wins."""
    return unit.update(
        staff_key(staff.id), set={**fields, "version": staff.version + 1}, when={"version": staff.version}
    )


def session_item(session: StaffSession) -> Item:
    pk, sk = session_key(session.digest)
    return {"pk": pk, "sk": sk, "kind": "staff_session", **_session_fields(session)}


def own_session_item(session: StaffSession) -> Item:
    pk, sk = own_session_key(session.staff_id, session.digest)
    return {"pk": pk, "sk": sk, "kind": "staff_own_session", **_session_fields(session)}


def _session_fields(session: StaffSession) -> Item:
    return {
        "staff_id": session.staff_id,
        "began_at": instant_text(session.began_at),
        "seen_at": instant_text(session.seen_at),
        "address": session.origin.address,
        "device": session.origin.device,
        "expires_at_s": int((session.began_at + ABSOLUTE).timestamp()),
    }


def session_from(item: Item) -> StaffSession:
    return StaffSession(
        digest=item["pk"].removeprefix("staff_session_"),
        staff_id=item["staff_id"],
        began_at=instant_from(item["began_at"]),
        seen_at=instant_from(item["seen_at"]),
        origin=Origin(item["address"], item["device"]),
    )


def end_session(unit: Unit, staff_id: str, digest: str) -> Unit:
    return unit.delete(session_key(digest)).delete(own_session_key(staff_id, digest))


def review_item(entity_id: str, reviewer: str, at: datetime, said: Iterable[tuple[str, str, bool]]) -> Item:
    """`said`: member of staff, role, whether it was confirmed."""
    lines = [{"staff_id": staff_id, "role": role, "confirmed": kept} for staff_id, role, kept in said]
    sk = f"{REVIEWS}{instant_text(at)}"
    return {"pk": entity_id, "sk": sk, "kind": "access_review", "reviewer": reviewer, "lines": lines}
