"""Taxes: estimated and trued up, told to the service, ids asked about again, certificates."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from unittest.mock import patch

from local.tax_services.faults import Fault
from saldo.accounts.model import Exemption, ExemptionCertificate
from saldo.accounts.records import account_from, account_item, entity_item
from saldo.accounts.tax_standing import TaxStanding
from saldo.tax.own_rates import SellerTaxes
from tests.contexts.tax.scenes import running
from tests.simulation.region import ENTITY_ID, Region, Register, WiredTax
from tests.simulation.workflows import Again, daily, invoke, messages, workflow
from tests.simulation.workflows.scenes import CLERK, JAN, account_id, bill, founded
from tests.simulation.world import ENTITY


def in_new_york(region: Region, *, silent: bool) -> None:
    """A seller with a tax service, which answers or not while January is billed."""
    founded(region, 2)
    region.store.put_many(
        [entity_item(replace(ENTITY, country="US", region="NY", tax_registrations={"US-NY": "11-1"}))]
    )
    for n in range(2):
        account = account_from(region.store.get(account_id(n), "account") or {})
        there = replace(account, country="US", tax_region="NY", tax_postcode="11201", has_tax_id=False)
        region.store.put_many([account_item(there)])
    tax = region.open(running("avalara"))
    service = WiredTax(region.wire, tax.service)
    region.open(patch("saldo.tax.services.service_named", lambda *_: service))
    os.environ["SALDO_TAX_SERVICE"] = "avalara"
    region.restart()
    tax.script.always = Fault.STATUS_503 if silent else Fault.NONE
    bill(region, JAN)
    tax.script.always = Fault.NONE
    region.now = datetime(2026, 1, 2, 9, tzinfo=UTC)


@workflow("tax: true up", prepare=lambda region: in_new_york(region, silent=True))
def true_up(region: Region) -> None:
    daily(region, "tax.true_up_tax", "")


@workflow("tax: tell the service", prepare=lambda region: in_new_york(region, silent=False))
def tell(region: Region) -> None:
    with region.undisturbed():
        items = list(region.store.query_all(account_id(0), prefix="invoice#"))
    details = [{"account_id": account_id(0), "invoice_id": item["invoice_id"]} for item in items]
    invoke("tax.record_tax", messages(*(json.dumps({"detail": detail}) for detail in details)))


def unchecked(region: Region) -> None:
    """Customers whose tax ids nobody has asked about, and a register that knows one of them."""
    founded(region, 2)
    register = Register(region.wire)
    region.open(patch("saldo.accounts.vies.Vies", lambda *_: register))
    os.environ["SALDO_VAT_REGISTER_URL"] = "http://register.invalid"
    region.restart()


@workflow("tax: ask about ids", prepare=unchecked)
def ask(region: Region) -> None:
    """Daily: whom the register was silent about is asked about again the next day."""
    if daily(region, "tax.check_tax_ids", "").get("unchecked"):
        region.now += timedelta(days=1)
        raise Again


@workflow("tax: certificates", prepare=founded)
def certify(region: Region) -> None:
    standing = TaxStanding(region.store, region.sealer(), region.clock)
    exemption = Exemption("cert_1", frozenset({"US-NY"}), frozenset(), date(2026, 1, 1), date(2027, 1, 1))
    standing.add_certificate(ExemptionCertificate(account_id(0), "NY-77", exemption), CLERK)
    kept = account_from(region.store.get(account_id(0), "account") or {}).exemptions
    if kept[0].until_on != date(2026, 6, 1):
        standing.end_certificate(account_id(0), "cert_1", date(2026, 6, 1), CLERK, "moved away")


# A tax in the place of the carried one, a levy beside it, and what the buyer keeps.
OWN = {
    "rates": [
        {"percent": "22", "categories": ["digital_service"], "from_on": "2026-01-01"},
        {"name": "Levy", "per_unit": "0.10", "categories": ["digital_service"], "from_on": "2026-01-01"},
        {"name": "Retained", "percent": "2", "categories": ["digital_service"], "collection": "withheld"},
        {"percent": "19", "categories": ["digital_service"], "until_on": "2026-01-01"},
    ]
}


@workflow("tax: own rates", prepare=founded)
def own_rates(region: Region) -> None:
    """As a person does, who puts them on record again where it is not sure that they are."""
    SellerTaxes(region.store, region.clock).put(ENTITY_ID, OWN, CLERK, "the rates of this year")
