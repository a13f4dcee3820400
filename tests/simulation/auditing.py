"""The invariants after each step, at the price of what the step touched.

Owners that changed are looked at again, and of those only by the rules that read a kind of record which changed; which
kinds a rule reads is seen when it runs. What spans owners is looked at when an owner's share in it changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property, lru_cache
from typing import Any
from unittest.mock import patch

from saldo.audit import records_chain
from saldo.insight import checks_owner, checks_promises
from saldo.insight import model as insight_model
from saldo.insight.checks_across import share_of
from saldo.insight.checks_owner import OWNER_RULES, OwnerRule
from saldo.insight.invariants import MetersOf, Share, Violation, check_across, meters_for, meters_through
from saldo.insight.model import Owner
from saldo.invoicing.model import InvoiceBody
from saldo.kernel.errors import Refusal
from saldo.ledger.model import Entry
from saldo.storage.items import Item, from_attributes
from saldo.usage import records as usage_records
from saldo.usage import records_windows
from saldo.usage.model import Meter
from tests.simulation.region import Region

_MOST_KEPT = 60_000
_NAMED = {"body", "invoice", *insight_model.BILLED}  # what tells which bodies mean something
_Look = Callable[[Owner], Any]


class Once:
    """A function of something frozen, worked out once for each: for the very thing, not for what it says.

    The thing is the function's last argument.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._known: dict[int, tuple[object, Any]] = {}

    def forget(self) -> None:
        self._known.clear()

    def __call__(self, *args: Any) -> Any:
        thing = args[-1]
        known = self._known.get(id(thing))
        if known is None or known[0] is not thing:
            if len(self._known) > _MOST_KEPT:
                self._known.clear()
            known = self._known[id(thing)] = thing, self._function(*args)
        return known[1]


_entry = Once(insight_model.entry_or_fault)
_body = Once(insight_model.body_from_bytes)
_FROZEN: tuple[tuple[Any, str, Any], ...] = (
    (insight_model, "body_from_bytes", _body),
    (checks_owner, "entry_or_fault", _entry),
    (checks_owner, "problems_of", Once(checks_owner.problems_of)),
    (checks_owner, "is_named_rightly", Once(checks_owner.is_named_rightly)),
    (checks_owner, "issue_entry", Once(checks_owner.issue_entry)),
    (checks_owner, "_earned", Once(checks_owner._earned)),
    (checks_promises, "header_from", Once(checks_promises.header_from)),
    (checks_promises, "promise_from", Once(checks_promises.promise_from)),
    (checks_owner, "derived_id", lru_cache(_MOST_KEPT)(checks_owner.derived_id)),
    (records_chain, "digest_of", Once(records_chain.digest_of)),
    (records_chain, "link_from", Once(records_chain.link_from)),
    (records_windows, "packed_windows", Once(records_windows.packed_windows)),
    (usage_records, "events_of_chunk", Once(usage_records.events_of_chunk)),
)


def forget() -> None:
    """What was read in a world that is over: the next one has nothing of it."""
    for _, _, once in _FROZEN:
        once.forget() if isinstance(once, Once) else once.cache_clear()


@contextmanager
def frozen_read_once() -> Iterator[None]:
    """Within it, what is frozen is read and added up once: a stored record is never changed, only replaced."""
    with ExitStack() as stack:
        for module, name, once in _FROZEN:
            stack.enter_context(patch.object(module, name, once))
        yield


class _Watched(Owner):
    """An owner that notes which kinds of its records are asked for."""

    def __init__(self, owner_id: str, by_kind: dict[str, list[Item]], meters: Sequence[Meter]) -> None:
        super().__init__(owner_id, by_kind, meters)
        self.asked: set[str] = set()

    def of(self, kind: str) -> list[Item]:
        self.asked.add(kind)
        return super().of(kind)

    # What is read once for several rules was asked for by each of them.

    @property
    def entries(self) -> list[Entry]:  # type: ignore[override]
        self.asked.add("entry")
        return self._entries

    @cached_property
    def _entries(self) -> list[Entry]:
        return [entry for item in self.of("entry") if not isinstance(entry := _entry(item), Refusal)]

    @property
    def bodies(self) -> list[InvoiceBody]:  # type: ignore[override]
        self.asked |= _NAMED
        return self._bodies

    @cached_property
    def _bodies(self) -> list[InvoiceBody]:
        return [_body(item["body"]) for item in self.frozen]

    @property
    def drafts(self) -> frozenset[str]:  # type: ignore[override]
        self.asked |= _NAMED
        return self._drafts

    @cached_property
    def _drafts(self) -> frozenset[str]:
        return Owner.drafts.func(self)

    @property
    def audited(self) -> frozenset[tuple[str, str]]:  # type: ignore[override]
        self.asked.add("audit")
        return self._audited

    @cached_property
    def _audited(self) -> frozenset[tuple[str, str]]:
        return Owner.audited.func(self)


