"""`saldo clock`: a customer's double moved through months, as it is typed and through the deployed handlers."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from functions.operations import advance_clock, create_double
from local.cli.__main__ import saldo
from local.cli.site import Site, Sites
from saldo.collections.doubles import DoublesReminders
from saldo.insight.invariants import check_all
from saldo.invoicing.clocks import Clocks, Doubles
from saldo.invoicing.run.bill import Billing
from saldo.renewals.doubles import DoublesRenewals
from saldo.storage import schema
from saldo.storage.sealing import KeyRing, Sealer
from saldo.storage.units import Unit
from tests.in_process_aws import in_process_aws
from tests.scenarios.sites import MemorySite, sites

ENTITY, REAL = "ent_eu_seller", "acct_eu_000001"
HANDLERS = {"create_double": create_double.handler, "advance_clock": advance_clock.handler}


@dataclass
class ClockSite(MemorySite):
    """A deployment that has the two functions of the clock."""

    functions: dict[str, str] = field(default_factory=lambda: {name: name for name in HANDLERS})

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        with redirect_stdout(io.StringIO()):  # a function's log goes elsewhere
            answer = HANDLERS[FunctionName](json.loads(Payload), None)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


@dataclass
class Terminal:
    site: ClockSite

    def type(self, *words: str) -> Result:
        found: dict[str, Site] = {"eu": self.site, "us": self.site}
        obj = Sites(lambda code: found[code])
        return CliRunner().invoke(saldo, ["clock", *words], obj=obj, env={"COLUMNS": "200"}, catch_exceptions=False)

    def ask(self, *words: str) -> Any:
        result = self.type(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    with in_process_aws():
        kms, dynamodb = (boto3.client(name, region_name="eu-central-1") for name in ("kms", "dynamodb"))
        dynamodb.create_table(**schema.keys_table("keys"))
        key_id = kms.create_key()["KeyMetadata"]["KeyId"]
        site = ClockSite("eu", dynamodb=sites()[1].dynamodb)
        store = site.store
        sealer = Sealer(KeyRing(kms, dynamodb, table="keys", kms_key_id=key_id, region_code="eu"), "records")
        billing = Billing.by_table(store)
        made = Doubles(store, sealer, lambda: datetime(2026, 11, 25, tzinfo=UTC))
        monkeypatch.setattr(create_double, "doubles", lambda: made)
        others = DoublesReminders(store), DoublesRenewals(store, billing.plan_versions)
        monkeypatch.setattr(advance_clock, "clocks", lambda: Clocks(billing, *others))
        yield Terminal(site)


def test_a_double_is_made_moved_and_shown(terminal: Terminal) -> None:
    made = terminal.ask("create", REAL, "--at", "2026-01-01")
    double = made["account_id"]
    words = terminal.type("advance", double, "--months", "3").stdout
    assert "TEST-RW-2026-000001" in words and "TEST-RW-2026-000004" in words
    assert f"It is 2026-04-01 for {double}." in words
    assert "reminder: upcoming" in words and "reminder: last" in words
    told = terminal.ask("advance", double, "--to", "2027-06-30")
    assert [one["issued_on"] for one in told["issued"]][:2] == ["2026-05-01", "2026-06-01"]
    assert told["issued"][-1]["number"] == "TEST-RW-2027-000006" and told["stopped"] is None
    assert {one["step"] for one in told["reminded"]} == {"upcoming", "due", "first", "second", "last"}
    assert terminal.ask("show", double)["today"] == "2027-06-30"
    assert [c["of_account"] for c in terminal.ask("list", "--entity", ENTITY)["clocks"]] == [REAL]
    assert double in terminal.type("list", "--entity", ENTITY).stdout
    assert check_all(terminal.site.store).violations == []


def test_a_double_that_cannot_be_billed_stops_the_clock_and_says_why(terminal: Terminal) -> None:
    double = terminal.ask("create", REAL, "--at", "2026-01-01")["account_id"]
    terminal.ask("advance", double, "--to", "2026-01-31")
    key = (double, "subscription#sub_000001_test")
    terminal.site.store.write_one(Unit("break").update(key, set={"plan_version_id": "gone"}))
    result = terminal.type("advance", double, "--to", "2026-12-31")
    assert result.exit_code == 1
    assert "plan_version_missing" in result.stdout and "It is 2026-02-01" in result.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("create", REAL, "--at", "soon"), "invalid_date"),
        (("create", "acct_eu_gone", "--at", "2026-01-01"), "not_found"),
        (("advance", REAL, "--months", "1"), "not_on_a_clock"),
        (("advance", "acct_eu_test_gone", "--months", "1"), "not_found"),
        (("advance", "acct_eu_test_gone"), "invalid_input"),
        (("show", REAL), "not_on_a_clock"),
    ],
)
def test_every_no_has_a_code(terminal: Terminal, words: tuple[str, ...], code: str) -> None:
    result = terminal.type(*words, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == code
