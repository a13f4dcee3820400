"""Prices of usage: tiers, blocks, packages, stairs, percentages."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, tiers, used

LAGO = "Lago: spec/services/charge_models"
OPENMETER = "OpenMeter: openmeter/billing/rating/service/rate"
FLEXPRICE = "Flexprice: docs"
STRIPE = "Stripe: docs.stripe.com/products-prices/pricing-models"

API: list[list[object]] = [["100", "2", "10"], ["200", "1", "0"], [None, "0.5", "50"]]
STEPS: list[list[object]] = [["10", "10", "2"], ["20", "5", "3"], [None, "5", "3"]]
FLATS: list[list[object]] = [["5", "0", "100"], ["10", "0", "50"], ["15", "5", "0"], [None, "1", "0"]]
WHOLES: list[list[object]] = [["5", "0", "100"], ["10", "0", "150"], ["15", "10", "0"], [None, "5", "0"]]
SEATS: list[list[object]] = [["5", "7", "0"], ["10", "6.5", "0"], [None, "6", "0"]]
CALLS: list[list[object]] = [
    ["10000", "0.0010", "0"],
    ["50000", "0.0008", "0"],
    ["100000", "0.0006", "0"],
    [None, "0.0004", "0"],
]


def per_unit(price: str) -> Json:
    return {"kind": "per_unit", "unit_price": price}


def package(size: str, price: str, **more: object) -> Json:
    return {"kind": "package", "size": size, "price": price, **more}


def percentage(rate: str, **more: object) -> Json:
    return {"kind": "percentage", "rate": rate, **more}


def commitment(price: Json, **more: object) -> Json:
    return {"kind": "commitment", "price": price, **more}


def capped(amount: str, price: Json) -> Json:
    return {"kind": "capped", "amount": amount, "price": price}


def amounts(*values: str) -> Json:
    return {"amounts": list(values)}


def by(**parts: str) -> Json:
    """The totals of a matrix of one dimension."""
    rows = [{"meter_id": "m", "quantity": q, "properties": {"what": name}} for name, q in parts.items()]
    return {"totals": rows}


MATRIX: Json = {
    "kind": "matrix",
    "dimensions": ["what"],
    "cells": [
        {"values": ["visa"], "price": per_unit("1.00")},
        {"values": ["amex"], "price": tiers([["10", "2", "0"], [None, "1.5", "0"]])},
    ],
    "other": per_unit("3"),
}
PLUS_TWO = percentage("0.013", per_event="2.00")

CASES: tuple[Worked, ...] = (
    # volume, at and around the edges
    used("pricing.volume.1", LAGO + "/volume_service_spec.rb", tiers(API, "volume"), 99, "208"),
    used("pricing.volume.2", LAGO + "/volume_service_spec.rb", tiers(API, "volume"), 200, "200"),
    used("pricing.volume.3", LAGO + "/volume_service_spec.rb", tiers(API, "volume"), 201, "150.50"),
    used("pricing.volume.4", LAGO + "/volume_service_spec.rb", tiers(API, "volume"), "100.5", "100.50"),
    used("pricing.volume.5", FLEXPRICE + "/billing-models/volume-tiered", tiers(CALLS, "volume"), 65000, "39"),
    used("pricing.volume.6", FLEXPRICE + "/billing-models/volume-tiered", tiers(CALLS, "volume"), 10000, "10"),
    used("pricing.volume.7", FLEXPRICE + "/billing-models/volume-tiered", tiers(CALLS, "volume"), 10001, "8.00"),
    used("pricing.volume.8", STRIPE, tiers(SEATS, "volume"), 6, "39.00"),
    used("pricing.volume.9", STRIPE, tiers(SEATS, "volume"), 20, "120.00"),
    used("pricing.volume.10", OPENMETER + "/tieredvolume_test.go", tiers(WHOLES, "volume"), 10, "150"),
    used("pricing.volume.11", OPENMETER + "/tieredvolume_test.go", tiers(WHOLES, "volume"), 0, None),
    used(
        "pricing.volume.12",
        OPENMETER + "/tieredvolume_test.go",
        tiers(WHOLES, "volume", flat_at_zero=True),
        0,
        "100",
        option="flat_at_zero",
    ),
    # graduated
    used("pricing.graduated.1", LAGO + "/graduated_service_spec.rb", tiers(STEPS), 10, "102"),
    used("pricing.graduated.2", LAGO + "/graduated_service_spec.rb", tiers(STEPS), 12, "115"),
    used("pricing.graduated.3", LAGO + "/graduated_service_spec.rb", tiers(STEPS), 20, "155"),
    used("pricing.graduated.4", LAGO + "/graduated_service_spec.rb", tiers(STEPS), "10.5", "107.50"),
    used("pricing.graduated.5", STRIPE, tiers(SEATS), 6, "41.50"),
    used("pricing.graduated.6", STRIPE, tiers(SEATS), 20, "127.50"),
    used("pricing.graduated.7", STRIPE, tiers(SEATS), 5, "35"),
    used("pricing.graduated.8", OPENMETER + "/tieredgraduated_test.go", tiers(FLATS), 7, "150"),
    used("pricing.graduated.9", OPENMETER + "/tieredgraduated_test.go", tiers(FLATS), 10, "150"),
    used(
        "pricing.graduated.10",
        OPENMETER + "/tieredgraduated_test.go",
        tiers(FLATS),
        {"quantity": "1", "before": "7"},
        None,
    ),
    used(
        "pricing.graduated.11",
        OPENMETER + "/tieredgraduated_test.go",
        capped("170", tiers(FLATS)),
        {"quantity": "10", "before": "12"},
        "10",
    ),
    used(
        "pricing.graduated.12",
        OPENMETER + "/tieredgraduated_test.go",
        commitment(tiers(FLATS), amount="1000"),
        {"quantity": "0", "before": "0"},
        "1000",
    ),
    used(
        "pricing.graduated.13",
        "Chargebee: docs, tiered pricing",
        tiers([["10", "10", "0"], [None, "8", "0"]]),
        15,
        "140",
    ),
    used(
        "pricing.graduated.14", "Orb: docs, tiered", tiers([["1000", "0", "0"], [None, "0.0015", "0"]]), 12345, "17.02"
    ),
    used("pricing.graduated.15", "Orb: docs, tiered, half a cent", tiers([[None, "0.005", "0"]]), 1, "0.01"),
    # blocks within tiers
    used(
        "pricing.blocks.1",
        "Kill Bill: invoice/usage/TestContiguousIntervalConsumableUsageInArrear",
        {
            "kind": "graduated",
            "tiers": [{"up_to": "1000", "unit_price": "1", "size": "100"}, {"unit_price": "0.5", "size": "1000"}],
        },
        1001,
        "10.50",
    ),
    used(
        "pricing.blocks.2",
        "OpenMeter: unitconfig_rating_test.go, tiers in converted units",
        {
            "kind": "graduated",
            "tiers": [{"up_to": "5000", "unit_price": "1", "size": "1000"}, {"unit_price": "0.5", "size": "1000"}],
        },
        7400,
        "6.50",
    ),
    # packages
    used("pricing.package.1", LAGO + "/package_service_spec.rb", package("10", "100"), 120, "1200"),
    used("pricing.package.2", LAGO + "/package_service_spec.rb", package("10", "100", free_units="10"), 10, None),
    used("pricing.package.3", LAGO + "/package_service_spec.rb", package("10", "100", free_units="10"), 11, "100"),
    used("pricing.package.4", LAGO + "/package_service_spec.rb", package("10", "100", free_units="125"), 121, None),
    used("pricing.package.5", OPENMETER + "/package_test.go", package("10", "15"), 1, "15"),
    used("pricing.package.6", OPENMETER + "/package_test.go", package("10", "15"), 11, "30"),
    used("pricing.package.7", STRIPE + ", transform_quantity round up", package("5", "10"), 8, "20"),
    used(
        "pricing.package.8",
        STRIPE + ", transform_quantity round down",
        package("5", "10", count="down"),
        8,
        "10",
        option="count down",
    ),
    used(
        "pricing.package.9",
        STRIPE + ", transform_quantity round down",
        package("5", "10", count="down"),
        4,
        None,
        option="count down",
    ),
    used("pricing.package.10", "Flexprice: seat buckets, divide_by 5", package("5", "100"), 23, "500"),
    used("pricing.package.11", "Orb: docs, package", package("1000", "0.35"), "2000.1", "1.05"),
    # one amount for a stair
    used(
        "pricing.stairs.1",
        FLEXPRICE + "/billing-models/package",
        {
            "kind": "stair_step",
            "stairs": [{"up_to": "1000", "amount": "50"}, {"up_to": "5000", "amount": "200"}, {"amount": "350"}],
        },
        4500,
        "200",
    ),
    used(
        "pricing.stairs.2",
        "Chargebee: docs, stairstep pricing",
        {
            "kind": "stair_step",
            "stairs": [{"up_to": "1000", "amount": "50"}, {"up_to": "5000", "amount": "200"}, {"amount": "350"}],
        },
        1000,
        "50",
    ),
    # percentages
    used("pricing.percentage.1", LAGO + "/percentage_service_spec.rb", percentage("0.029"), 4, "0.12"),
    used(
        "pricing.percentage.2",
        LAGO + "/percentage_service_spec.rb",
        percentage("0", per_event="2.00"),
        amounts("200", "200", "200", "200"),
        "8",
    ),
    used(
        "pricing.percentage.3",
        LAGO + "/percentage_service_spec.rb",
        {**PLUS_TWO, "free_amount": "250"},
        amounts("100", "100", "200", "400"),
        "11.15",
    ),
    used(
        "pricing.percentage.4",
        LAGO + "/percentage_service_spec.rb",
        {**PLUS_TWO, "free_events": 3},
        amounts("100", "100", "200", "400"),
        "7.20",
    ),
    used(
        "pricing.percentage.5",
        LAGO + "/percentage_service_spec.rb",
        {**PLUS_TWO, "free_amount": "500", "free_events": 3},
        amounts("100", "100", "200", "400"),
        "7.20",
    ),
    used(
        "pricing.percentage.6",
        LAGO + "/percentage_service_spec.rb",
        {**PLUS_TWO, "free_events": 5},
        amounts("100", "100", "200"),
        None,
    ),
    used(
        "pricing.percentage.7",
        "Lago: per transaction minimum 1.75 and maximum 12",
        percentage("0.0129", event_minimum="1.75", event_maximum="12"),
        amounts("100", "1000", "10000"),
        "25.75",
    ),
    used(
        "pricing.percentage.8",
        "Stripe: 2.9 % + 30 cents a charge",
        percentage("0.029", per_event="0.30"),
        amounts("10", "19.99", "250"),
        "9.02",
    ),
    used("pricing.percentage.9", "Orb: docs, percent", percentage("0.005", maximum="1000"), "350000", "1000"),
    used("pricing.percentage.10", "Orb: docs, percent", percentage("0.015"), "123.45", "1.85"),
    used(
        "pricing.percentage.11",
        "Lago docs: graduated percentage, transactions 500, 550, 4000",
        tiers([["1000", "0.01", "200"], ["10000", "0.02", "300"], [None, "0.03", "400"]]),
        "5050",
        "591",
    ),
    used(
        "pricing.percentage.12",
        "Lago: graduated_percentage_service_spec.rb, 21 of tiers to 10 and 20",
        tiers([["10", "0.01", "200"], ["20", "0.02", "300"], [None, "0.03", "400"]]),
        "21",
        "900.33",
    ),
)
