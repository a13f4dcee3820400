"""How many events a producer may send: a token bucket in whole thousandths of an event. No clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from saldo.kernel.errors import Refusal

_THOUSANDTHS = 1000


@dataclass(frozen=True, slots=True)
class Limit:
    """`per_s` events a second over time, and at most `burst` at once."""

    per_s: int
    burst: int

    def __post_init__(self) -> None:
        if self.per_s < 1 or self.burst < 1:
            raise Refusal("invalid_limit", "a limit lets through at least one event")


DEFAULT_LIMIT = Limit(per_s=1_000, burst=20_000)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left to a producer at an instant, in thousandths of an event."""

    left: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """Either the bucket with the events taken out, or after how many whole seconds they would fit (never 0 then).

    `left`: events that could come now.
    """

    bucket: Bucket | None
    retry_after_s: int
    left: int


def take(limit: Limit, bucket: Bucket | None, events: int, now: datetime) -> Taken:
    """Take so many events out of a bucket that fills as time passes; a producer not seen before has a full one.

    Clocks of two machines may differ: a bucket from the future is taken as one of now. Refusal `batch_too_large` for
    more events than ever fit.
    """
    if events > limit.burst:
        raise Refusal("batch_too_large", f"a batch holds at most {limit.burst} events for this producer")
    filled = _filled(limit, bucket, now)
    wanted = events * _THOUSANDTHS
    left = filled.left - wanted
    if left >= 0:
        return Taken(Bucket(left, filled.at), 0, left // _THOUSANDTHS)
    per_s = limit.per_s * _THOUSANDTHS
    return Taken(None, max(1, -(left // per_s)), filled.left // _THOUSANDTHS)


def _filled(limit: Limit, bucket: Bucket | None, now: datetime) -> Bucket:
    most = limit.burst * _THOUSANDTHS
    if bucket is None:
        return Bucket(most, now)
    if bucket.at >= now:
        return bucket
    gone = now - bucket.at
    gone_ms = (gone.days * 86_400 + gone.seconds) * 1000 + gone.microseconds // 1000
    return Bucket(min(most, bucket.left + gone_ms * limit.per_s), now)
