"""Bad files through the command line and the deployed functions: every row answered, good rows kept, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from local.cli.__main__ import saldo
from local.cli.site import Sites
from saldo.accounts.records import account_item, customer_item, entity_item
from saldo.kernel.clock import system_clock
from saldo.storage.store import Store
from saldo.usage.model import Aggregation, Meter
from saldo.usage.records import meter_item
from tests.contexts.sellers import account, entity
from tests.founding import lay

if TYPE_CHECKING:
    from local.stack import LocalStack

pytestmark = pytest.mark.stack

SELLER = "ent_eu_imports"
CUSTOMER = "acct_eu_imports"
USAGE = f"""source,id,account_id,meter,at,value
gw,e1,{CUSTOMER},calls,2026-01-20T10:00:00Z,12
gw,e1,{CUSTOMER},calls,2026-01-20T10:00:00Z,12
gw,e2,{CUSTOMER},calls,2026-01-20T10:00:00Z,-5
gw,e3,acct_eu_gone,calls,2026-01-20T10:00:00Z,7
gw,e4,{CUSTOMER},calls,2999-01-01T10:00:00Z,7
gw,"e5,{CUSTOMER}
"""
INVOICES = """customer,number,issued_on,due_on,amount,currency,settled_on
C-1,N-1,2026-01-02,2026-02-01,10.00,EUR,2026-01-20
C-1,N-2,2026-01-32,2026-02-01,ten,EUR,
C-2,N-3,2026-01-03,2026-02-02,30.00,EUR,
"""


@pytest.fixture
def store(stacks: dict[str, LocalStack]) -> Store:
    found = Store(stacks["eu"].client("dynamodb"), stacks["eu"].table)
    buyer = account(CUSTOMER, entity_id=SELLER)
    calls = Meter("calls", SELLER, Aggregation.SUM, {"en": "Calls"}, {"en": "calls"})
    seller = entity(SELLER, number_prefix="IM")
    laid = [entity_item(seller), account_item(buyer), customer_item(buyer), meter_item(calls)]
    lay(found, laid, system_clock())
    return found


def ask(stacks: dict[str, LocalStack], *words: str) -> tuple[int, Any]:
    sites = Sites(lambda code: stacks[code])
    result = CliRunner().invoke(saldo, [*words, "--entity", SELLER, "--json"], obj=sites, catch_exceptions=False)
    return result.exit_code, json.loads(result.stdout)


def records(store: Store) -> set[str]:
    return {json.dumps([i["pk"], i["sk"]]) for i in store.scan() if i["kind"] in ("usage", "invoice", "guard", "entry")}


def test_a_bad_usage_file(store: Store, stacks: dict[str, LocalStack], tmp_path: Path) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(USAGE)
    status, told = ask(stacks, "usage", "import", str(file))
    assert (status, told["accepted"], told["duplicates"], told["rejected"]) == (0, 1, 1, 4)
    found = {e["row"]: [p["code"] for p in e["problems"]] for e in told["errors"]}
    assert found == {4: ["negative_value"], 5: ["unknown_account"], 6: ["in_the_future"], 7: ["broken_row"]}
    before = records(store)
    status, told = ask(stacks, "usage", "import", str(file))
    assert (status, told["repeated"], records(store)) == (0, True, before)


def test_an_invoice_file_with_one_bad_line_in_the_middle(
    store: Store, stacks: dict[str, LocalStack], tmp_path: Path
) -> None:
    file = tmp_path / "invoices.csv"
    file.write_text(INVOICES)
    before = records(store)
    status, told = ask(stacks, "import", "invoices", str(file))
    assert (status, told["committed"], told["imported"], told["rejected"]) == (1, False, 2, 1)
    assert [(e["row"], [p["code"] for p in e["problems"]]) for e in told["errors"]] == [
        (3, ["invalid_date", "invalid_amount"])
    ]
    assert records(store) == before
    status, told = ask(stacks, "import", "invoices", str(file), "--skip-bad-rows")
    assert (status, told["committed"], told["imported"], told["settled"], told["customers"]) == (0, True, 2, 1, 2)
    after = records(store)
    status, told = ask(stacks, "import", "invoices", str(file), "--skip-bad-rows")
    assert (told["imported"], told["unchanged"], records(store)) == (0, 2, after)
