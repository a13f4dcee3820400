"""What bounds or follows from several charges: credit for some of them, a cap over a plan, a percent of others."""

from __future__ import annotations

from tests.cases.more.building import Json, Worked, items, rate

TAXED = {"rates": [rate("19"), {**rate("7"), "categories": ["reduced"]}]}
DRAWN, PAYABLE, LEFT = "invoices.0.credits.*.amount", "invoices.0.payable", "prepaid_credits.*.balance"
CALLS: Json = {"id": "calls", "unit_price": "60"}
SEATS: Json = {"id": "seats", "unit_price": "100"}
BOOKS: Json = {"id": "books", "unit_price": "30", "tax_category": "reduced"}


def credit(amount: str, *components: str, **more: object) -> Json:
    return {"amount": amount, **({"components": list(components)} if components else {}), **more}


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
)