def _listed(rule: OwnerRule) -> _Look:
    return lambda owner: list(rule(owner))


_RULES = tuple(map(_listed, OWNER_RULES))


class _Known:
    """An owner as it was last looked at, by kind of record; and by look, which kinds it read and what it found."""

    def __init__(self) -> None:
        self.by_kind: dict[str, list[Item]] = {}
        self.meters: Sequence[Meter] = ()
        self._kinds: dict[str, dict[str, Item]] = defaultdict(dict)
        self._kind_of: dict[str, str] = {}
        self._found: dict[_Look, tuple[frozenset[str], Any]] = {}

    def take(self, written: Mapping[str, Item | None]) -> None:
        """What now lies under these sort keys. Finds from kinds that thereby changed are forgotten."""
        touched = set()
        for sk, item in written.items():
            before = self._kind_of.pop(sk, None)
            if before is not None:
                touched.add(before)
                del self._kinds[before][sk]
            if item is not None:
                self._kind_of[sk] = item["kind"]
                self._kinds[item["kind"]][sk] = item
                touched.add(item["kind"])
        if not touched <= self.by_kind.keys():
            self._found.clear()  # a rule may read every kind there is
        for kind in touched:
            items = self._kinds[kind]
            self.by_kind[kind] = [items[sk] for sk in sorted(items)]
        self._found = {look: found for look, found in self._found.items() if not found[0] & touched}

    def take_meters(self, meters: Sequence[Meter]) -> None:
        if meters != self.meters:
            self.meters = meters
            self._found.clear()

    def unanswered(self, looks: Sequence[_Look]) -> list[_Look]:
        return [look for look in looks if look not in self._found]

    def wrong(self) -> list[Violation]:
        """What all rules found, each when it last looked."""
        return [violation for look, (_, found) in self._found.items() if look is not share_of for violation in found]

    def answer(self, owner: _Watched, look: _Look) -> Any:
        """What a look at the owner finds; what it found before, where nothing that it read has changed."""
        known = self._found.get(look)
        if known is None:
            owner.asked = set()
            found = look(owner)
            known = self._found[look] = frozenset(owner.asked), found
        return known[1]


class StepAuditor:
    """Holds a region's records against the invariants as they change: `check_all`, in parts."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._known: dict[str, _Known] = defaultdict(_Known)
        self._shares: dict[str, Share] = {}

    def look(self, *, at_rest: bool = False) -> list[Violation]:
        """What is wrong now. What spans owners is only looked at when an owner's share in it says something else."""
        changed: dict[str, dict[str, Item | None]] = defaultdict(dict)
        for pk, sk in sorted(self._region.records.changed):
            stored = self._region.records.item_at("records", pk, sk)
            changed[pk][sk] = from_attributes(stored) if stored else None
        self._region.records.changed.clear()
        wrong: list[Violation] = []
        spans = at_rest
        with self._region.undisturbed(), frozen_read_once():
            meters = meters_through(self._region.store)
            for owner_id, written in changed.items():
                found, share = self._look_at(owner_id, written, meters)
                wrong += found
                before = self._shares.get(owner_id)
                spans = spans or (before is not share and before != share)
                self._shares[owner_id] = share
        return wrong + (self._across(at_rest=at_rest) if spans or wrong else [])

    def _look_at(
        self, owner_id: str, written: Mapping[str, Item | None], meters: MetersOf
    ) -> tuple[list[Violation], Share]:
        """What is wrong with one owner, and its share in what spans owners."""
        known = self._known[owner_id]
        known.take(written)
        known.take_meters(meters_for(known.by_kind, meters))
        owner = _Watched(owner_id, known.by_kind, known.meters)
        for rule in known.unanswered(_RULES):
            known.answer(owner, rule)
        return known.wrong(), known.answer(owner, share_of)

    def _across(self, *, at_rest: bool) -> list[Violation]:
        whole = Share()
        for share in self._shares.values():
            whole.add(share)
        return check_across(whole, at_rest=at_rest)
