"""Months of billing in a world that misbehaves: nothing breaks, a seed is a history, a failure is made short."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from saldo.storage.units import Unit
from tests.crashes import Kind
from tests.simulation.region import quiet
from tests.simulation.shrink import shortest
from tests.simulation.simulator import Broken, Simulation

ROOT = Path(__file__).resolve().parents[2]
# 200 months, as worlds of their own so that two processes share them; 10,000 are for `make nightly`.
SUBSCRIPTIONS = 20  # a fifth of the nightly ones: the tests have twelve minutes in all
WORLDS = [(seed, 20) for seed in range(1, 11)]
_PRINT = """
from tests import conftest
from tests.simulation.region import quiet
from tests.simulation.simulator import Simulation
simulation = Simulation(62, 100)
with quiet():
    simulation.run(1)
print(simulation.print, simulation.told.calls, sum(simulation.told.faults.values()))
"""


@pytest.mark.parametrize(("seed", "months"), WORLDS)
def test_nothing_breaks_whatever_goes_wrong(seed: int, months: int) -> None:
    simulation = Simulation(seed, SUBSCRIPTIONS)
    with quiet():
        told = simulation.run(months)
    assert told.months == months and told.invoices > 0.8 * SUBSCRIPTIONS * months
    assert sum(told.faults.values()) > 0.01 * told.calls
    assert set(told.faults) >= {kind.value for kind in Kind if kind is not Kind.DOUBLED}  # which few calls can be


def test_one_seed_is_one_history_to_the_last_bit_in_any_process() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", _PRINT],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": ".:layers/saldo/python", "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("0", "1")
    }
    assert len(told) == 1 and int(told.pop().split()[-1]) > 10


def test_another_seed_is_another_history() -> None:
    prints = set()
    for seed in (5, 6):
        simulation = Simulation(seed, 6)
        with quiet():
            simulation.run(1)
        prints.add(simulation.print)
    assert len(prints) == 2


class _Careless(Simulation):
    """Staff books money back by hand whenever a correction has lost its answer: twice, then."""

    def _correct(self, dice: object) -> None:
        if self._attempt:
            account_id = "acct_eu_000003"
            with self.region.undisturbed():
                balance = self.region.store.get(account_id, "balance")
                assert balance is not None
                bent = balance | {"EUR receivables": balance.get("EUR receivables", 0) - 100}
                self.region.store.write_one(Unit("by hand").put(bent))
        super()._correct(dice)  # type: ignore[arg-type]


def _broken() -> tuple[_Careless, Broken]:
    for seed in range(1, 60):
        simulation = _Careless(seed, 4, 0.05)
        try:
            with quiet():
                simulation.run(1)
        except Broken as broken:
            return simulation, broken
    raise AssertionError("no seed made a correction fail")


def test_a_failure_is_told_with_the_shortest_schedule_found() -> None:
    simulation, broken = _broken()
    assert broken.step.endswith("correction") and str(broken).split(": ")[1].startswith("3 acct_eu_000003")
    with quiet():
        schedule = shortest(simulation, 1, broken, _Careless)
    assert [fault.step for fault in schedule.faults] == [broken.step]
    assert len(simulation.struck) > 1 and len(schedule.steps) < len(simulation.done) / 3
    assert f"seed {simulation.seed}" in schedule.lines()[0]
