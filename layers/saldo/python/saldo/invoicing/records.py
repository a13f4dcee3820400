"""How invoices lie in the table.

`<account>` / `invoice#<invoice id>`: the header, small and in clear; its status, number and open balance move.
`<account>` / `body#<invoice id>`: the frozen body (lines, taxes, what they were computed from); never changed.
A run puts it before the unit that names it: one that neither a header nor a billed record names means nothing.
Agenda `open#<account>` / due date: issued invoices with something still owed. Drafts are never on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from saldo.invoicing.codec_early import discounted_to, legs_from, offers_from, offers_to
from saldo.invoicing.rules_early import (
    Legs,
    Offers,
    differences_of,
    minor_of,
    offers_left,
)
from saldo.invoicing.status import DocumentKind as DocumentKind
from saldo.invoicing.status import InvoiceStatus as InvoiceStatus
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import Booked, rate_from_row, rate_row
from saldo.kernel.money import Money
from saldo.storage.items import Item, Key

if TYPE_CHECKING:
    from saldo.invoicing.model import InvoiceBody

PREFIX = "invoice#"
BODY_PREFIX = "body#"
OPEN_LIST = "open_list"
HOLDS = "holds"
# What a customer owes or owed: money may come for it.
ISSUED = frozenset({InvoiceStatus.ISSUED, InvoiceStatus.PART_PAID, InvoiceStatus.PAID})


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One line of an invoice's history."""

    at: datetime
    status: InvoiceStatus


@dataclass(frozen=True, slots=True)
class PromiseMark:
    """That the invoice came under a promise to pay, or out of it again; `until_on`: the last day that was promised."""

    at: datetime
    promise_id: str
    state: str
    until_on: date


@dataclass(frozen=True, slots=True)
class Numbered:
    """A number with the series it is of, and its rank there."""

    number: str
    series: str
    sequence: int


@dataclass(frozen=True, slots=True)
class InvoiceHeader:
    """What lists, payments and reports need of an invoice; nothing personal. Amounts in minor units.

    `number` is "" while a draft. `open_minor` is what it asks for less what was applied, never below 0.
    `buyer_profile` is the version of the billing profile it is addressed to. `history` is oldest first.
    A credit note's total is below zero and nothing is open on it; `of_invoice` names what it takes back.
    `credited_minor` (0 or more) is what credit notes took back of this invoice, in all.
    `disputed_minor` (0 or more, at most what is open) is in dispute: nobody is asked for it.
    `booked`: at which rate it stands in the seller's own currency, where that is another, and how much of what is open.
    `promise_id`: the promise to pay that all of it that is open and not in dispute is under ("": none): nobody is asked
    for it before its day. `promised_paid_minor`: what payments brought since it is. `promises`: how that came and went.
    `early`: the discounts for paying early that it is issued with, and `early_in_part`: whether a part has its part of
    them; `discounted`: what such discounts took of it, or was written off as too little to chase, and credit notes did
    not give back, by what that is booked to.
    `paid_on`: the day on which money settled it, while that stands. `correlation_id`: of the act that asked for it, ""
    where a day's run made it.
    `by_mail`: False where the account wanted none when it was frozen; delivery is then not even told of it.
    """

    account_id: str
    invoice_id: str
    organisation_id: str
    entity_id: str
    number: str
    status: InvoiceStatus
    currency: str
    issued_on: date
    due_on: date
    net_minor: int
    tax_minor: int
    total_minor: int
    open_minor: int
    run_id: str
    buyer_profile: int
    language: str
    history: tuple[StatusChange, ...] = ()
    document: DocumentKind = DocumentKind.INVOICE
    of_invoice: str = ""
    series: str = ""
    sequence: int = 0
    credited_minor: int = 0
    early: Offers = ()
    early_in_part: bool = False
    by_mail: bool = True
    disputed_minor: int = 0
    promise_id: str = ""
    promised_paid_minor: int = 0
    promises: tuple[PromiseMark, ...] = ()
    booked: Booked | None = None
    discounted: Legs = ()
    paid_on: date | None = None
    correlation_id: str = ""

    @property
    def open_money(self) -> Money:
        return Money(self.open_minor, self.currency)

    @property
    def undisputed_minor(self) -> int:
        """What is open and not in dispute."""
        return self.open_minor - self.disputed_minor

    @property
    def promised_minor(self) -> int:
        """What is promised for another day, and still to come."""
        return self.undisputed_minor if self.promise_id else 0

    @property
    def tolerated_minor(self) -> int:
        """What of it was too little to chase, and was written off."""
        return minor_of(differences_of(self.discounted))

    @property
    def early_now(self) -> Offers:
        """The early-payment discounts on what is open, credit notes and earlier payments allowed for."""
        credited, in_part = self.credited_minor, self.early_in_part
        return offers_left(self.early, self.open_minor, self.total_minor, credited, in_part)


# Written only where they say something, so that what was stored before them reads the same.
_LATER = {
    name: InvoiceHeader.__dataclass_fields__[name].default
    for name in (
        *("document", "of_invoice", "series", "sequence", "credited_minor", "by_mail", "disputed_minor", "booked"),
        *("early", "early_in_part", "discounted", "promise_id", "promised_paid_minor", "promises", "paid_on"),
        "correlation_id",
    )
}


