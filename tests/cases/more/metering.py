"""Meters: what events come to."""

from __future__ import annotations

from typing import Any

from tests.cases.more.building import Json, Worked, fee, subscribed, tiers

LAGO = "Lago: spec/services/billable_metrics"
FLEXPRICE = "Flexprice: docs/product-catalogue/features/aggregation"


def metered(
    case_id: str, source: str, meter: Json, events: list[Json], quantity: str, amount: str | None = None, **more: Any
) -> Worked:
    """A month of events of the meter `m`, at 1 a unit but where a price is told."""
    price = more.pop("price", {"kind": "per_unit", "unit_price": "1"})
    month = more.pop("month", "2024-01-01")
    through = more.pop("on", "2024-02-01")
    usage = {"meters": [{"id": "m", **meter}], "events": events, **more.pop("usage", {})}
    option = more.pop("option", "")
    charged = fee(price, "usage", meter_id="m")
    document = {**subscribed(charged, {"started_on": month}, {"on": through}, usage=usage), **more}
    if amount is None and quantity == "0":
        return Worked(case_id, source, document, {"invoices": []}, option)
    expected = {"invoices.0.lines.0.quantity": quantity} | ({"invoices.0.net": amount} if amount else {})
    return Worked(case_id, source, document, expected, option)


def event(at: str, value: str = "1", event_id: str = "", **properties: str) -> Json:
    named = {"id": event_id} if event_id else {}
    return {"meter_id": "m", "at": at, "value": value, "properties": properties, **named}


RESPONSES = [event(f"2024-01-15T10:{5 * n:02}:00Z", v) for n, v in enumerate(["10", "20", "30", "40", "-1", "0"])]
GIGABYTES = [
    event("2024-01-15T07:30:00Z", "8"),
    event("2024-01-15T07:45:00Z", "4"),
    event("2024-01-15T08:15:00Z", "10"),
    event("2024-01-15T08:30:00Z", "5"),
    event("2024-01-15T08:45:00Z", "9"),
]
LEVELS = [
    event("2024-01-15T10:00:00Z", "1"),
    event("2024-01-15T12:00:00Z", "2"),
    event("2024-01-15T09:00:00Z", "3"),
    event("2024-01-15T14:00:00Z", "4"),
]
VIEWS = [event("2022-03-16T00:00:00Z", "10", user="1234"), event("2022-03-17T00:00:00Z", "20", user="1234")]
MARCH = {"month": "2022-03-01", "on": "2022-04-01"}

