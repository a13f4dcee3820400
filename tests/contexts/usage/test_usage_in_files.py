"""Usage of a large account: a file of CloudEvents, parts in S3, totals for a run; repeats, crashes, others' usage."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import boto3
import pytest

from saldo.catalog.model import PerUnit
from saldo.insight.invariants import check_all
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.periods import Period
from saldo.storage.files import Files
from saldo.storage.units import Unit
from saldo.usage.ingest_import import UsageImport
from saldo.usage.live import LiveUsage
from saldo.usage.model import Aggregation, Counted, Meter, UsageDetail, UsageKey
from saldo.usage.model_windows import Terms
from saldo.usage.partitions import Partitions
from saldo.usage.partitions_engine import Engine
from saldo.usage.partitions_ingest import UsageIntoFiles
from saldo.usage.reconciliation import Reconciliation
from saldo.usage.rules_windows import closed, settled
from saldo.usage.service import Usage, UsageTotals
from saldo.usage.totals import close_windows
from tests.contexts.conftest import Region
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, account, register

SMALL = "acct_eu_small"
ENGINE = Engine(threads=1, memory_mb=256)
OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1))
CALLS = Meter("calls", ENTITY, Aggregation.SUM, {"en": "Calls"}, {})


class Site:
    """A seller with a large and a small customer, its table and its buckets."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.s3 = boto3.client("s3", region_name="us-east-1")
        for bucket in ("imports", "usage"):
            self.s3.create_bucket(Bucket=bucket)
        self.imports, self.parts = Files(self.s3, "imports"), Files(self.s3, "usage")
        register(region.store, region.sealer, region.clock, account(), account(SMALL))
        self.usage = Usage(region.store, region.clock)
        self.usage.define_meter(CALLS, CLERK)
        self.usage.keep_in_files(ENTITY, ACCOUNT, CLERK)

    def bring(self, key: str, *lines: str, again: bool = False) -> Any:
        self.imports.put(key, "\n".join(lines).encode(), "application/x-ndjson")
        in_files = UsageIntoFiles(self.region.store, self.parts, self.region.clock, ENGINE)
        importing = UsageImport(self.region.store, self.imports, self.region.clock, in_files)
        return importing.run(ENTITY, key, again=again)

    def total(self, account_id: str = ACCOUNT) -> Decimal:
        key = UsageKey("sub_1", "calls", OCTOBER)
        large = Partitions(self.region.store, self.parts, ENGINE)
        return UsageTotals(self.region.store, large).totals([(account(account_id), key)])[account_id][key]

    def keys(self) -> list[str]:
        return [o["Key"] for o in self.s3.list_objects_v2(Bucket="usage").get("Contents", [])]


@pytest.fixture
def site(region: Region) -> Site:
    return Site(region)


def line(number: int, value: object = "1", account_id: str = ACCOUNT, **changes: object) -> str:
    event = {
        "specversion": "1.0",
        "type": "call",
        "source": "gateway",
        "id": f"e{number}",
        "subject": account_id,
        "time": f"2026-10-05T10:00:{number % 60:02d}Z",
        "data": {"meter": "calls", "value": value},
    }
    return json.dumps(event | changes, separators=(",", ":"))


def test_a_file_for_large_and_small_accounts_is_taken_in_by_both_paths(site: Site) -> None:
    summary = site.bring(
        "a.ndjson", line(1, "2.5"), line(2, 4), line(3, "7", SMALL), line(4, "-1"), line(5, "1", "acct_eu_nobody"), "{"
    )
    assert (summary.rows, summary.accepted, summary.rejected) == (6, 3, 3)
    assert summary.codes == {"negative_value": 1, "unknown_account": 1, "broken_row": 1}
    assert [json.loads(r)["row"] for r in site.imports.get(summary.report_key).splitlines()] == [4, 5, 6]
    assert (site.total(), site.total(SMALL)) == (Decimal("6.5"), 7)
    (key,) = site.keys()
    assert key.startswith(f"usage/entity={ENTITY}/account={ACCOUNT}/meter=calls/month=202610/part-")


