"""The in-memory table answers as an independent emulator does, on random operations."""

from __future__ import annotations

import random
from typing import Any

import boto3
import pytest

from saldo.storage import schema
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.in_process_aws import in_process_aws
from tests.simulation.dynamodb import PART, MemoryDynamoDB

OWNERS = ["acct_eu_a", "acct_eu_b", "acct_eu_c"]


def _random_unit(dice: random.Random, name: str) -> Unit:
    unit = Unit(name)
    for sk in dice.sample(["x#1", "x#2", "x#3", "y#1", "balance"], dice.randint(1, 3)):
        key = (dice.choice(OWNERS), sk)
        agenda = {"agenda_pk": f"open#{key[0]}", "agenda_on": str(dice.randint(1, 3))} if dice.random() < 0.4 else {}
        item = {"pk": key[0], "sk": sk, "kind": "x", "n": dice.randint(0, 3), "status": dice.choice("ab"), **agenda}
        match dice.randint(0, 5):
            case 0:
                unit.insert(item)
            case 1:
                unit.put(item, when={"n": dice.randint(0, 3)} if dice.random() < 0.3 else None)
            case 2:
                unit.update(key, set={"status": "c"}, add={"n": dice.randint(-2, 2)}, when={"status": {"a", "b"}})
            case 3:
                unit.update(key, set={"m": [1, {"k": "v"}]}, remove=("agenda_pk", "agenda_on"))
            case 4:
                unit.delete(key, when={"n": None} if dice.random() < 0.5 else None)
            case _:
                unit.require(key, exists=dice.random() < 0.5)
    return unit


def _look(store: Store) -> list[Any]:
    seen: list[Any] = [sorted(store.scan(), key=lambda i: (i["pk"], i["sk"]))]
    for owner in OWNERS:
        seen.append(list(store.query_all(owner, prefix="x#")))
        seen.append(list(store.query_all(owner, first="x#2", last="y#1", newest_first=True)))
        seen.append(sorted((i["agenda_on"], i["sk"]) for i in store.query_all(f"open#{owner}", agenda=True)))
        seen.append(list(store.query_all(owner, limit=2, fields=("sk", "n"))))
    seen.append(store.get_many([(o, s) for o in OWNERS for s in ("x#1", "y#1", "none")]))
    return seen


def compare(seed: int) -> int:
    """One random history on both; how many operations it had. In it: units, batches, and looks from every side."""
    dice, operations = random.Random(seed), 0
    client_in_memory = MemoryDynamoDB(schema.AGENDA_FIELDS)
    memory = Store(client_in_memory, "records")  # type: ignore[arg-type]
    with in_process_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(**schema.records_table("records"))
        emulated = Store(client, "records")
        for step in range(40):
            if dice.random() < 0.2:
                items = [{"pk": o, "sk": f"y#{step % 3}", "kind": "y", "n": dice.randint(0, 3)} for o in OWNERS]
                memory.put_many(items)
                emulated.put_many(items)
                operations += len(items)
                continue
            unit = _random_unit(dice, f"u{step}")
            assert memory.write([unit]) == emulated.write([unit]), f"seed {seed}, step {step}"
            operations += len(unit.writes)
            if step % 10 == 9:
                assert _look(memory) == _look(emulated), f"seed {seed}, step {step}"
                operations += 14
    return operations


@pytest.mark.parametrize("seed", range(12))
def test_random_operations_have_the_same_outcome_as_on_the_emulator(seed: int) -> None:
    """A thousand operations; 100,000 of them are for `make nightly`."""
    assert compare(seed) > 80


def test_a_batch_a_page_and_a_scan_may_be_served_in_part_and_the_store_goes_on() -> None:
    client = MemoryDynamoDB(schema.AGENDA_FIELDS)
    store = Store(client, "records")  # type: ignore[arg-type]
    parted = iter(range(10_000))
    client.fault = lambda _number, _operation, when: PART if when == "before" and next(parted) % 2 == 0 else None
    items = [{"pk": f"acct_{n % 5}", "sk": f"x#{n:03d}", "kind": "x"} for n in range(90)]
    store.put_many(items)
    assert len(store.get_many([(i["pk"], i["sk"]) for i in items])) == 90
    assert len(list(store.query_all("acct_1", prefix="x#"))) == 18
    assert len(list(store.scan())) == 90


def test_a_page_ends_at_a_megabyte() -> None:
    client = MemoryDynamoDB(schema.AGENDA_FIELDS)
    store = Store(client, "records")  # type: ignore[arg-type]
    store.put_many([{"pk": "a", "sk": f"x#{n}", "kind": "x", "blob": b"." * 300_000} for n in range(9)])
    assert len(store.query("a").items) == 4
    assert len(list(store.query_all("a"))) == 9


def test_what_is_billed_is_what_the_price_list_says() -> None:
    client = MemoryDynamoDB(schema.AGENDA_FIELDS)
    store = Store(client, "records")  # type: ignore[arg-type]
    store.write_one(Unit("small").insert({"pk": "a", "sk": "x", "kind": "x"}))
    assert client.bill.wru == 2  # a transactional write of up to 1 kB
    store.write_one(Unit("large").insert({"pk": "a", "sk": "y", "kind": "x", "blob": b"\0" * 1500}))
    assert client.bill.wru == 6
    store.write_one(Unit("listed").insert({"pk": "a", "sk": "z", "kind": "x", "agenda_pk": "open#a", "agenda_on": "1"}))
    assert client.bill.wru == 9  # and one for the index
    store.write_one(Unit("moved").update(("a", "z"), set={"agenda_on": "2"}))
    assert client.bill.wru == 13  # index: one delete, one insert
    store.get("a", "y", consistent=False)
    assert client.bill.rru == 0.5
