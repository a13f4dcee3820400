"""Changes that come late, several in one cycle, and what ends with a subscription; levels in a part of a month."""

from __future__ import annotations

from typing import Any

from tests.cases.more.building import Json, Worked, fee, monthly, plan, rate, subscribed, tiers
from tests.cases.more.examined import free
from tests.cases.more.metering import event
from tests.cases.more.pricing import per_unit
from tests.cases.more.proration import ALL, seats, to

LAGO = "Lago: upgrade_proration_spec.rb, a quarter in arrears"
CHARGEBEE = "Chargebee: backdated changes"
LATE: Json = {"came_on": "2026-02-05"}
DEAR: Json = {"a": "30", "b": "60", "c": "90"}


def cancel(on: str, **more: object) -> Json:
    return {"kind": "cancel", "effective_on": on, **more}


def pause(on: str, **more: object) -> Json:
    return {"kind": "pause", "effective_on": on, **more}


def resume(on: str, **more: object) -> Json:
    return {"kind": "resume", "effective_on": on, **more}


def late(case_id: str, source: str, nets: list[str], plans: Json, *changes: Json, **more: Any) -> Worked:
    """From the first of January 2026; nets: through `through`."""
    through = more.pop("through", "2026-02-05")
    return Worked(case_id, source, monthly(plans, "2026-01-01", through, *changes, **more), {ALL: nets})


def april(case_id: str, source: str, nets: list[str], *changes: Json, **more: Any) -> Worked:
    through, plans = more.pop("through", "2026-05-01"), more.pop("plans", DEAR)
    return Worked(case_id, source, monthly(plans, "2026-04-01", through, *changes, **more), {ALL: nets})


def used(*plans: Json, changes: list[Json], events: list[Json], through: str, meter: Json | None = None) -> Json:
    """Usage of the first plan from a January on, by events."""
    return {
        "billing": {"from": "2026-01-01", "through": through},
        "plans": list(plans),
        "subscriptions": [{"plan": plans[0]["id"], "started_on": "2026-01-01", "changes": changes}],
        "usage": {"meters": [{"id": "m", **(meter or {})}], "events": events},
    }


def metered(plan_id: str, price: Json) -> Json:
    return plan(plan_id, fee(price, "u", meter_id="m"))


def level(price: Json, sold: Json, *events: Json, frm: str = "2026-04-01", **more: Any) -> Json:
    """A level that goes on, priced by the month; sold: the subscription but for its plan."""
    component = fee(price, "u", meter_id="m", **more.pop("component", {}))
    meter = {"id": "m", "aggregation": "weighted", "carries": True, **more.pop("meter", {})}
    return {
        "billing": {"from": frm, "through": more.pop("through", "2026-05-01")},
        "plans": [plan("a", component), metered("b", per_unit("12"))],
        "subscriptions": [{"plan": "a", "started_on": frm, **sold}],
        "usage": {"meters": [meter], "events": list(events)},
    }


ARREARS: Json = {"a": fee("455", timing="arrears"), "b": fee("910", timing="arrears")}
HALF: Json = {"cancelled_on": "2026-04-16"}
SIX = event("2026-03-20T00:00:00Z", "6")
TENS = [event("2026-01-10T00:00:00Z", "10"), event("2026-01-15T00:00:00Z", "10"), event("2026-01-25T00:00:00Z", "7")]
TAXES: Json = {"rates": [rate("16", until_on="2026-02-01"), rate("19", from_on="2026-02-01")]}