def test_the_same_lines_in_another_file_count_once(site: Site) -> None:
    site.bring("a.ndjson", line(1), line(2))
    site.bring("b.ndjson", line(2), line(3), line(1))
    assert len(site.keys()) == 2
    assert site.total() == 3


def test_the_same_file_again_is_the_same_part(site: Site) -> None:
    site.bring("a.ndjson", line(1), line(2))
    before = site.keys(), list(site.region.store.scan())
    assert site.bring("copy.ndjson", line(1), line(2)).repeated
    site.region.clock.advance(days=1)
    site.region.store.write_one(_forgotten(site))
    site.bring("copy.ndjson", line(1), line(2))
    assert site.keys() == before[0]
    assert site.total() == 2
    parts = [i for i in site.region.store.scan() if i["kind"] == "usage_parts"]
    assert [len(i["parts"]) for i in parts] == [1]


def _forgotten(site: Site) -> Any:
    """The guard of the file is lost, as when an import ended between its last part and its end."""
    unit = Unit("forget")
    for item in site.region.store.scan():
        if item["sk"].startswith("guard#usage_file#"):
            unit.delete((item["pk"], item["sk"]))
    return unit


def test_rows_rejected_before_have_another_chance_and_the_others_still_count_once(site: Site) -> None:
    steps = line(2).replace('"calls"', '"steps"')
    assert site.bring("a.ndjson", line(1), steps, line(3)).rejected == 1
    site.usage.define_meter(Meter("steps", ENTITY, Aggregation.SUM, {"en": "Steps"}, {}), CLERK)
    assert site.bring("a.ndjson", line(1), steps, line(3), again=True).rejected == 0
    assert site.total() == 2


def test_a_part_that_is_not_on_record_is_not_counted(site: Site) -> None:
    """As when an import died after it put the file: the repeat of the import brings it on record."""
    site.bring("a.ndjson", line(1))
    (key,) = site.keys()
    site.parts.put(key.replace("part-", "part-0"), site.parts.get(key), "x")
    assert site.total() == 1


def test_a_part_on_record_that_is_gone_stops_the_count(site: Site) -> None:
    site.bring("a.ndjson", line(1))
    site.s3.delete_object(Bucket="usage", Key=site.keys()[0])
    with pytest.raises(NotFound):
        site.total()


def test_where_files_cannot_be_counted_nothing_is_taken_for_zero(site: Site) -> None:
    site.bring("a.ndjson", line(1))
    with pytest.raises(Refusal, match="usage_in_files"):
        UsageTotals(site.region.store).totals([(account(), UsageKey("sub_1", "calls", OCTOBER))])


def test_events_of_a_large_account_that_come_another_way_are_told_so(site: Site) -> None:
    from tests.contexts.usage.scenes import row

    at = "2026-10-05T10:00:00Z"
    report = site.usage.ingest(
        ENTITY, [row(1, at=at, meter="calls"), row(2, at=at, meter="calls", account_id=SMALL)], origin="api"
    )
    assert [p.code for r in report.rejected for p in r.problems] == ["only_by_file"]
    assert report.accepted == 1


def test_csv_files_of_a_large_account_go_into_files_too(site: Site) -> None:
    text = f"source,id,account_id,meter,at,value\ng,e1,{ACCOUNT},calls,2026-10-05T10:00:00+02:00,3\n"
    assert site.bring("a.csv", text).accepted == 1
    assert site.total() == 3
    assert len(site.keys()) == 1


def test_only_an_account_without_usage_changes_its_path(site: Site) -> None:
    assert site.usage.keep_in_files(ENTITY, ACCOUNT, CLERK) is False
    site.bring("a.ndjson", line(1, "1", SMALL))
    with pytest.raises(Refusal, match="has_usage"):
        site.usage.keep_in_files(ENTITY, SMALL, CLERK)
    with pytest.raises(NotFound):
        site.usage.keep_in_files(ENTITY, "acct_eu_nobody", CLERK)


