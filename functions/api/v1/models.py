"""What the API answers and which queries it reads: the models that its description is generated from.

Amounts come twice: as decimal text in major units ("12.50") and, with the ending `_minor`, as whole minor units (1250).
Fields may be added to an answer; those that are here stay. `until` is the day after the last one.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Decimals = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["12.50"])]
Amount = str | int | float  # of what is sent; read digit by digit, never as a float
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217", examples=["EUR"])]
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _written_out(text: object) -> object:
    """A day as 2026-01-31 and in no other way: pydantic would take a number for seconds since 1970."""
    if not (isinstance(text, str) and _DAY.fullmatch(text)):
        raise ValueError("must be a date such as 2026-01-31")
    return text


Day = Annotated[date, BeforeValidator(_written_out)]


class Model(BaseModel):
    """Made ready when first used: a cold start pays for the models of one route."""

    model_config = ConfigDict(defer_build=True)


class Out(Model):
    """A part of an answer."""


class ProblemOut(Out):
    """One thing that is wrong with a request."""

    field: str = Field(description="Path of the field at fault.", examples=["plans[0].components[1].price.kind"])
    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="For people.")


class ProblemDetails(Out):
    """Every refusal and failure (RFC 9457). `problems` names every field at fault at once."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable, for programs.", examples=["invalid_input"])
    instance: str = Field(description="Names this request in our logs.")
    detail: str | None = Field(None, description="For people.")
    problems: list[ProblemOut] | None = None


# -- invoices ----------------------------------------------------------------------------------------------------------


class PageQuery(Model):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=100, description="At most so many on a page.")
    cursor: str = Field("", max_length=1000, description="`next_cursor` of the page before.")


class InvoiceQuery(Model):
    """Which invoices. Dates bound the day of issue, both included."""

    model_config = ConfigDict(extra="forbid")

    account: str | None = Field(None, pattern="^acct_[0-9a-z_]{1,64}$", description="Only those of this account.")
    status: Literal["open", "overdue", "part_paid", "paid"] | None = Field(
        None, description="`open`: something is still owed; `overdue`: and the due date has passed."
    )
    issued_from: Day | None = None
    issued_to: Day | None = None
    limit: int = Field(50, ge=1, le=100, description="At most so many on a page; a page may be shorter, even empty.")
    cursor: str = Field("", max_length=1000, description="`next_cursor` of the page before.")


class InvoiceOut(Out):
    """An issued invoice as a list shows it."""

    id: str = Field(examples=["inv_202611010c2hk3m9x4t7q5rz"])
    url: str = Field(description="Where this invoice is.")
    account: str
    kind: Literal["invoice", "credit_note"] = Field(description="A credit note's amounts are below zero.")
    number: str = Field(examples=["LU-2026-000042"])
    status: Literal["issued", "part_paid", "paid"]
    currency: Currency
    issued_on: date
    due_on: date
    net: Decimals
    net_minor: int
    tax: Decimals
    tax_minor: int
    total: Decimals
    total_minor: int
    open: Decimals = Field(description="What is still owed.")
    open_minor: int


class InvoicePage(Out):
    """A page of invoices: by account, of each account the newest first."""

    data: list[InvoiceOut]
    has_more: bool = Field(description="Whether there may be more: ask again with `next_cursor`.")
    next_cursor: str | None


class RateOut(Out):
    """An exchange rate: 1 `base` = `rate` `counter`, as `source` had it for the day `on`."""

    base: Currency
    counter: Currency
    rate: Decimals
    source: str = Field(examples=["ECB"])
    on: date


class PricedInOut(Out):
    """What a line comes to in the currency of its price, and the rate at which that was converted."""

    currency: Currency
    amount: Decimals
    amount_minor: int
    rate: RateOut


class LineOut(Out):
    """One line of an invoice."""

    id: str
    account: str = Field(description="Whose it is: on a shared invoice, not always that of the invoice.")
    subscription: str
    component: str
    name: str = Field(description="In the invoice's language.")
    from_: date = Field(alias="from")
    until: date
    quantity: Decimals
    amount: Decimals = Field(description="Net; tax included where `tax_inclusive` says so.")
    amount_minor: int
    tax_inclusive: bool
    priced_in: PricedInOut | None = Field(description="Where the price is in another currency than the invoice.")


class TaxOut(Out):
    """The tax of one rate."""

    jurisdiction: str
    name: str
    percent: Decimals
    base: Decimals
    tax: Decimals
    tax_minor: int
    reason: str
    collection: str = Field(description="charged; withheld or split: the buyer pays it to the state.")


class InvoiceDetail(InvoiceOut):
    """An issued invoice with its lines. `lines` is null for one that another system issued and that was imported."""

    language: str
    purchase_order: str = Field(description="By which it was split off, where the account has its invoices apart.")
    cost_centre: str
    of_invoice: str = Field(description="Of a credit note: the invoice that it takes something back of.")
    exchange: RateOut | None = Field(
        description="The rate at which the seller books it, in another currency than its own."
    )
    lines: list[LineOut] | None
    taxes: list[TaxOut] | None
    rounding: Decimals | None = Field(None, description="Added to what is to be paid, to come to coins there are.")


class MeterOut(Out):
    """What a meter has counted of a period that is not over, and how it is likely to end."""

    meter: str
    subscription: str | None = Field(description="Null for a meter that counts for the whole account.")
    from_: date = Field(alias="from")
    until: date
    so_far: Decimals
    forecast: Decimals
    method: str = Field(description="How the forecast was made.", examples=["straight_line"])


