"""Sellers of several countries, their buyers' zones, and tax rates that change on given days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random

from saldo.accounts.model import Address, LegalEntity, TaxStatus
from saldo.invoicing.model import BelowZero, BillingOptions, PrepaidOrder
from saldo.tax.model import Collection, TaxRate, TaxTable, TaxTreatment
from tests.decade.history import Market
from tests.decade.world_plans import PriceList

LONG_AGO = date(2000, 1, 1)


def rates(country: str, name: str, category: str, *steps: tuple[date, str], region: str = "") -> list[TaxRate]:
    """One tax with the percentages it has from each of these days on."""
    ends = [on for on, _ in steps[1:]]
    found = []
    for (on, percent), until in zip(steps, [*ends, None], strict=True):
        kind = TaxTreatment.STANDARD if Decimal(percent) else TaxTreatment.ZERO
        found.append(TaxRate(country, region, name, frozenset({category}), kind, Decimal(percent), on, until))
    return found


def side_tax(country: str, name: str, percent: str, compound: bool, collection: Collection) -> TaxRate:
    kinds = frozenset({"standard", "reduced"})
    return TaxRate(
        country,
        "",
        name,
        kinds,
        TaxTreatment.STANDARD,
        Decimal(percent),
        LONG_AGO,
        compound=compound,
        collection=collection,
    )


TABLE = TaxTable(
    "decade",
    (
        *rates("DE", "VAT", "standard", (LONG_AGO, "19"), (date(2020, 7, 1), "16"), (date(2021, 1, 1), "19")),
        *rates("DE", "VAT", "reduced", (LONG_AGO, "7"), (date(2020, 7, 1), "5"), (date(2021, 1, 1), "7")),
        *rates("FR", "VAT", "standard", (LONG_AGO, "20")),
        *rates("FR", "VAT", "reduced", (LONG_AGO, "10"), (date(2018, 3, 15), "5.5")),
        *rates("JP", "CT", "standard", (LONG_AGO, "8"), (date(2019, 10, 1), "10")),
        *rates("JP", "CT", "reduced", (LONG_AGO, "8")),
        *rates("IN", "CGST", "standard", (LONG_AGO, "7.5"), (date(2017, 7, 1), "9")),
        *rates("IN", "CGST", "reduced", (LONG_AGO, "2.5")),
        *rates("IN", "SGST", "standard", (LONG_AGO, "7.5"), (date(2017, 7, 1), "9")),
        *rates("IN", "SGST", "reduced", (LONG_AGO, "2.5")),
        side_tax("IN", "TDS", "2", False, Collection.WITHHELD),
        *rates("NZ", "GST", "standard", (LONG_AGO, "15")),
        *rates("NZ", "GST", "reduced", (LONG_AGO, "0")),
        *rates("BR", "ISS", "standard", (LONG_AGO, "5"), (date(2021, 5, 10), "4.65")),
        *rates("BR", "ISS", "reduced", (LONG_AGO, "2")),
        side_tax("BR", "PIS", "3.65", True, Collection.CHARGED),
        *rates("KW", "VAT", "standard", (LONG_AGO, "0"), (date(2022, 1, 1), "5")),
        *rates("KW", "VAT", "reduced", (LONG_AGO, "0")),
        *rates("US", "Sales tax", "standard", (LONG_AGO, "8.875"), (date(2019, 6, 1), "8.625"), region="NY"),
        *rates("US", "Sales tax", "reduced", (LONG_AGO, "4.5"), region="NY"),
        *rates("US", "Sales tax", "standard", (LONG_AGO, "6.25"), region="MA"),
        *rates("US", "Sales tax", "reduced", (LONG_AGO, "0"), region="MA"),
    ),
    {"EU": frozenset({"DE", "FR", "IT"})},
)


@dataclass(frozen=True)
class Buyer:
    """A kind of buyer of a seller: where it is, by whose clock, and what tax sees in it."""

    country: str
    region: str
    zone: str
    status: TaxStatus = TaxStatus.BUSINESS
    has_tax_id: bool = False


@dataclass(frozen=True)
class Place:
    """Where a seller sits and whom it sells to."""

    country: str
    region: str
    zone: str
    currency: str
    registrations: tuple[str, ...]
    every: int
    buyers: tuple[Buyer, ...]
    inclusive: bool = False
    prepaid: PrepaidOrder = PrepaidOrder.AFTER_TAX


BERLIN, PARIS, NEW_YORK, KOLKATA = "Europe/Berlin", "Europe/Paris", "America/New_York", "Asia/Kolkata"
AUCKLAND, SAO_PAULO, TOKYO, KUWAIT = "Pacific/Auckland", "America/Sao_Paulo", "Asia/Tokyo", "Asia/Kuwait"
CONSUMER, EXEMPT = TaxStatus.CONSUMER, TaxStatus.EXEMPT
PLACES = (
    Place(
        "DE",
        "",
        BERLIN,
        "EUR",
        ("DE", "EU"),
        1,
        (
            Buyer("DE", "", BERLIN, has_tax_id=True),
            Buyer("FR", "", PARIS, has_tax_id=True),
            Buyer("FR", "", PARIS, CONSUMER),
            Buyer("DE", "", AUCKLAND, EXEMPT),
        ),
    ),
    Place("DE", "", BERLIN, "EUR", ("DE", "EU"), 7, (Buyer("DE", "", BERLIN, CONSUMER),), inclusive=True),
    Place(
        "US",
        "NY",
        NEW_YORK,
        "USD",
        ("US-NY",),
        1,
        (Buyer("US", "NY", NEW_YORK), Buyer("US", "MA", NEW_YORK), Buyer("DE", "", BERLIN)),
        prepaid=PrepaidOrder.BEFORE_TAX,
    ),
    Place("IN", "", KOLKATA, "INR", ("IN",), 3, (Buyer("IN", "", KOLKATA),)),
    Place("JP", "", TOKYO, "JPY", ("JP",), 1, (Buyer("JP", "", TOKYO), Buyer("JP", "", TOKYO, CONSUMER))),
    Place("NZ", "", AUCKLAND, "NZD", ("NZ",), 15, (Buyer("NZ", "", AUCKLAND),), inclusive=True),
    Place("BR", "", SAO_PAULO, "BRL", ("BR",), 1, (Buyer("BR", "", SAO_PAULO),)),
    Place("KW", "", KUWAIT, "KWD", ("KW",), 2, (Buyer("KW", "", KUWAIT),)),
)
FAMILIES, WITH_MINIMUM, WITH_COMMITMENT = 9, 2, 3


def market(n: int, seed: int) -> tuple[Market, list[list[str]], tuple[Buyer, ...]]:
    """The n-th seller, the ids of its plan versions family by family, and its buyers."""
    place = PLACES[n]
    seller_id = f"ent_eu_{place.country.lower()}{n}"
    prices = PriceList(Random(f"{seed} prices {n}"), seller_id, place.currency, place.inclusive)
    families = [prices.family(i) for i in range(FAMILIES)]
    families += [prices.with_minimum(FAMILIES + i) for i in range(WITH_MINIMUM)]
    families += [prices.with_commitment(FAMILIES + WITH_MINIMUM + i) for i in range(WITH_COMMITMENT)]
    sold = Market(
        seller=_seller(seller_id, place),
        versions={version.id: version for family in families for version in family},
        meters=prices.meters,
        table=TABLE,
        options=BillingOptions(below_zero=BelowZero.CREDIT_NOTE, prepaid=place.prepaid),
        every=place.every,
    )
    return sold, [[version.id for version in family] for family in families], place.buyers


def _seller(seller_id: str, place: Place) -> LegalEntity:
    return LegalEntity(
        id=seller_id,
        name=f"Seller {seller_id}",
        country=place.country,
        region=place.region,
        time_zone=place.zone,
        currency=place.currency,
        number_prefix=seller_id[-3:].upper(),
        tax_registrations=dict.fromkeys(place.registrations, "id"),
        address=Address((), "", "", place.country),
        bank_name="",
        iban="",
        bic="",
        email="",
    )