def test_reports_and_live_usage_do_not_take_files_for_nothing(site: Site) -> None:
    site.bring("a.ndjson", line(1), line(2, "1", SMALL))
    reports = Reconciliation(site.region.store)
    with pytest.raises(Refusal, match="usage_in_files"):
        reports.of_account(ACCOUNT)
    with pytest.raises(Refusal, match="usage_in_files"):
        list(reports.of_entity(ENTITY))
    with pytest.raises(Refusal, match="usage_in_files"):
        LiveUsage(site.region.store).of(account(), [UsageKey("sub_1", "calls", OCTOBER)], site.region.clock())


def bill(site: Site, *periods: Period) -> None:
    """Windows as a run closes them, or settles what came late."""
    large = Partitions(site.region.store, site.parts, ENGINE)
    asked = {account(): [(UsageKey("sub_1", "calls", period), PerUnit(Decimal(1))) for period in periods]}
    usage = UsageTotals(site.region.store, large).read(asked)[ACCOUNT]
    terms = Terms("plan_1", "calls")
    windows = [
        closed(
            account(),
            key,
            terms,
            (Counted(usage.totals[key], UsageDetail()), cutoff),
            on=key.period.end,
            invoice_id="inv_1",
        )
        for key, cutoff in usage.cutoffs.items()
    ]
    windows += [settled(late, on=OCTOBER.end, invoice_id="inv_2") for late in usage.late]
    site.region.store.write_one(close_windows(Unit("bill"), account(), usage, windows))


def reconciliation(site: Site) -> Reconciliation:
    return Reconciliation(site.region.store, Partitions(site.region.store, site.parts, ENGINE))


def places(site: Site) -> tuple[Any, ...]:
    (report,) = reconciliation(site).of_account(ACCOUNT)
    assert report.balanced, report
    windows = [(w.accepted, w.billed, w.carried, w.waiting, w.rejected) for w in report.windows]
    return report.accepted, report.open, report.outside, report.rejected, windows


def test_every_event_in_files_has_its_place_in_the_report_and_the_check_agrees(site: Site) -> None:
    """One before what is billed, two in it, one of them twice, one after it, one turned away; then one late."""
    early, later = line(8, time="2026-09-30T21:59:59Z"), line(9, time="2026-10-31T23:30:00Z")
    site.bring("a.ndjson", early, line(1), line(2, "2.5"), line(2, "2.5"), later, line(7, "-1"))
    assert places(site) == (4, 4, 0, 1, [])
    bill(site, OCTOBER)
    assert places(site) == (4, 1, 1, 1, [(2, 2, 0, 0, 1)])
    site.bring("b.ndjson", line(3, "4"))
    assert places(site) == (5, 1, 1, 1, [(3, 2, 0, 1, 1)])
    assert usage_problems(site) == []
    bill(site)
    assert places(site) == (5, 1, 1, 1, [(3, 2, 1, 0, 1)])
    assert usage_problems(site) == []
    assert {
        r.account_id
        for r in Reconciliation(site.region.store, Partitions(site.region.store, site.parts, ENGINE)).of_entity(ENTITY)
    } == {ACCOUNT}


def usage_problems(site: Site) -> list[str]:
    return [v.message for v in check_all(site.region.store).violations if v.invariant in (10, 11)]


def test_the_check_notices_files_that_were_billed_and_are_not_on_record_any_more(site: Site) -> None:
    site.bring("a.ndjson", line(1))
    site.bring("b.ndjson", line(2))
    bill(site, OCTOBER)
    (parts,) = [i for i in site.region.store.scan() if i["kind"] == "usage_parts"]
    site.region.store.write_one(Unit("lose").put({**parts, "parts": parts["parts"][1:], "version": 9}))
    assert usage_problems(site) == ["calls 2026-10-01/2026-11-01: no parts of 202610 hold the 2 events known"]
