"""Decisions on stored methods: what news change, which list of unfinished business one is on, when it warns."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from saldo.kernel.clock import instant_text
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import fingerprint
from saldo.payments.model_methods import METHOD_MOVES, MethodReport, MethodStatus, StoredMethod

WARNS_BEFORE = timedelta(days=30)
MOST_METHODS = 20


def method_id(account_id: str, request_key: str) -> str:
    """One form, one method, for ever."""
    return f"meth_{fingerprint('method', account_id, request_key)}"


def changed_by(method: StoredMethod, report: MethodReport) -> StoredMethod | None:
    """The method after this news; None when the news is old, or comes after it was removed."""
    if report.status not in METHOD_MOVES[method.status] or report.status is MethodStatus.REMOVED:
        return None
    new = replace(method, status=report.status, ref=method.ref or report.ref, version=method.version + 1)
    if report.status is MethodStatus.FAILED:
        return replace(new, failure_code=report.failure_code)
    return replace(
        new,
        kind=report.kind,
        shown_as=report.shown_as,
        token=report.token,
        currency=report.currency,
        expires_on=report.expires_on,
        failure_code="",
    )


def misfit(method: StoredMethod, report: MethodReport) -> str | None:
    """Why this report cannot be about this method (a code), or None when it can."""
    if method.ref and report.ref and method.ref != report.ref:
        return "reference_mismatch"
    if report.status is MethodStatus.ACTIVE and not report.token:
        return "token_missing"
    return None


def removed(method: StoredMethod) -> StoredMethod:
    """Out of use at once; on the agenda until the gateway has let go of it. Refusal `method_gone`."""
    if MethodStatus.REMOVED not in METHOD_MOVES[method.status]:
        raise Refusal("method_gone", "this method was removed")
    return replace(method, status=MethodStatus.REMOVED, version=method.version + 1)


def warns_on(method: StoredMethod) -> date | None:
    """The day from which its people are to know that it will expire."""
    return None if method.expires_on is None else method.expires_on - WARNS_BEFORE


def expiring_list(entity_id: str) -> str:
    """A seller's methods whose people are to be told. Not `expiring#…`: under that lies credit."""
    return f"expiring_methods#{entity_id}"


def agenda_of(method: StoredMethod) -> tuple[str, str] | None:
    """As for payments: (list, since when as text). `adding`: the gateway has more to say, or has not let go yet;
    `expiring_methods`: a letter is to be written from that day on."""
    waits = method.status is MethodStatus.STARTED
    if waits or (method.status is MethodStatus.REMOVED and not method.let_go):
        return "adding", instant_text(method.started_at)
    warn_on = warns_on(method)
    if method.status is MethodStatus.ACTIVE and warn_on is not None and not method.warned:
        return expiring_list(method.entity_id), warn_on.isoformat()
    return None


def creditor_reference(account_id: str) -> str:
    """The structured reference (ISO 11649) that ties a bank transfer to an account: the same for ever."""
    body = fingerprint("creditor reference", account_id)[-16:].upper()
    digits = "".join(str(int(sign, 36)) for sign in body + "RF00")
    return f"RF{98 - int(digits) % 97:02d}{body}"


def in_fours(reference: str) -> str:
    """As people write it on a form."""
    return " ".join(reference[i : i + 4] for i in range(0, len(reference), 4))
