"""Each night: the root over every chain of the region goes where nobody can change it."""

from __future__ import annotations

from typing import Any

from functions.observed import count, logger, observed
from functions.services import audit_anchors

MOST_LOGGED = 50


@observed("AnchorAudit")
def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{} → {day, root, heads, caught_up, breaks}; broken chains raise the metric that the alarm watches."""
    anchored = audit_anchors().anchor()
    for broken in anchored.breaks[:MOST_LOGGED]:
        told = {"owner_id": broken.owner_id, "broken": broken.kind, "link": broken.seq, "what": broken.what}
        logger().error("audit chain broken", extra=told)
    count("AuditChainsBroken", len(anchored.breaks))
    count("AuditRecordsCaughtUp", sum(anchored.caught_up.values()))
    return {
        "day": anchored.anchor.day.isoformat(),
        "root": anchored.anchor.root,
        "heads": len(anchored.anchor.heads),
        "caught_up": sum(anchored.caught_up.values()),
        "breaks": len(anchored.breaks),
    }
