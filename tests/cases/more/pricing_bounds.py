"""Prices by properties, minimums, commitments, caps, allowances, ramps, small currencies."""

from __future__ import annotations

from tests.cases.more.building import Worked, fee, items, plan, subscribed, tiers, used
from tests.cases.more.pricing import (
    MATRIX,
    OPENMETER,
    SEATS,
    WHOLES,
    amounts,
    by,
    capped,
    commitment,
    package,
    per_unit,
)

CASES: tuple[Worked, ...] = (
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
