"""What became of every usage event: reports that always add up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from saldo.accounts.records import account_keys
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.store import Store
from saldo.usage import records
from saldo.usage.ingest import meters_of
from saldo.usage.ingest_rows import event_said
from saldo.usage.model import Meter, Repeats, UsageEvent
from saldo.usage.ports import LargeUsage
from saldo.usage.reconciliation_files import FiledMeter, report_of_files
from saldo.usage.records_partitions import accounts_from, months_with_parts, usage_files_key
from saldo.usage.records_quarantine import held_rows
from saldo.usage.records_windows import windows_of
from saldo.usage.rules import counts
from saldo.usage.rules_reconciliation import MeterReport, counting_apart, report_of


class Reconciliation:
    """Reports on the usage of one seller's accounts. Reads all of an account's events: a report, not a page.

    large: counts that of accounts with files; without it such an account is refused (`usage_in_files`).
    """

    def __init__(self, store: Store, large: LargeUsage | None = None) -> None:
        self._store, self._large = store, large

    def of_account(self, account_id: str) -> list[MeterReport]:
        """One report per meter that counted something, was billed, or turned something away; one without a meter for
        rejected rows that no meter would count. NotFound without the account."""
        account = self._store.get(account_id, "account")
        if account is None:
            raise NotFound(f"no such account: {account_id}")
        entity_id = str(account["entity_id"])
        meters = list(meters_of(self._store, entity_id).values())
        rejected = self._rejected(entity_id).get(account_id, [])
        in_files = account_id in self._in_files(entity_id)
        return list((self._reports_of_files if in_files else self._reports)(account_id, meters, rejected))

    def of_entity(self, entity_id: str) -> Iterator[MeterReport]:
        """The same for every account of a seller, in the order of their ids."""
        in_files = self._in_files(entity_id)
        meters = list(meters_of(self._store, entity_id).values())
        rejected = self._rejected(entity_id)
        for account_id, _ in account_keys(self._store, entity_id):
            reports = self._reports_of_files if account_id in in_files else self._reports
            yield from reports(account_id, meters, rejected.get(account_id, []))

    def _in_files(self, entity_id: str) -> frozenset[str]:
        return accounts_from(self._store.get(*usage_files_key(entity_id)))

    def _reports(
        self, account_id: str, meters: Sequence[Meter], rejected: Sequence[UsageEvent]
    ) -> Iterator[MeterReport]:
        windows = windows_of(self._store, account_id)
        events: dict[str, dict[str, list[UsageEvent]]] = defaultdict(lambda: defaultdict(list))
        for item in self._store.query_all(account_id, prefix=records.USAGE_PREFIX, consistent=True):
            key = records.month_of_chunk(item)
            events[key.meter_id][key.month] += records.events_of_chunk(item)
        counting = []
        for meter in meters:
            told = (e for e in rejected if e.meter_id == meter.event_name)
            counting += counting_apart(meter, windows, chain(*events[meter.event_name].values(), told))
        for meter in counting:
            own = [w for w in windows if w.meter_id == meter.id]
            report = report_of(account_id, meter, own, events.get(meter.event_name, {}), rejected)
            if report.accepted or report.windows or report.rejected:
                yield report
        yield from _nobodys(account_id, counting, rejected)

    def _reports_of_files(
        self, account_id: str, meters: Sequence[Meter], rejected: Sequence[UsageEvent]
    ) -> Iterator[MeterReport]:
        """Of a meter by subscription, each that was billed or turned away has a report."""
        if self._large is None:
            raise Refusal("usage_in_files", f"usage of {account_id} lies in files, which are not counted here")
        windows = windows_of(self._store, account_id)
        zone = str((self._store.get(account_id, "account") or {})["time_zone"])
        corrected = {m.event_name for m in meters if m.repeats is Repeats.LAST}
        counting = [m for meter in meters for m in counting_apart(meter, windows, rejected)]
        for meter in counting:
            months = list(months_with_parts(self._store, account_id, meter.event_name))
            filed = FiledMeter(account_id, zone, meter, months, meter.event_name in corrected)
            own = [w for w in windows if w.meter_id == meter.id]
            report = report_of_files(self._large, filed, own, rejected)
            if report.accepted or report.windows or report.rejected:
                yield report
        yield from _nobodys(account_id, counting, rejected)

    def _rejected(self, entity_id: str) -> dict[str, list[UsageEvent]]:
        """What the rows of a seller's quarantine say, by account; rows that name no time or account say nothing."""
        found: dict[str, list[UsageEvent]] = defaultdict(list)
        for held in held_rows(self._store, entity_id):
            event = event_said(held.row)
            if event is not None:
                found[event.account_id].append(event)
        return found


def _nobodys(account_id: str, counting: Sequence[Meter], rejected: Sequence[UsageEvent]) -> Iterator[MeterReport]:
    """Rejected rows that no meter would count."""
    nobodys = [e for e in rejected if not any(counts(meter, e) for meter in counting)]
    if nobodys:
        yield MeterReport(account_id, "", (), accepted=0, open=0, outside=0, rejected=len(nobodys))
