"""Requests that come twice: the same name and the same request get the same answer, for a day.

This absorbs the retries of clients. It is not what keeps money right: effects carry permanent guards of their own.
`<owner>` / `repeat#<name>`: the request's fingerprint, and its answer once there is one.
"""

from __future__ import annotations

from dataclasses import dataclass

from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

KEPT_S = 24 * 3600
# A function answers within 29 s. Whoever claimed a name longer ago than this has died.
CLAIM_S = 60
# An item holds 400 kB. A longer answer is not kept: a repeat is worked out again, guarded as ever.
MOST_BYTES = 350_000


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a request; what was claimed by whoever died before is taken over."""

    key: Key
    began_at_s: int


class Repeats:
    """Named requests of any owner."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def begin(self, owner: str, name: str, request_print: str) -> Claim | bytes:
        """The answer kept for this request, or the claim to work it out.

        Refusal `idempotency_key_reused` when the name stood for another request, `request_in_progress` while the same
        one is being worked on.
        """
        now_s = int(self._clock().timestamp())
        key = (owner, f"repeat#{name}")
        item = _item(key, request_print, now_s)
        if self._store.write_one(Unit(name).insert(item)) is None:
            return Claim(key, now_s)
        known = self._store.get(*key)
        if known is None:
            return self.begin(owner, name, request_print)
        if known["expires_at_s"] > now_s:
            if known["request"] != request_print:
                raise Refusal("idempotency_key_reused", "this Idempotency-Key stood for another request before")
            if "answer" in known:
                return bytes(known["answer"])
            if known["began_at_s"] > now_s - CLAIM_S:
                raise Refusal("request_in_progress", "the same request is being worked on; ask again in a moment")
        unit = Unit(name).put(item, when={"began_at_s": known["began_at_s"]})
        return Claim(key, now_s) if self._store.write_one(unit) is None else self.begin(owner, name, request_print)

    def keep(self, claim: Claim, answer: bytes) -> None:
        """Remember the answer; one too long to keep, or a claim that someone took over, is let go."""
        if len(answer) > MOST_BYTES:
            return self.forget(claim)
        when = {"began_at_s": claim.began_at_s}
        self._store.write_one(Unit("keep").update(claim.key, set={"answer": answer}, when=when))
        return None

    def forget(self, claim: Claim) -> None:
        """Nothing came of it: the name may be used again."""
        self._store.write_one(Unit("forget").delete(claim.key, when={"began_at_s": claim.began_at_s}))


def _item(key: Key, request_print: str, now_s: int) -> Item:
    return {
        "pk": key[0],
        "sk": key[1],
        "kind": "repeat",
        "request": request_print,
        "began_at_s": now_s,
        "expires_at_s": now_s + KEPT_S,
    }