CASES: tuple[Worked, ...] = (
    # told after the next period was billed
    late("changes.late.1", CHARGEBEE + ", an upgrade of 21 January, told on 5 February", ["31", "31", "42", "62"],
         {"a": "31", "b": "62"}, to("b", "2026-01-21", **LATE), through="2026-03-01"),
    late("changes.late.2", CHARGEBEE + ", a cancellation", ["31", "31", "-42"], {"a": "31"},
         cancel("2026-01-21", **LATE)),
    late("changes.late.3", "Lago: two upgrades that are told in the other order", ["31", "31", "76", "4"],
         {"a": "31", "b": "62", "c": "93"}, to("c", "2026-01-25", came_on="2026-02-03"), to("b", "2026-01-21", **LATE)),
    late("changes.late.4", "Zuora: a pause that is told when it is over", ["31", "31", "-10"], {"a": "31"},
         pause("2026-01-11", **LATE), resume("2026-01-21", **LATE)),
    late("changes.late.5", "Stripe: a downgrade told late, with 10 % off for ever", ["55.80", "55.80", "-37.80"],
         {"a": "62", "b": "31"}, to("b", "2026-01-21", **LATE), coupons=[{"percent": "10"}]),
    late("changes.late.6", "Chargebee: seats told late, and fewer of them after", ["31", "31", "84", "-23.25"],
         {"a": fee(per_unit("31"), "seats")}, seats("2026-01-21", "3", **LATE), seats("2026-02-08", "2"),
         subscription={"quantities": {"seats": "1"}}, through="2026-02-10"),
    Worked("changes.late.7", "Directive 2006/112/EC, article 90: what comes back bears the taxes of then",
           monthly({"a": "31"}, "2026-01-01", "2026-02-05", cancel("2026-01-21", **LATE), taxes=TAXES),
           {"invoices.*.tax": ["4.96", "5.89", "-7.65"]}),
    Worked("changes.late.8", "Lago: usage of days that turn out to be another plan's",
           used(metered("a", per_unit("1")), metered("b", per_unit("2")), changes=[to("b", "2026-01-21", **LATE)],
                events=[TENS[0], event("2026-01-25T00:00:00Z", "10")], through="2026-02-05"), {ALL: ["20", "10"]}),
    Worked("changes.late.9", "Lago: an end told late gives back the usage after it and leaves that before alone",
           used(metered("a", per_unit("1")), metered("b", per_unit("2")),
                changes=[to("b", "2026-01-11"), cancel("2026-01-21", **LATE)], events=TENS, through="2026-02-05"),
           {ALL: ["44", "-14"], "invoices.1.lines.*.amount": ["20", "-34"]}),
    Worked("changes.late.10", LAGO + ", ended on 20 June, told in July",
           monthly(ARREARS, "2024-01-15", "2024-10-15", to("b", "2024-05-20"), cancel("2024-06-21",
                   came_on="2024-07-20"), cycle_unit="quarter"),
           {ALL: ["455", "735", "-240"], "invoices.2.lines.*.amount": ["320", "-560"]}),
    # what ran up on earlier terms of the period is due when the subscription ends
    Worked("changes.closing.1", LAGO + ", 35 days of the cheaper plan and 32 of the other",
           monthly(ARREARS, "2024-01-15", "2024-07-15", to("b", "2024-05-20"), cancel("2024-06-21"),
                   cycle_unit="quarter"), {ALL: ["455", "495"], "invoices.1.lines.*.amount": ["175", "320"]}),
    Worked("changes.closing.2", "Lago: usage of both plans, when the second is ended",
           used(metered("a", per_unit("1")), metered("b", per_unit("2")),
                changes=[to("b", "2026-01-11"), cancel("2026-01-21")], events=TENS, through="2026-02-01"),
           {ALL: ["30"], "invoices.0.issued_on": "2026-01-21"}),
    Worked("changes.closing.3", "any: or when another cycle begins",
           {**monthly({"a": fee("30", timing="arrears"), "b": fee("60", timing="arrears")}, "2026-04-01", "2026-05-21",
                      to("b", "2026-04-11"), to("b", "2026-04-21", reset_cycle=True))},
           {ALL: ["30", "60"], "invoices.*.issued_on": ["2026-04-21", "2026-05-21"]}),
    Worked("changes.closing.4", "any: a total of a month that is billed in parts says of which days it is",
           {**used(metered("a", per_unit("1")), metered("b", per_unit("2")), changes=[to("b", "2026-01-11")], events=[],
                   through="2026-02-01"), "usage": {"totals": [{"meter_id": "m", "quantity": "10"}]}},
           {"refused": "usage_straddles_period"}),
    # several in one cycle
    april("changes.cycle.1", "any: there and back", ["30", "20", "-10", "30"], to("b", "2026-04-11"),
          to("a", "2026-04-21")),
    april("changes.cycle.2", "any: four plans in a month", ["30", "25", "20", "-20", "30"], to("b", "2026-04-06"),
          to("c", "2026-04-11"), to("a", "2026-04-21")),
    april("changes.cycle.3", "any: an upgrade, then the end", ["30", "20", "-20"], to("b", "2026-04-11"),
          cancel("2026-04-21")),
    april("changes.cycle.4", "any: an upgrade while paused costs nothing until it goes on", ["30", "-20", "20", "60"],
          pause("2026-04-11"), to("b", "2026-04-16"), resume("2026-04-21")),
    april("changes.cycle.5", "Kill Bill: the billing day moves from the 1st to the 15th", ["30", "14", "30"],
          to("a", "2026-04-15", reset_cycle=True), through="2026-05-15"),
    april("changes.cycle.6", "any: paused from a day until a day of the next month", ["30", "-10", "20.32", "30"],
          pause("2026-04-21"), resume("2026-05-11"), through="2026-06-01"),
    april("changes.cycle.7", "Stripe: seats to none and back", ["60", "-40", "10", "30"], seats("2026-04-11", "0"),
          seats("2026-04-21", "1"), plans={"a": fee(per_unit("30"), "seats")},
          subscription={"quantities": {"seats": "2"}}),
    april("changes.cycle.8", "Chargebee: more seats and another plan on one day", ["20", "40"], to("b", "2026-04-16"),
          seats("2026-04-16", "5"), plans={"a": fee(per_unit("10"), "seats"), "b": fee(per_unit("20"), "seats")},
          subscription={"quantities": {"seats": "2"}}, through="2026-04-16"),
    april("changes.cycle.9", "Stripe: twelve seats at the price of many, then nine at that of few",
          ["96", "-3", "90"], seats("2026-04-16", "9"), subscription={"quantities": {"seats": "12"}},
          plans={"a": fee(tiers([["10", "10", "0"], [None, "8", "0"]], "volume"), "seats")}),
    Worked("changes.cycle.10", "Meteroid: proration.rs, a component altered, one gone and one new",
           {"billing": {"from": "2025-04-01", "through": "2025-04-16"},
            "plans": [plan("a", fee("100", "base"), fee("30", "y")), plan("b", fee("200", "base"), fee("50", "x"))],
            "subscriptions": [{"plan": "a", "started_on": "2025-04-01", "changes": [to("b", "2025-04-16")]}]},
           {ALL: ["130", "60"], "invoices.1.lines.*.amount": ["-50", "100", "25", "-15"]}),
    Worked("changes.cycle.11", "Kill Bill: TestDoubleProRation, 14 of 31 days, a month, 12 of 28",
           subscribed(fee("310"), {"started_on": "2011-01-01", "anchor_day": 15, "cancelled_on": "2011-02-27"},
                      {"from": "2011-01-01", "through": "2011-02-27"}), {ALL: ["140", "310", "132.86"]}),
    # a level is averaged over the full period, of which a short one is a part
    Worked("metering.level.1", "Lago: weighted_sum, charges_duration; a level of 5 at 10, from the 16th at 12",
           level(per_unit("10"), {"changes": [to("b", "2026-04-16")]}, event("2026-03-20T00:00:00Z", "5")),
           {ALL: ["55"], "invoices.0.lines.*.quantity": ["2.5", "2.5"]}),
    Worked("metering.level.2", "Lago: … begun on the 16th, by the calendar",
           level(per_unit("10"), {"alignment": "calendar"}, SIX, frm="2026-04-16"), {ALL: ["30"]}),
    Worked("metering.level.3", "any: in the parts of a period as much as in the whole",
           level(per_unit("10"), {"changes": [to("b", "2026-04-11"), to("a", "2026-04-21"), to("b", "2026-04-26")]},
                 SIX), {ALL: ["66"]}),
    Worked("metering.level.4", "any: an allowance shrinks with it", level(free("4", per_unit("10")), HALF, SIX),
           {ALL: ["10"]}),
    Worked("metering.level.5", "Lago: tiers are of what counts: five of ten in half of a month",
           level(tiers([["4", "10", "0"], [None, "5", "0"]]), HALF, event("2026-03-20T00:00:00Z", "10")),
           {ALL: ["45"]}),
    Worked("metering.level.6", "any: a price that is not prorated is for any part of a period",
           level(per_unit("10"), HALF, SIX, component={"prorate": False}), {ALL: ["60"]}),
    Worked("metering.level.7", "Lago: a rise told late, of a short month",
           level(per_unit("30"), {"alignment": "calendar"}, event("2026-04-10T00:00:00Z", "2"),
                 {**event("2026-04-21T00:00:00Z", "3"), "came_on": "2026-05-03"}, frm="2026-04-16",
                 through="2026-06-01"), {ALL: ["30", "180"]}),
    Worked("metering.level.8", "Amazon S3: what is stored each day, on average, in half of a month",
           level(per_unit("10"), HALF, *[event(f"2026-04-{day:02}T10:00:00Z", "10") for day in range(1, 16)],
                 meter={"aggregation": "max", "per": "day", "of_windows": "average", "carries": False}),
           {ALL: ["50"]}),
)  # fmt: skip
