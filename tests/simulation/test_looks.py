"""A look over all records in parts: only a whole one concludes anything, and a late one knows nothing of later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest

from functions.services import differences
from saldo.insight.invariants import Report, check_all
from saldo.insight.parts import BooksLook
from saldo.kernel.errors import NotFound
from saldo.reconciliation.model import DifferenceState
from saldo.storage import looks
from saldo.storage.files import Files
from saldo.storage.looks import Look, PartFiles
from tests.simulation.region import ENTITY_ID, PARTS, Region, quiet
from tests.simulation.workflows import invoke, messages, small_parts
from tests.simulation.workflows.reconciliation import bent, mended, stored
from tests.simulation.workflows.scenes import billed

_LOOK = "operations.check_invariants"


@pytest.fixture
def region() -> Iterator[Region]:
    one = Region()
    with quiet(), one.serving():
        yield one


def begin(region: Region) -> list[str]:
    """The messages of a look's parts."""
    with small_parts():
        parts = invoke(_LOOK, {})["parts"]
    bodies = [body for queue, body in region.queues.waiting if queue == PARTS]
    region.queues.waiting.clear()
    assert len(bodies) == parts > 2
    return bodies


def work(region: Region, bodies: list[str]) -> list[str]:
    """Have them worked; the messages that this sent."""
    for body in bodies:
        invoke(_LOOK, messages(body))
    sent = [body for queue, body in region.queues.waiting if queue == PARTS]
    region.queues.waiting.clear()
    return sent


def states() -> set[DifferenceState]:
    return {one.state for one in differences().of(ENTITY_ID, 99)}


def test_a_look_of_which_a_part_failed_ends_no_difference_and_has_no_end(region: Region) -> None:
    mended(region)
    *others, failing = begin(region)
    assert work(region, others) == []
    region.wire.fault = lambda _number, operation, _when: (_ for _ in ()).throw(OSError(operation))
    with pytest.raises(OSError, match="hidden"):
        invoke(_LOOK, messages(failing))
    region.wire.fault = None
    assert states() == {DifferenceState.OPEN}
    end = json.loads(failing) | {"part": None}
    with pytest.raises(NotFound):
        invoke(_LOOK, messages(json.dumps(end)))
    assert states() == {DifferenceState.OPEN}
    (end_sent,) = work(region, [failing])  # from the dead letters
    invoke(_LOOK, messages(end_sent))
    assert states() == {DifferenceState.GONE}


def test_a_violation_raises_the_alarm_in_its_part_whether_or_not_the_look_comes_to_its_end(region: Region) -> None:
    bent(region)
    said = StringIO()
    with patch("functions.operations.check_invariants.count", lambda name, n=1: said.write(f"{name} {n}\n")):
        work(region, begin(region))
    told = [line for line in said.getvalue().splitlines() if line.startswith("InvariantViolations")]
    assert sum(int(line.split()[1]) for line in told) > 0
    assert states() == set()


def test_a_look_that_comes_to_its_end_late_leaves_what_was_found_and_what_is_gone_since(region: Region) -> None:
    billed(region)
    (late,) = work(region, begin(region))
    region.now += timedelta(hours=1)
    stored(region, off_by=7)
    (end,) = work(region, begin(region))
    invoke(_LOOK, messages(end))
    assert states() == {DifferenceState.OPEN}
    invoke(_LOOK, messages(late))
    assert states() == {DifferenceState.OPEN}


def test_a_look_from_before_does_not_bring_back_what_is_gone(region: Region) -> None:
    bent(region)
    (found_then,) = work(region, begin(region))
    invoke(_LOOK, messages(found_then))
    stored(region, off_by=0)
    region.now += timedelta(hours=1)
    (end,) = work(region, begin(region))
    invoke(_LOOK, messages(end))
    assert states() == {DifferenceState.GONE}
    invoke(_LOOK, messages(found_then))
    assert states() == {DifferenceState.GONE}


def test_a_rule_that_comes_again_begins_the_same_look(region: Region) -> None:
    billed(region)
    event = {"id": "9e5c", "time": "2026-01-01T08:00:00Z"}
    for _ in range(2):
        with small_parts():
            invoke(_LOOK, event)
    bodies = [body for _, body in region.queues.waiting]
    assert len(bodies) == 2 * len(set(bodies)) > 4


def test_few_records_are_looked_at_at_once(region: Region) -> None:
    bent(region)
    answer: dict[str, Any] = invoke(_LOOK, {})
    assert answer["violations"] > 0 and not [queue for queue, _ in region.queues.waiting if queue == PARTS]


@pytest.mark.parametrize("parts", [1, 2, 7, 40])
def test_in_however_many_parts_every_record_is_looked_at(region: Region, parts: int) -> None:
    bent(region)
    whole, look = check_all(region.store), Look("look_1", region.now, parts)
    books = BooksLook(region.store, Files(region.client("s3"), "work"))
    for part in range(parts):
        books.part(look, part)
    report: Report = books.together(look).report
    assert (report.counted, sorted(report.sellers)) == (whole.counted, sorted(whole.sellers))
    assert set(report.violations) == set(whole.violations)


@pytest.mark.parametrize("at_once", [1, 2, 3, 1000])
def test_lines_are_read_whole_however_little_is_read_at_once(region: Region, at_once: int) -> None:
    files = Files(region.client("s3"), "work")
    of, look = PartFiles(files, "any"), Look("look_1", region.now, 2)
    texts = [b"a", "ä\nbb\n\nccc".encode()]
    for part, text in enumerate(texts):
        files.put(of.key(look, part), text, "text/plain")
    with patch.object(looks, "_MOST_READ", at_once):
        assert [list(lines) for lines in of.lines(look)] == [text.split(b"\n") for text in texts]


def test_a_part_that_comes_again_sends_the_end_again_and_the_end_changes_nothing(region: Region) -> None:
    mended(region)
    bodies = begin(region)
    (end,) = work(region, bodies)
    assert work(region, bodies[:1]) == [end]
    invoke(_LOOK, messages(end))
    before = list(region.store.scan())
    invoke(_LOOK, messages(end))
    assert list(region.store.scan()) == before
