"""Steps of an issued invoice in a unit: settled, opened again, credited, disputed, promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from saldo.invoicing.codec_early import discounted_to
from saldo.invoicing.records import (
    HOLDS,
    ISSUED,
    InvoiceHeader,
    PromiseMark,
    StatusChange,
    booked_fields,
    header_key,
    history_items,
    mark_item,
    open_agenda,
    open_list_key,
)
from saldo.invoicing.rules_early import Legs, discounts_of, legs_of, minor_of, with_discount, written_off
from saldo.invoicing.status import InvoiceStatus
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import Booked
from saldo.storage.units import Unit


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
    now = {"open_minor": left, "status": status.value, "history": history_items(history)}
    paid_on = None if left else at.date()
    unit.update(
        header_key(header.account_id, header.invoice_id),
        set=now
        | ({"paid_on": paid_on.isoformat()} if paid_on else {})
        | _disputed_set(disputed)
        | ({"promised_paid_minor": promised_paid} if promised_paid else {})
        | booked_fields(booked)
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
    now = {"open_minor": open_, "status": status.value, "history": history_items(history)} | booked_fields(booked)
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
    marks = [mark_item(one) for one in (*header.promises, mark)]
    unit.update(
        header_key(header.account_id, header.invoice_id),
        set={"promises": marks} | ({"promise_id": mark.promise_id} if holds else {}),
        remove=("promised_paid_minor",) if holds else ("promise_id", "promised_paid_minor"),
        when=_as_read(header),
    )
    hold_counted(unit, header.account_id)


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
            "history": history_items(history),
            **_disputed_set(disputed),
            **booked_fields(header.booked and header.booked.less(lowered_minor, header.open_money)),
            **discounted_to(discounted),
        },
        remove=(
            *(() if left else ("agenda_pk", "agenda_on")),
            *_disputed_gone(header, disputed),
            *_discounted_gone(header, discounted),
        ),
        when=_as_read(header) | {"credited_minor": header.credited_minor or None},
    )
