"""What a request reads, writes and calls, and by which functions of ours it goes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.simulation.region import Region

# What a request may write although it is refused: use of its own session, the count of failed attempts.
_OWN = ("session_", "session#", "attempts_")

# What decides on a refusal may be a record that is there, or not: reading its fields is no way of its own.
_DECODING = ("saldo.storage.items",)
# In Python 3.11 comprehensions are calls of their own, and an iterator is called once more when it is thrown away.
_COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>") if sys.version_info < (3, 12) else ()


class Watch:
    """`read`: keys asked for, found or not; of a query the partition, with "". `written`: keys written, less one's own
    session. `calls`: to any service. `went`: functions in the order they were called, while `followed`."""

    def __init__(self, region: Region) -> None:
        self._region, self._records = region, region.records
        self.read: set[tuple[str, str]] = set()
        self.written: set[tuple[str, str]] = set()
        self.calls: Counter[str] = Counter()
        self.went: list[str] = []

    def __enter__(self) -> Watch:
        records: Any = self._records
        self._find, self._query = records._find, records._query
        records._find, records._query = self._found, self._queried
        records.changed.clear()
        self._region.wire.watch = self._called
        return self

    def __exit__(self, *_: object) -> None:
        records: Any = self._records
        records._find, records._query = self._find, self._query
        self._region.wire.watch = None
        self.written = {key for key in records.changed if not key[0].startswith(_OWN)}

    def _called(self, operation: str) -> None:
        self.calls[operation] += 1

    def _found(self, table: str, key: Any) -> Any:
        if table == "records":
            self.read.add((key["pk"]["S"], key["sk"]["S"]))
        return self._find(table, key)

    def _queried(self, request: Any, part: bool) -> Any:
        self.read.add((request["ExpressionAttributeValues"][":p"]["S"], ""))
        answer = self._query(request, part)
        self.read |= {(item["pk"]["S"], item["sk"]["S"]) for item in answer["Items"] if {"pk", "sk"} <= set(item)}
        return answer

    @contextmanager
    def followed(self) -> Iterator[None]:
        """What two requests do alike, they do as fast, whatever a clock on a busy machine says."""

        def note(frame: Any, event: str, _: object) -> None:
            if event == "call":
                module = frame.f_globals.get("__name__", "")
                name = frame.f_code.co_qualname
                ours = module.startswith(("saldo.", "functions.")) and module not in _DECODING
                if ours and not name.endswith(_COMPREHENSIONS):
                    self.went.append(name)

        sys.setprofile(note)
        try:
            yield
        finally:
            sys.setprofile(None)
