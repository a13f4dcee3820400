"""Daily, for each seller: the letters that remind its customers of what they owe."""

from __future__ import annotations

from typing import Any

from functions.daily import part_of
from functions.observed import count, observed
from functions.services import reminders

# Each account that owes is a call, each with something to tell some more: ten seconds or so.
AT_ONCE = 500


@observed("IssueReminders")
def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """{entity_id, as_of}, or a part of it → {parts, letters, notices, changed}; `as_of`: a date, or the scheduled
    instant. Safe to repeat.

    Each letter's event brings delivery to mail it. `changed`: accounts whose invoices changed at that moment; what is
    still due of theirs comes the next day.
    """
    part = part_of(event, reminders().due, AT_ONCE)
    report = reminders().remind(part.entity_id, part.as_of, part.keys)
    count("RemindersIssued", len(report.reminders))
    told = {"letters": len(report.reminders), "notices": report.notices, "changed": len(report.changed)}
    return {"parts": part.sent, **told}
