"""A workflow's region as it is before the work, as often as it is asked for.

Preparing takes longer than the work, and leaves the same each time: it is done once, and the region goes back to it.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.simulation.region import Region
from tests.simulation.workflows import Workflow

# What binds the parts of a region together, and is no record of what happened.
_WIRING = {"_wire", "_chance", "fault", "_one_at_a_time", "_projected"}


@dataclass(frozen=True, slots=True)
class _State:
    """What a region remembers. services, rest: pickled, so that nothing of it is shared with the region."""

    services: bytes
    rest: bytes
    book: bytes

    @classmethod
    def of(cls, region: Region) -> _State:
        services = [{n: value for n, value in vars(one).items() if n not in _WIRING} for one in _services(region)]
        chances = region.chance.getstate(), region.gateways_chance.getstate()
        rest = region.now, region.notes, region.gateway.refusing, region.wire.calls, chances
        return cls(pickle.dumps(services), pickle.dumps(rest), region.book.copy())

    def put_back(self, region: Region) -> None:
        for one, remembered in zip(_services(region), pickle.loads(self.services), strict=True):
            vars(one).update(remembered)
        region.now, region.notes, region.gateway.refusing, region.wire.calls, chances = pickle.loads(self.rest)
        for chance, state in zip((region.chance, region.gateways_chance), chances, strict=True):
            chance.setstate(state)
        region.wire.fault = region.wire.watch = None
        region.book.put_back(self.book)


def _services(region: Region) -> tuple[Any, ...]:
    return region.records, region.buckets, region.mail, region.queues, region.kms, region.bus, region.machines


class Prepared:
    """`again` answers the region, served, as the preparation left it and a new process finds it."""

    def __init__(self, flow: Workflow, stack: ExitStack) -> None:
        self.flow, self._stack = flow, stack
        self._region: Region | None = None
        self._state: _State | None = None

    def again(self) -> Region:
        if self._region is not None and self._state is not None:
            self._state.put_back(self._region)
        else:
            self._stack.close()
            self._region = self._stack.enter_context(Region().serving())
            self.flow.prepare(self._region)
            # What else was opened has a memory of its own: it is opened anew.
            self._state = None if self._region.has_more else _State.of(self._region)
        self._region.restart()
        return self._region


@contextmanager
def prepared(flow: Workflow) -> Iterator[Prepared]:
    with ExitStack() as stack:
        yield Prepared(flow, stack)
