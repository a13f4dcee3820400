"""Usage: accepted, taken in, imported, repaired; and what is watched of it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

from saldo.kernel.periods import Period
from saldo.usage.accept import limit_producer
from saldo.usage.model import Needs
from saldo.usage.model_thresholds import Measure, Threshold
from saldo.usage.partitions_remote import ask_fields
from saldo.usage.ports import Ask
from saldo.usage.quarantine import Quarantine
from saldo.usage.rules_limits import Limit
from saldo.usage.service import Usage
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, messages, workflow
from tests.simulation.workflows.scenes import CLERK, account_id, billed, open_account
from tests.simulation.world import METER

BUCKETS = {"producer": "what is left of a limit follows how often a batch was sent"}


def event(n: int, **changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "specversion": "1.0",
        "source": "app",
        "id": f"e{n}",
        "type": "usage",
        "subject": account_id(n % 3),
        "time": f"2026-01-{10 + n % 15:02d}T12:00:00Z",
        "data": {"meter": METER.id, "value": 100 + n},
    }
    return fields | changes


BATCH = json.dumps([event(n) for n in range(12)] + [event(99, subject="acct_eu_nobody")])


def end_of_january(region: Region) -> None:
    billed(region)
    region.now = datetime(2026, 1, 30, 9, tzinfo=UTC)


@workflow("usage: accept", prepare=end_of_january, apart=BUCKETS)
def accept(region: Region) -> None:
    invoke("usage.accept", {"entity_id": ENTITY_ID, "producer": "app", "body": BATCH})


@workflow("usage: limit a producer", prepare=end_of_january)
def limit(region: Region) -> None:
    limit_producer(region.store, region.clock, ENTITY_ID, "app", Limit(10, 100), CLERK)


def watched(region: Region) -> None:
    end_of_january(region)
    from functions.services import thresholds

    watch = Threshold("much", Measure.QUANTITY, Decimal(300), METER.id)
    thresholds().put(account_id(0), watch, CLERK)


@workflow("usage: watch", prepare=end_of_january)
def watch(region: Region) -> None:
    from functions.services import thresholds

    there = {t.id for t in thresholds().of_account(account_id(0))}
    if "much" not in there:
        thresholds().put(account_id(0), Threshold("much", Measure.QUANTITY, Decimal(300), METER.id), CLERK)


def queued(region: Region) -> None:
    watched(region)
    accept(region)


@workflow("usage: take in from the queue", prepare=queued)
def take_in(region: Region) -> None:
    invoke("usage.ingest", messages(*(body for _, body in region.queues.waiting)))


def with_file(region: Region) -> None:
    end_of_january(region)
    rows = ["source,id,account_id,meter,at,value"]
    rows += [f"file,f{n},{account_id(n % 3)},{METER.id},2026-01-{5 + n:02d}T08:00:00Z,{10 * n}" for n in range(9)]
    rows += ["file,bad,acct_eu_nobody,tokens,2026-01-05T08:00:00Z,many"]
    region.buckets.files["imports", "usage.csv"] = "\n".join(rows).encode()


@workflow("usage: import a file", prepare=with_file)
def import_file(region: Region) -> None:
    invoke("usage.import_usage", {"entity_id": ENTITY_ID, "key": "usage.csv"})


def imported(region: Region) -> None:
    with_file(region)
    import_file(region)


@workflow("usage: import a file again", prepare=imported)
def import_again(region: Region) -> None:
    invoke("usage.import_usage", {"entity_id": ENTITY_ID, "key": "usage.csv", "again": True})


def known_since(region: Region) -> None:
    """A file was brought in before its customer was there."""
    with_file(region)
    row = f"file,f1,{account_id(LARGE)},{METER.id},2026-01-05T08:00:00Z,10"
    region.buckets.files["imports", "early.csv"] = f"source,id,account_id,meter,at,value\n{row}".encode()
    invoke("usage.import_usage", {"entity_id": ENTITY_ID, "key": "early.csv"})
    open_account(region, LARGE)


@workflow("usage: import a file whose rows have become right", prepare=known_since)
def import_right(region: Region) -> None:
    invoke("usage.import_usage", {"entity_id": ENTITY_ID, "key": "early.csv", "again": True})


@workflow("usage: repair and replay", prepare=imported)
def repair(region: Region) -> None:
    quarantine = Quarantine(region.store, region.clock)
    for held in quarantine.rows(ENTITY_ID):
        if held.row.fields.get("value") == "many":
            mended = dict(held.row.fields) | {"account_id": account_id(0), "value": "7"}
            quarantine.repair(ENTITY_ID, held.origin, held.row.number, mended, CLERK)
    quarantine.replay(ENTITY_ID)


@workflow("usage: drop a row", prepare=imported)
def drop(region: Region) -> None:
    quarantine = Quarantine(region.store, region.clock)
    for held in quarantine.rows(ENTITY_ID):
        quarantine.drop(ENTITY_ID, held.origin, held.row.number, "nobody's", CLERK)


LARGE = 7  # a customer whose usage is kept in files


def with_large_account(region: Region) -> None:
    end_of_january(region)
    open_account(region, LARGE)


@workflow("usage: keep in files", prepare=with_large_account)
def keep_in_files(region: Region) -> None:
    Usage(region.store, region.clock).keep_in_files(ENTITY_ID, account_id(LARGE), CLERK)


def with_large_file(region: Region) -> None:
    with_large_account(region)
    keep_in_files(region)
    lines = [json.dumps(event(n, subject=account_id(LARGE)), separators=(",", ":")) for n in range(9)]
    lines += [json.dumps(event(n)) for n in range(9, 12)] + ["{"]
    region.buckets.files["imports", "usage.ndjson"] = "\n".join(lines).encode()


ARRIVED = {"usage_parts": "a part says when it was put on record"}


@workflow("usage: import a file for a large account", prepare=with_large_file, apart=ARRIVED)
def import_large_file(region: Region) -> None:
    invoke("usage.import_usage", {"entity_id": ENTITY_ID, "key": "usage.ndjson"})


def large_imported(region: Region) -> None:
    with_large_file(region)
    import_large_file(region)


@workflow("usage: count files", prepare=large_imported)
def count_files(region: Region) -> None:
    january = Period(date(2026, 1, 1), date(2026, 2, 1))
    asked = ask_fields(Ask(account_id(LARGE), "Europe/Berlin", METER, january, Needs(), None, False))
    answer = invoke("usage.count_usage", {"count": [asked]})
    assert "answers" in answer, answer
