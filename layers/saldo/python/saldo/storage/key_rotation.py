"""Wrapping data keys anew, and renewing them: one conditional write a key, so it may stop anywhere and go on later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from saldo.kernel.errors import NotFound, Unavailable
from saldo.storage.sealing import Erased, KeyRing

_MOST_ATTEMPTS = 5


@dataclass(slots=True)
class Rewrapped:
    """What one pass did, in keys: `wrapped` anew, `current` already, `shredded` before or meanwhile."""

    wrapped: int = 0
    current: int = 0
    shredded: int = 0


def rewrap(keys: KeyRing, *, wrapped_before: str = "", told: Callable[[Rewrapped], None] | None = None) -> Rewrapped:
    """Wrap anew every data key that is not under the current KMS key, or was wrapped before an instant (its text).

    The instant serves KMS's own yearly rotation, which changes the material and not the ARN. A repeat finds what a
    stopped pass did already; blobs sealed with the keys are not touched.
    """
    done, target = Rewrapped(), keys.current_wrapper()
    for listed in keys.wrapped_keys.all():
        for _ in range(_MOST_ATTEMPTS):
            key = keys.wrapped_keys.find(listed.organisation_id)
            if key is None or not key.wrapped:
                done.shredded += 1
                break
            if key.under == target and key.wrapped_at >= wrapped_before:
                done.current += 1
                break
            if keys.wrap_anew(key):
                done.wrapped += 1
                break
        else:
            raise Unavailable(f"the key of {listed.organisation_id} is being changed by others")
        if told:
            told(done)
    return done


def renew(keys: KeyRing, organisation_id: str) -> int:
    """Give an organisation a new data key for what is sealed from now on; which version that is."""
    for _ in range(_MOST_ATTEMPTS):
        key = keys.wrapped_keys.find(organisation_id)
        if key is None:
            raise NotFound("the organisation has no data key")
        if not key.wrapped:
            raise Erased
        if keys.add_version(key):
            keys.forget(organisation_id)
            return len(key.wrapped) + 1
    raise Unavailable(f"the key of {organisation_id} is being changed by others")


def counted(keys: KeyRing) -> Counter[str]:
    """How many organisations' keys lie under each KMS key (its ARN); `shredded`, and `not kept` for old records."""
    found: Counter[str] = Counter()
    for key in keys.wrapped_keys.all():
        found["shredded" if key.shredded_at else key.under or "not kept"] += 1
    return found
