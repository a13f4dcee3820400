"""28,000 real requests of a language-model service, billed for November 2023 and recomputed to the cent."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import pytest

from saldo.insight.invariants import check_all
from saldo.invoicing.run.bill import Billing, bill_accounts
from saldo.invoicing.run.close import close_run, reconcile_run
from saldo.invoicing.run.issue import issue_invoices
from saldo.invoicing.run.number import number_invoices
from saldo.invoicing.run.open import open_run
from saldo.kernel.clock import system_clock
from saldo.storage.items import Item
from saldo.storage.schema import AGENDA_FIELDS
from saldo.storage.store import Store
from saldo.usage.ingest_import import UsageImport
from tests.contexts.usage.scenes import MemoryFiles
from tests.founding import lay
from tests.scenarios.llm_traces import (
    ACCOUNTS,
    AS_OF,
    FILES,
    SELLERS,
    Request,
    account_id_of,
    founding_items,
    requests,
    usage_file,
)
from tests.shared import shared
from tests.simulation.dynamodb import MemoryDynamoDB

if TYPE_CHECKING:
    from local.stack import LocalStack

# (last token of the tier, price of a token, flat when the tier is entered)
PRICES: dict[str, list[tuple[int | None, str, str]]] = {
    "tokens_in": [(50_000, "0.000012", "0"), (150_000, "0.0000095", "0.5"), (None, "0.0000075", "0")],
    "tokens_out": [(10_000, "0.00006", "0"), (None, "0.000045", "0")],
}


@pytest.fixture(scope="module")
def found() -> list[Request]:
    """Every request of both traces, told in the order of their times, as producers do."""
    both = [request for name, file in FILES.items() for request in requests(name, shared(file))]
    return sorted(both, key=lambda r: (r.at, r.id))


def graduated(tokens: int, tiers: list[tuple[int | None, str, str]]) -> Fraction:
    """Each token at the price of its tier, each tier's flat when it is entered."""
    price, before = Fraction(0), 0
    for last, unit_price, flat in tiers:
        inside = (tokens if last is None else min(tokens, last)) - before
        if inside <= 0:
            break
        price += inside * Fraction(unit_price) + Fraction(flat)
        before += inside
    return price


def cents(amount: Fraction) -> int:
    """Half up."""
    return int((amount * 100 + Fraction(1, 2)).__floor__())


def expected_totals(found: list[Request]) -> dict[str, int]:
    """Every account's total in cents, by nothing but the rows and fractions."""
    tokens: dict[str, Counter[str]] = defaultdict(Counter)
    for request in found:
        tokens[request.account_id].update(request.tokens)
    totals = {}
    for number in range(ACCOUNTS):
        account_id = account_id_of(number)
        used = tokens[account_id]
        net = sum(cents(graduated(used[meter], tiers)) for meter, tiers in PRICES.items())
        percent = 19 if number % 2 == 0 else 4 if number % 4 == 1 else 0
        totals[account_id] = net + cents(Fraction(net * percent, 10_000))
    return totals


def bill_in_memory(found: list[Request], region: str) -> Store:
    """Import the usage file and run every step of an invoice run in this process."""
    store = Store(cast(Any, MemoryDynamoDB(AGENDA_FIELDS)), "records")
    lay(store, founding_items(region), datetime(2023, 11, 1, tzinfo=UTC))

    def clock() -> datetime:
        return datetime(2023, 12, 1, 9, tzinfo=UTC)

    content = usage_file(found, region)
    summary = UsageImport(store, MemoryFiles({"usage.csv": content}), clock).run(SELLERS[region], "usage.csv")
    assert (summary.accepted, summary.duplicates, summary.rejected) == (content.count(b"\n") - 1, 0, 0)
    billing = Billing.by_table(store)
    attempt = open_run(store, clock, SELLERS[region], AS_OF.isoformat())
    for batch in attempt.batches:
        bill_accounts(billing, attempt.run_id, attempt.number, batch)
    for batch in number_invoices(store, clock, attempt.run_id, attempt.number):
        issue_invoices(store, clock, attempt.run_id, attempt.number, batch)
    reconcile_run(store, attempt.run_id, attempt.number)
    assert close_run(store, clock, attempt.run_id, attempt.number).set_aside == 0
    return store


def invoices(store: Store, region: str) -> list[Item]:
    ids = [account_id_of(n) for n in range(ACCOUNTS) if account_id_of(n).startswith(f"acct_{region}_")]
    return [item for account_id in ids for item in store.query_all(account_id, prefix="invoice#")]


def check(found: list[Request], store: Store, region: str) -> None:
    issued = {i["account_id"]: i for i in invoices(store, region)}
    wanted = {a: minor for a, minor in expected_totals(found).items() if a.startswith(f"acct_{region}_") and minor}
    assert {a: i["total_minor"] for a, i in issued.items()} == wanted
    assert len(wanted) == ACCOUNTS / 2
    assert {i["currency"] for i in issued.values()} == {"EUR" if region == "eu" else "USD"}
    prefix = "TE" if region == "eu" else "TU"
    assert sorted(i["number"] for i in issued.values()) == [f"{prefix}-2023-{n:06d}" for n in range(1, len(wanted) + 1)]


@pytest.mark.parametrize("region", ["eu", "us"])
def test_every_invoice_of_november_is_the_recomputed_one_to_the_cent(found: list[Request], region: str) -> None:
    store = bill_in_memory(found, region)
    check(found, store, region)
    assert check_all(store).violations == []


@pytest.mark.stack
@pytest.mark.parametrize("region", ["eu", "us"])
def test_so_it_is_on_the_deployed_system(
    found: list[Request], region: str, stacks: dict[str, LocalStack], tmp_path: Any
) -> None:
    """The file goes through the deployed import, the run through the deployed state machine."""
    from local.cli.imports import invoke, upload
    from local.demo.history import bill

    stack = stacks[region]
    store = Store(stack.client("dynamodb"), stack.table)
    lay(store, founding_items(region), datetime(2023, 11, 1, tzinfo=UTC))
    file = tmp_path / "traces.csv"
    file.write_bytes(usage_file(found, region))
    key = upload(stack, file, "usage")
    summary = invoke(stack, "import_usage", {"entity_id": SELLERS[region], "key": key})
    assert (summary["accepted"], summary["rejected"]) == (summary["rows"], 0)
    bill(stack, SELLERS[region], [AS_OF], system_clock)
    check(found, store, region)
