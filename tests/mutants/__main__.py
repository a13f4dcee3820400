"""`python -m tests.mutants`: behind `make mutants`. Each planted bug must make a test fail."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from queue import SimpleQueue

from tests.mutants.model import Mutant
from tests.mutants.planted import MUTANTS
from tests.mutants.tree import Outcome, Tree, copied

# What else is tried when a bug survives its own selection, the cheaper first.
WIDER = (
    ("tests/unit", "tests/property"),
    ("tests/contexts", "tests/functions"),
    ("tests/simulation", "tests/decade"),
)
_NAME, _ROOM, _KIND = 66, 12, 38


@dataclass(frozen=True, slots=True)
class Result:
    """`killed_by`: the test and what it said; "" for a bug that nobody noticed or that cannot be planted. `test`: as
    pytest takes it."""

    mutant: Mutant
    killed_by: str
    test: str
    wrong: str
    seconds: float

    def row(self) -> str:
        told = self.killed_by or self.wrong.upper()
        mutant = self.mutant
        return f"{mutant.name:{_NAME}} {mutant.room:{_ROOM}} {mutant.kind:{_KIND}} {self.seconds:>6.1f}  {told}"


def tried(tree: Tree, mutant: Mutant, wider: Sequence[Sequence[str]]) -> Result:
    """Plant one bug and look for a test that notices, in its own selection first."""
    began = time.perf_counter()

    def result(killed_by: str = "", wrong: str = "", test: str = "") -> Result:
        return Result(mutant, killed_by, test, wrong, time.perf_counter() - began)

    try:
        with tree.planted(mutant):
            for n, selection in enumerate((mutant.tests, *wider)):
                outcome = tree.tested(selection)
                if outcome.trouble:
                    return result(wrong=f"no answer: {outcome.trouble}")
                if not outcome.passed:
                    wider_told = " (by no test of its own selection)" if n else ""
                    return result(_killer(outcome) + wider_told, test=outcome.test)
    except (ValueError, SyntaxError) as error:
        return result(wrong=f"does not apply: {error}")
    return result(wrong="survives")


def _killer(outcome: Outcome) -> str:
    said = outcome.said.split(": ", 1)[-1] if outcome.said.startswith("tests.") else outcome.said
    return f"{outcome.test.removeprefix('tests/')}" + (f": {said[:120]}" if said else "")


def sound(tree: Tree, results: Sequence[Result]) -> str:
    """ "" when the tests that killed pass without any bug: else nobody could say what their failures mean."""
    killers = sorted({result.test for result in results if result.test})
    outcome = tree.tested(killers) if killers else Outcome(passed=True)
    return "" if outcome.passed else outcome.trouble or _killer(outcome)


def chosen(only: str) -> list[Mutant]:
    """Those whose name, room, kind or file has one of these texts in it, which commas separate."""
    texts = [text.strip() for text in only.split(",") if text.strip()]
    return [m for m in MUTANTS if not texts or any(t in f"{m.name} {m.room} {m.kind} {m.file}" for t in texts)]


def _all(mutants: Sequence[Mutant], wider: Sequence[Sequence[str]], workers: int) -> list[Result]:
    """In their order; each worker plants in a tree of its own."""
    results, trees = list[Result](), SimpleQueue[Tree]()

    def one(mutant: Mutant) -> Result:
        tree = trees.get()
        try:
            return tried(tree, mutant, wider)
        finally:
            trees.put(tree)

    with ExitStack() as stack, ThreadPoolExecutor(workers) as pool:
        for _ in range(workers):
            trees.put(stack.enter_context(copied()))
        for result in pool.map(one, mutants):
            results.append(result)
            print(result.row(), flush=True)
        if broken := sound(trees.get(), results):
            raise SystemExit(f"without any bug a test fails already: {broken}")
    return results


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--only", default="", help="texts in a bug's name, room, kind or file, between commas")
    parser.add_argument("--narrow", action="store_true", help="no wider tests for what survives its own")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    mutants, began = chosen(asked.only), time.perf_counter()
    print(f"{'planted bug':{_NAME}} {'room':{_ROOM}} {'kind':{_KIND}} {'s':>6}  killed by", flush=True)
    alive = [result for result in _all(mutants, () if asked.narrow else WIDER, asked.workers) if result.wrong]
    rooms = len({m.room for m in mutants})
    print(f"\n{len(mutants)} planted in {rooms} rooms, {len(mutants) - len(alive)} killed, {len(alive)} not")
    for result in alive:
        print(f"  {result.mutant.name}: {result.wrong}")
    print(f"{time.perf_counter() - began:,.0f} s")
    return 1 if alive or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
