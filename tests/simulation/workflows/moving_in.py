"""Moving in: sellers, customers, what is sold, invoices of former systems."""

from __future__ import annotations

from dataclasses import replace

from saldo.accounts.arrangements import Arrangements
from saldo.storage.units import Unit
from saldo.support.details import DetailsDesk, DetailsWish
from saldo.support.model import Topic
from saldo.support.service import Question
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, workflow
from tests.simulation.workflows.scenes import (
    CLERK,
    account_id,
    accounts,
    billed,
    founded,
    founded_empty,
    offer,
    open_account,
    open_invoices,
    profile,
    sell,
)

OPEN_ITEMS = """number,customer,customer_name,country,issued_on,due_on,currency,amount,settled_on,settled_amount
A-1,C1,Kontor Nord GmbH,DE,2025-11-01,2025-12-01,EUR,119.00,,
A-2,C1,Kontor Nord GmbH,DE,2025-11-02,2025-12-02,EUR,238.00,2025-11-20,138.00
A-3,C2,Hafenwerk AG,DE,2025-11-03,2025-12-03,EUR,357.00,2025-11-21,357.00
"""


@workflow("accounts: move in", prepare=founded_empty)
def move_in(region: Region) -> None:
    offer(region)
    open_account(region, 0)
    sell(region, 0)


@workflow("accounts: change a profile", prepare=founded)
def change_profile(region: Region) -> None:
    """As a person does, who looks before filling the form in again."""
    if accounts(region).account(account_id(0)).profile_version == 1:
        accounts(region).change_profile(profile(0), CLERK)


@workflow("accounts: change a profile and ask for corrections", prepare=billed)
def change_and_ask(region: Region) -> None:
    """As the pages of billing details do: the wish is in the unit of the change, and a form sent twice is one."""
    desk = DetailsDesk(region.store, region.sealer(), region.clock)
    now, moved = desk.now(account_id(0)), replace(profile(0), purchase_order="PO-7")
    out = [invoice_id for invoice_id, _ in open_invoices(region, 0)]
    desk.change(now, DetailsWish(moved, now.sending, 1, CLERK, "moved", out, _asked))
    assert {i["kind"] for i in region.store.query_all(account_id(0), prefix="ticket#")} == {"ticket"}


def _asked(numbers: list[str]) -> Question:
    assert numbers, "the invoice of January is offered"
    return Question("tkt_eu_details", Topic.INVOICE, "Invoices to be corrected", "\n".join(numbers))


def one_organisation(region: Region) -> None:
    founded(region, 2)
    together = {"organisation_id": "org_eu_000000"}
    region.store.write_one(Unit("merge").update((account_id(1), "account"), set=together))


@workflow("accounts: share an invoice", prepare=one_organisation)
def share(region: Region) -> None:
    Arrangements(region.store, region.clock).consolidate(account_id(1), account_id(0), CLERK)


def with_open_items(region: Region) -> None:
    offer(region)
    region.buckets.files["imports", "open.csv"] = OPEN_ITEMS.encode()


@workflow("import: invoices", prepare=with_open_items)
def import_invoices(region: Region) -> None:
    summary = invoke("integration.import_invoices", {"entity_id": ENTITY_ID, "key": "open.csv"})
    assert summary["committed"], summary
