"""`saldo orders` and `saldo contracts`, on a table in memory; and the function that takes files of orders."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import saldo.orders as orders_room
from functions.orders import import_orders
from local.cli.__main__ import saldo
from local.cli.site import Sites
from saldo.orders.order_import import OrderImport
from saldo.orders.reading import contract_from_json
from saldo.orders.rules_contracts import milestone_amounts
from saldo.orders.x12 import read_interchanges
from tests.contexts.orders.scenes import World, line, request
from tests.contexts.orders.test_files import EDI, GOOD, edi_world
from tests.contexts.sellers import ACCOUNT, ENTITY
from tests.unit.orders.x12_writing import interchange, purchase_order


@dataclass
class MemorySite:
    """A deployment that is one table."""

    here: World
    table: str = "records"
    region_code: str = "eu"

    def client(self, _service: str) -> Any:
        return self.here.table


def say(here: World, *words: str, status: int = 0) -> Any:
    """What a command answers with --json."""
    sites = Sites(lambda _code: MemorySite(here))  # type: ignore[arg-type, return-value]
    result = CliRunner().invoke(saldo, [*words, "--json"], obj=sites)
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def test_an_order_that_waits_is_found_and_accepted_by_two() -> None:
    here = World()
    order_id = here.receive(request(line(unit_price=7))).order_id
    (waiting,) = say(here, "orders", "discrepancies", "--entity", ENTITY)["discrepancies"]
    assert (waiting["order_id"], waiting["discrepancies"][0]["expected_minor"]) == (order_id, 7500)
    words = ("orders", "accept", order_id, "--entity", ENTITY, "--reason", "old list")
    assert say(here, *words, "--by", "ada")["status"] == "held"
    assert say(here, *words, "--by", "ada", status=2)["error"]["code"] == "second_person_needed"
    assert say(here, *words, "--by", "bob")["status"] == "fulfilled"
    shown = say(here, "orders", "show", order_id, "--entity", ENTITY)
    assert [(x["ordered_minor"], x["next_bill_on"]) for x in shown["progress"]] == [(7000, "2026-11-01")]


def test_an_order_is_corrected_from_a_file_and_another_refused(tmp_path: Path) -> None:
    here = World()
    order_id = here.receive(request(line(sku="plan_none"))).order_id
    mended = {
        "purchase_order": "PO-1",
        "order_on": "2026-11-01",
        "customer": {"account": ACCOUNT},
        "lines": [{"number": "1", "sku": "plan_seats", "quantity": "10"}],
    }
    file = tmp_path / "order.json"
    file.write_text(json.dumps(mended))
    words = ("--entity", ENTITY, "--reason", "typo")
    assert say(here, "orders", "correct", order_id, str(file), *words)["status"] == "fulfilled"
    file.write_text(json.dumps(mended | {"order_on": "soon", "colour": "red"}))
    refused = say(here, "orders", "correct", order_id, str(file), *words, status=2)["error"]
    assert {p["field"] for p in refused["problems"]} == {"order_on", "colour"}
    second = here.receive(request(party="api:x", purchase_order="PO-2")).order_id
    assert say(here, "orders", "refuse", second, *words)["status"] == "refused"


def test_whom_an_account_trusts_is_told(tmp_path: Path) -> None:
    here = World(trusting=False)
    known = say(here, "orders", "know", ACCOUNT, "--entity", ENTITY, "--duns", "123456789", "--party", "edi:ZZ/B")
    assert known["parties"] == ["edi:ZZ/B"]


def test_a_contract_is_signed_from_a_file_and_its_milestone_accepted(tmp_path: Path) -> None:
    here = World()
    document = {
        "id": "ct_eu_1",
        "account": ACCOUNT,
        "title": "Roll-out",
        "currency": "EUR",
        "starts_on": "2026-11-01",
        "value": "1000.01",
        "prices": [{"plan": "plan_seats", "unit_price": "6.25"}],
        "milestones": [
            {"id": "a", "names": {"en": "First"}, "percent": "50"},
            {"id": "b", "names": {"en": "Second"}, "percent": "50"},
        ],
    }
    file = tmp_path / "contract.json"
    file.write_text(json.dumps(document))
    signed = say(here, "contracts", "sign", str(file), "--entity", ENTITY)
    assert signed["amounts_minor"] == {"a": 50001, "b": 50000}
    words = ("--account", ACCOUNT, "--on", "2026-11-05", "--document", "AP-1")
    assert say(here, "contracts", "accept", "ct_eu_1", "a", *words)["milestones"][0]["status"] == "billable"
    assert say(here, "contracts", "show", "ct_eu_1", "--account", ACCOUNT)["invoices"] == {}
    back = say(here, "contracts", "take-back", "ct_eu_1", "a", "--account", ACCOUNT, "--reason", "faults")
    assert back["version"] == 3
    assert [c["id"] for c in say(here, "contracts", "list", "--account", ACCOUNT)["contracts"]] == ["ct_eu_1"]
    file.write_text(json.dumps(document | {"value": "10.001", "title": 5}))
    refused = say(here, "contracts", "sign", str(file), "--entity", ENTITY, status=2)["error"]
    assert {p["field"] for p in refused["problems"]} == {"value", "title"}


def test_the_function_takes_a_file_and_answers_with_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    here = edi_world(interchange(purchase_order(EDI)))
    here.files.files |= {"in.csv": GOOD.encode(), "bad.csv": b"a,b\n"}
    monkeypatch.setattr(import_orders, "order_import", lambda: OrderImport(here.store, here.files, here.clock))
    answer = import_orders.handler({"entity_id": ENTITY, "key": "in.edi"}, None)
    assert (answer["placed"], answer["rejected"], answer["repeated"]) == (1, 0, False)
    (back,) = read_interchanges(here.files.files[answer["acknowledgement_key"]].decode())
    assert back.groups[0].sets[0].id == "997"
    assert import_orders.handler({"entity_id": ENTITY, "key": "in.csv"}, None)["orders"] == 3
    assert import_orders.handler({"entity_id": ENTITY, "key": "bad.csv"}, None)["refused"]["code"] == "invalid_header"


def test_the_contract_of_the_rooms_page_can_be_read() -> None:
    page = (Path(orders_room.__file__).parent / "README.md").read_text("utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    contract = contract_from_json(json.loads(example), ENTITY)
    assert milestone_amounts(contract) == {"design": 400000, "live": 600000}
