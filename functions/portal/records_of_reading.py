"""Who looked at which document: put on record with the account, in one call; and how much one session takes."""

from __future__ import annotations

from functions.http import telemetry
from functions.portal import services
from functions.portal.visit import Visit
from saldo.access.rules import is_proven
from saldo.access.rules_risk import Verdict, assess_downloads
from saldo.audit.model import AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.errors import Refusal


def note_read(visit: Visit, action: str, subject_id: str, documents: int = 1) -> None:
    """`action` is what was done: invoice.viewed, invoice.downloaded, register.exported, …; what leaves, or
    would, is counted: each of the `documents` in a bundle, a list as one.

    Refusal `proof_needed` when this session takes very much, `too_many_downloads` when it is far too much.
    """
    if action.endswith(("downloaded", "exported")):
        telemetry.count("DocumentsTaken", int(visit.now.timestamp() * 1000), "portal", documents)
        _limit(visit)
    record = AuditRecord(visit.account.account_id, visit.now, visit.actor, action, subject_id)
    visit.records.put_many([audit_item(record)])


def _limit(visit: Visit) -> None:
    verdict = assess_downloads(services.sessions().count_download(visit.who))
    if verdict is Verdict.BLOCK:
        raise Refusal("too_many_downloads", "too many documents in a short time; try again in 15 minutes")
    if verdict is Verdict.STEP_UP and not is_proven(visit.who, visit.now):
        raise Refusal("proof_needed", "show again who you are, then go on")
