"""Journal entries and what is read from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.ids import derived_id


class LedgerAccount(StrEnum):
    """The chart of accounts of a receivables subledger. Debits are positive, credits negative.

    CUSTOMER_CREDIT: from credit notes, PREPAID_CREDIT: bought or granted, by the credit's id; CREDIT_GIVEN_AWAY: what
    granting credit that nobody paid for costs the seller. TAX_WITHHELD: what buyers kept of invoices for the state, by
    jurisdiction; it is to be had back from there. FX_DIFFERENCE: exchange losses, gains below zero, in the seller's own
    currency alone. EXCHANGE_CLEARING: where money of one currency becomes money of another; nothing is left there in
    the seller's own currency. ROUNDING: what invoices were rounded down by, to what can be paid in cash; up below zero.
    SMALL_DIFFERENCE: what payments left of invoices within the seller's tolerance.
    """

    RECEIVABLES = "receivables"
    UNAPPLIED_CASH = "unapplied_cash"
    GATEWAY_CLEARING = "gateway_clearing"
    BANK = "bank"
    REVENUE = "revenue"
    DEFERRED_REVENUE = "deferred_revenue"
    TAX_PAYABLE = "tax_payable"
    TAX_WITHHELD = "tax_withheld"
    OPENING_BALANCE = "opening_balance"
    CUSTOMER_CREDIT = "customer_credit"
    PREPAID_CREDIT = "prepaid_credit"
    CREDIT_GIVEN_AWAY = "credit_given_away"
    FX_DIFFERENCE = "fx_difference"
    TAX_DIFFERENCE = "tax_difference"
    EARLY_DISCOUNT = "early_discount"
    EXCHANGE_CLEARING = "exchange_clearing"
    ROUNDING = "rounding"
    SMALL_DIFFERENCE = "small_difference"


class EntryKind(StrEnum):
    """The money event that an entry records."""

    INVOICE_ISSUED = "invoice_issued"
    CREDIT_NOTE_ISSUED = "credit_note_issued"
    INVOICE_IMPORTED = "invoice_imported"
    PAYMENT_SETTLED = "payment_settled"
    PAYMENT_IMPORTED = "payment_imported"
    PAYMENT_APPLIED = "payment_applied"
    PAYOUT_RECEIVED = "payout_received"
    TAX_TRUED_UP = "tax_trued_up"
    EARLY_DISCOUNT_TAKEN = "early_discount_taken"
    EARLY_DISCOUNT_GIVEN_BACK = "early_discount_given_back"
    CREDIT_GRANTED = "credit_granted"
    CREDIT_EXPIRED = "credit_expired"
    CREDIT_PAID_BACK = "credit_paid_back"
    PAYMENT_VALUED = "payment_valued"
    CREDIT_APPLIED = "credit_applied"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_EXCHANGED = "payment_exchanged"
    PAYMENT_TAKEN_BACK = "payment_taken_back"
    DIFFERENCE_WRITTEN_OFF = "difference_written_off"
    DIFFERENCE_GIVEN_BACK = "difference_given_back"


class Posting(NamedTuple):
    """One leg of an entry. `minor`: debit above zero, credit below, never 0.

    `invoice_id` ties a receivables leg to its open item and `due_on` dates it; `tag` carries what a report
    groups by (the tax jurisdiction of a tax leg, the revenue line's plan). `base_minor`: what it is in the entity's own
    currency where that does not follow from the rate of the entry; an exchange difference is of nothing but that.
    """

    account: LedgerAccount
    minor: int
    invoice_id: str | None = None
    due_on: date | None = None
    tag: str | None = None
    base_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One balanced money event of one legal entity, customer account and currency. Never changes once posted.

    `exchange`: the rate at which it stands in the entity's own currency, where that is another (`rules.base_amounts`).
    Raises Refusal `unbalanced_entry` when the postings do not add up to zero, in either currency, or there are fewer
    than two.
    """

    id: str
    kind: EntryKind
    booked_on: date
    entity_id: str
    account_id: str
    currency: str
    source_id: str
    postings: tuple[Posting, ...]
    exchange: ExchangeRate | None = None

    def __post_init__(self) -> None:
        if len(self.postings) < 2 or sum(p.minor for p in self.postings) != 0:
            raise Refusal("unbalanced_entry", f"postings of {self.id} do not add up to zero")
        if any(p.minor == 0 and not p.base_minor for p in self.postings):
            raise Refusal("empty_posting", f"{self.id} has a posting of nothing")
        told = [p.base_minor for p in self.postings if p.base_minor is not None]
        if told and (sum(told) != 0 if len(told) == len(self.postings) else self.exchange is None):
            raise Refusal("unbalanced_entry", f"base amounts of {self.id} do not add up to zero")


def entry_for(
    kind: EntryKind,
    *,
    booked_on: date,
    entity_id: str,
    account_id: str,
    currency: str,
    source_id: str,
    postings: Iterable[Posting],
    exchange: ExchangeRate | None = None,
) -> Entry:
    """The entry of one money event. Its id follows from kind and source, so an event has one entry for ever."""
    entry_id = derived_id("je", booked_on, kind, source_id)
    return Entry(entry_id, kind, booked_on, entity_id, account_id, currency, source_id, tuple(postings), exchange)


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is still owed on one invoice. `open_minor` is above zero for a debt.

    `items`: how many invoices it stands for, where those of one due date are taken as one (`invoice_id` is then "").
    """

    invoice_id: str
    due_on: date
    currency: str
    open_minor: int
    items: int = 1


@dataclass(frozen=True, slots=True)
class AgingBucket:
    """Debts whose days past due lie in `[from_day, to_day]`; None is unbounded. Days below 1 are not yet due."""

    name: str
    from_day: int | None
    to_day: int | None
    minor: int
    items: int
