"""How badly the gateway behaves: by a seed, so that a bad day can be had again."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Treatment:
    """What happens to one event: wait before the first delivery, deliveries that get lost, deliveries too many."""

    wait_s: float = 0.0
    lost: int = 0
    copies: int = 0


@dataclass(frozen=True, slots=True)
class Mood:
    """Shares between 0 and 1: of events that come late (and so out of order), twice, or fail at first; of answers
    that get lost. All zero: a good day."""

    seed: int = 0
    late: float = 0.0
    twice: float = 0.0
    fail: float = 0.0
    lose: float = 0.0
    late_s: float = 5.0

    def treatment(self, event_number: int) -> Treatment:
        """How the n-th event is treated; the same for the same seed and number."""
        dice = Random(f"{self.seed}/event/{event_number}")  # noqa: S311 - moods, not secrets
        return Treatment(
            wait_s=dice.uniform(0, self.late_s) if dice.random() < self.late else 0.0,
            lost=dice.randint(1, 3) if dice.random() < self.fail else 0,
            copies=dice.randint(1, 2) if dice.random() < self.twice else 0,
        )

    def loses_answer(self, call_number: int) -> bool:
        """Whether the answer to the n-th call that opens a checkout gets lost, after it was carried out."""
        return Random(f"{self.seed}/answer/{call_number}").random() < self.lose  # noqa: S311 - moods, not secrets
