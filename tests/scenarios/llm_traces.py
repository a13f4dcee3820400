"""Two weeks' traces of a language-model service as usage of 200 accounts in two regions.

Each request is two events, input and output tokens, on an account picked by a stable hash. What the seller charges is
written down twice: once as the plan that is billed, once as plain fractions in the test that checks it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from saldo.accounts.model import Account, Address, LegalEntity, TaxStatus
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.records import account_item, customer_item, entity_item
from saldo.catalog.model import ChargeKind, Component, Graduated, Plan, PlanVersion, Product, Tier, Timing
from saldo.catalog.records import offer_item, plan_version_item, product_item
from saldo.kernel.periods import Unit
from saldo.storage.items import Item
from saldo.subscriptions.model import Alignment
from saldo.subscriptions.records import subscription_item
from saldo.subscriptions.rules import subscribe
from saldo.usage.model import Aggregation, Meter
from saldo.usage.records import meter_item

FILES = {"conv": "data/usage/llm_trace_conv.csv", "code": "data/usage/llm_trace_code.csv"}
ACCOUNTS = 200
METERS = {"tokens_in": "ContextTokens", "tokens_out": "GeneratedTokens"}
SELLERS = {"eu": "ent_eu_traces", "us": "ent_us_traces"}
AS_OF = date(2023, 12, 1)
HEADER = "source,id,account_id,meter,at,value"


@dataclass(frozen=True, slots=True)
class Request:
    """One row of a trace: whose it is, when it was made and how many tokens it took."""

    account_id: str
    id: str
    at: str
    tokens: dict[str, int]


def account_id_of(number: int) -> str:
    """Even numbers live in Europe, odd ones in the United States."""
    return f"acct_{'us' if number % 2 else 'eu'}_trace{number:03d}"


def requests(name: str, path: Path) -> Iterator[Request]:
    """The rows of one trace file. Times are UTC with seven digits; six are kept."""
    with path.open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 1):
            request_id = f"{name}-{number:06d}"
            spread = int.from_bytes(sha256(request_id.encode()).digest()[:4], "big") % ACCOUNTS
            at = row["TIMESTAMP"].replace(" ", "T")[:26] + "Z"
            yield Request(account_id_of(spread), request_id, at, {m: int(row[c]) for m, c in METERS.items()})


def usage_file(found: list[Request], region: str) -> bytes:
    """The requests of one region's accounts as a usage file."""
    lines = [HEADER]
    for request in found:
        if request.account_id.startswith(f"acct_{region}_"):
            lines += [
                f"llm,{request.id},{request.account_id},{meter},{request.at},{tokens}"
                for meter, tokens in request.tokens.items()
            ]
    return ("\n".join(lines) + "\n").encode()


def founding_items(region: str) -> Iterator[Item]:
    """A seller with its plan and meters, and its hundred customers with a subscription each from 1 November 2023."""
    entity = _entity(region)
    yield entity_item(entity)
    version = _version(entity)
    product = Product(f"prod_{region}_llm", entity.id, {"en": "Model"})
    yield product_item(product)
    yield offer_item(Plan(version.plan_id, product.id, entity.id, {"en": "Model"}))
    yield plan_version_item(entity.id, version)
    for meter in METERS:
        yield meter_item(Meter(meter, entity.id, Aggregation.SUM, {"en": meter}, {"en": "tokens"}))
    for number in range(ACCOUNTS):
        if account_id_of(number).startswith(f"acct_{region}_"):
            account = _account(entity, number)
            subscription = subscribe(
                f"sub_{region}_trace{number:03d}",
                account_id=account.id,
                entity_id=entity.id,
                plan_version=version,
                started_on=date(2023, 11, 1),
                alignment=Alignment.CALENDAR,
            )
            yield from (account_item(account), customer_item(account), subscription_item(subscription))


def _entity(region: str) -> LegalEntity:
    here = region == "eu"
    return LegalEntity(
        id=SELLERS[region],
        name="Traces",
        country="DE" if here else "US",
        region="" if here else "NY",
        time_zone="Europe/Berlin" if here else "America/New_York",
        currency="EUR" if here else "USD",
        number_prefix="TE" if here else "TU",
        tax_registrations={"DE": "DE136695976"} if here else {"US-NY": "11-4087729"},
        address=Address(("Main Street 1",), "10115", "Berlin", "DE"),
        bank_name="Bank",
        iban="DE89370400440532013000",
        bic="COBADEFFXXX",
        email="billing@traces.example",
    )


def _version(entity: LegalEntity) -> PlanVersion:
    tiers = {
        "tokens_in": (
            Tier(Decimal(50_000), Decimal("0.000012")),
            Tier(Decimal(150_000), Decimal("0.0000095"), flat=Decimal("0.50")),
            Tier(None, Decimal("0.0000075")),
        ),
        "tokens_out": (Tier(Decimal(10_000), Decimal("0.00006")), Tier(None, Decimal("0.000045"))),
    }
    components = tuple(
        Component(
            id=meter,
            kind=ChargeKind.USAGE,
            names={"en": meter},
            price=Graduated(tiers[meter]),
            timing=Timing.ARREARS,
            tax_category="digital_service",
            revenue_tag=meter,
            meter_id=meter,
        )
        for meter in METERS
    )
    return PlanVersion(
        id=f"plan_{entity.id[4:]}_v1",
        plan_id=f"plan_{entity.id[4:]}",
        version=1,
        currency=entity.currency,
        cycle_unit=Unit.MONTH,
        cycle_count=1,
        components=components,
        effective_on=date(2023, 1, 1),
    )


def _account(entity: LegalEntity, number: int) -> Account:
    """Europe: a consumer in Germany. United States: in New York, where it is taxed, or Oregon, where it is not."""
    here = entity.country == "DE"
    region = "" if here else "NY" if number % 4 == 1 else "OR"
    return Account(
        id=account_id_of(number),
        organisation_id=account_id_of(number).replace("acct", "org"),
        entity_id=entity.id,
        name=f"Trace {number}",
        currency=entity.currency,
        time_zone=entity.time_zone,
        country=entity.country,
        tax_region=region,
        tax_status=TaxStatus.CONSUMER if here else TaxStatus.BUSINESS,
        has_tax_id=False,
        language="en",
        payment_terms=PaymentTerms(14),
        profile_version=1,
        deliver_by_email=False,
    )
