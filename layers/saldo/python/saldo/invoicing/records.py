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
    discounts_of,
    legs_of,
    minor_of,
    offers_left,
    with_discount,
    written_off,
)
from saldo.invoicing.status import DocumentKind as DocumentKind
from saldo.invoicing.status import InvoiceStatus as InvoiceStatus
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import Booked, rate_from_row, rate_row
from saldo.kernel.money import Money
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit

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
    `paid_on`: the day on which money settled it, while that stands.
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
    )
}


def draft_header(body: InvoiceBody, run_id: str) -> InvoiceHeader:
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
    item |= _booked_set(header.booked) | discounted_to(header.discounted)
    item["status"] = header.status.value
    item["document"] = header.document.value
    item["history"] = _history_items(header.history)
    if header.promises:
        item["promises"] = [_mark_item(mark) for mark in header.promises]
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


def _mark_item(mark: PromiseMark) -> Item:
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


def settle_update(
    unit: Unit, header: InvoiceHeader, money_minor: int, at: datetime, discount: Legs = ()
) -> InvoiceHeader:
    """Lower the open balance by money, and the discount or small difference that it takes, in this unit; the header as
    it will then read.

    The unit holds only while balance and status are still as in `header`: on a conflict read the header again
    and decide anew. Refusal `not_payable` for one not issued, `over_open_balance` for more than is open, or nothing.
    """
    paid_minor = money_minor + minor_of(discount)
    if header.status not in ISSUED:
        raise Refusal("not_payable", "only an issued invoice can be paid")
    if not 0 < paid_minor <= header.open_minor:
        raise Refusal("over_open_balance", f"{header.invoice_id} has {header.open_minor} open, not {paid_minor}")
    left = header.open_minor - paid_minor
    disputed = min(header.disputed_minor, left)
    promised_paid = header.promised_paid_minor + paid_minor if header.promise_id else 0
    status = InvoiceStatus.PART_PAID if left else InvoiceStatus.PAID
    history = (*header.history, StatusChange(at, status)) if status is not header.status else header.history
    booked = header.booked and header.booked.less(paid_minor, header.open_money)
    discounted = with_discount(header.discounted, discount)
    now = {"open_minor": left, "status": status.value, "history": _history_items(history)}
    paid_on = None if left else at.date()
    unit.update(
        header_key(header.account_id, header.invoice_id),
        set=now
        | ({"paid_on": paid_on.isoformat()} if paid_on else {})
        | _disputed_set(disputed)
        | ({"promised_paid_minor": promised_paid} if promised_paid else {})
        | _booked_set(booked)
        | discounted_to(discounted),
        remove=(*(() if left else ("agenda_pk", "agenda_on")), *_disputed_gone(header, disputed)),
        when=_as_read(header),
    )
    new = replace(header, open_minor=left, status=status, history=history, disputed_minor=disputed)
    return replace(new, promised_paid_minor=promised_paid, booked=booked, discounted=discounted, paid_on=paid_on)


def reopen_update(
    unit: Unit,
    header: InvoiceHeader,
    back_minor: int,
    booked_minor: int,
    at: datetime,
    discount_minor: int = 0,
    tolerated_minor: int = 0,
) -> None:
    """Raise the open balance in this unit by what a payment had paid and the bank took back, and what is booked by what
    that took off; `discount_minor`, `tolerated_minor`: what of it was a discount, or written off. The unit holds only
    while all is as in `header`. Refusal `not_payable` for one that was credited."""
    if header.status not in ISSUED or ((discount_minor or tolerated_minor) and header.credited_minor):
        raise Refusal("not_payable", f"{header.number} is {header.status}: what was paid of it cannot be open again")
    open_ = header.open_minor + back_minor
    whole = open_ >= header.total_minor - header.credited_minor
    status = InvoiceStatus.ISSUED if whole else InvoiceStatus.PART_PAID
    history = (*header.history, StatusChange(at, status))
    booked = header.booked and Booked(header.booked.rate, header.booked.minor + booked_minor)
    now = {"open_minor": open_, "status": status.value, "history": _history_items(history)} | _booked_set(booked)
    paid = max(header.promised_paid_minor - back_minor, 0)
    gone = *legs_of(discounts_of(header.discounted), discount_minor), *written_off(tolerated_minor)
    discounted = with_discount(header.discounted, gone, -1)
    place = {"agenda_pk": open_agenda(header.account_id), "agenda_on": header.due_on.isoformat()}
    unit.update(
        header_key(header.account_id, header.invoice_id),
        set=now | place | ({"promised_paid_minor": paid} if paid else {}) | discounted_to(discounted),
        remove=(
            *(("promised_paid_minor",) if header.promised_paid_minor and not paid else ()),
            *(("paid_on",) if header.paid_on else ()),
            *_discounted_gone(header, discounted),
        ),
        when=_as_read(header),
    )


