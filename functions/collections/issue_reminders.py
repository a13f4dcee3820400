"""Daily, for each seller: the letters that remind its customers of what they owe."""

from __future__ import annotations

from typing import Any

from functions.observed import count, observed
from functions.services import reminders


@observed("IssueReminders")
def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """{entity_id, as_of} → {letters, notices, changed}; `as_of`: a date, or the scheduled instant. Safe to repeat.

    Each letter's event brings delivery to mail it. `changed`: accounts whose invoices changed at that moment; what is
    still due of theirs comes the next day.
    """
    report = reminders().remind(event["entity_id"], event["as_of"])
    count("RemindersIssued", len(report.reminders))
    return {"letters": len(report.reminders), "notices": report.notices, "changed": len(report.changed)}
