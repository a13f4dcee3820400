"""Cases as somebody would write them who has the schema and other systems' documentation, and nothing else of Saldo."""

from __future__ import annotations

from typing import Any

from tests.cases.more.building import Json, Worked, fee, items, monthly, plan, rate, subscribed, tiers, used
from tests.cases.more.metering import event
from tests.cases.more.pricing import MATRIX, by, commitment, package, per_unit
from tests.cases.more.proration import ALL, SEATS, seats, to

AWS = "AWS: price pages"
KILL_BILL = "Kill Bill: beatrix integration tests"
APRIL: Json = {"started_on": "2026-04-01"}
THROUGH_MAY: Json = {"from": "2026-04-01", "through": "2026-05-01"}
CALENDAR: Json = {"alignment": "calendar"}


def free(units: str, overage: Json) -> Json:
    return {"kind": "included", "units": units, "overage": overage}


def covered(amount: str, overage: Json) -> Json:
    return {"kind": "included", "amount": amount, "overage": overage}


def half_months(case_id: str, source: str, terms: Json, through: str, dates: list[str]) -> Worked:
    billing = {"from": terms["started_on"], "through": through}
    document = subscribed(fee("10"), terms, billing, cycle_unit="half_month")
    return Worked(case_id, source, document, {"invoices.*.lines.0.from": dates})


def stub(case_id: str, source: str, day_count: str, start: str, anchor: str, amount: str, expected: str) -> Worked:
    """The part of a period from its start to the anchor."""
    sold, on = {"started_on": start, "anchor_on": anchor}, {"on": start}
    return Worked(case_id, source, subscribed(fee(amount), sold, on, day_count=day_count), {ALL: [expected]}, day_count)


def upgraded(case_id: str, source: str, nets: list[str], *changes: Json, **more: Any) -> Worked:
    """A fee of 30, that of another plan 60, through the first of July."""
    return Worked(
        case_id, source, monthly({"a": "30", "b": "60"}, "2026-04-01", "2026-07-01", *changes, **more), {ALL: nets}
    )


UP = to("b", "2026-04-16")
HALF: Json = {"id": "half", "percent": "50"}
TIERS_OF_ZUORA = tiers([["10", "2", "0"], ["20", "3", "0"], [None, "5", "0"]])
STORAGE = tiers([["51200", "0.023", "0"], ["512000", "0.022", "0"], [None, "0.021", "0"]])
PLACED: Json = {
    **MATRIX,
    "cells": [{"values": ["visa"], "price": per_unit("1")}, {"values": ["amex"], "price": per_unit("2")}],
}

