"""Names that a process keeps for some minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from saldo.storage.kept import LASTS, KeptAWhile
from tests.contexts.conftest import FrozenClock

NAMES = {"a": "Ann", "b": "Ben"}


def test_each_is_read_once_in_five_minutes_also_what_is_not_there() -> None:
    clock, asked = FrozenClock(datetime(2026, 11, 23, tzinfo=UTC)), list[list[str]]()

    def read(unknown: list[str]) -> dict[str, str]:
        asked.append(unknown)
        return {key: NAMES[key] for key in unknown if key in NAMES}

    kept = KeptAWhile[str, str](clock)
    assert kept.of(["b", "a", "z"], read) == NAMES == kept.of({"a", "b", "z"}, read)
    assert asked == [["a", "b", "z"]]
    assert kept.of(["a", "y"], read) == {"a": "Ann"} and asked[1:] == [["y"]]
    clock.now += LASTS
    assert kept.of(["a"], read) == {"a": "Ann"} and asked[2:] == [["a"]]
    clock.now -= timedelta(days=1)
    assert kept.of(["a"], read) == {"a": "Ann"} and len(asked) == 4, "a clock that was set back keeps nothing longer"
