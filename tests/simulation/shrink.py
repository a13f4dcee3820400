"""Make a failure short: leave out faults and steps, half of them at a time, for as long as it still fails the same way.

Delta debugging (Zeller, Hildebrandt, 2002) over the faults that struck and the steps that were done. A fault is named
by step, try and call, and a step's own chance follows from its name, so that leaving one out leaves the others be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from tests.simulation.simulator import BEGIN, Broken, Fault, Simulation

MOST_REPLAYS = 120
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is enough to see it fail: so many months, without these steps, with these faults alone."""

    seed: int
    subscriptions: int
    months: int
    steps: tuple[str, ...]
    faults: tuple[Fault, ...]
    broken: str

    def lines(self) -> list[str]:
        told = [f"seed {self.seed}, {self.subscriptions} subscriptions, {self.months} months: {self.broken}"]
        by_step = {step: [f for f in self.faults if f.step == step] for step in self.steps}
        for step, faults in by_step.items():
            struck = ", ".join(f"{f.kind} at call {f.call} of try {f.attempt + 1}" for f in faults)
            told.append(f"  {step}{': ' + struck if struck else ''}")
        return told


Make = Callable[..., Simulation]


def shortest(failed: Simulation, months: int, broken: Broken, make: Make = Simulation) -> Schedule:
    """The shortest schedule found that breaks the same way as this simulation did."""
    done = list(dict.fromkeys(failed.done))
    within = min(months, _month_of(broken.step, months))
    cause, left = _cause(broken), [MOST_REPLAYS]
    until = "" if broken.step.endswith(" told") else broken.step  # a step may be told days after it

    def fails(steps: Sequence[str], faults: Sequence[Fault]) -> bool:
        if left[0] <= 0:
            return False
        left[0] -= 1
        without = frozenset(done) - frozenset(steps)
        again = make(failed.seed, failed.subscriptions, failed.rate, frozenset(faults), without, until)
        try:
            again.run(within)
        except Broken as found:
            return _cause(found) == cause
        return False

    steps, faults = done, list(failed.struck)
    if fails(steps, faults):
        faults = _least(faults, lambda some: fails(steps, some))
        needed = {fault.step for fault in faults} | {broken.step}
        others = [step for step in steps if step not in needed]
        kept = _least(others, lambda some: fails([s for s in done if s in needed or s in set(some)], faults))
        steps = [step for step in done if step in needed or step in set(kept)]
    return Schedule(failed.seed, failed.subscriptions, within, tuple(steps), tuple(faults), str(broken))


def _least(items: list[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """ddmin: a part of the items that still fails, of which no chunk can be left out."""
    if fails([]):
        return []
    chunks = 2
    while len(items) >= 2:
        size = -(-len(items) // chunks)
        for start in range(0, len(items), size):
            rest = items[:start] + items[start + size :]
            if fails(rest):
                items, chunks = rest, max(2, chunks - 1)
                break
        else:
            if size == 1:
                return items
            chunks = min(len(items), 2 * chunks)
    return items


def _cause(broken: Broken) -> str:
    """What broke, without where: the invariant's number, or that a step does not get through."""
    return str(broken).split(": ", 1)[1].split(" ", 1)[0]


def _month_of(step: str, months: int) -> int:
    try:
        on = date.fromisoformat(step[:10])
    except ValueError:
        return months
    return (on.year - BEGIN.year) * 12 + on.month - BEGIN.month + 1