def draft_header(body: InvoiceBody, run_id: str, correlation_id: str = "") -> InvoiceHeader:
    """The header of a frozen body before it has a number: a draft, open as far as no credit pays it."""
    from saldo.invoicing.rules_terms import early_offers  # lists and payments need neither the body nor its rules

    return InvoiceHeader(
        account_id=body.account_id,
        invoice_id=body.id,
        organisation_id=body.organisation_id,
        entity_id=body.entity_id,
        number="",
        status=InvoiceStatus.DRAFT,
        currency=body.currency,
        issued_on=body.issued_on,
        due_on=body.due_on,
        net_minor=body.net_minor,
        tax_minor=body.tax_minor,
        total_minor=body.total_minor,
        open_minor=max(body.payable_minor, 0),
        run_id=run_id,
        buyer_profile=body.buyer_profile,
        language=body.language,
        document=body.kind,
        early=early_offers(body),
        early_in_part=body.early_in_part,
        of_invoice=body.of_invoice,
        by_mail=body.by_mail,
        booked=_booked(body),
        correlation_id=correlation_id,
    )


def _booked(body: InvoiceBody) -> Booked | None:
    if body.exchange is None or body.payable_minor <= 0:
        return None
    return Booked(body.exchange, body.exchange.convert(Money(body.payable_minor, body.currency)).minor)


def header_key(account_id: str, invoice_id: str) -> Key:
    return account_id, f"{PREFIX}{invoice_id}"


def body_key(account_id: str, invoice_id: str) -> Key:
    """Where the frozen body lies; its `body` attribute holds the bytes that invoicing's codec wrote."""
    return account_id, f"{BODY_PREFIX}{invoice_id}"


def body_item(account_id: str, invoice_id: str, body: bytes) -> Item:
    """body: as invoicing's codec wrote it."""
    pk, sk = body_key(account_id, invoice_id)
    return {"pk": pk, "sk": sk, "kind": "body", "body": body}


def open_agenda(account_id: str) -> str:
    """The agenda partition of what an account still owes, by due date."""
    return f"open#{account_id}"


def header_item(header: InvoiceHeader) -> Item:
    pk, sk = header_key(header.account_id, header.invoice_id)
    item: Item = {"pk": pk, "sk": sk, "kind": "invoice"}
    for name in InvoiceHeader.__dataclass_fields__:
        value = getattr(header, name)
        if name not in _LATER or value != _LATER[name]:
            item[name] = value.isoformat() if isinstance(value, date) else value
    if header.early:
        item["early"] = offers_to(header.early)
    item |= booked_fields(header.booked) | discounted_to(header.discounted)
    item["status"] = header.status.value
    item["document"] = header.document.value
    item["history"] = history_items(header.history)
    if header.promises:
        item["promises"] = [mark_item(mark) for mark in header.promises]
    if header.status in ISSUED and header.open_minor > 0:
        item["agenda_pk"] = open_agenda(header.account_id)
        item["agenda_on"] = item["due_on"]
    return item


def header_from(item: Item) -> InvoiceHeader:
    fields = {name: item[name] for name in InvoiceHeader.__dataclass_fields__ if name in item or name not in _LATER}
    if "early" in item:
        fields["early"] = offers_from(item["early"])
    if "discounted" in item:
        fields["discounted"] = legs_from(item["discounted"])
    if "booked" in item:
        fields["booked"] = Booked(rate_from_row(item["booked"]["rate"]), item["booked"]["minor"])
    if "promises" in item:
        fields["promises"] = tuple(_mark_from(mark) for mark in item["promises"])
    if "paid_on" in item:
        fields["paid_on"] = date.fromisoformat(item["paid_on"])
    fields["document"] = DocumentKind(item.get("document", DocumentKind.INVOICE))
    fields["status"] = InvoiceStatus(item["status"])
    fields["issued_on"] = date.fromisoformat(item["issued_on"])
    fields["due_on"] = date.fromisoformat(item["due_on"])
    fields["history"] = tuple(StatusChange(instant_from(h["at"]), InvoiceStatus(h["status"])) for h in item["history"])
    return InvoiceHeader(**fields)


def mark_item(mark: PromiseMark) -> Item:
    at, until_on = instant_text(mark.at), mark.until_on.isoformat()
    return {"at": at, "promise_id": mark.promise_id, "state": mark.state, "until_on": until_on}


def _mark_from(item: Item) -> PromiseMark:
    until_on = date.fromisoformat(item["until_on"])
    return PromiseMark(instant_from(item["at"]), item["promise_id"], item["state"], until_on)


def issued_header(header: InvoiceHeader, numbered: Numbered, at: datetime) -> InvoiceHeader:
    """The header as it reads once issued. An invoice of nothing is paid at once, a credit note settled.

    Refusal `already_issued` for anything but a draft.
    """
    if header.status is not InvoiceStatus.DRAFT:
        raise Refusal("already_issued", f"{header.invoice_id} has number {header.number}")
    history = (*header.history, StatusChange(at, InvoiceStatus.ISSUED))
    status = InvoiceStatus.ISSUED
    if not header.open_minor:
        status = InvoiceStatus.PAID if header.document is DocumentKind.INVOICE else InvoiceStatus.SETTLED
        history = (*history, StatusChange(at, status))
    number, series, sequence = numbered.number, numbered.series, numbered.sequence
    return replace(header, number=number, series=series, sequence=sequence, status=status, history=history)


def open_list_key(account_id: str) -> Key:
    return account_id, OPEN_LIST


def history_items(history: tuple[StatusChange, ...]) -> list[Item]:
    return [{"at": instant_text(h.at), "status": h.status.value} for h in history]


def booked_fields(booked: Booked | None) -> Item:
    return {"booked": {"rate": rate_row(booked.rate), "minor": booked.minor}} if booked else {}
