"""Each night: the root over every chain of the region goes where nobody can change it."""

from __future__ import annotations

from typing import Any

from functions.looks import looked
from functions.observed import count, logger, observed
from functions.services import audit_anchors
from saldo.storage.looks import Look

MOST_LOGGED = 50


class _Chains:
    """Tells of each break in the part that finds it, whether or not the look comes to its end."""

    def part(self, look: Look, part: int) -> dict[str, Any]:
        found = audit_anchors().part(look, part)
        for broken in found.breaks[:MOST_LOGGED]:
            told = {"owner_id": broken.owner_id, "broken": broken.kind, "link": broken.seq, "what": broken.what}
            logger().error("audit chain broken", extra=told)
        caught_up = sum(found.caught_up.values())
        count("AuditChainsBroken", len(found.breaks))
        count("AuditRecordsCaughtUp", caught_up)
        return {"caught_up": caught_up, "breaks": len(found.breaks)}

    def is_whole(self, look: Look) -> bool:
        return audit_anchors().is_whole(look)

    def end(self, look: Look) -> dict[str, Any]:
        anchor = audit_anchors().together(look)
        heads = sum(one.heads for one in anchor.files)
        return {"day": anchor.day.isoformat(), "root": anchor.root, "heads": heads}


@observed("AnchorAudit")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{} or a message of its own queue → {day, root, heads, caught_up, breaks} or {parts}; broken chains raise the
    metric that the alarm watches."""
    return looked(event, _Chains())
