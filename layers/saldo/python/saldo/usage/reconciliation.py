"""What became of every usage event: reports that always add up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.store import Store
from saldo.usage import records
from saldo.usage.ingest import meters_of
from saldo.usage.ingest_rows import event_said
from saldo.usage.model import Meter, UsageEvent
from saldo.usage.records_partitions import accounts_from, usage_files_key
from saldo.usage.records_quarantine import held_rows
from saldo.usage.records_windows import windows_of
from saldo.usage.rules import counts
from saldo.usage.rules_reconciliation import MeterReport, counting_apart, report_of


class Reconciliation:
    """Reports on the usage of one seller's accounts. Reads all of an account's events: a report, not a page."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_account(self, account_id: str) -> list[MeterReport]:
        """One report per meter that counted something, was billed, or turned something away; one without a meter for
        rejected rows that no meter would count. NotFound without the account; Refusal `usage_in_files` for one whose
        usage lies in files, which is not reported yet."""
        account = self._store.get(account_id, "account")
        if account is None:
            raise NotFound(f"no such account: {account_id}")
        entity_id = str(account["entity_id"])
        if account_id in self._in_files(entity_id):
            raise Refusal("usage_in_files", f"usage of {account_id} lies in files, on which there is no report")
        meters = list(meters_of(self._store, entity_id).values())
        return list(self._reports(account_id, meters, self._rejected(entity_id).get(account_id, [])))

    def of_entity(self, entity_id: str) -> Iterator[MeterReport]:
        """The same for every account of a seller but those with usage in files, in the order of their ids."""
        in_files = self._in_files(entity_id)
        meters = list(meters_of(self._store, entity_id).values())
        rejected = self._rejected(entity_id)
        for item in self._store.query_all(entity_id, prefix="customer#", fields=("pk", "sk")):
            account_id = str(item["sk"]).removeprefix("customer#")
            if account_id not in in_files:
                yield from self._reports(account_id, meters, rejected.get(account_id, []))

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
        nobodys = [e for e in rejected if not any(counts(meter, e) for meter in counting)]
        if nobodys:
            yield MeterReport(account_id, "", (), accepted=0, open=0, outside=0, rejected=len(nobodys))

    def _rejected(self, entity_id: str) -> dict[str, list[UsageEvent]]:
        """What the rows of a seller's quarantine say, by account; rows that name no time or account say nothing."""
        found: dict[str, list[UsageEvent]] = defaultdict(list)
        for held in held_rows(self._store, entity_id):
            event = event_said(held.row)
            if event is not None:
                found[event.account_id].append(event)
        return found
