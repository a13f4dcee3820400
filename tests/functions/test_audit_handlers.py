"""New records become links; what must never change raises an alarm; each night is anchored; a command proves it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from functions import services
from functions.audit import anchor, link
from local.cli.__main__ import saldo
from local.cli.site import Sites
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.storage import schema
from saldo.storage.items import Item, to_attributes
from saldo.storage.store import Store
from tests import streams
from tests.in_process_aws import in_process_aws

OWNER = "acct_eu_customer"
AT = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tests")
    monkeypatch.setenv("SALDO_TABLE", "records")
    monkeypatch.setenv("SALDO_AUDIT_BUCKET", "audit")
    monkeypatch.setenv("SALDO_REGION_CODE", "eu")
    with in_process_aws():
        _forget()
        dynamodb = boto3.client("dynamodb")
        dynamodb.create_table(**schema.records_table("records"))
        where: Any = {"LocationConstraint": "eu-central-1"}
        boto3.client("s3").create_bucket(
            Bucket="audit", ObjectLockEnabledForBucket=True, CreateBucketConfiguration=where
        )
        yield Store(dynamodb, "records")
        _forget()


def _forget() -> None:
    for made in (services.settings, services.store, services.audit_chain, services.audit_anchors):
        made.cache_clear()
    services.client.cache_clear()


def acts(store: Store, n: int) -> list[Item]:
    items = [
        audit_item(AuditRecord(OWNER, AT, Actor("user_eu_clerk", "staff"), "price.changed", f"subject_{i}"))
        for i in range(n)
    ]
    store.put_many(items)
    return items


def told(name: str, item: Item) -> dict[str, Any]:
    """A record of the stream."""
    image = streams.image(to_attributes(item))
    images = {"OldImage": image} if name == "REMOVE" else {"NewImage": image}
    return {"eventName": name, "dynamodb": {"Keys": {k: image[k] for k in ("pk", "sk")}, **images}}


def say(*words: str) -> tuple[int, dict[str, Any]]:
    site = SimpleNamespace(
        region_code="eu", table="records", audit_bucket="audit", client=lambda service: boto3.client(service)
    )
    sites = Sites(lambda _code: site)  # type: ignore[arg-type, return-value]
    result = CliRunner().invoke(saldo, ["audit", *words, "--json"], obj=sites)
    return result.exit_code, json.loads(result.stdout)


def test_new_records_are_linked_and_a_batch_again_changes_nothing(store: Store) -> None:
    batch = {"Records": [told("INSERT", item) for item in acts(store, 12)]}
    nothing = dict.fromkeys(("changed", "linked", "told", "folded", "paid", "viewed", "counted"), 0)
    assert link.handler(batch, None) == nothing | {"linked": 12}
    assert link.handler(batch, None) == nothing


def test_a_change_or_deletion_is_counted_where_an_alarm_sees_it(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = acts(store, 2)
    assert link.handler({"Records": [told("MODIFY", one), told("REMOVE", other)]}, None)["changed"] == 2
    assert re.search(r'"AuditRecordsChanged": ?\[?2', capsys.readouterr().out)


def test_the_night_anchors_and_the_command_proves_it_or_names_the_break(store: Store) -> None:
    items = acts(store, 12)
    link.handler({"Records": [told("INSERT", item) for item in items]}, None)
    anchored = anchor.handler({}, None)
    assert (anchored["heads"], anchored["breaks"]) == (1, 0)
    status, proof = say("verify", "--owner", OWNER)
    proven = proof["regions"]["eu"]
    assert (status, proven["records"], proven["days"], proven["breaks"]) == (0, 12, [anchored["day"]], [])
    assert say("verify", "--owner", OWNER, "--from", "2026-12-01")[1]["regions"]["eu"]["records"] == 0

    store.put_many([items[3] | {"reason": "mended"}])
    status, proof = say("verify", "--owner", OWNER)
    (broken,) = proof["regions"]["eu"]["breaks"]
    assert (status, broken["kind"], broken["seq"], broken["owner_id"]) == (1, "edited", 1, OWNER)
    assert say("verify", "--from", "yesterday")[1]["error"]["code"] == "invalid_date"


def test_what_the_stream_missed_is_linked_by_command_or_overnight(store: Store) -> None:
    acts(store, 3)
    assert say("verify", "--owner", OWNER)[1]["regions"]["eu"]["breaks"][0]["kind"] == "unlinked"
    assert say("link", "--owner", OWNER) == (0, {"owner_id": OWNER, "linked": 3})
    assert anchor.handler({}, None)["caught_up"] == 0
    assert say("verify")[0] == 0
