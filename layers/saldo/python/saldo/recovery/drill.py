"""The restore drill: bring a copy back, prove it, tell it what it missed, throw it away. The live tables are only read.

A drill has no gateway to speak to: events are applied to the copy as news, and nothing is asked, charged or mailed.
A restored table has no stream, so nothing of what happens in it is published.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from saldo.insight.invariants import check_all
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.errors import Refusal
from saldo.payments.model import Outcome
from saldo.payments.news import handle_event
from saldo.recovery import rules
from saldo.recovery.copies import MARK, Copies, Told
from saldo.recovery.facts import Facts, facts_of
from saldo.recovery.model import DrillReport, Finding
from saldo.recovery.sealed import open_all
from saldo.storage.sealing import KeyRing
from saldo.storage.store import Store
from saldo.storage.wrapped_keys import WrappedKeys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

# Records carry the time at which their writing began; what began this shortly before the instant may have come after.
_IN_FLIGHT = timedelta(minutes=1)


class RestoreDrill:
    """Drills of one region. `table` and `keys_table`: the live tables; `kms_key_id` wraps its data keys."""

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        kms: KMSClient,
        *,
        table: str,
        keys_table: str,
        kms_key_id: str,
        region_code: str,
        clock: Clock,
        copies: Copies | None = None,
    ) -> None:
        self._dynamodb, self._kms, self._clock = dynamodb, kms, clock
        self._table, self._keys_table, self._kms_key_id, self._region = table, keys_table, kms_key_id, region_code
        self._copies = copies or Copies(dynamodb)

    def run(self, at: datetime | None, told: Told, *, keep: bool = False) -> DrillReport:
        """Restore as of an instant (None: the latest there is) and prove the copy; the copy goes unless `keep`.

        Refusal: no_backups; out_of_reach, when the backups do not hold the instant.
        """
        if not self._copies.holds(self._table, at):
            raise Refusal("out_of_reach", f"the backups of {self._table} do not hold this instant")
        asked = at or self._clock()
        complete_to = at or self._copies.reach(self._table)[1] or asked
        mark = f"{MARK}{asked:%Y%m%d%H%M%S}-{self._clock():%H%M%S%f}"
        report = DrillReport(self._table + mark, asked)
        names = [self._table + mark, self._keys_table + mark]
        try:
            self._prove(report, at, mark, told, complete_to - _IN_FLIGHT)
        finally:
            if not keep:
                for name in names:
                    self._copies.drop(name)
        report.kept = tuple(names) if keep else ()
        return report

    def _prove(self, report: DrillReport, at: datetime | None, mark: str, told: Told, complete_to: datetime) -> None:
        with _timed(report, "restore", told):
            copy = Store(self._dynamodb, self._copies.restore(self._table, at, self._table + mark, told))
        with _timed(report, "keys", told):
            keys = self._restored_keys(report, at, mark, told)
        with _timed(report, "invariants", told):
            report.findings += _broken(copy, "invariant")
        with _timed(report, "sealed fields", told):
            report.findings += open_all(copy.scan(), keys, self._table, report.sealed)
        with _timed(report, "compare", told):
            before, live = facts_of(copy.scan()), facts_of(Store(self._dynamodb, self._table).scan())
            _compare(report, live, before, complete_to)
        with _timed(report, "replay", told):
            self._replay(report, live, before, copy)
            report.findings += _broken(copy, "invariant after replay")

    def _restored_keys(self, report: DrillReport, at: datetime | None, mark: str, told: Told) -> KeyRing:
        """The keys of then, less those shredded since: what a backup brings back of them is destroyed at once."""
        table = self._keys_table
        if self._copies.holds(table, at):
            report.sealed.keys_from = "backup"
            table = self._copies.restore(table, at, table + mark, told)
            report.sealed.shredded_again = self._shred_again(WrappedKeys(self._dynamodb, table))
        else:
            report.sealed.keys_from = "live"
        return KeyRing(self._kms, self._dynamodb, table=table, kms_key_id=self._kms_key_id, region_code=self._region)

    def _shred_again(self, copies: WrappedKeys) -> int:
        live, shredded = WrappedKeys(self._dynamodb, self._keys_table), 0
        for key in copies.all():
            if key.shredded_at:
                continue
            now = live.find(key.organisation_id)
            if now is None or now.shredded_at:
                copies.shred(key, now.shredded_at if now else instant_text(self._clock()))
                shredded += 1
        return shredded

    def _replay(self, report: DrillReport, live: Facts, before: Facts, copy: Store) -> None:
        """Tell the copy, twice, what it missed; the second time must change nothing."""
        assert MARK in copy.table, "events are told again to a copy, never to the live table"
        done = report.replayed
        done.not_kept = len(live.not_kept - before.not_kept)
        for counted in (done.first, done.again):
            for gateway, event in rules.to_tell(live, before):
                counted[handle_event(copy, self._clock, gateway, event).value] += 1
        if done.again[Outcome.APPLIED]:
            report.findings.append(Finding("replay", "", f"{done.again[Outcome.APPLIED]} events counted twice"))
        if not done.not_kept:
            report.findings += rules.compare_payments(live, facts_of(copy.scan()))


def _broken(copy: Store, check: str) -> list[Finding]:
    return [Finding(f"{check} {v.invariant}", v.owner_id, v.message) for v in check_all(copy).violations]


def _compare(report: DrillReport, live: Facts, copy: Facts, complete_to: datetime) -> None:
    """`complete_to`: what was written before it must be in the copy."""
    report.records, report.undated = copy.records, rules.undated(live)
    report.totals = rules.totals_of(copy.entries.values())
    report.newest_change_at = max(copy.changes.values(), default="")
    if report.newest_change_at:
        newest = instant_from(report.newest_change_at)
        report.rpo_s = max(0.0, (report.at - newest).total_seconds())
    report.lost = len(rules.lost_changes(live, copy, instant_text(report.at)))
    report.findings += rules.compare_journals(live, copy, instant_text(complete_to))
    report.findings += rules.compare_changes(live, copy, instant_text(complete_to))


@contextmanager
def _timed(report: DrillReport, step: str, told: Told) -> Iterator[None]:
    told(step)
    began = time.monotonic()
    yield
    report.seconds[step] = round(time.monotonic() - began, 3)
