"""What to do next with a copy, and what its answer means. Values in, values out; the time is handed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from saldo.delivery.model import HANDED_OVER, MOVES, Channel, Delivery, DeliveryStatus, StatusChange

# Longer than a hand-over can take (the function's own time limit), so a copy queued before that has lost its sender.
LEASE = timedelta(minutes=3)
# A lost answer may mean a second copy in the customer's mailbox; no invoice at all is worse, so it is tried once more.
MOST_LOST_ANSWERS = 2


class Step(StrEnum):
    """BEGIN: record the intent and hand over. WAIT: another sender may be at it. DONE: nothing to do."""

    BEGIN = "begin"
    WAIT = "wait"
    DONE = "done"


def next_step(delivery: Delivery | None) -> Step:
    """What is to be done about a copy. A crashed sender's copy is first put to UNKNOWN by `crashed`."""
    if delivery is None:
        return Step.BEGIN
    if delivery.status in HANDED_OVER or delivery.permanent:
        return Step.DONE
    if delivery.status is DeliveryStatus.QUEUED:
        return Step.WAIT
    return Step.BEGIN


def crashed(delivery: Delivery, now: datetime) -> bool:
    """True when a sender began this copy and can no longer be at it."""
    return delivery.status is DeliveryStatus.QUEUED and now - delivery.attempt_at >= LEASE


def begun(
    old: Delivery | None,
    *,
    account_id: str,
    document_id: str,
    document_kind: str,
    recipients: int,
    profile_version: int,
    now: datetime,
    reader_id: str = "",
) -> Delivery:
    """The copy with the intent to hand it over now."""
    first = Delivery(
        account_id,
        document_id,
        document_kind,
        Channel.EMAIL,
        DeliveryStatus.QUEUED,
        0,
        0,
        now,
        recipients,
        profile_version,
        reader_id=reader_id,
    )
    base = old or first
    if old is not None:
        assert DeliveryStatus.QUEUED in MOVES[old.status], f"a copy that is {old.status} is not sent again"
    return replace(
        base,
        status=DeliveryStatus.QUEUED,
        attempts=base.attempts + 1,
        attempt_at=now,
        recipients=recipients,
        profile_version=profile_version,
        failure_code="",
        history=(*base.history, StatusChange(now, DeliveryStatus.QUEUED)),
    )


def sent(delivery: Delivery, message_id: str, now: datetime) -> Delivery:
    return replace(_moved(delivery, DeliveryStatus.SENT, now), message_id=message_id, failure_code="")


def failed(delivery: Delivery, code: str, now: datetime, *, permanent: bool) -> Delivery:
    return replace(_moved(delivery, DeliveryStatus.FAILED, now), failure_code=code, permanent=permanent)


def not_wanted_any_more(delivery: Delivery, now: datetime) -> Delivery:
    """A copy that was tried, and that nobody should get any more."""
    unsettled = delivery.status is DeliveryStatus.UNKNOWN
    return failed(delivery, "not_wanted_any_more", now, permanent=True) if unsettled else delivery


def lost(delivery: Delivery, now: datetime) -> Delivery:
    """The answer did not come. After the second time the copy counts as failed for good, and people look at it."""
    unknown = _moved(delivery, DeliveryStatus.UNKNOWN, now)
    unknown = replace(unknown, lost_answers=delivery.lost_answers + 1)
    if unknown.lost_answers < MOST_LOST_ANSWERS:
        return unknown
    return failed(unknown, "answer_lost", now, permanent=True)


def _moved(delivery: Delivery, status: DeliveryStatus, now: datetime) -> Delivery:
    assert status in MOVES[delivery.status], f"{delivery.status} does not become {status}"
    return replace(delivery, status=status, history=(*delivery.history, StatusChange(now, status)))
