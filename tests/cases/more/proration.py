"""Parts of periods, and moves from plan to plan."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, fee, monthly, plan, subscribed

STRIPE = "Stripe: docs, prorations"
LAGO = "Lago: spec/scenarios/subscriptions"
KILL_BILL = "Kill Bill: beatrix integration tests"
ZUORA = "Zuora: docs, proration"
FLEXPRICE = "Flexprice: docs/subscriptions"
SEATS: Json = fee({"kind": "per_unit", "unit_price": "20"}, "seats")
ALL = "invoices.*.net"


def to(name: str, on: str, **more: object) -> Json:
    return {"kind": "plan", "plan": name, "effective_on": on, **more}


def seats(on: str, count: str, **more: object) -> Json:
    return {"kind": "quantity", "effective_on": on, "quantities": {"seats": count}, **more}


def stub(
    case_id: str, source: str, amount: str, on: str, expected: str, day_count: str = "actual", **more: object
) -> Worked:
    """The first, short period of a calendar month."""
    document = subscribed(
        fee(amount), {"started_on": on, "alignment": "calendar", **more}, {"on": on}, day_count=day_count
    )
    return Worked(
        case_id, source, document, {ALL: [expected]}, "" if day_count == "actual" else f"day_count {day_count}"
    )


def both(old: str, new: str, cycle: str = "month") -> list[Json]:
    return [plan(name, fee(a), cycle_unit=cycle) for name, a in (("old", old), ("new", new))]


CASES: tuple[Worked, ...] = (
    # short first periods
    stub("proration.stub.1", "Lago: billing_monthly_spec.rb, March 5", "50000", "2024-03-05", "43548.39"),
    stub("proration.stub.2", LAGO + "/multiple_upgrade_spec.rb", "10", "2024-03-05", "8.71"),
    stub("proration.stub.3", "Chargebee: docs, calendar billing", "30", "2026-02-15", "15.00"),
    stub("proration.stub.4", "any: the last day of a month", "31", "2026-01-31", "1.00"),
    stub("proration.stub.5", "any: the last day of a leap February", "29", "2024-02-29", "1.00"),
    stub("proration.stub.6", ZUORA + ", actual days over 30", "300", "2026-01-02", "300", "actual_over_30"),
    stub("proration.stub.7", ZUORA + ", actual days over 30", "300", "2026-02-15", "140", "actual_over_30"),
    stub("proration.stub.8", ZUORA + ", strict 30 days", "300", "2026-02-15", "160", "30_360"),
    stub("proration.stub.9", ZUORA + ", strict 30 days in a month of 31", "300", "2026-01-16", "150", "30_360"),
    stub("proration.stub.10", "Kill Bill: fixed proration of 30 days", "30", "2026-01-16", "16.00", "fixed_30"),
    Worked(
        "proration.stub.11",
        "Stripe: to the second, with an hour less in March",
        subscribed(
            fee("743"),
            {"started_on": "2026-03-29", "alignment": "calendar"},
            {"on": "2026-03-29"},
            day_count="second",
            account={"time_zone": "Europe/Berlin"},
        ),
        {ALL: ["71"]},
        "day_count second",
    ),
    Worked(
        "proration.stub.12",
        "Recurly: docs, a quarter that begins late",
        subscribed(
            fee("90"), {"started_on": "2026-02-15", "alignment": "calendar"}, {"on": "2026-02-15"}, cycle_unit="quarter"
        ),
        {ALL: ["45"], "invoices.0.lines.0.share": {"days": 45, "of": 90}},
    ),
    Worked(
        "proration.stub.13",
        "Lago: a trial within a calendar month",
        subscribed(
            fee("100000"),
            {"started_on": "2024-03-05", "trial_days": 13, "alignment": "calendar"},
            {"from": "2024-03-05", "through": "2024-04-01"},
        ),
        {ALL: ["45161.29", "100000"]},
    ),
    # upgrades and downgrades
    Worked(
        "proration.upgrade.1",
        FLEXPRICE + "/understanding-proration, monthly",
        monthly({"old": fee("50"), "new": fee("100")}, "2026-04-01", "2026-04-30", to("new", "2026-04-11")),
        {"invoices.1.lines.*.amount": ["-33.33", "66.67"], "invoices.1.net": "33.34"},
    ),
    Worked(
        "proration.upgrade.2",
        FLEXPRICE + "/understanding-proration, net first",
        monthly(
            {"old": fee("50"), "new": fee("100")},
            "2026-04-01",
            "2026-04-30",
            to("new", "2026-04-11"),
            options={"change_legs": "net"},
        ),
        {"invoices.1.net": "33.33"},
        option="change_legs net",
    ),
    Worked(
        "proration.upgrade.3",
        STRIPE + ", halfway from 10 to 20",
        monthly({"old": fee("10"), "new": fee("20")}, "2026-04-01", "2026-05-01", to("new", "2026-04-16")),
        {ALL: ["10", "5", "20"]},
    ),
    Worked(
        "proration.upgrade.4",
        FLEXPRICE + "/understanding-proration, quarterly down",
        {
            **monthly(
                {"old": fee("300"), "new": fee("150")},
                "2026-01-01",
                "2026-03-31",
                to("new", "2026-02-15"),
                cycle_unit="day",
                cycle_count=90,
            )
        },
        {"invoices.1.kind": "credit_note", "invoices.1.net": "-75"},
    ),
    Worked(
        "proration.upgrade.5",
        KILL_BILL + ", 599.95 down to 9.95 on May 7",
        monthly({"old": fee("599.95"), "new": fee("9.95")}, "2012-05-01", "2012-05-31", to("new", "2012-05-07")),
        {"invoices.1.lines.*.amount": ["-483.83", "8.02"], "invoices.1.net": "-475.81"},
    ),
    Worked(
        "proration.upgrade.6",
        KILL_BILL + ", the same day after again, to 29.95",
        monthly(
            {"old": fee("599.95"), "new": fee("9.95"), "third": fee("29.95")},
            "2012-05-01",
            "2012-07-01",
            to("new", "2012-05-07"),
            to("third", "2012-05-08"),
        ),
        {
            "invoices.2.lines.*.amount": ["-7.70", "23.19"],
            "invoices.*.payable": ["599.95", "-475.81", "0", "0", "0"],
            "credit_note_balance": "400.42",
        },
    ),
    Worked(
        "proration.upgrade.7",
        LAGO + "/multiple_upgrade_spec.rb, anniversary",
        monthly(
            {"a": fee("10"), "b": fee("15"), "c": fee("19")},
            "2024-03-05",
            "2024-04-04",
            to("b", "2024-03-12"),
            to("c", "2024-03-13"),
        ),
        {"invoices.1.lines.*.amount": ["-7.74", "11.61"], "invoices.2.lines.*.amount": ["-11.13", "14.10"]},
    ),
    Worked(
        "proration.upgrade.8",
        "any: twice in a day ends where the last one leads",
        monthly(
            {"a": fee("10"), "b": fee("15"), "c": fee("19")},
            "2024-03-05",
            "2024-04-04",
            to("b", "2024-03-12", id="1"),
            to("c", "2024-03-12", id="2"),
        ),
        {"invoices.1.lines.*.amount": ["-7.74", "14.71"]},
    ),
    Worked(
        "proration.upgrade.9",
        "any: there and back on one day costs nothing",
        monthly(
            {"a": fee("10"), "b": fee("15")},
            "2024-03-05",
            "2024-04-04",
            to("b", "2024-03-12", id="1"),
            to("a", "2024-03-12", id="2"),
        ),
        {ALL: ["10"]},
    ),
    Worked(
        "proration.upgrade.10",
        "Kill Bill: on the day it starts",
        monthly({"a": fee("10"), "b": fee("15")}, "2026-03-05", "2026-03-06", to("b", "2026-03-05")),
        {ALL: ["15"]},
    ),
    Worked(
        "proration.upgrade.11",
        LAGO + "/free_trial_billing_spec.rb, upgrade within the trial",
        {
            "billing": {"from": "2024-03-05", "through": "2024-04-01"},
            "plans": both("50000", "100000"),
            "subscriptions": [
                {
                    "plan": "old",
                    "started_on": "2024-03-05",
                    "trial_days": 13,
                    "alignment": "calendar",
                    "changes": [to("new", "2024-03-10")],
                }
            ],
        },
        {ALL: ["45161.29", "100000"]},
    ),
    Worked(
        "proration.downgrade.1",
        "Recurly, Chargebee: at the end of the term",
        monthly(
            {"old": fee("100"), "new": fee("40")}, "2026-01-10", "2026-03-10", to("new", "2026-01-20", credit="none")
        ),
        {ALL: ["100", "40", "40"]},
    ),
    Worked(
        "proration.downgrade.2",
        "Stripe: the credit goes to what follows",
        monthly({"old": fee("100"), "new": fee("40")}, "2026-04-01", "2026-06-01", to("new", "2026-04-16")),
        {ALL: ["100", "-30", "40", "40"], "invoices.*.payable": ["100", "-30", "10", "40"]},
    ),
    Worked(
        "proration.downgrade.3",
        "Recurly: monthly to yearly at the renewal",
        {
            "billing": {"from": "2023-10-19", "through": "2023-11-19"},
            "plans": [plan("m", fee("129")), plan("y", fee("1188"), cycle_unit="year")],
            "subscriptions": [
                {"plan": "m", "started_on": "2023-07-19", "changes": [to("y", "2023-11-09", credit="none")]}
            ],
        },
        {ALL: ["129", "1188"]},
    ),
    Worked(
        "proration.downgrade.4",
        "Lago docs: the whole old fee comes back",
        monthly(
            {"old": fee("20"), "new": fee("40")}, "2026-05-01", "2026-05-31", to("new", "2026-05-11", credit="whole")
        ),
        {"invoices.1.lines.*.amount": ["-20", "27.10"]},
        option="credit whole",
    ),
    # other cycles
    Worked(
        "proration.cycle.1",
        "Stripe: docs, monthly to yearly begins anew at once",
        {
            "billing": {"from": "2026-04-01", "through": "2027-04-16"},
            "plans": [plan("m", fee("10")), plan("y", fee("100"), cycle_unit="year")],
            "subscriptions": [{"plan": "m", "started_on": "2026-04-01", "changes": [to("y", "2026-04-16")]}],
        },
        {ALL: ["10", "95", "100"], "invoices.*.issued_on": ["2026-04-01", "2026-04-16", "2027-04-16"]},
    ),
    Worked(
        "proration.cycle.2",
        KILL_BILL + ", yearly to monthly on the first day",
        {
            "billing": {"from": "2012-05-01", "through": "2012-06-01"},
            "plans": [plan("y", fee("2399.95"), cycle_unit="year"), plan("m", fee("249.95"))],
            "subscriptions": [{"plan": "y", "started_on": "2012-05-01", "changes": [to("m", "2012-05-01")]}],
        },
        {ALL: ["249.95", "249.95"]},
    ),
    Worked(
        "proration.cycle.3",
        "Stripe: billing_cycle_anchor now",
        monthly(
            {"old": fee("31"), "new": fee("62")}, "2026-01-01", "2026-02-21", to("new", "2026-01-21", reset_cycle=True)
        ),
        {ALL: ["31", "51", "62"], "invoices.*.issued_on": ["2026-01-01", "2026-01-21", "2026-02-21"]},
    ),
    Worked(
        "proration.cycle.4",
        "Zuora: a price per month billed by the quarter",
        subscribed(
            fee("100", priced_per="month"),
            {"started_on": "2026-01-01"},
            {"from": "2026-01-01", "through": "2026-04-01"},
            cycle_unit="quarter",
        ),
        {ALL: ["300", "300"]},
    ),
    Worked(
        "proration.cycle.5",
        "Zuora: a price per month, a quarter cut to a month and a half",
        subscribed(
            fee("100", priced_per="month"),
            {"started_on": "2026-02-15", "alignment": "calendar"},
            {"on": "2026-02-15"},
            cycle_unit="quarter",
        ),
        {ALL: ["150"]},
    ),
    Worked(
        "proration.cycle.6",
        "Zuora: a price per year, billed by the month over 365 days",
        subscribed(
            fee("3650", priced_per="year"),
            {"started_on": "2026-01-01"},
            {"from": "2026-01-01", "through": "2026-03-01"},
        ),
        {ALL: ["310", "280", "310"]},
    ),
    Worked(
        "proration.cycle.7",
        "Zuora: twelfths by months of 30 days",
        subscribed(
            fee("1200", priced_per="year"),
            {"started_on": "2026-01-01"},
            {"from": "2026-01-01", "through": "2026-03-01"},
            day_count="30_360",
        ),
        {ALL: ["100", "100", "100"]},
        option="day_count 30_360",
    ),
    # cancelled, and going on after all
    Worked(
        "proration.renew.1",
        "Stripe: docs, cancel at the period's end, and reactivate before it",
        subscribed(
            fee("30"),
            {
                "started_on": "2026-04-01",
                "changes": [
                    {"kind": "cancel", "effective_on": "2026-04-10", "credit": "none"},
                    {"kind": "renew", "effective_on": "2026-04-25"},
                ],
            },
            {"from": "2026-04-01", "through": "2026-06-01"},
        ),
        {ALL: ["30.00", "30.00", "30.00"]},
    ),
)