CASES: tuple[Worked, ...] = (
    metered("metering.sum.1", "Lago docs: aggregation examples", {}, VIEWS, "30", **MARCH),
    metered("metering.count.1", "Lago docs: aggregation examples", {"aggregation": "count"}, VIEWS, "2", **MARCH),
    metered("metering.max.1", "Lago docs: aggregation examples", {"aggregation": "max"}, VIEWS, "20", **MARCH),
    metered(
        "metering.unique.1",
        "Lago docs: aggregation examples",
        {"aggregation": "unique", "unique_by": "user"},
        VIEWS,
        "1",
        **MARCH,
    ),
    metered("metering.average.1", FLEXPRICE + "/average", {"aggregation": "average"}, RESPONSES, "16.5"),
    metered("metering.min.1", "OpenMeter: meter aggregations", {"aggregation": "min"}, RESPONSES[:4], "10"),
    metered("metering.latest.1", FLEXPRICE + "/latest, out of order", {"aggregation": "latest"}, LEVELS, "4"),
    metered(
        "metering.latest.2",
        "Lago: a level goes on where nothing is told",
        {"aggregation": "latest", "carries": True},
        [event("2023-12-31T10:00:00Z", "7")],
        "7",
    ),
    metered(
        "metering.latest.3",
        "Lago: metered, not recurring",
        {"aggregation": "latest"},
        [event("2023-12-31T10:00:00Z", "7")],
        "0",
    ),
    metered(
        "metering.windows.1",
        FLEXPRICE + "/max, by the hour",
        {"aggregation": "max", "per": "hour"},
        GIGABYTES,
        "18",
        "34",
        price=tiers([["5", "0", "0"], ["10", "2", "0"], [None, "3", "0"]]),
    ),
    metered(
        "metering.windows.2",
        FLEXPRICE + "/max, by the hour and resource",
        {"aggregation": "max", "per": "hour"},
        [
            event("2024-01-15T10:00:00Z", "10", resource="a"),
            event("2024-01-15T10:30:00Z", "20", resource="b"),
            event("2024-01-15T11:15:00Z", "15", resource="a"),
        ],
        "45",
        price={
            "kind": "matrix",
            "dimensions": ["resource"],
            "cells": [],
            "other": {"kind": "per_unit", "unit_price": "1"},
        },
    ),
    metered(
        "metering.windows.3",
        FLEXPRICE + "/max, without groups",
        {"aggregation": "max", "per": "day"},
        [*GIGABYTES, event("2024-01-16T00:00:00Z", "3")],
        "13",
    ),
    metered(
        "metering.windows.4",
        "Metronome: daily distinct users, added up",
        {"aggregation": "unique", "unique_by": "user", "per": "day"},
        [
            event("2024-01-01T10:00:00Z", user="a"),
            event("2024-01-01T11:00:00Z", user="b"),
            event("2024-01-02T10:00:00Z", user="a"),
        ],
        "3",
    ),
    metered(
        "metering.windows.5",
        "any: the hour that clocks repeat is two",
        {"aggregation": "max", "per": "hour"},
        [event("2024-10-27T00:30:00Z", "5"), event("2024-10-27T01:30:00Z", "7")],
        "12",
        month="2024-10-01",
        on="2024-11-01",
        account={"time_zone": "Europe/Berlin"},
    ),
    metered(
        "metering.factor.1",
        FLEXPRICE + "/sum-with-multiplier, the last of an id counts",
        {"factor": "0.001"},
        [
            event("2024-01-15T10:00:00Z", "1000", "1"),
            event("2024-01-15T10:05:00Z", "2500", "2"),
            event("2024-01-15T10:10:00Z", "1500", "3"),
            event("2024-01-15T10:15:00Z", "800", "1"),
        ],
        "4.8",
        "4.80",
        usage={"duplicates": "last"},
        option="duplicates last",
    ),
    metered(
        "metering.duplicates.1",
        "OpenMeter: CloudEvents are told apart by source and id, the first counts",
        {},
        [event("2024-01-15T10:00:00Z", "1000", "1"), event("2024-01-15T10:15:00Z", "800", "1")],
        "1000",
    ),
    metered(
        "metering.duplicates.2",
        "CloudEvents 1.0: one id of two sources is two events",
        {},
        [event("2024-01-15T10:00:00Z", "1", "1"), {**event("2024-01-15T10:00:00Z", "1", "1"), "source": "other"}],
        "2",
    ),
    metered(
        "metering.rounding.1",
        "Lago: rounding function of a metric, 9.725 to two digits",
        {"rounding": "half_up", "digits": 2},
        [event("2024-01-15T10:00:00Z", "9.725")],
        "9.73",
    ),
    metered(
        "metering.rounding.2",
        "OpenMeter: unit config, 1400 by the thousand rounded up",
        {"factor": "0.001", "rounding": "up"},
        [event("2024-01-15T10:00:00Z", "1400")],
        "2",
    ),
    metered(
        "metering.corrections.1",
        "Stripe, Orb: a correction is an event below zero",
        {},
        [event("2024-01-15T10:00:00Z", "10"), event("2024-01-16T10:00:00Z", "-4")],
        "6",
    ),
    metered(
        "metering.filters.1",
        "Lago: charge filters; OpenMeter: meter filters",
        {"filters": {"region": ["eu", "us"], "tier": ["gold"]}},
        [
            event("2024-01-15T10:00:00Z", "1", region="eu", tier="gold"),
            event("2024-01-15T10:00:00Z", "10", region="us", tier="gold"),
            event("2024-01-15T10:00:00Z", "100", region="asia", tier="gold"),
            event("2024-01-15T10:00:00Z", "1000", region="eu"),
        ],
        "11",
    ),
    metered(
        "metering.boundary.1",
        "Kill Bill: the instant of a boundary belongs to the later period",
        {},
        [
            event("2024-01-01T00:00:00Z", "1"),
            event("2024-01-31T23:59:59.999Z", "10"),
            event("2024-02-01T00:00:00Z", "100"),
        ],
        "11",
    ),
    metered(
        "metering.boundary.2",
        "Kill Bill: TestInArrearUsagePST, days of the account",
        {},
        [event("2024-01-01T07:59:59Z", "1"), event("2024-01-01T08:00:00Z", "10"), event("2024-02-01T07:59:59Z", "100")],
        "110",
        account={"time_zone": "America/Los_Angeles"},
    ),
    metered(
        "metering.boundary.3",
        "Flexprice: customers in India, UTC+5:30",
        {},
        [event("2024-03-31T18:29:59Z", "1"), event("2024-03-31T18:30:00Z", "10")],
        "1",
        month="2024-03-15",
        on="2024-04-01",
        account={"time_zone": "Asia/Kolkata"},
        subscriptions=[{"plan": "p", "started_on": "2024-03-15", "alignment": "calendar"}],
    ),
    metered(
        "metering.weighted.1",
        "Lago docs: weighted sum, 10 for half of a month of 30 days",
        {"aggregation": "weighted"},
        [event("2024-06-16T00:00:00Z", "10")],
        "5",
        month="2024-06-01",
        on="2024-07-01",
    ),
    metered(
        "metering.weighted.2",
        LAGO + "/aggregations/weighted_sum_service_spec.rb, a level from before",
        {"aggregation": "weighted", "carries": True},
        [event("2024-05-20T00:00:00Z", "8"), event("2024-06-16T00:00:00Z", "-6")],
        "5",
        month="2024-05-01",
        on="2024-07-01",
        billing={"dates": ["2024-05-01", "2024-07-01"]},
        subscriptions=[{"plan": "p", "started_on": "2024-06-01"}],
    ),
    metered(
        "metering.weighted.3",
        "any: a month with a clock change has an hour less",
        {"aggregation": "weighted"},
        [event("2024-03-31T21:00:00Z", "743")],
        "1",
        month="2024-03-01",
        on="2024-04-01",
        account={"time_zone": "Europe/Berlin"},
    ),
    metered(
        "metering.days.1",
        "Lago: changelog, recurring count; a user from September 15",
        {"aggregation": "weighted", "whole_days": True},
        [event("2022-09-15T13:00:00Z", "1")],
        "0.533333333333",
        month="2022-09-01",
        on="2022-10-01",
    ),
    metered(
        "metering.days.2",
        "Lago: changelog, recurring count; removed on October 22, which counts",
        {"aggregation": "weighted", "whole_days": True, "carries": True},
        [event("2022-09-15T13:00:00Z", "31"), event("2022-10-22T09:00:00Z", "-31")],
        "22",
        month="2022-10-01",
        on="2022-11-01",
    ),
    metered(
        "metering.days.3",
        LAGO + "/prorated_aggregations/sum_service_spec.rb",
        {"aggregation": "weighted", "whole_days": True, "carries": True},
        [event("2023-04-10T00:00:00Z", "5"), event("2023-05-26T00:00:00Z", "12"), event("2023-05-26T00:00:00Z", "12")],
        "9.645161290323",
        month="2023-05-01",
        on="2023-06-01",
    ),
    metered(
        "metering.days.4",
        "Lago: prorated unique count, added and removed on one day",
        {"aggregation": "weighted", "whole_days": True},
        [event("2023-06-10T08:00:00Z", "1"), event("2023-06-10T18:00:00Z", "-1")],
        "0.033333333333",
        month="2023-06-01",
        on="2023-07-01",
    ),
    metered(
        "metering.time_of_day.1",
        "Flexprice: time-of-day buckets; the producer tells the band",
        {},
        [event("2024-01-15T09:00:00Z", "6000", band="peak"), event("2024-01-15T23:00:00Z", "1000", band="night")],
        "7000",
        "750",
        price={
            "kind": "matrix",
            "dimensions": ["band"],
            "cells": [
                {
                    "values": ["peak"],
                    "price": {
                        "kind": "commitment",
                        "amount": "500",
                        "overage_factor": "1.5",
                        "price": {"kind": "per_unit", "unit_price": "0.10"},
                    },
                },
                {
                    "values": ["night"],
                    "price": {
                        "kind": "commitment",
                        "amount": "100",
                        "price": {"kind": "per_unit", "unit_price": "0.04"},
                    },
                },
            ],
        },
    ),
)
