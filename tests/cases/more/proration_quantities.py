"""Quantities that change, pauses, ends, changes known late or to the second, add-ons."""

from __future__ import annotations

from tests.cases.more.building import Worked, fee, monthly, plan, rate, subscribed
from tests.cases.more.proration import ALL, FLEXPRICE, KILL_BILL, SEATS, STRIPE, seats, to

CASES: tuple[Worked, ...] = (
    # quantities
    Worked(
        "proration.seats.1",
        FLEXPRICE + "/seat-based-pricing, 25 to 40",
        monthly(
            {"p": SEATS},
            "2026-07-01",
            "2026-07-31",
            seats("2026-07-11", "40"),
            subscription={"quantities": {"seats": "25"}},
        ),
        {"invoices.1.lines.*.amount": ["-338.71", "541.94"], "invoices.1.net": "203.23"},
    ),
    Worked(
        "proration.seats.2",
        FLEXPRICE + "/seat-based-pricing, 40 to 25",
        monthly(
            {"p": SEATS},
            "2026-07-01",
            "2026-07-31",
            seats("2026-07-11", "25"),
            subscription={"quantities": {"seats": "40"}},
        ),
        {"invoices.1.net": "-203.23"},
    ),
    Worked(
        "proration.seats.3",
        "Stripe: one seat more halfway",
        monthly(
            {"p": SEATS},
            "2026-04-01",
            "2026-04-30",
            {"kind": "quantity", "effective_on": "2026-04-16", "added": {"seats": "1"}},
        ),
        {ALL: ["20", "10"]},
    ),
    Worked(
        "proration.seats.4",
        "Chargebee: up and down again in a month",
        monthly({"p": SEATS}, "2026-04-01", "2026-05-01", seats("2026-04-11", "3"), seats("2026-04-21", "2")),
        {ALL: ["20", "26.67", "-6.67", "40"]},
    ),
    Worked(
        "proration.seats.5",
        "Lago: pay_in_advance_units_change_spec.rb, not prorated",
        monthly(
            {"p": fee({"kind": "per_unit", "unit_price": "10"}, "seats", prorate=False)},
            "2026-01-01",
            "2026-02-01",
            seats("2026-01-06", "5"),
            seats("2026-01-11", "15"),
            subscription={"quantities": {"seats": "10"}},
        ),
        {ALL: ["100", "50", "150"]},
    ),
    Worked(
        "proration.seats.6",
        "Stripe: tiers of seats, prorated at the price of the whole",
        monthly(
            {
                "p": fee(
                    {
                        "kind": "graduated",
                        "tiers": [
                            {"up_to": "5", "unit_price": "7"},
                            {"up_to": "10", "unit_price": "6.50"},
                            {"unit_price": "6"},
                        ],
                    },
                    "seats",
                )
            },
            "2026-04-01",
            "2026-04-30",
            seats("2026-04-16", "12"),
            subscription={"quantities": {"seats": "6"}},
        ),
        {ALL: ["41.50", "19.00"]},
    ),
    Worked(
        "proration.seats.7",
        "any: in arrears each part at its own quantity",
        monthly({"p": {**SEATS, "timing": "arrears"}}, "2026-04-01", "2026-05-01", seats("2026-04-11", "4")),
        {ALL: ["60.00"], "invoices.0.lines.*.amount": ["6.67", "53.33"]},
    ),
    # pause, resume, cancel
    Worked(
        "proration.pause.1",
        "Kill Bill: ten days of blocked billing",
        monthly(
            {"p": fee("30")},
            "2026-04-01",
            "2026-05-01",
            {"kind": "pause", "effective_on": "2026-04-11"},
            {"kind": "resume", "effective_on": "2026-04-21"},
        ),
        {ALL: ["30", "-20", "10", "30"]},
    ),
    Worked(
        "proration.pause.2",
        "Recurly: paused from the next period",
        monthly(
            {"p": fee("30")},
            "2026-04-01",
            "2026-07-01",
            {"kind": "pause", "effective_on": "2026-04-11", "credit": "none"},
            {"kind": "resume", "effective_on": "2026-06-01"},
        ),
        {ALL: ["30", "30", "30"], "invoices.*.issued_on": ["2026-04-01", "2026-06-01", "2026-07-01"]},
    ),
    Worked(
        "proration.cancel.1",
        "Stripe: at the end of the period",
        monthly(
            {"p": fee("30")},
            "2026-04-01",
            "2026-07-01",
            {"kind": "cancel", "effective_on": "2026-04-11", "credit": "none"},
        ),
        {ALL: ["30"], "subscriptions.0.status": "ended"},
    ),
    Worked(
        "proration.cancel.2",
        "Lago: terminate with a credit note, tax of 20 %",
        monthly(
            {"p": fee("50")},
            "2023-02-01",
            "2023-02-28",
            {"kind": "cancel", "effective_on": "2023-02-26"},
            taxes={"rates": [rate("20")]},
        ),
        {"invoices.1.net": "-5.36", "invoices.1.tax": "-1.07", "invoices.1.total": "-6.43"},
    ),
    Worked(
        "proration.cancel.3",
        KILL_BILL + ", testRepairWithFullRemainingItemAdjustment",
        {
            "billing": {"from": "2013-08-18", "through": "2013-09-17"},
            "plans": [plan("y", fee("2399.95"), cycle_unit="year")],
            "subscriptions": [
                {"plan": "y", "started_on": "2013-08-18", "changes": [{"kind": "cancel", "effective_on": "2013-09-17"}]}
            ],
        },
        {ALL: ["2399.95", "-2202.69"]},
    ),
    Worked(
        "proration.cancel.4",
        "any: on the day it starts all comes to nothing",
        monthly({"p": fee("30")}, "2026-04-01", "2026-05-01", {"kind": "cancel", "effective_on": "2026-04-01"}),
        {ALL: []},
    ),
    Worked(
        "proration.cancel.5",
        "Lago: in arrears the last days are charged",
        monthly(
            {"p": fee("910", timing="arrears")},
            "2024-04-01",
            "2024-06-30",
            {"kind": "cancel", "effective_on": "2024-06-21"},
            cycle_unit="quarter",
        ),
        {ALL: ["810"]},
    ),
    Worked(
        "proration.cancel.6",
        "Kill Bill: without credit, fees that are not prorated stay",
        monthly(
            {"p": fee("30", prorate=False)},
            "2026-04-01",
            "2026-05-01",
            {"kind": "cancel", "effective_on": "2026-04-11"},
        ),
        {ALL: ["30"]},
    ),
    # known late, and to the second
    Worked(
        "proration.backdated.1",
        "Chargebee: a change that is told after the next invoice",
        monthly({"old": fee("31"), "new": fee("62")}, "2026-01-01", "2026-02-05", to("new", "2026-01-21"))
        | {"billing": {"dates": ["2026-01-01", "2026-02-05"]}},
        {ALL: ["31", "73"]},
    ),
    Worked(
        "proration.second.1",
        STRIPE + ", 10 days and 12 hours left of 31 days",
        monthly(
            {"old": fee("310"), "new": fee("620")},
            "2026-01-01",
            "2026-01-31",
            {"kind": "plan", "plan": "new", "effective_at": "2026-01-21T12:00:00Z"},
            day_count="second",
        ),
        {"invoices.1.lines.*.amount": ["-105", "210"]},
        option="day_count second",
    ),
    Worked(
        "proration.second.2",
        "Stripe: to the second in a month of 743 hours",
        monthly(
            {"old": fee("743"), "new": fee("1486")},
            "2026-03-01",
            "2026-03-31",
            {"kind": "plan", "plan": "new", "effective_at": "2026-03-29T10:00:00Z"},
            day_count="second",
            account={"time_zone": "Europe/Berlin"},
        ),
        {"invoices.1.lines.*.amount": ["-60", "120"]},
        option="day_count second",
    ),
    Worked(
        "proration.second.3",
        "Stripe: twice in a day, to the second",
        monthly(
            {"a": fee("720"), "b": fee("1440"), "c": fee("2160")},
            "2026-04-01",
            "2026-04-30",
            {"kind": "plan", "plan": "b", "effective_at": "2026-04-30T06:00:00Z"},
            {"kind": "plan", "plan": "c", "effective_at": "2026-04-30T18:00:00Z"},
            day_count="second",
        ),
        {"totals.net": "744"},
        option="day_count second",
    ),
    # add-ons and one-time charges
    Worked(
        "proration.addon.1",
        "Chargebee: an add-on within the month, ended with it",
        {
            "billing": {"from": "2026-04-01", "through": "2026-05-01"},
            "plans": [plan("p", fee("30")), plan("addon", fee("9"))],
            "subscriptions": [
                {"plan": "p", "started_on": "2026-04-01"},
                {"plan": "addon", "started_on": "2026-04-16", "anchor_on": "2026-04-01"},
            ],
        },
        {ALL: ["30", "4.50", "39"]},
    ),
    Worked(
        "proration.onetime.1",
        "Meteroid: one-time charges are never prorated",
        subscribed(
            [fee("100", "setup", kind="one_time"), fee("31")],
            {"started_on": "2026-01-22", "alignment": "calendar"},
            {"from": "2026-01-22", "through": "2026-02-01"},
        ),
        {ALL: ["110", "31"]},
    ),
    Worked(
        "proration.minimum.1",
        "Lago: commitments/minimum/on_termination_spec.rb, in days",
        {
            **subscribed(
                fee({"kind": "per_unit", "unit_price": "1"}, "usage", meter_id="m"),
                {"started_on": "2026-04-01", "cancelled_on": "2026-04-11"},
                {"on": "2026-04-11"},
                minimum="90",
            ),
            "usage": {"totals": [{"meter_id": "m", "quantity": "12"}]},
        },
        {ALL: ["30"]},
    ),
    Worked(
        "proration.included.1",
        "Zuora: included units in 17 of 31 days",
        {
            **subscribed(
                fee(
                    {"kind": "included", "units": "62", "overage": {"kind": "per_unit", "unit_price": "1"}},
                    "usage",
                    meter_id="m",
                ),
                {"started_on": "2026-01-15", "alignment": "calendar"},
                {"on": "2026-02-01"},
            ),
            "usage": {"totals": [{"meter_id": "m", "quantity": "40"}]},
        },
        {ALL: ["6"]},
    ),
)
