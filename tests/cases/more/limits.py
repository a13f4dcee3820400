"""What bounds or follows from several charges: credit for some of them, a cap over a plan, a percent of others."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, fee, items, plan, rate, subscribed
from tests.cases.more.pricing import per_unit

TAXED = {"rates": [rate("19"), {**rate("7"), "categories": ["reduced"]}]}
DRAWN, PAYABLE, LEFT = "invoices.0.credits.*.amount", "invoices.0.payable", "prepaid_credits.*.balance"
CALLS: Json = {"id": "calls", "unit_price": "60"}
SEATS: Json = {"id": "seats", "unit_price": "100"}
BOOKS: Json = {"id": "books", "unit_price": "30", "tax_category": "reduced"}


def credit(amount: str, *components: str, **more: object) -> Json:
    return {"amount": amount, **({"components": list(components)} if components else {}), **more}


NETS, KINDS = "invoices.*.net", "invoices.0.lines.*.kind"
START: Json = {"started_on": "2026-01-01"}
USAGE = fee(per_unit("1"), "calls", meter_id="calls")


def used(*quantities: str) -> Json:
    """Of each month of 2026 from the first."""
    days = [f"2026-{n:02}-01" for n in range(1, len(quantities) + 2)]
    totals = [
        {"meter_id": "calls", "quantity": quantity, "from": days[n], "until": days[n + 1]}
        for n, quantity in enumerate(quantities)
    ]
    return {"totals": totals}


def capped(*quantities: str, **more: object) -> Json:
    """A fee of 50 in arrears and calls at 1, with what else the plan has."""
    base = {**fee("50", "base"), "timing": "arrears"}
    through = f"2026-{len(quantities) + 1:02}-01"
    billing = {"from": "2026-01-01", "through": through}
    return subscribed([base, USAGE], START, billing, usage=used(*quantities), **more)


def support(price: Json, *quantities: str, **more: object) -> Json:
    """Calls at 1, and support at a percent of them."""
    listed = [USAGE, fee({"kind": "percent_of", **price}, "support")]
    billing = {"from": "2026-01-01", "through": f"2026-{len(quantities) + 1:02}-01"}
    return subscribed(listed, START, billing, usage=used(*quantities), **more)


def tier(percent: str, up_to: str | None = None) -> Json:
    return {"percent": percent, **({"up_to": up_to} if up_to else {})}


AWS = {
    "minimum": "100",
    "tiers": [tier("10", "10000"), tier("7", "80000"), tier("5", "250000"), tier("3")],
}

CASES: tuple[Worked, ...] = (
    Worked(
        "wallet.components.1",
        "Lago: a wallet limited to a billable metric; Stripe: applicability_config of metered prices",
        items(CALLS, SEATS, prepaid_credits=[credit("100", "calls")]),
        {DRAWN: ["60"], PAYABLE: "100", LEFT: ["40"]},
    ),
    Worked(
        "wallet.components.2",
        "Lago: limited wallets pay with the tax of their fees",
        items(CALLS, SEATS, prepaid_credits=[credit("100", "calls")], taxes=TAXED),
        {DRAWN: ["71.4"], PAYABLE: "119", LEFT: ["28.6"]},
    ),
    Worked(
        "wallet.components.3",
        "Lago: a wallet of priority 1 for a metric, one of priority 2 for all",
        items(CALLS, SEATS, prepaid_credits=[credit("500", priority=2), credit("40", "calls", priority=1)]),
        {DRAWN: ["40", "120"], PAYABLE: "0", LEFT: ["380", "0"]},
    ),
    Worked(
        "wallet.components.4",
        "a slip in a name would leave a credit without effect",
        items(CALLS, SEATS, prepaid_credits=[credit("1", "books", "seats")]),
        {"refused": "invalid_input"},
    ),
    Worked(
        "wallet.components.5",
        "several limited credits come to no more than what coupons left of what they are for",
        items(CALLS, SEATS, prepaid_credits=[credit("50", "calls"), credit("50", "calls")], coupons=[{"amount": "16"}]),
        {DRAWN: ["50", "4"], PAYABLE: "90"},
    ),
    Worked(
        "wallet.components.6",
        "a credit for all pays the same part of each line, and leaves that much less to one for some",
        items(CALLS, SEATS, prepaid_credits=[credit("80", priority=-1), credit("50", "calls")]),
        {DRAWN: ["80", "30"], PAYABLE: "50"},
    ),
    Worked(
        "wallet.components.7",
        "each rate's tax is shared by what bears it: 30 at 7 % are 32.10",
        items(CALLS, BOOKS, prepaid_credits=[credit("100", "books")], taxes=TAXED),
        {DRAWN: ["32.1"], PAYABLE: "71.4"},
    ),
    Worked(
        "wallet.components.8",
        "before tax: the lines of these components",
        items(CALLS, SEATS, prepaid_credits=[credit("100", "calls")], taxes=TAXED, options={"prepaid": "before_tax"}),
        {DRAWN: ["60"], "invoices.0.net": "100", "invoices.0.tax": "19", LEFT: ["40"]},
        option="prepaid before_tax",
    ),
    Worked(
        "wallet.components.9",
        "before tax: of several, no more than what the ones before left of their lines",
        items(
            CALLS,
            SEATS,
            prepaid_credits=[credit("32"), credit("100", "calls"), credit("7", "calls")],
            options={"prepaid": "before_tax"},
        ),
        {DRAWN: ["32", "48"], "invoices.0.net": "80"},
        option="prepaid before_tax",
    ),
    Worked(
        "maximum.1",
        "Orb: a maximum over all items of a plan",
        capped("100", "30", maximum="120"),
        {
            NETS: ["120", "80"],
            "invoices.0.lines.*.amount": ["50", "100", "-30"],
            "invoices.0.lines.2.component": "maximum",
        },
    ),
    Worked(
        "maximum.2",
        "Orb: a maximum that applies to some prices",
        capped("100", "30", maximum={"amount": "60", "components": ["calls"]}),
        {NETS: ["110", "80"]},
    ),
    Worked(
        "maximum.3",
        "in a short period in proportion: half of April",
        subscribed(
            [{**fee("90", "base"), "timing": "arrears"}, USAGE],
            {"started_on": "2026-04-01", "changes": [{"kind": "cancel", "effective_on": "2026-04-16"}]},
            {"on": "2026-05-01"},
            usage={"totals": [{"meter_id": "calls", "quantity": "500"}]},
            maximum="100",
        ),
        {NETS: ["50"]},
    ),
    Worked(
        "maximum.4",
        "with a minimum for the same both hold",
        capped("10", "30", "300", minimum="75", maximum="120"),
        {NETS: ["75", "80", "120"]},
    ),
    Worked(
        "maximum.5",
        "what a maximum gives back of some of it counts towards the minimum over all",
        capped("800", minimum="400", maximum={"amount": "300", "components": ["calls"]}),
        {NETS: ["400"], "invoices.0.lines.*.amount": ["50", "800", "-500", "50"]},
    ),
    Worked(
        "maximum.6",
        "what makes up a minimum of some of it counts towards the maximum over all",
        capped("10", minimum={"amount": "100", "components": ["calls"]}, maximum="140"),
        {NETS: ["140"], "invoices.0.lines.*.amount": ["50", "10", "90", "-10"]},
    ),
    Worked(
        "maximum.7",
        "paid ahead, it is given back when the period is over",
        subscribed(fee("100"), START, {"from": "2026-01-01", "through": "2026-03-01"}, maximum="80"),
        {NETS: ["100", "80", "80"]},
    ),
    Worked(
        "maximum.8",
        "where the plan changes each maximum is for its days",
        subscribed(
            [{**fee("310", "base"), "timing": "arrears"}],
            {**START, "changes": [{"kind": "plan", "plan": "q", "effective_on": "2026-01-11"}]},
            {"on": "2026-02-01"},
            [plan("q", {**fee("310", "base"), "timing": "arrears"}, maximum="155")],
            maximum="62",
        ),
        {NETS: ["125"]},
    ),
    Worked(
        "maximum.9",
        "late usage beyond it costs nothing more",
        capped("100", "30", maximum="120")
        | {
            "usage": {
                "events": [
                    {"meter_id": "calls", "at": "2026-01-10T00:00:00Z", "value": "60"},
                    {"meter_id": "calls", "at": "2026-01-20T00:00:00Z", "value": "50", "came_on": "2026-02-10"},
                ],
                "meters": [{"id": "calls", "aggregation": "sum"}],
            }
        },
        {NETS: ["110", "60"]},
    ),
    Worked(
        "maximum.10",
        "taxes differ: what is given back can bear but one",
        subscribed(
            [fee("50", "base"), {**USAGE, "tax_category": "reduced"}], START, {"on": "2026-02-01"}, maximum="120"
        ),
        {"refused": "invalid_input"},
    ),
    Worked(
        "maximum.11",
        "credit for calls pays what a maximum leaves of them, and not the fee with what it gives back",
        capped("100", maximum={"amount": "60", "components": ["calls"]}, prepaid_credits=[credit("500", "calls")]),
        {DRAWN: ["60"], PAYABLE: "50", "invoices.0.lines.2.bounds": ["calls"]},
    ),
    Worked(
        "maximum.12",
        "before tax likewise",
        capped(
            "100",
            maximum={"amount": "60", "components": ["calls"]},
            prepaid_credits=[credit("500", "calls")],
            options={"prepaid": "before_tax"},
        ),
        {DRAWN: ["60"], PAYABLE: "50"},
        option="prepaid before_tax",
    ),
    Worked(
        "maximum.13",
        "Orb: discounts are of what a maximum leaves",
        capped(
            "100",
            maximum={"amount": "60", "components": ["calls"]},
            coupons=[{"percent": "50", "components": ["calls"]}],
        ),
        {NETS: ["80"]},
    ),
    Worked(
        "percent_of.1",
        "AWS Support: 3 % of the month's charges, at least 29",
        support({"percent": "3", "minimum": "29"}, "2000", "500"),
        {NETS: ["2060", "529"]},
    ),
    Worked(
        "percent_of.2",
        "AWS Support, Business: 10, 7, 5 and 3 % of 300,000",
        support(AWS, "300000"),
        {NETS: ["315900"], "invoices.0.lines.1.steps.*.amount": ["1000", "4900", "8500", "1500"]},
    ),
    Worked(
        "percent_of.3",
        "AWS Support, Business: 100 at least, with no usage too",
        support(AWS, "0", "850"),
        {NETS: ["100", "950"]},
    ),
    Worked(
        "percent_of.4",
        "of what is rounded, before coupons",
        support({"percent": "10"}, "333.335", coupons=[{"percent": "50"}]),
        {NETS: ["183.33"], "invoices.0.lines.*.amount": ["333.34", "33.33", "-166.67", "-16.67"]},
    ),
    Worked(
        "percent_of.5",
        "of a percent: a surcharge on calls and their support",
        subscribed(
            [
                USAGE,
                fee({"kind": "percent_of", "percent": "10", "components": ["calls"]}, "support"),
                fee({"kind": "percent_of", "percent": "1"}, "surcharge"),
            ],
            START,
            {"on": "2026-02-01"},
            usage=used("1000"),
        ),
        {NETS: ["1111"]},
    ),
    Worked(
        "percent_of.6",
        "never of itself, by way of others neither",
        subscribed(
            [
                USAGE,
                fee({"kind": "percent_of", "percent": "10"}, "support"),
                fee({"kind": "percent_of", "percent": "1"}, "surcharge"),
            ],
            START,
            {"on": "2026-02-01"},
            usage=used("1000"),
        ),
        {"refused": "invalid_input"},
    ),
    Worked(
        "percent_of.7",
        "what a change credits and charges in the middle of a period counts: 100 less 32.26, and 100",
        subscribed(
            [fee("100", "base"), fee({"kind": "percent_of", "percent": "10"}, "support")],
            {**START, "changes": [{"kind": "plan", "plan": "q", "effective_on": "2026-01-22"}]},
            {"from": "2026-01-01", "through": "2026-02-01"},
            [plan("q", fee("310", "base"), fee({"kind": "percent_of", "percent": "10"}, "support"))],
        ),
        {"invoices.2.lines.*.amount": ["310", "16.77"]},
    ),
    Worked(
        "percent_of.8",
        "it counts towards a minimum and a maximum",
        support({"percent": "10"}, "100", "300", minimum="150", maximum="200"),
        {NETS: ["150", "200"]},
    ),
    Worked(
        "percent_of.9",
        "what is charged once is no part of it, unless it is named; what is itself a percent is",
        subscribed(
            [
                fee("100", "base"),
                fee("40", "setup", kind="one_time"),
                fee({"kind": "percent_of", "percent": "10"}, "support"),
                fee({"kind": "percent_of", "percent": "5", "components": ["setup"]}, "training"),
            ],
            START,
            {"on": "2026-02-01"},
        ),
        {"invoices.0.lines.*.amount": ["100", "40", "100", "2", "10.2"]},
    ),
    Worked(
        "percent_of.10",
        "late usage costs its percent too",
        support({"percent": "10"}, "0")
        | {
            "usage": {
                "events": [
                    {"meter_id": "calls", "at": "2026-01-10T00:00:00Z", "value": "60"},
                    {"meter_id": "calls", "at": "2026-01-20T00:00:00Z", "value": "50", "came_on": "2026-02-10"},
                ],
                "meters": [{"id": "calls", "aggregation": "sum"}],
            },
            "billing": {"from": "2026-01-01", "through": "2026-03-01"},
        },
        {NETS: ["66", "55"]},
    ),
)
