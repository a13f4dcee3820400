"""The invoice run: whole, and with all that an account can owe."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import Terms
from saldo.accounts.records import account_item
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.model import Coupon, PrepaidCredit
from saldo.invoicing.records import BODY_PREFIX
from saldo.invoicing.run import in_parts, writes
from saldo.invoicing.wallets import Wallets
from saldo.orders.model import Item, WaitingItem
from saldo.orders.records import add_item
from saldo.storage.claims import CLAIM, claim_all
from saldo.storage.units import Unit
from saldo.subscriptions.model import Change, ChangeKind
from saldo.subscriptions.service import Subscriptions
from saldo.tax.own_rates import SellerTaxes
from tests.simulation.dynamodb import Crash
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, workflow
from tests.simulation.workflows.scenes import (
    CLERK,
    FEB,
    JAN,
    MAR,
    account_id,
    batches,
    bill,
    billed,
    customer,
    founded,
    offer,
    offer_cycles,
    open_account,
    sell,
    subscription_id,
    until,
    use,
)
from tests.simulation.workflows.taxes import OWN
from tests.simulation.world import ADDS_UP, SAVES


def taxed_by_own_rates(region: Region) -> None:
    founded(region)
    SellerTaxes(region.store, region.clock).put(ENTITY_ID, OWN, CLERK, "the rates of this year")


@workflow("run: first", prepare=taxed_by_own_rates)
def first_run(region: Region) -> None:
    """By tax rates that the seller has put on record itself."""
    bill(region, JAN)
    with region.undisturbed():
        bodies = [item["body"] for n in range(3) for item in region.store.query_all(account_id(n), prefix=BODY_PREFIX)]
    assert {body_from_bytes(body).tax_source.rpartition(", ")[2] for body in bodies} == {"own 1"}


def share_invoices(region: Region, member: int, into: int) -> None:
    """Two accounts of one organisation, the charges of one on the invoice of the other."""
    together = {"organisation_id": f"org_eu_{into:06d}"}
    region.store.write_one(Unit("merge").update((account_id(member), "account"), set=together))
    Arrangements(region.store, region.clock).consolidate(account_id(member), account_id(into), CLERK)


def eventful(region: Region) -> None:
    """A change, an end with a credit note, usage, an item, a coupon, credit, credit that expires, a shared invoice."""
    founded(region, 5)
    share_invoices(region, 4, into=3)
    bill(region, JAN)
    change = Change("ch_1", ChangeKind.QUANTITY, date(2026, 1, 17), quantities={"seats": Decimal(3)})
    Subscriptions(region.store, region.clock).change(account_id(0), subscription_id(0), change, CLERK)
    stop = Change("stop", ChangeKind.CANCEL, date(2026, 1, 9))
    Subscriptions(region.store, region.clock).change(account_id(1), subscription_id(1), stop, CLERK)
    item = Item("setup", {"en": "Set-up"}, Decimal(200), tax_category="digital_service")
    region.store.write_one(add_item(Unit("sell"), WaitingItem(account_id(2), ENTITY_ID, item, FEB, "staff")))
    wallets = Wallets(region.store, region.clock)
    wallets.add_coupon(account_id(2), Coupon("ten", {"en": "Ten"}, percent=Decimal(10)), CLERK)
    wallets.grant(account_id(2), PrepaidCredit("gift", 700, JAN, paid=False), CLERK)
    wallets.grant(account_id(3), PrepaidCredit("short", 700, JAN, expires_on=FEB, paid=False), CLERK)
    use(region, 0, "e1", datetime(2026, 1, 20, 12, tzinfo=UTC), 1500)


@workflow("run: everything", prepare=eventful)
def full_run(region: Region) -> None:
    bill(region, FEB)


@workflow("run: everything, each step repeated alone", prepare=eventful)
def stepwise_run(region: Region) -> None:
    bill(region, FEB, alone=True)


def small_units() -> Any:
    """Within what this decorates a unit holds few writes, so that few are too many."""
    return patch.object(writes, "MOST_WRITES", 33)


@small_units()
def large(region: Region) -> None:
    """A member and its payer with more items than one unit holds, a subscription and usage each, and credit."""
    founded(region, 2)
    share_invoices(region, 1, into=0)
    bill(region, JAN)
    for n in range(34):
        item = Item(f"visit{n}", {"en": "Visit"}, Decimal(n + 1), tax_category="digital_service")
        waiting = WaitingItem(account_id(n % 2), ENTITY_ID, item, FEB, "staff")
        region.store.write_one(add_item(Unit("sell"), waiting))
    Wallets(region.store, region.clock).grant(account_id(0), PrepaidCredit("gift", 700, JAN, paid=False), CLERK)
    for n in range(2):
        use(region, n, f"e{n}", datetime(2026, 1, 20, 12, tzinfo=UTC), 900)


@workflow("run: more than one unit holds", prepare=large)
@small_units()
def large_run(region: Region) -> None:
    bill(region, FEB)


@small_units()
def claimed(region: Region) -> None:
    """A run died when it had claimed all of it and decided nothing; then there was more credit."""
    large(region)
    until(region, FEB)
    invoke("invoice_run.open_run", {"entity_id": ENTITY_ID, "as_of": FEB.isoformat()})
    run = {"run_id": f"run_{ENTITY_ID.removeprefix('ent_')}_20260201", "attempt": 1, "batch": "00000"}

    def dies_after(*asked: Any) -> bool:
        claim_all(*asked)
        raise Crash

    with patch.object(in_parts, "claim_all", dies_after), suppress(Crash):
        invoke("invoice_run.bill_accounts", run)
    assert any(CLAIM in item for item in region.store.scan())
    Wallets(region.store, region.clock).grant(account_id(0), PrepaidCredit("more", 900, JAN, paid=False), CLERK)


@workflow("run: claimed before, decided otherwise", prepare=claimed)
@small_units()
def claimed_run(region: Region) -> None:
    bill(region, FEB)


def late_usage(region: Region) -> None:
    billed(region)
    use(region, 0, "e1", datetime(2026, 1, 20, 12, tzinfo=UTC), 900)
    bill(region, FEB)
    region.now = datetime(2026, 2, 10, tzinfo=UTC)
    use(region, 0, "e2", datetime(2026, 1, 21, 12, tzinfo=UTC), 200)


@workflow("run: late usage", prepare=late_usage)
def late_run(region: Region) -> None:
    bill(region, MAR)


def months_that_go_on(region: Region) -> None:
    """Two months are billed of tiers that add up and of an allowance left over; then usage comes late for the first of
    them, and a pause is told that takes the second back."""
    offer(region)
    offer_cycles(region)
    for n, version in enumerate((ADDS_UP, SAVES)):
        open_account(region, n)
        sell(region, n, version=version)
        use(region, n, f"jan{n}", datetime(2026, 1, 20, 12, tzinfo=UTC), 600)
    bill(region, FEB)
    for n in range(2):
        use(region, n, f"feb{n}", datetime(2026, 2, 10, 12, tzinfo=UTC), 750)
    bill(region, MAR)
    for n in range(2):
        use(region, n, f"late{n}", datetime(2026, 1, 21, 12, tzinfo=UTC), 500)
        use(region, n, f"mar{n}", datetime(2026, 3, 5, 12, tzinfo=UTC), 900)
    pause = Change("pause", ChangeKind.PAUSE, date(2026, 2, 15))
    Subscriptions(region.store, region.clock).change(account_id(1), subscription_id(1), pause, CLERK)


@workflow("run: months that go on", prepare=months_that_go_on)
def months_that_go_on_run(region: Region) -> None:
    bill(region, date(2026, 4, 1))


def late_usage_alone(region: Region) -> None:
    """What came late of an account that has nothing left to bill."""
    founded(region, 2)
    stop = Change("stop", ChangeKind.CANCEL, FEB)
    bill(region, JAN)
    Subscriptions(region.store, region.clock).change(account_id(0), subscription_id(0), stop, CLERK)
    bill(region, FEB)
    region.now = datetime(2026, 2, 10, tzinfo=UTC)
    use(region, 0, "e1", datetime(2026, 1, 20, 12, tzinfo=UTC), 200)


@workflow("run: late usage alone", prepare=late_usage_alone)
def late_run_alone(region: Region) -> None:
    bill(region, date(2026, 2, 11), alone=True)


_OF_ITS_OWN = dict.fromkeys(("attempt", "result", "aside"), "each dry run is an attempt of its own")


@workflow("run: dry", prepare=billed, apart=_OF_ITS_OWN)
def dry_run(region: Region) -> None:
    until(region, FEB)
    opened = invoke("invoice_run.open_run", {"entity_id": ENTITY_ID, "as_of": FEB.isoformat(), "dry_run": True})
    run = {"run_id": opened["run_id"], "attempt": opened["attempt"]}
    for batch in batches(opened):
        invoke("invoice_run.bill_accounts", run | {"batch": batch})
    invoke("invoice_run.close_run", run)


def held_up(region: Region) -> None:
    """One account cannot be billed on its day, for its invoices are looked at first; the others can."""
    founded(region)
    bill(region, JAN)
    looked_at = replace(customer(1), terms=Terms(review=True))
    region.store.put_many([account_item(looked_at)])


def held_up_opened(region: Region) -> None:
    held_up(region)
    until(region, FEB)
    invoke("invoice_run.open_run", {"entity_id": ENTITY_ID, "as_of": FEB.isoformat()})


@workflow("run: one held up on its day", prepare=held_up_opened)
def held_up_run(region: Region) -> None:
    """Without the rest: a run again has an attempt again, for that one is still due."""
    run_id = f"run_{ENTITY_ID.removeprefix('ent_')}_20260201"
    invoke("invoice_run.bill_accounts", {"run_id": run_id, "attempt": 1, "batch": "00000"})


def opened(region: Region) -> None:
    founded(region)
    until(region, JAN)
    invoke("invoice_run.open_run", {"entity_id": ENTITY_ID, "as_of": JAN.isoformat()})
    region.now += timedelta(hours=2)


@workflow("run: fail and take up", prepare=opened)
def failed_run(region: Region) -> None:
    run = {"run_id": f"run_{ENTITY_ID.removeprefix('ent_')}_20260101", "attempt": 1}
    invoke("invoice_run.fail_run", run | {"error": "a function fell over"})
    bill(region, JAN)


@workflow("run: watch", prepare=opened)
def watched_run(region: Region) -> None:
    invoke("operations.watch_runs", {})


@workflow("subscription: change", prepare=billed)
def change(region: Region) -> None:
    wanted = Change("ch_9", ChangeKind.QUANTITY, date(2026, 1, 17), quantities={"seats": Decimal(7)})
    Subscriptions(region.store, region.clock).change(account_id(0), subscription_id(0), wanted, CLERK)


@workflow("wallet: grant", prepare=billed)
def grant(region: Region) -> None:
    wallets = Wallets(region.store, region.clock)
    wallets.grant(account_id(0), PrepaidCredit("gift", 700, JAN, expires_on=FEB, paid=False), CLERK)
    wallets.add_coupon(account_id(0), Coupon("ten", {"en": "Ten"}, percent=Decimal(10)), CLERK)
    wallets.add_coupon(account_id(0), Coupon("gone", {"en": "Gone"}, percent=Decimal(10)), CLERK)
    wallets.remove_coupon(account_id(0), "gone", CLERK)


def granted(region: Region) -> None:
    billed(region)
    grant(region)
    until(region, FEB)


@workflow("wallet: expire", prepare=granted)
def expire(region: Region) -> None:
    Wallets(region.store, region.clock).expire(ENTITY_ID, FEB)


@workflow("accounts: arrange", prepare=founded)
def arrange(region: Region) -> None:
    from saldo.accounts.model import InvoiceSplit

    Arrangements(region.store, region.clock).split(account_id(0), InvoiceSplit.PURCHASE_ORDER, CLERK)
