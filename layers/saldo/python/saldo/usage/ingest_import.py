"""Import a usage file from S3: read it line by line, take its events in, report every rejected row."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound
from saldo.storage.files import Files
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage import records
from saldo.usage.ingest import Ingest, IngestReport
from saldo.usage.ingest_blocks import blocks
from saldo.usage.ingest_files import format_of, read_rows
from saldo.usage.ingest_rows import UsageRow
from saldo.usage.ports import UsageFiles
from saldo.usage.records_partitions import accounts_from, usage_files_key
from saldo.usage.records_quarantine import quarantine_prefix

ROWS_PER_BATCH = 10_000
BLOCK_BYTES = 64_000_000
CHUNK_BYTES = 1_000_000
_IN_MEMORY = 4_000_000


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What became of a file: rows = accepted + duplicates + rejected.

    `report_key`: the JSON lines beside the file, one per rejected row, "" when there is none. `codes` counts problems.
    `repeated`: these bytes were imported before, and nothing was done; the figures are those of that time.
    `accounts`: whose events came now; not kept.
    """

    key: str
    rows: int
    accepted: int
    duplicates: int
    rejected: int
    meters: Mapping[str, int]
    codes: Mapping[str, int]
    report_key: str
    repeated: bool = False
    accounts: tuple[str, ...] = ()


_KEPT = [name for name in ImportSummary.__dataclass_fields__ if name not in ("repeated", "accounts")]


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    meters: dict[str, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)

    def add(self, report: IngestReport) -> None:
        self.rows += report.rows
        self.accepted += report.accepted
        self.duplicates += report.duplicates
        self.rejected += len(report.rejected)
        self.accounts |= report.accounts
        for meter_id, count in report.meters.items():
            self.meters[meter_id] = self.meters.get(meter_id, 0) + count
        for problem in (p for row in report.rejected for p in row.problems):
            self.codes[problem.code] = self.codes.get(problem.code, 0) + 1


class UsageImport:
    """Imports usage files of one region."""

    def __init__(self, store: Store, files: Files, clock: Clock, in_files: UsageFiles | None = None) -> None:
        self._store, self._files, self._clock = store, files, clock
        self._ingest = Ingest(store, clock, in_files)

    def run(self, entity_id: str, key: str, *, again: bool = False, backfill: bool = False) -> ImportSummary:
        """Import the file under this key for this seller's accounts.

        The same bytes again change nothing, unless `again`: then rows rejected before have another chance, and leave
        the quarantine when they are accepted. `backfill` marks events of the past that another system recorded.
        A crashed import is repeated from the start; what it stored is found.
        Raises NotFound without such a file or seller, Refusal for a file that cannot be read at all.
        """
        if self._store.get(entity_id, "entity") is None:
            raise NotFound(f"no such legal entity: {entity_id}")
        file_format, digest = format_of(key), self._files.digest(key)
        before = self._store.get(*records.file_guard_key(entity_id, digest))
        if before is not None and not again:
            return _summary_from(before)
        summary = self._import(entity_id, key, file_format, digest, backfill)
        self._store.write_one(Unit(f"imported {digest}").put(self._guard(entity_id, digest, summary)))
        return summary

    def _import(self, entity_id: str, key: str, file_format: str, digest: str, backfill: bool) -> ImportSummary:
        tally, still_rejected = _Tally(), set[int]()
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as report:
            for found in self._reports(entity_id, key, file_format, digest, backfill):
                tally.add(found)
                still_rejected |= {r.number for r in found.rejected}
                _write_lines(report, (r.as_dict() for r in found.rejected))
            report_key = self._put_report(key, report) if tally.rejected else ""
        self._release(entity_id, digest, still_rejected)
        figures = (tally.rows, tally.accepted, tally.duplicates, tally.rejected, tally.meters, tally.codes)
        return ImportSummary(key, *figures, report_key, accounts=tuple(sorted(tally.accounts)))

    def _reports(
        self, entity_id: str, key: str, file_format: str, digest: str, backfill: bool
    ) -> Iterator[IngestReport]:
        """Take the file in, batch by batch."""
        if file_format == "ndjson" and self._has_large_accounts(entity_id):
            with tempfile.TemporaryDirectory(prefix="saldo-lines-") as folder:
                for block in blocks(self._files.chunks(key, CHUNK_BYTES), BLOCK_BYTES, Path(folder)):
                    yield self._ingest.ingest_lines(entity_id, block, origin=digest, backfill=backfill)
            return
        for rows in _batches(read_rows(self._files.chunks(key), file_format)):
            yield self._ingest.ingest(entity_id, rows, origin=digest, backfill=backfill)

    def _has_large_accounts(self, entity_id: str) -> bool:
        return bool(accounts_from(self._store.get(*usage_files_key(entity_id))))

    def _put_report(self, key: str, report: IO[bytes]) -> str:
        report.seek(0)
        report_key = f"{key}.report.jsonl"
        self._files.put_from(report_key, report, "application/x-ndjson")
        return report_key

    def _release(self, entity_id: str, digest: str, still_rejected: set[int]) -> None:
        """Let rows of this file out of the quarantine that an earlier import rejected and this one did not."""
        held = self._store.query_all(entity_id, prefix=quarantine_prefix(digest), fields=("pk", "sk", "row"))
        gone = [(item["pk"], item["sk"]) for item in held if item["row"] not in still_rejected]
        self._store.write([Unit(f"release {sk}").delete((pk, sk)) for pk, sk in gone])

    def _guard(self, entity_id: str, digest: str, summary: ImportSummary) -> Item:
        pk, sk = records.file_guard_key(entity_id, digest)
        fields = {name: getattr(summary, name) for name in _KEPT}
        return {"pk": pk, "sk": sk, "kind": "guard", "imported_at": instant_text(self._clock()), **fields}


def _batches(rows: Iterator[UsageRow]) -> Iterator[list[UsageRow]]:
    while some := list(islice(rows, ROWS_PER_BATCH)):
        yield some


def _summary_from(guard: Item) -> ImportSummary:
    names = _KEPT
    return ImportSummary(**{name: guard[name] for name in names}, repeated=True)


def _write_lines(file: IO[bytes], objects: Iterable[Mapping[str, Any]]) -> None:
    for one in objects:
        file.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")