class AheadOut(Out):
    """An invoice before its day; below zero it is a credit note. Tax is estimated by the rates that come with Saldo and
    the seller's own, without asking a tax service; null where they do not decide it."""

    net: Decimals
    net_minor: int
    tax: Decimals | None = Field(description="An estimate.")
    tax_minor: int | None
    total: Decimals | None = Field(description="Net with the estimated tax, before prepaid credit.")
    total_minor: int | None
    lines: list[LineOut]


class NextInvoiceOut(Out):
    """The next invoice, if nothing more were used (`so_far`) and by the forecast (`expected`)."""

    account: str
    on: date = Field(description="The day of the run that bills it.")
    currency: Currency
    so_far: AheadOut
    expected: AheadOut
    meters: list[MeterOut]


# -- payments ----------------------------------------------------------------------------------------------------------


class AppliedOut(Out):
    """A part of a payment that settled an invoice, or a part of one."""

    invoice: str
    amount: Decimals
    amount_minor: int


class ReceivedOut(Out):
    """Money in another currency than it is taken for, and the rate between the two."""

    currency: Currency
    amount: Decimals
    amount_minor: int
    rate: RateOut


class PaymentOut(Out):
    """A payment through a gateway. `applied` and `unapplied` are of what was received."""

    id: str = Field(examples=["pay_6vzctdef1jb03jsxfezpnn6tsn"])
    url: str = Field(description="Where this payment is.")
    account: str
    status: Literal["started", "requires_action", "processing", "cancelled", "failed", "settled", "returned"]
    currency: Currency
    amount: Decimals
    amount_minor: int
    method: str = Field(description="As people know it; empty until the gateway tells.", examples=["Visa …4242"])
    started_at: datetime
    settled_at: datetime | None
    receipt_number: str | None
    failure_code: str | None
    applied: list[AppliedOut]
    unapplied: Decimals = Field(description="Received, and of no invoice yet.")
    unapplied_minor: int
    received: ReceivedOut | None = Field(description="What came, where that is of another currency than `amount`.")


class PaymentPage(Out):
    """A page of an account's payments, the newest first."""

    data: list[PaymentOut]
    has_more: bool = Field(description="Whether there may be more: ask again with `next_cursor`.")
    next_cursor: str | None


# -- usage -------------------------------------------------------------------------------------------------------------


class UsageValue(Model):
    """What a usage event tells."""

    meter: str
    value: str | int | float | None = Field(None, description="Left out: 1, for meters that count.")
    properties: dict[str, str] | None = None


class EventIn(Model):
    """A CloudEvent of version 1.0. `source` and `id` together name it for ever: a repeat changes nothing."""

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=200)
    type: str | None = None
    subject: str = Field(description="The account.", examples=["acct_eu_kontor"])
    time: str = Field(description="RFC 3339, with its offset.", examples=["2026-11-23T20:43:20Z"])
    data: UsageValue


class EventOut(Out):
    """What became of a single event. A rejected one lies in quarantine with its problems, to be repaired."""

    status: Literal["accepted", "duplicate", "rejected"]
    problems: list[ProblemOut]


class UsageReceipt(Out):
    """What was taken in or queued. `event` tells of a single one and is null for a batch."""

    batch_id: str
    events: int
    event: EventOut | None


class RejectedOut(Out):
    """An event that was not accepted."""

    index: int = Field(description="Its place in the batch, counted from 0.")
    problems: list[ProblemOut]


class RejectedRows(Out):
    """The events of a batch that lie in quarantine."""

    batch_id: str
    rejected: list[RejectedOut]


# -- orders ------------------------------------------------------------------------------------------------------------


class CustomerIn(Model):
    """Whom the order is for, by one or more names: an account of ours, or a name that was registered for one."""

    model_config = ConfigDict(extra="forbid")

    account: str | None = None
    customer: str | None = Field(None, description="The party's own customer number.")
    duns: str | None = None
    name: str | None = None


class OrderLineIn(Model):
    """One line. `sku` is a plan or product of ours; without a `unit_price` ours holds."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field(min_length=1)
    quantity: Amount
    sku: str | None = None
    unit_price: Amount | None = Field(None, description="Major units; of what recurs, for each cycle.")
    start_on: Day | None = None
    buyer_sku: str | None = None


class OrderIn(Model):
    """An order. Party and purchase order name it for ever."""

    model_config = ConfigDict(extra="forbid")

    purchase_order: str = Field(min_length=1)
    order_on: Day
    customer: CustomerIn
    lines: list[OrderLineIn] = Field(min_length=1, max_length=500)
    currency: str | None = Field(None, description="ISO 4217; the account's when left out.")
    cost_centre: str | None = None
    contract: str | None = Field(None, description="The contract it is placed under; whichever holds when left out.")
    ship_to_country: str | None = None


class DiscrepancyOut(Out):
    """One thing that does not agree; the order waits for a person."""

    line: str = Field(description="The line's number, empty for the whole order.")
    code: str
    message: str


class OrderReceipt(Out):
    """What became of an order. `before`: orders that have those of its lines which came before."""

    id: str
    account: str | None = Field(description="Null while no customer could be told.")
    status: str = Field(examples=["placed", "held"])
    repeated: bool
    discrepancies: list[DiscrepancyOut]
    before: list[str]
