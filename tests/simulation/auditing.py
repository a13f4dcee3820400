"""The invariants after each step, at the price of what the step touched: owners that changed are looked at again."""

from __future__ import annotations

from functools import lru_cache
from unittest.mock import patch

from saldo.insight import checks_owner
from saldo.insight import model as insight_model
from saldo.insight.invariants import Share, Violation, check_across, check_owner, meters_through
from saldo.invoicing import codec, rules
from saldo.storage.items import Item, from_attributes
from tests.simulation.region import Region

_MOST_KEPT = 60_000


class StepAuditor:
    """Holds a region's records against the invariants as they change: `check_all`, in parts."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._shares: dict[str, Share] = {}
        self._violations: dict[str, list[Violation]] = {}
        self._items: dict[int, tuple[object, Item]] = {}

    def look(self, *, at_rest: bool = False) -> list[Violation]:
        """What is wrong now. What spans owners is only looked at whole when something of it can have changed."""
        changed = sorted(self._region.records.changed)
        self._region.records.changed.clear()
        with self._region.undisturbed(), frozen_read_once():
            meters = meters_through(self._region.store)
            for owner_id in changed:
                found, share = check_owner(owner_id, self._records(owner_id), meters)
                self._shares[owner_id] = share
                self._violations[owner_id] = found
        wrong = [v for owner_id in changed for v in self._violations[owner_id]]
        if wrong or at_rest or any(self._shares[o].numbers or self._shares[o].series for o in changed):
            wrong += self._across(at_rest=at_rest)
        return wrong

    def _across(self, *, at_rest: bool) -> list[Violation]:
        whole = Share()
        for share in self._shares.values():
            whole.add(share)
        return check_across(whole, at_rest=at_rest)

    def _records(self, owner_id: str) -> list[Item]:
        return [self._item(stored) for stored in self._region.records.items_of("records", owner_id)]

    def _item(self, stored: dict[str, dict[str, object]]) -> Item:
        """A stored record is never changed, only replaced: what was read of it holds as long as it is there."""
        if len(self._items) > _MOST_KEPT:
            self._items.clear()
        known = self._items.get(id(stored))
        if known is None or known[0] is not stored:
            known = self._items[id(stored)] = stored, from_attributes(stored)
        return known[1]


@lru_cache(maxsize=_MOST_KEPT)
def _body(blob: bytes) -> codec.InvoiceBody:
    return codec.body_from_bytes(blob)


_PROBLEMS: dict[int, tuple[object, object]] = {}
_ENTRIES: dict[int, tuple[object, object]] = {}


def _problems(body: codec.InvoiceBody) -> object:
    """By the body itself: frozen, and the same object each time it is read."""
    if len(_PROBLEMS) > _MOST_KEPT:
        _PROBLEMS.clear()
    known = _PROBLEMS.get(id(body))
    if known is None or known[0] is not body:
        known = _PROBLEMS[id(body)] = body, rules.problems_of(body)
    return known[1]


def _entry(body: codec.InvoiceBody) -> object:
    if len(_ENTRIES) > _MOST_KEPT:
        _ENTRIES.clear()
    known = _ENTRIES.get(id(body))
    if known is None or known[0] is not body:
        known = _ENTRIES[id(body)] = body, rules.issue_entry(body)
    return known[1]


class frozen_read_once:  # noqa: N801 - used as a context manager
    """Within it, what is frozen is read and added up once: a body of the same bytes is the same body."""

    def __enter__(self) -> None:
        self._patches = [
            patch.object(insight_model, "body_from_bytes", _body),
            patch.object(checks_owner, "problems_of", _problems),
            patch.object(checks_owner, "issue_entry", _entry),
        ]
        for one in self._patches:
            one.start()

    def __exit__(self, *_: object) -> None:
        for one in self._patches:
            one.stop()