CASES: tuple[Worked, ...] = (
    # price pages
    used("pricing.pages.1", AWS + ", S3 Standard, 600 TB in a month", STORAGE, 614400, "13465.60"),
    used("pricing.pages.2", AWS + ", Lambda, 3 million requests of which one is free",
         free("1000000", per_unit("0.0000002")), 3000000, "0.40"),
    used("pricing.pages.3", AWS + ", Lambda, 540,000 GB-seconds of which 400,000 are free",
         free("400000", per_unit("0.0000166667")), 540000, "2.33"),
    used("pricing.pages.4", "Google Cloud Storage: class A operations, 0.05 per 10,000 in part",
         package("10000", "0.05", whole=False), 127350, "0.64", option="packages in part"),
    used("pricing.pages.5", "Google Cloud Storage: the same by begun packages", package("10000", "0.05"), 127350,
         "0.65"),
    used("pricing.pages.6", "Zuora: rating by billing period, 10 at 2 and 5 at 3", TIERS_OF_ZUORA, 15, "35"),
    used("pricing.pages.7", "Zuora: rating by billing period, five more of the same", TIERS_OF_ZUORA,
         {"quantity": "5", "before": "15"}, "15"),
    used("pricing.pages.8", "Stripe: graduated, free units, then a flat fee once", tiers([["10", "0", "0"], [None,
         "1", "5"]]),
         11, "6"),
    used("pricing.package.12", "a third of three, in part, rounded once", package("3", "10", whole=False), 4, "13.33",
         option="packages in part"),
    used("pricing.package.14", "worked out by hand: half a cent exactly, of thirds",
         package("3", "0.015", whole=False), 1, "0.01", option="packages in part"),
    used("pricing.package.15", "worked out by hand: a cent exactly, where what is less is dropped",
         package("3", "0.03", whole=False), 1, "0.01", plan={"rounding": "down"}, option="packages in part"),
    used("pricing.package.13", "in part after free units", package("4", "10", free_units="2", whole=False), 5, "7.50",
         option="packages in part"),
    # allowances of money, of combinations, of events
    used("pricing.included.6", "Metronome, Orb: a prepaid commit of 1,000, 2,600 units at 0.50", covered("1000",
         per_unit("0.5")),
         2600, "300"),
    used("pricing.included.7", "Metronome: overage of a commit at another rate",
         covered("1000", commitment(per_unit("0.5"), amount="1000", overage_factor="1.5")), 2600, "450"),
    used("pricing.included.8", "Metronome: a commit that is not used up", covered("1000", per_unit("0.5")), 1000, None),
    used("pricing.included.9", "Orb: a commit in half of a month", covered("310", per_unit("1")), 200, "50",
         subscriptions=[{"plan": "p", "started_on": "2026-01-17", **CALENDAR}]),
    used("pricing.included.10", "Orb: matrix with allocation; cells use it up as they are listed", free("12", PLACED),
         {},
         "25", usage=by(visa="10", amex="13", other="1")),
    used("pricing.included.11", "Lago: the first three are free, then by event",
         free("250", {"kind": "percentage", "rate": "0.01", "per_event": "0.10"}),
         {"amounts": ["100", "200", "400"]}, "4.70"),
    used("pricing.included.12", "Salesforce: 4,000 texts prorated over 17 of 31 days", free("4000", per_unit("1")),
         {}, "806.45",
         billing={"on": "2025-08-20"}, subscriptions=[{"plan": "p", "started_on": "2025-08-03",
         "anchor_on": "2025-07-20"}],
         usage={"totals": [{"meter_id": "m", "quantity": "3000"}]}),
    # cycles
    half_months("calendar.half_month.1", "payrolls: the 1st and the 16th", {"started_on": "2026-01-20", **CALENDAR},
                "2026-03-16", ["2026-01-20", "2026-02-01", "2026-02-16", "2026-03-01", "2026-03-16"]),
    half_months("calendar.half_month.2", "payrolls: the 15th and the 30th, or the end of February",
                {"started_on": "2026-01-15"},
                "2026-03-30", ["2026-01-15", "2026-01-30", "2026-02-15", "2026-02-28", "2026-03-15", "2026-03-30"]),
    half_months("calendar.half_month.3", "payrolls: the 16th and the last", {"started_on": "2026-01-31"}, "2026-03-31",
                ["2026-01-31", "2026-02-16", "2026-02-28", "2026-03-16", "2026-03-31"]),
    Worked("proration.half_month.1", "twelve days of the sixteen of a second half",
           subscribed(fee("100"), {"started_on": "2026-01-20", **CALENDAR}, {"on": "2026-01-20"},
           cycle_unit="half_month"),
           {ALL: ["75"]}),
    Worked("calendar.weeks.2", "Kill Bill: weeks over a clock change, to the second",
           subscribed(fee("7"), {"started_on": "2026-03-25"}, {"from": "2026-03-25", "through": "2026-04-08"},
                      cycle_unit="week", day_count="second", account={"time_zone": "Europe/Berlin"}),
           {ALL: ["7", "7", "7"]}),
    Worked("calendar.weeks.3", "Lago: calendar fortnights begin on a Monday, the first in part",
           subscribed(fee("14"), {"started_on": "2026-01-07", **CALENDAR}, {"from": "2026-01-07",
           "through": "2026-01-26"},
                      cycle_unit="week", cycle_count=2),
           {ALL: ["5", "14", "14"]}),
    Worked("calendar.weeks.4", "Zuora: specific day of the week, three days to the first",
           subscribed(fee("7"), {"started_on": "2026-01-07", "anchor_on": "2026-01-10"},
                      {"from": "2026-01-07", "through": "2026-01-17"}, cycle_unit="week"),
           {ALL: ["3", "7", "7"]}),
    Worked("calendar.days.2", "Maxio: every ten days, whatever the calendar",
           subscribed(fee("7"), {"started_on": "2026-01-07"}, {"from": "2026-01-07", "through": "2026-01-27"},
                      cycle_unit="day", cycle_count=10),
           {"invoices.*.issued_on": ["2026-01-07", "2026-01-17", "2026-01-27"]}),
    Worked("calendar.leap.1", "Stripe: every two years from a leap day",
           subscribed(fee("366"), {"started_on": "2024-02-29"}, {"from": "2024-02-29", "through": "2032-02-29"},
                      cycle_unit="year", cycle_count=2),
           {"invoices.*.issued_on": ["2024-02-29", "2026-02-28", "2028-02-29", "2030-02-28", "2032-02-29"]}),
    Worked("pricing.ramp.3", "Zuora: three years of ramp from a leap day",
           subscribed(fee({"kind": "ramp", "steps": [
               {"from_cycle": n, "price": {"kind": "flat", "amount": a}} for n, a in enumerate(("1000", "1500",
               "2000"))]}),
               {"started_on": "2024-02-29"}, {"from": "2024-02-29", "through": "2027-02-28"}, cycle_unit="year"),
           {ALL: ["1000", "1500", "2000", "2000"]}),
    Worked("pricing.ramp.4", "Salesforce: 5 % a year at each renewal",
           subscribed(fee("1000"), {"started_on": "2024-02-29", "term": {"unit": "year", "uplift_percent": "5"}},
                      {"from": "2024-02-29", "through": "2026-02-28"}, cycle_unit="year"),
           {ALL: ["1000", "1050", "1102.50"]}),
    # counts of days
    stub("proration.thirty.1", "Zuora: strict 30/360; the 31st adds nothing", "30_360", "2026-01-31", "2026-01-15",
         "360", "168"),
    stub("proration.thirty.2", "30/360 US (NASD), from a 31st to the 15th", "30_360_us", "2026-01-31", "2026-01-15",
         "360",
         "180"),
    stub("proration.thirty.3", "30E/360 (ISDA), from a 31st to the 15th", "30_360_eu", "2026-01-31", "2026-01-15",
         "360", "180"),
    stub("proration.thirty.4", "30/360 US: 28 February is a 30th where a period begins on it", "30_360_us",
         "2026-02-28",
         "2026-02-15", "360", "180"),
    stub("proration.thirty.5", "30E/360: 28 February is a 28th", "30_360_eu", "2026-02-28", "2026-02-15", "360", "204"),
    stub("proration.thirty.6", "30/360 US: to a 31st after a 15th are 16 days", "30_360_us", "2026-03-15",
         "2026-03-31", "360",
         "192"),
    stub("proration.thirty.7", "30E/360: to a 31st after a 15th are 15 days, of 32 since 28 February", "30_360_eu",
         "2026-03-15", "2026-03-31", "360",
         "168.75"),
    Worked("proration.thirty.8", "Zuora: a yearly price by months of 30 days is twelfths, whenever a month begins",
           subscribed(fee("120", priced_per="year"), {"started_on": "2026-01-31"},
                      {"from": "2026-01-31", "through": "2026-03-31"}, day_count="30_360"),
           {ALL: ["10", "10", "10"]}, "day_count 30_360"),
    Worked("proration.partial.1", "Oracle: 15 January to 10 April 2019, 27 of 31 days in the end",
           subscribed(fee("100"), {"started_on": "2019-01-15", "cancelled_on": "2019-04-11"},
                      {"from": "2019-01-15", "through": "2019-04-10"}),
           {ALL: ["100", "100", "87.10"]}),
    Worked("proration.partial.2", "Google Cloud Marketplace: monthly instalments, prorated at both ends",
           subscribed(fee("100"), {"started_on": "2026-04-15", "cancelled_on": "2026-07-15", **CALENDAR},
                      {"from": "2026-04-15", "through": "2026-07-15"}),
           {ALL: ["53.33", "100", "100", "45.16"]}),
    Worked("proration.partial.3", "Google Cloud Marketplace: monthly instalments, not prorated",
           subscribed(fee("100"), {"started_on": "2026-04-15", "cancelled_on": "2026-07-15"},
                      {"from": "2026-04-15", "through": "2026-07-15"}),
           {ALL: ["100", "100", "100"]}),
    Worked("proration.partial.4", "Chargebee: packages of seats in a short month",
           subscribed(fee(package("5", "50"), "seats"), {"started_on": "2026-01-17", "quantities": {"seats": "12"},
           **CALENDAR},
                      {"on": "2026-01-17"}),
           {ALL: ["72.58"]}),
    Worked("proration.partial.5", "Stripe: JPY has no cents", subscribed(
        fee("1000"), {"started_on": "2026-04-21", **CALENDAR}, {"on": "2026-04-21"}, currency="JPY"), {ALL: ["333"]}),
    Worked("proration.partial.6", "Recurly: a price with its tax, half of a month",
           subscribed(fee("119", tax_inclusive=True), {"started_on": "2026-04-16", **CALENDAR}, {"on": "2026-04-16"},
                      taxes={"rates": [rate("19")]}),
           {"invoices.0.net": "50", "invoices.0.tax": "9.50", "invoices.0.total": "59.50"}),
    # changes
    upgraded("proration.change.1", "Kill Bill: there and back within a day, to the second",
             ["30", "0.50", "30", "30", "30"], {"kind": "plan", "plan": "b", "effective_at": "2026-04-11T06:00:00Z"},
             {"kind": "plan", "plan": "a", "effective_at": "2026-04-11T18:00:00Z"}, day_count="second"),
    upgraded("proration.change.2", "any: paused and resumed on one day", ["30", "30", "30", "30"],
             {"kind": "pause", "effective_on": "2026-04-11"}, {"kind": "resume", "effective_on": "2026-04-11"}),
    upgraded("proration.change.3", "Chargebee: paused over the end of a month", ["30", "-15", "15.48", "30", "30"],
             {"kind": "pause", "effective_on": "2026-04-16"}, {"kind": "resume", "effective_on": "2026-05-16"}),
    upgraded("proration.change.4", "Stripe: from a month end, half of February", ["30", "15", "60", "60"],
             to("b", "2026-02-14"), billing={"from": "2026-01-31", "through": "2026-03-31"},
             subscription={"started_on": "2026-01-31"}),
    Worked("proration.seats.8", "Zuora: a quantity changed twice in a day, the last holds",
           monthly({"p": SEATS}, "2026-04-01", "2026-05-01",
                   {"kind": "quantity", "effective_at": "2026-04-11T08:00:00Z", "quantities": {"seats": "5"}},
                   {"kind": "quantity", "effective_at": "2026-04-11T18:00:00Z", "quantities": {"seats": "3"}},
                   subscription={"quantities": {"seats": "2"}}),
           {ALL: ["40", "13.33", "60"]}),
    Worked("proration.seats.9", "Stripe: the same to the second, 472 hours of three more, 462 of two fewer",
           monthly({"p": fee(per_unit("720"), "seats")}, "2026-04-01", "2026-04-30",
                   {"kind": "quantity", "effective_at": "2026-04-11T08:00:00Z", "quantities": {"seats": "5"}},
                   {"kind": "quantity", "effective_at": "2026-04-11T18:00:00Z", "quantities": {"seats": "3"}},
                   subscription={"quantities": {"seats": "2"}}, day_count="second"),
           {ALL: ["1440", "492"]}),
    Worked("proration.seats.10", "Chargebee: added and taken away three times in a day",
           monthly({"p": SEATS}, "2026-04-01", "2026-04-30", *(
               {"kind": "quantity", "effective_on": "2026-04-11", "added": {"seats": n}} for n in ("2", "2", "-1"))),
           {ALL: ["20", "40"]}),
    Worked("proration.seats.11", "Stripe: volume tiers of seats, more of them at less",
           monthly({"p": fee(tiers([["5", "10", "0"], [None, "8", "0"]], "volume"), "seats")}, "2026-04-01",
           "2026-04-30",
                   seats("2026-04-16", "10"), subscription={"quantities": {"seats": "4"}}),
           {ALL: ["40", "20"]}),
    Worked("proration.cycle.8", "Stripe: yearly to monthly within the year, 275 of 365 days back",
           {"billing": {"from": "2026-01-01", "through": "2026-05-01"},
            "plans": [plan("y", fee("1200"), cycle_unit="year"), plan("m", fee("120"))],
            "subscriptions": [{"plan": "y", "started_on": "2026-01-01", "changes": [to("m", "2026-04-01")]}]},
           {ALL: ["1200", "-784.11", "120"], "invoices.2.payable": "0"}),
    Worked("proration.onetime.2", "Chargebee: a setup fee of the plan moved to is due once",
           {**monthly({"a": "30"}, "2026-04-01", "2026-05-01", UP),
            "plans": [plan("a", fee("30")), plan("b", fee("60"), fee("99", "setup", kind="one_time"))]},
           {ALL: ["30", "114", "60"]}),
    Worked("proration.arrears.1", "Lago: in arrears, each half at its own price, when the month is over",
           monthly({"a": fee("30", timing="arrears"), "b": fee("60", timing="arrears")}, "2026-04-01", "2026-05-01",
           UP),
           {ALL: ["45"]}),
    Worked("proration.cancel.7", "Kill Bill: usage is charged as the fee comes back",
           {**subscribed([fee("30"), fee(per_unit("1"), "u", meter_id="m")],
                         {**APRIL, "changes": [{"kind": "cancel", "effective_on": "2026-04-16"}]}, THROUGH_MAY),
            "usage": {"totals": [{"meter_id": "m", "quantity": "7"}]}},
           {ALL: ["30", "-8"]}),
    Worked("proration.cancel.8", "Kill Bill: to the second over a clock change, 72 of 167 hours back",
           subscribed(fee("7"), {"started_on": "2015-03-05", "changes": [
               {"kind": "cancel", "effective_at": "2015-03-09T07:00:00Z"}]}, {"from": "2015-03-05",
               "through": "2015-03-12"},
               cycle_unit="week", day_count="second", account={"time_zone": "America/Los_Angeles"}),
           {ALL: ["7", "-3.02"]}),
    Worked("proration.cancel.9", "Stripe: cancelled in the trial, nothing is charged",
           subscribed(fee("31"), {"started_on": "2026-01-05", "trial_days": 14, **CALENDAR, "changes": [
               {"kind": "cancel", "effective_on": "2026-01-10"}]}, {"from": "2026-01-05", "through": "2026-03-01"}),
           {ALL: []}),
    Worked("proration.cancel.10", "any: before it starts is refused, and which field it is",
           subscribed(fee("31"), {**APRIL, "changes": [{"kind": "cancel", "effective_on": "2026-03-31"}]}, THROUGH_MAY),
           {"refused": "invalid_input"}),
    Worked("proration.trial.1", "Lago: a trial that ends within a calendar month, converts in part",
           subscribed(fee("31"), {"started_on": "2026-01-05", "trial_days": 14, **CALENDAR},
                      {"from": "2026-01-05", "through": "2026-02-01"}),
           {ALL: ["13", "31"]}),
    # coupons over changes
    upgraded("coupons.months.1", "Stripe: half off for three months, an upgrade within them", ["15", "7.50", "30",
             "30", "60"], UP,
             coupons=[{**HALF, "from_on": "2026-04-01", "until_on": "2026-07-01"}]),
    upgraded("coupons.months.2", "Recurly: half off three invoices, of which the upgrade is one", ["15", "7.50", "30",
             "60", "60"],
             UP, coupons=[{**HALF, "duration": "repeating", "times": 3}]),
    upgraded("coupons.once.2", "Stripe: half off once; what comes back is what was paid", ["15", "22.50", "60", "60",
             "60"], UP,
             coupons=[{**HALF, "duration": "once"}]),
    upgraded("coupons.once.3",
             "Lago: a coupon larger than the invoice, cancelled: nothing was paid, nothing comes back",
             ["0", "0"], {"kind": "cancel", "effective_on": "2026-04-16"}, coupons=[{"amount": "50",
             "duration": "once"}]),
    Worked("coupons.tax.3", "Stripe: 20 % off, tax of 19 %, half of the month comes back",
           monthly({"a": "100"}, "2026-04-01", "2026-05-01", {"kind": "cancel", "effective_on": "2026-04-16"},
                   coupons=[{"percent": "20"}], taxes={"rates": [rate("19")]}),
           {"invoices.*.total": ["95.20", "-47.60"]}),
    Worked("coupons.order.3", "Chargebee: three of them, each of what is left", items("100", coupons=[
        {"percent": "10"}, {"amount": "5"}, {"percent": "50"}]), {"invoices.0.net": "42.50"}),
    # minimums with all the rest
    used("pricing.minimum.5", "Orb: a minimum, paid in part from prepaid credit", per_unit("1"), 40, "100",
         plan={"minimum": "100"}, prepaid_credits=[{"amount": "70"}], expected={"invoices.0.payable": "30"}),
    used("pricing.minimum.6", "Orb: a discount is off what the minimum makes of it", per_unit("1"), 40, "90",
         plan={"minimum": "100"}, coupons=[{"percent": "10"}]),
    used("pricing.minimum.7", "Lago: what is sold once does not count towards it", per_unit("1"), 40, "170",
         plan={"minimum": "100"}, items=[{"unit_price": "70"}]),
    Worked("pricing.minimum.8", "Lago: another minimum from the middle of the month, each for its days",
           {"billing": THROUGH_MAY,
            "plans": [plan(p, fee(per_unit("1"), "u", meter_id="m"), minimum=m) for p, m in (("a", "60"), ("b",
            "120"))],
            "subscriptions": [{"plan": "a", **APRIL, "changes": [UP]}],
            "usage": {"totals": [{"meter_id": "m", "quantity": "10", "from": "2026-04-01", "until": "2026-04-16"},
                                 {"meter_id": "m", "quantity": "20", "from": "2026-04-16", "until": "2026-05-01"}]}},
           {ALL: ["90"], "invoices.0.lines.*.amount": ["10", "20", "20", "40"]}),
    Worked("pricing.minimum.9", "Zuora: a fee paid ahead counts, credit notes pay",
           {**subscribed([fee("100"), fee(per_unit("1"), "u", meter_id="m")], APRIL, THROUGH_MAY, minimum="200",
                         credit_note_balance="50"),
            "usage": {"totals": [{"meter_id": "m", "quantity": "20"}]}},
           {ALL: ["100", "200"], "invoices.*.payable": ["50", "200"]}),
    # edges of usage
    Worked("metering.boundary.4", "any: the last microsecond before a day with 23 hours ends",
           subscribed(fee(per_unit("1"), "u", meter_id="m"), {"started_on": "2026-03-01"}, {"on": "2026-03-30"},
                      cycle_unit="day", cycle_count=29, account={"time_zone": "Europe/Berlin"},
                      usage={"meters": [{"id": "m"}], "events": [
                          event("2026-03-29T21:59:59.999999Z", "1"), event("2026-03-29T22:00:00Z", "10")]}),
           {ALL: ["1"]}),
    Worked("metering.subscriptions.1", "Lago: two subscriptions of one plan, each with its own total",
           {"billing": {"on": "2026-02-01"}, "plans": [plan("p", fee(per_unit("1"), "u", meter_id="m"))],
            "subscriptions": [{"plan": "p", "started_on": "2026-01-01"}] * 2,
            "usage": {"totals": [{"meter_id": "m", "subscription": f"sub_{n}", "quantity": q}
                                 for n, q in ((1, "5"), (2, "7"))]}},
           {"invoices.0.lines.*.amount": ["5", "7"]}),
    used("pricing.rounding.2", "Stripe: the line is rounded once, not each unit", per_unit("0.005"), 3, "0.02"),
)  # fmt: skip