def promise_update(unit: Unit, header: InvoiceHeader, mark: PromiseMark, *, holds: bool) -> None:
    """Note on an invoice that it is under a promise to pay (`holds`), or out of it; the unit holds only while what is
    open, in dispute and promised is as in `header`."""
    marks = [_mark_item(one) for one in (*header.promises, mark)]
    unit.update(
        header_key(header.account_id, header.invoice_id),
        set={"promises": marks} | ({"promise_id": mark.promise_id} if holds else {}),
        remove=("promised_paid_minor",) if holds else ("promise_id", "promised_paid_minor"),
        when=_as_read(header),
    )
    hold_counted(unit, header.account_id)


def open_list_key(account_id: str) -> Key:
    return account_id, OPEN_LIST


def hold_counted(unit: Unit, account_id: str) -> None:
    """Count that what nobody is asked for of the account's invoices changes without an entry."""
    unit.count_once(open_list_key(account_id), HOLDS)


def dispute_update(unit: Unit, header: InvoiceHeader, disputed_minor: int) -> None:
    """Note on an invoice how much of it is in dispute, as far as that is open; holds only while what is open, and in
    dispute, is as in `header`."""
    disputed = min(disputed_minor, header.open_minor)
    key, when = header_key(header.account_id, header.invoice_id), {"open_minor": header.open_minor}
    if disputed == header.disputed_minor:
        unit.require(key, when=when | _held_as(header))
    else:
        gone = _disputed_gone(header, disputed)
        unit.update(key, set=_disputed_set(disputed), remove=gone, when=when | _held_as(header))
        hold_counted(unit, header.account_id)


def _booked_set(booked: Booked | None) -> Item:
    return {"booked": {"rate": rate_row(booked.rate), "minor": booked.minor}} if booked else {}


def _disputed_set(minor: int) -> dict[str, int]:
    return {"disputed_minor": minor} if minor else {}


def _disputed_gone(header: InvoiceHeader, minor: int) -> tuple[str, ...]:
    return ("disputed_minor",) if header.disputed_minor and not minor else ()


def _discounted_gone(header: InvoiceHeader, legs: Legs) -> tuple[str, ...]:
    return ("discounted",) if header.discounted and not legs else ()


def _as_read(header: InvoiceHeader) -> dict[str, int | str | None]:
    """What is open, and what nobody is asked for of it, as it was read."""
    return {"open_minor": header.open_minor, "status": header.status.value, **_held_as(header)}


def _held_as(header: InvoiceHeader) -> dict[str, int | str | None]:
    """What nobody is asked for, as it was read."""
    return {"disputed_minor": header.disputed_minor or None, "promise_id": header.promise_id or None}


def credit_update(
    unit: Unit,
    header: InvoiceHeader,
    credited_minor: int,
    lowered_minor: int,
    at: datetime,
    disputed_after: int | None = None,
    given_back: Legs = (),
) -> None:
    """Note on an invoice that a credit note takes back `credited_minor` of it, which lowers what is open.

    lowered_minor: 0 to the open balance. given_back: of the discounts that were taken. disputed_after: what is in
    dispute besides, where the note decides a dispute. The unit holds only while balance, status, credits and disputes
    are as in `header`.
    """
    assert 0 <= lowered_minor <= header.open_minor, "a credit note lowers what is open, and no further"
    left, credited = header.open_minor - lowered_minor, header.credited_minor + credited_minor
    disputed = min(header.disputed_minor if disputed_after is None else disputed_after, left)
    status = header.status
    if lowered_minor and not left:
        status = InvoiceStatus.CREDITED if status is InvoiceStatus.ISSUED else InvoiceStatus.PAID
    history = (*header.history, StatusChange(at, status)) if status is not header.status else header.history
    discounted = with_discount(header.discounted, given_back, -1)
    unit.update(
        header_key(header.account_id, header.invoice_id),
        set={
            "open_minor": left,
            **({"credited_minor": credited} if credited else {}),
            "status": status.value,
            "history": _history_items(history),
            **_disputed_set(disputed),
            **_booked_set(header.booked and header.booked.less(lowered_minor, header.open_money)),
            **discounted_to(discounted),
        },
        remove=(
            *(() if left else ("agenda_pk", "agenda_on")),
            *_disputed_gone(header, disputed),
            *_discounted_gone(header, discounted),
        ),
        when=_as_read(header) | {"credited_minor": header.credited_minor or None},
    )


def _history_items(history: tuple[StatusChange, ...]) -> list[Item]:
    return [{"at": instant_text(h.at), "status": h.status.value} for h in history]
