"""`saldo drill`, `saldo keys`, `saldo customer` and `saldo queues` at the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import boto3
import pytest
from click.testing import CliRunner, Result

from local.cli.__main__ import saldo
from local.cli.site import Site, Sites
from saldo.storage import schema
from saldo.storage.sealing import KeyRing, Sealer
from saldo.storage.store import Store
from tests.contexts import sellers
from tests.contexts.conftest import FrozenClock
from tests.in_process_aws import in_process_aws

PREFIX = "saldo-test-"


@dataclass
class MotoSite:
    """One region, on an in-process AWS."""

    kms_key_id: str
    region_code: str = "eu"
    table: str = PREFIX + "records"
    keys_table: str = PREFIX + "keys"

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name="eu-central-1")  # type: ignore[call-overload]  # any service

    def environment(self) -> dict[str, str]:
        return {"SALDO_UPLOADS_BUCKET": "uploads"}


@dataclass
class Terminal:
    site: MotoSite

    def type(self, *words: str) -> Result:
        sites = Sites(lambda _code: cast(Site, self.site))
        return CliRunner().invoke(saldo, list(words), obj=sites, env={"COLUMNS": "200"}, catch_exceptions=False)

    def ask(self, *words: str) -> Any:
        result = self.type(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refused(self, *words: str) -> str:
        result = self.type(*words, "--json")
        assert result.exit_code == 2
        return str(json.loads(result.stdout)["error"]["code"])


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with in_process_aws():
        kms = boto3.client("kms", region_name="eu-central-1")
        site = MotoSite(kms.create_key()["KeyMetadata"]["Arn"])
        dynamodb = site.client("dynamodb")
        for table in (schema.records_table(site.table), schema.keys_table(site.keys_table)):
            dynamodb.create_table(**table)
            on = {"PointInTimeRecoveryEnabled": True}
            dynamodb.update_continuous_backups(TableName=table["TableName"], PointInTimeRecoverySpecification=on)
        keys = KeyRing(kms, dynamodb, table=site.keys_table, kms_key_id=site.kms_key_id, region_code="eu")
        sellers.register(Store(dynamodb, site.table), Sealer(keys, site.table), FrozenClock())
        yield Terminal(site)


def test_a_drill_says_how_much_was_lost_and_how_long_it_took(terminal: Terminal) -> None:
    told = terminal.ask("drill", "restore")
    assert told["findings"] == [] and told["sealed"]["opened"] == 2 and told["rto_s"] >= 0
    shown = terminal.type("drill", "restore")
    assert shown.exit_code == 0 and "RPO" in shown.stdout and "RTO" in shown.stdout and "0 findings" in shown.stdout
    assert len(terminal.site.client("dynamodb").list_tables()["TableNames"]) == 2
    assert terminal.refused("drill", "restore", "--at", "yesterday") == "invalid_instant"


def test_a_drill_that_finds_something_ends_with_status_1(terminal: Terminal) -> None:
    stray = {"pk": {"S": sellers.ACCOUNT}, "sk": {"S": "balance"}, "kind": {"S": "balance"}, "EUR bank": {"N": "1"}}
    terminal.site.client("dynamodb").put_item(TableName=terminal.site.table, Item=stray)
    result = terminal.type("drill", "restore")
    assert result.exit_code == 1 and "invariant 3" in result.stdout


def test_keys_are_counted_wrapped_anew_and_renewed(terminal: Terminal) -> None:
    old = terminal.site.kms_key_id
    terminal.site.kms_key_id = terminal.site.client("kms").create_key()["KeyMetadata"]["Arn"]
    assert terminal.ask("keys", "show") == {"current": terminal.site.kms_key_id, "keys": {old: 1}}
    assert terminal.ask("keys", "rewrap") == {"wrapped": 1, "current": 0, "shredded": 0}
    assert terminal.ask("keys", "rewrap")["current"] == 1
    assert terminal.ask("keys", "renew", sellers.ORGANISATION)["version"] == 2
    assert terminal.ask("keys", "show")["keys"] == {terminal.site.kms_key_id: 1}
    assert "current" in terminal.type("keys", "show").stdout
    assert terminal.refused("keys", "renew", "org_eu_nobody") == "not_found"


def test_a_customer_is_shredded_only_when_named_twice_and_not_held(terminal: Terminal) -> None:
    one = sellers.ORGANISATION
    words = ("customer", "shred", one, "--reason", "asked for it", "--confirm")
    assert terminal.refused(*words, "org_eu_other") == "not_confirmed"
    assert terminal.ask("customer", "hold", one, "--reason", "court")["held"]
    assert terminal.refused(*words, one) == "legal_hold"
    assert not terminal.ask("customer", "hold", one, "--release", "--reason", "over")["held"]
    place: Any = {"LocationConstraint": "eu-central-1"}
    terminal.site.client("s3").create_bucket(Bucket="uploads", CreateBucketConfiguration=place)
    assert terminal.ask(*words, one)["shredded_at"]
    assert "0 versions of files" in terminal.type(*words, one).stdout
    assert terminal.ask("keys", "show")["keys"] == {"shredded": 1}
    told = terminal.ask("drill", "restore")["sealed"]
    assert (told["opened"], told["erased"], told["unreadable"]) == (0, 2, 0)
    assert terminal.refused("keys", "renew", one) == "erased"


def test_dead_letters_are_listed_and_sent_back(terminal: Terminal) -> None:
    sqs = terminal.site.client("sqs")
    home, dead = (sqs.create_queue(QueueName=PREFIX + n)["QueueUrl"] for n in ("delivery", "delivery-dead"))
    sqs.send_message(QueueUrl=dead, MessageBody="{}")
    told = terminal.ask("queues", "list")["queues"]
    assert told == [{"name": "delivery-dead", "messages": 1, "goes_to": "queue"}]
    assert terminal.ask("queues", "redrive", "delivery-dead")["sent"] == 1
    assert len(sqs.receive_message(QueueUrl=home)["Messages"]) == 1
    assert terminal.ask("queues", "redrive", "delivery-dead")["sent"] == 0
    assert terminal.refused("queues", "redrive", "nonsense") == "not_found"
