"""How audit records lie in the table: `<owner>` / `audit#<instant>#<fingerprint>`."""

from __future__ import annotations

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.rules_chain import digest_of
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.ids import fingerprint
from saldo.storage.items import Item

PREFIX = "audit#"


def audit_item(record: AuditRecord) -> Item:
    """The item of one record; put it into the unit that makes the change.

    The key follows from all that happened, so a repeated change writes its record once, and two changes of one
    instant do not write over each other.
    """
    at = instant_text(record.at)
    said = digest_of({"before": record.before, "after": record.after, "reason": record.reason}).hex()
    actor = {name: getattr(record.actor, name) for name in Actor.__dataclass_fields__}
    return {
        "pk": record.owner_id,
        "sk": f"{PREFIX}{at}#{fingerprint(record.action, record.subject_id, record.actor.id, said)}",
        "kind": "audit",
        "at": at,
        "actor": {k: v for k, v in actor.items() if v},
        "action": record.action,
        "subject_id": record.subject_id,
        "before": dict(record.before),
        "after": dict(record.after),
        "reason": record.reason,
    }


def audit_record(item: Item) -> AuditRecord:
    return AuditRecord(
        owner_id=item["pk"],
        at=instant_from(item["at"]),
        actor=Actor(**item["actor"]),
        action=item["action"],
        subject_id=item["subject_id"],
        before=item["before"],
        after=item["after"],
        reason=item["reason"],
    )
