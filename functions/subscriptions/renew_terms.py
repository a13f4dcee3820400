"""Daily, for each seller: subscriptions whose term will end soon are told of, and renew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from functions.daily import part_of
from functions.observed import count, observed
from functions.services import renewals

# Each is read and written by itself, some twice.
AT_ONCE = 200


@observed("RenewTerms")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{entity_id, as_of}, or a part of it → {parts, told, priced, renewed, ended, unanswered}; `as_of`: a date, or the
    scheduled instant. Safe to repeat; makes up for days that were missed. `unanswered`: what somebody changed at that
    moment, for the next day.
    """
    part = part_of(event, renewals().due, AT_ONCE)
    report = renewals().run(part.entity_id, part.as_of, part.keys)
    count("RenewalsTold", report.told)
    return {"parts": part.sent, **asdict(report)}
