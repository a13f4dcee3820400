"""The look over all records in parts: what one segment says by itself, and what all say together.

A part lays down a file of lines: the first has what it found and its small sums, each further one a row of what there
is much of, in order. Put together, the sums are added and the rows of all parts are gone through once, in order; so
memory follows the number of parts, not that of the records.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any

from saldo.insight.checks_across import Row, Share, violations_across
from saldo.insight.invariants import Report, look_at, meters_through
from saldo.insight.model import Violation
from saldo.insight.second_look import SecondLook
from saldo.storage.files import Files
from saldo.storage.looks import Look, PartFiles
from saldo.storage.store import Store


@dataclass(frozen=True, slots=True)
class Together:
    """What a whole look found. `across`: those of its violations that no part by itself told."""

    report: Report
    across: Sequence[Violation]


class BooksLook:
    """Every invariant over every record of a region. Each of its steps may be repeated."""

    def __init__(self, store: Store, files: Files) -> None:
        self._store, self._files = store, PartFiles(files, "books")

    def part(self, look: Look, part: int) -> Report:
        """Look at one segment; its violations are those of single owners, each looked at again."""
        store, now = self._store, look.began_at
        report, share = look_at(store.scan(part, look.parts), meters_through(store), again=store, now=now)
        rows = (json.dumps(row, separators=(",", ":")) for row in sorted(share.rows))
        lines = "\n".join([json.dumps(_first_line(report, share)), *rows])
        self._files.files.put(self._files.key(look, part), lines.encode(), "application/x-ndjson")
        return report

    def is_whole(self, look: Look) -> bool:
        return self._files.are_there(look)

    def together(self, look: Look) -> Together:
        """What all parts found, and what their shares say together. NotFound when one is missing."""
        report, whole, rows = Report(), Share(), []
        for lines in self._files.lines(look):
            _add(report, whole, json.loads(next(lines)))
            rows.append(_rows(lines))
        across = list(violations_across(whole, merge(*rows), SecondLook(self._store)))
        report.violations += across
        return Together(report, across)


def _rows(lines: Iterator[bytes]) -> Iterator[Row]:
    return (tuple(json.loads(line)) for line in lines)


def _first_line(report: Report, share: Share) -> dict[str, Any]:
    return {
        "violations": [(v.invariant, v.owner_id, v.message) for v in report.violations],
        "counted": report.counted,
        "sellers": report.sellers,
        "entity_sums": _listed(share.entity_sums),
        "monthly": share.monthly,
        "listed": share.listed,
        "claims": sorted(share.claims),
        "billing": sorted(share.billing),
    }


def _add(report: Report, whole: Share, said: dict[str, Any]) -> None:
    report.violations += [Violation(*row) for row in said["violations"]]
    report.counted.update(said["counted"])
    report.sellers += said["sellers"]
    share = Share(
        entity_sums=_summed(said["entity_sums"]),
        monthly={seller: (on, owner_id) for seller, (on, owner_id) in said["monthly"].items()},
        listed=said["listed"],
        claims={(owner_id, claim) for owner_id, claim in said["claims"]},
        billing=set(said["billing"]),
    )
    whole.add(share)


def _listed(sums: Counter[tuple[str, str]]) -> list[tuple[str, str, int]]:
    return [(seller, currency, minor) for (seller, currency), minor in sums.items() if minor]


def _summed(rows: Sequence[Sequence[Any]]) -> Counter[tuple[str, str]]:
    return Counter({(seller, currency): minor for seller, currency, minor in rows})
