"""Prices of usage: tiers, packages, percentages, matrices, minimums, allowances, ramps."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, fee, items, plan, subscribed, tiers, used

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
    # dynamic prices, matrices
    used(
        "pricing.dynamic.1",
        OPENMETER + "/dynamic_test.go",
        capped("100", per_unit("1.33333")),
        {"quantity": "50", "before": "70"},
        "6.67",
    ),
    used("pricing.dynamic.2", OPENMETER + "/dynamic_test.go", commitment(per_unit("1.33333"), amount="100"), 0, "100"),
    used("pricing.dynamic.3", "Lago: dynamic price by event", per_unit("1"), amounts("10.25", "3.5", "0.333"), "14.08"),
    used(
        "pricing.matrix.1",
        "Orb: docs, matrix; Lago: charge filters",
        MATRIX,
        {},
        "43.50",
        usage=by(visa="10", amex="13", other="3"),
        expected={"invoices.0.lines.0.quantity": "26"},
    ),
    used("pricing.matrix.2", "Lago: charge filters, none of the named", MATRIX, {}, "6", usage=by(jcb="2")),
    used(
        "pricing.matrix.3",
        "Zuora: docs, multi-attribute pricing",
        {
            "kind": "matrix",
            "dimensions": ["region", "class"],
            "cells": [
                {"values": ["eu", "large"], "price": tiers([["100", "0.40", "0"], [None, "0.35", "0"]])},
                {"values": ["eu", "small"], "price": per_unit("0.10")},
            ],
        },
        {},
        "60.50",
        usage={
            "totals": [
                {"meter_id": "m", "quantity": "150", "properties": {"region": "eu", "class": "large"}},
                {"meter_id": "m", "quantity": "30", "properties": {"region": "eu", "class": "small"}},
            ]
        },
    ),
    used(
        "pricing.matrix.4",
        "any: usage that no cell prices is set aside, not given away",
        {"kind": "matrix", "dimensions": ["what"], "cells": [{"values": ["a"], "price": per_unit("1")}]},
        {},
        None,
        usage=by(b="2"),
        expected={"refused": "no_price_for"},
    ),
    # minimums, commitments, caps
    used(
        "pricing.commitment.1",
        "Flexprice: reservation, 700 of 500 units at 2, factor 1.5",
        commitment(per_unit("2"), units="500", overage_factor="1.5"),
        700,
        "1600",
    ),
    used(
        "pricing.commitment.2",
        "Flexprice: reservation, 300 of 500 units",
        commitment(per_unit("2"), units="500", overage_factor="1.5"),
        300,
        "1000",
    ),
    used(
        "pricing.commitment.3",
        "Flexprice: reservation without true-up",
        commitment(per_unit("2"), units="500", overage_factor="1.5", true_up=False),
        300,
        "600",
        option="true_up false",
    ),
    used(
        "pricing.commitment.4",
        "Flexprice: time-of-day buckets, 09:00",
        commitment(per_unit("0.10"), amount="500", overage_factor="1.5"),
        6000,
        "650",
    ),
    used(
        "pricing.commitment.5",
        "Flexprice: time-of-day buckets, 14:00",
        commitment(per_unit("0.10"), amount="500", overage_factor="1.5"),
        5000,
        "500",
    ),
    used(
        "pricing.commitment.6",
        "Flexprice: overage at a discount",
        commitment(per_unit("1"), amount="1000", overage_factor="0.8"),
        1500,
        "1400",
    ),
    used(
        "pricing.commitment.7",
        "Flexprice: windowed commitment, hours of 15, 6 and 10 units",
        {
            "kind": "matrix",
            "dimensions": ["what"],
            "cells": [],
            "other": commitment(per_unit("2"), units="10", overage_factor="1.5"),
        },
        {},
        "75",
        usage=by(one="15", two="6", three="10"),
    ),
    used("pricing.minimum.1", OPENMETER + "/unit_test.go", per_unit("10"), 0, "100", plan={"minimum": "100"}),
    used(
        "pricing.minimum.2",
        OPENMETER + "/tieredvolume_test.go",
        tiers(WHOLES, "volume", flat_at_zero=True),
        0,
        "150",
        plan={"minimum": "150"},
        option="flat_at_zero",
    ),
    used(
        "pricing.minimum.3",
        OPENMETER + "/tieredvolume_test.go",
        tiers(WHOLES, "volume"),
        100,
        "500",
        plan={"minimum": "100"},
    ),
    used(
        "pricing.minimum.4",
        "Lago: minimum spending with filters, 25 of 28 days",
        per_unit("10"),
        7,
        "89.29",
        plan={"minimum": "100"},
        billing={"on": "2023-02-26"},
        subscriptions=[{"plan": "p", "started_on": "2023-02-01", "cancelled_on": "2023-02-26"}],
    ),
    used(
        "pricing.maximum.1",
        OPENMETER + "/unit_test.go",
        capped("100", per_unit("10")),
        {"quantity": "5", "before": "7"},
        "30",
    ),
    used("pricing.maximum.2", OPENMETER + "/unit_test.go", capped("100", per_unit("10")), 10, "100"),
    used("pricing.maximum.3", OPENMETER + "/unit_test.go", capped("100", per_unit("10")), 11, "100"),
    # allowances and ramps
    used(
        "pricing.included.1",
        "Autumn: docs, included usage then overage",
        {"kind": "included", "units": "1000", "overage": package("1000", "5")},
        2500,
        "10",
    ),
    used(
        "pricing.included.2",
        "Autumn: docs, included usage",
        {"kind": "included", "units": "1000", "overage": per_unit("0.01")},
        1000,
        None,
    ),
    used(
        "pricing.included.3",
        "OpenMeter: usage discount of half a unit",
        {"kind": "included", "units": "0.5", "overage": per_unit("10")},
        2,
        "15",
    ),
    used(
        "pricing.included.4",
        "Recurly: docs, free units before tiers",
        {"kind": "included", "units": "10", "overage": tiers(SEATS)},
        16,
        "41.50",
    ),
    Worked(
        "pricing.included.5",
        "Recurly, Autumn: what is left of an allowance goes on to the next period",
        absent="an allowance ends with its period; prepaid credit is what lasts",
    ),
    Worked(
        "pricing.ramp.1",
        "Zuora: docs, ramp deals; Metronome: scheduled rates",
        subscribed(
            fee(
                {
                    "kind": "ramp",
                    "steps": [
                        {"from_cycle": 0, "price": {"kind": "flat", "amount": "100"}},
                        {"from_cycle": 2, "price": {"kind": "flat", "amount": "150"}},
                    ],
                }
            ),
            {"started_on": "2026-01-01"},
            {"from": "2026-01-01", "through": "2026-04-01"},
        ),
        {"invoices.*.net": ["100", "100", "150", "150"]},
    ),
    Worked(
        "pricing.ramp.2",
        "Chargebee: docs, ramps of quantity",
        subscribed(
            fee(per_unit("10"), "seats"),
            {
                "started_on": "2026-01-01",
                "quantities": {"seats": "5"},
                "changes": [{"kind": "quantity", "effective_on": "2026-02-01", "quantities": {"seats": "8"}}],
            },
            {"from": "2026-01-01", "through": "2026-03-01"},
        ),
        {"invoices.*.net": ["50", "80", "80"]},
    ),
    Worked(
        "pricing.progressive.1",
        "Lago: progressive_billing_spec.rb, thresholds 20 and 50 on usage of 10 a unit",
        {
            **subscribed(
                fee(per_unit("10"), "usage", meter_id="m"), {"started_on": "2026-01-01"}, {"on": "2026-02-01"}
            ),
            "usage": {"totals": [{"meter_id": "m", "quantity": "7", "before": "5"}]},
        },
        {"invoices.*.net": ["70"]},
    ),
    Worked(
        "pricing.consumable.1",
        "Kill Bill: tutorial consumable in arrear, second month without usage",
        {
            **subscribed(
                [fee("30", timing="arrears"), fee(tiers([["5", "2", "0"], [None, "1", "0"]]), "usage", meter_id="m")],
                {"started_on": "2026-01-01"},
                {"from": "2026-01-01", "through": "2026-03-01"},
            ),
            "usage": {"totals": [{"meter_id": "m", "quantity": "5", "from": "2026-01-01", "until": "2026-02-01"}]},
        },
        {"invoices.*.net": ["40", "30"]},
    ),
    Worked(
        "pricing.minor_units.1",
        "Stripe: docs, zero-decimal currencies; Lago: JPY",
        items({"unit_price": "1234.5"}, currency="JPY", taxes={"rates": [{"percent": "10"}]}),
        {"invoices.0.net": "1235", "invoices.0.tax": "124", "invoices.0.total": "1359"},
    ),
    Worked(
        "pricing.minor_units.2",
        "Stripe: docs, three-decimal currencies",
        items({"unit_price": "0.0335", "quantity": "3"}, currency="KWD", taxes={"rates": [{"percent": "5"}]}),
        {"invoices.0.net": "0.101", "invoices.0.tax": "0.005", "invoices.0.total": "0.106"},
    ),
    Worked(
        "pricing.minor_units.3",
        "ISO 4217: KWD, a third of a month",
        subscribed(
            fee("10.000"), {"started_on": "2026-04-21", "alignment": "calendar"}, {"on": "2026-04-21"}, currency="KWD"
        ),
        {"invoices.0.net": "3.333"},
    ),
    Worked(
        "pricing.rounding.1",
        "Zuora: rounding mode half even",
        {
            **subscribed(
                fee(per_unit("0.005"), "usage", meter_id="m"), {"started_on": "2026-01-01"}, {"on": "2026-02-01"}
            ),
            "plans": [plan("p", fee(per_unit("0.005"), "usage", meter_id="m"), rounding="half_even")],
            "usage": {"totals": [{"meter_id": "m", "quantity": "25"}]},
        },
        {"invoices.*.net": ["0.12"]},
        option="rounding half_even",
    ),
)
