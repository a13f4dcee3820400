"""Usage that comes when its period is billed, as others carry it over, correct it, or refuse it."""

from __future__ import annotations

from typing import Any

from tests.cases.more.building import Json, Worked, fee, subscribed, tiers
from tests.cases.more.pricing import per_unit

ALL = "invoices.*.net"
TIERS = tiers([["100", "0.10", "0"], [None, "0.05", "0"]])


def event(on: str, value: str, came_on: str | None = None, event_id: str = "") -> Json:
    """An event at noon; came_on: when it came, if not in time."""
    told = {"meter_id": "m", "at": f"{on}T12:00:00Z", "value": value}
    return told | ({"came_on": came_on} if came_on else {}) | ({"id": event_id} if event_id else {})


def late(
    case_id: str, source: str, events: list[Json], expected: Json, through: str = "2026-04-01", **more: Any
) -> Worked:
    """A month of usage after the other from January on."""
    price, meter = more.pop("price", TIERS), {"id": "m", **more.pop("meter", {})}
    charged = fee(price, "u", meter_id="m", **more.pop("component", {}))
    billing = {"from": "2026-01-01", "through": through}
    document = subscribed(charged, {"started_on": "2026-01-01", **more.pop("subscription", {})}, billing, **more)
    return Worked(case_id, source, {**document, "usage": {"meters": [meter], "events": events}}, expected)


IN_TIME = [event("2026-01-05", "90"), event("2026-02-05", "10")]
LATE = event("2026-01-31", "30", "2026-02-03")

CASES: tuple[Worked, ...] = (
    late("usage.carried.1", "Orb, Metronome: the next invoice has the difference; 120 less the 90 that were billed",
         [*IN_TIME, LATE], {ALL: ["9", "3"], "invoices.1.lines.*.amount": ["1", "2"],
                            "invoices.1.lines.*.kind": ["charge", "late"]}),
    late("usage.carried.2", "m3ter: what comes before the bill is in it", [*IN_TIME, event("2026-01-31", "30",
         "2026-02-01")],
         {ALL: ["11", "1"]}),
    late("usage.carried.3", "Stripe: backfill of a month long past", [*IN_TIME, event("2026-01-31", "30",
         "2026-03-15")],
         {ALL: ["9", "1", "2"]}),
    late("usage.carried.4", "Orb: what brings a cheaper tier gives back",
         [event("2026-01-05", "10"), event("2026-01-06", "1", "2026-02-02")], {ALL: ["100", "-12"]},
         price=tiers([["10", "10", "0"], [None, "8", "0"]], "volume")),
    late("usage.carried.5", "any: a correction below zero comes late",
         [*IN_TIME, event("2026-01-31", "-40", "2026-02-03")], {ALL: ["9", "-3"]}),
    late("usage.carried.6", "CloudEvents: the same event again, late, changes nothing",
         [event("2026-01-05", "90", event_id="1"), event("2026-01-05", "90", "2026-02-03", event_id="1"),
          event("2026-02-05", "10")], {ALL: ["9", "1"]}),
    late("usage.carried.7", "Lago: an event sent again, corrected, where the last one counts",
         [event("2026-01-05", "90", event_id="1"), event("2026-01-05", "100", "2026-02-03", event_id="1")],
         {ALL: ["9", "1"]}, meter={"repeats": "last"}),
    late("usage.corrected.1", "Zuora: credit and rebill", [*IN_TIME, LATE],
         {ALL: ["9", "3"], "invoices.1.lines.*.amount": ["1", "-9", "11"]}, meter={"late": "correct"}),
    late("usage.rejected.1", "OpenMeter, Metronome: outside of the grace period it is refused, and told", [*IN_TIME,
         LATE],
         {ALL: ["9", "1"], "usage_rejected.*.value": ["30"]}, meter={"late": "reject"}),
    late("usage.level.1", "Lago: seats that are told late alter each month since",
         [event("2025-12-20", "2"), event("2025-12-25", "1", "2026-02-10")], {ALL: ["2", "4", "3"],
          "invoices.1.lines.*.amount": ["3", "1"]}, price=per_unit("1"), meter={"aggregation": "weighted",
          "carries": True}),
    late("usage.minimum.1", "Lago: late usage within the minimum that was paid costs nothing",
         [event("2026-01-05", "90"), event("2026-01-31", "30", "2026-02-03")], {ALL: ["20", "20", "20"]}, minimum="20"),
    late("usage.cumulative.1", "worked out by hand: late usage of tiers over a year, from where its month stood",
         [event("2026-01-05", "90"), event("2026-02-05", "20"), event("2026-02-20", "2", "2026-03-10"),
          event("2026-03-05", "20"), event("2026-01-31", "20", "2026-04-10")],
         {ALL: ["9", "1.50", "1.10", "1.50"]}, "2026-05-01", component={"cumulates": {"unit": "year"}}),
    late("usage.percentile.1", "worked out by hand: a late sample moves the percentile",
         [event("2026-01-05", "10"), event("2026-01-06", "20"), event("2026-01-07", "30", "2026-02-02")],
         {ALL: ["10", "10"]}, price=per_unit("1"), meter={"aggregation": "percentile", "percentile": "50"}),
    late("usage.ended.1", "any: late after the subscription has ended, and then asked for when something is due",
         [event("2026-01-05", "90"), event("2026-01-31", "30", "2026-02-03")], {ALL: ["9", "72"]}, "2026-03-01",
         subscription={"cancelled_on": "2026-02-01"}, items=[{"unit_price": "70", "on": "2026-03-01"}]),
)  # fmt: skip
