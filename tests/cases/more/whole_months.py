"""Proration by whole months: the month in which something begins, ends or changes counts, or not at all."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, fee, monthly, subscribed
from tests.cases.more.proration import to

QUARTER: Json = {"cycle_unit": "quarter", "cycle_count": 1}
NETS = "invoices.*.net"
WHOLE, NEXT = {"day_count": "whole_months"}, {"day_count": "from_next_month"}
SALESFORCE = "Salesforce CPQ: Subscription Prorate Precision, Month: a part of a month is a whole one"
ZUORA = "Zuora: Bill recurring charges for partial month, No"


def quarters(change: str, count: Json, **more: object) -> Json:
    """A quarter at 300, from a day on at 600."""
    return monthly({"p": "300", "q": "600"}, "2026-01-01", "2026-04-01", to("q", change), **QUARTER, **count, **more)


def calendar(started_on: str, count: Json) -> Json:
    sold = {"started_on": started_on, "alignment": "calendar"}
    return subscribed(fee("300"), sold, {"from": "2026-01-01", "through": "2026-03-31"}, **QUARTER, **count)


def cancelled(on: str, count: Json) -> Json:
    changes = [{"kind": "cancel", "effective_on": on}]
    return monthly({"p": "300"}, "2026-01-01", "2026-03-31", *changes, **QUARTER, **count)


CASES: tuple[Worked, ...] = (
    Worked(
        "months.change.1",
        SALESFORCE,
        quarters("2026-02-10", WHOLE),
        {
            NETS: ["300", "200", "600"],
            "invoices.1.lines.*.share.days": [2, 2],
            "invoices.1.lines.*.amount": ["-200", "400"],
        },
    ),
    Worked(
        "months.change.2",
        "Recurly, Chargebee: what changes counts from the next month",
        quarters("2026-02-10", NEXT),
        {NETS: ["300", "100", "600"], "invoices.1.lines.*.amount": ["-100", "200"]},
    ),
    Worked(
        "months.change.3",
        "on the first of a month both agree",
        quarters("2026-02-01", WHOLE),
        {NETS: ["300", "200", "600"]},
    ),
    Worked(
        "months.change.4",
        "on the first of a month both agree",
        quarters("2026-02-01", NEXT),
        {NETS: ["300", "200", "600"]},
    ),
    Worked(
        "months.change.5",
        "by the month: all of it on the new terms",
        monthly({"p": "30", "q": "50"}, "2026-01-01", "2026-02-01", to("q", "2026-01-20"), **WHOLE),
        {NETS: ["30", "20", "50"]},
    ),
    Worked(
        "months.change.6",
        "by the month: nothing changes until the next",
        monthly({"p": "30", "q": "50"}, "2026-01-01", "2026-02-01", to("q", "2026-01-20"), **NEXT),
        {NETS: ["30", "50"]},
    ),
    Worked("months.start.1", SALESFORCE, calendar("2026-02-20", WHOLE), {NETS: ["200"]}),
    Worked("months.start.2", SALESFORCE, calendar("2026-02-20", NEXT), {NETS: ["200"]}),
    Worked("months.end.1", ZUORA, cancelled("2026-02-10", WHOLE), {NETS: ["300", "-100"]}),
    Worked("months.end.2", ZUORA, cancelled("2026-02-10", NEXT), {NETS: ["300", "-100"]}),
    Worked(
        "months.pause.1",
        "paused and resumed within a month: it is charged once",
        monthly(
            {"p": "300"},
            "2026-01-01",
            "2026-03-31",
            {"kind": "pause", "effective_on": "2026-02-05"},
            {"kind": "resume", "effective_on": "2026-02-25"},
            **QUARTER,
            **NEXT,
        ),
        {"totals.net": "300"},
    ),
    Worked(
        "months.anchor.1",
        "months of a quarter that begins on the 31st end with the months",
        monthly({"p": "300", "q": "600"}, "2026-01-31", "2026-04-29", to("q", "2026-03-30"), **QUARTER, **WHOLE),
        {NETS: ["300", "200"]},
    ),
    Worked(
        "months.price.1",
        "a price per month in a quarter: whole months cost it each",
        monthly(
            {"p": {**fee("100"), "priced_per": "month"}, "q": {**fee("200"), "priced_per": "month"}},
            "2026-01-01",
            "2026-03-31",
            to("q", "2026-02-10"),
            **QUARTER,
            **WHOLE,
        ),
        {NETS: ["300", "200"]},
    ),
    Worked(
        "months.price.2",
        "a price per year in a quarter: three twelfths of it",
        monthly({"p": {**fee("1200"), "priced_per": "year"}}, "2026-01-01", "2026-03-31", **QUARTER, **WHOLE),
        {NETS: ["300"]},
    ),
    Worked(
        "months.minimum.1",
        "what is due at least is for the same months",
        subscribed(
            [{**fee("30", "base"), "timing": "arrears"}],
            {"started_on": "2026-01-01", "changes": [{"kind": "cancel", "effective_on": "2026-02-10"}]},
            {"on": "2026-04-01"},
            minimum="300",
            **QUARTER,
            **WHOLE,
        ),
        {NETS: ["200"]},
    ),
    Worked(
        "months.weeks.1",
        "there are none in weeks",
        monthly({"p": "30"}, "2026-01-01", "2026-02-01", cycle_unit="week", cycle_count=1, **WHOLE),
        {"refused": "invalid_input"},
    ),
)
