"""Decisions on credit: what an account has to its credit, set off against chosen invoices before money is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from saldo.kernel.money import Money, split_by_weights
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting, entry_for
from saldo.payments.model import Allocation, Payable

MOST_NETTED = 40  # invoices of one unit


@dataclass(frozen=True, slots=True)
class Credit:
    """What there is, in minor units of one currency. cash: money that came and belongs to no invoice yet. notes: what
    credit notes left."""

    cash_minor: int = 0
    notes_minor: int = 0

    @property
    def minor(self) -> int:
        return self.cash_minor + self.notes_minor


@dataclass(frozen=True, slots=True)
class Netted:
    """`netted`: what credit pays of each invoice; `rest`: what is then left to be paid of those that were chosen."""

    netted: tuple[Allocation, ...]
    rest: tuple[Allocation, ...]
    credit: Credit

    @property
    def minor(self) -> int:
        return sum(a.minor for a in self.netted)


def net(chosen: Sequence[Allocation], payables: Mapping[str, Payable], credit: Credit, on: date) -> Netted:
    """In the payer's order, money first, then credit notes. An invoice that is paid early for less is left to money:
    credit would settle it without its discount."""
    left = credit.minor
    netted: list[Allocation] = []
    rest: list[Allocation] = []
    for one in chosen:
        payable = payables[one.invoice_id]
        is_early = payable.is_settled_early(one.minor, on)
        part = 0 if is_early or len(netted) == MOST_NETTED else min(one.minor, left)
        left -= part
        netted += [replace(one, minor=part, number=payable.number)] if part else []
        rest += [replace(one, minor=one.minor - part)] if part < one.minor else []
    used = credit.minor - left
    cash = min(used, credit.cash_minor)
    return Netted(tuple(netted), tuple(rest), Credit(cash, used - cash))


def after(payables: Mapping[str, Payable], netted: Sequence[Allocation]) -> dict[str, Payable]:
    """Invoices as they are once credit has paid its part."""
    minor = {a.invoice_id: a.minor for a in netted}
    return {i: _less(p, minor.get(i, 0)) for i, p in payables.items()}


def _less(payable: Payable, minor: int) -> Payable:
    booked = payable.booked and payable.booked.less(minor, Money(payable.open_minor, payable.currency))
    return replace(payable, open_minor=payable.open_minor - minor, booked=booked)


def netting_entry(
    source_id: str,
    account_id: str,
    entity_id: str,
    currency: str,
    found: Netted,
    payables: Mapping[str, Payable],
    on: date,
) -> Entry:
    """Dr unapplied cash and customer credit, Cr receivables invoice by invoice.

    In the seller's own currency, where that is another, credit is used at what the invoices are booked at: nothing is
    won or lost on it (docs/decisions/0049).
    """
    spent = {
        LedgerAccount.UNAPPLIED_CASH: found.credit.cash_minor,
        LedgerAccount.CUSTOMER_CREDIT: found.credit.notes_minor,
    }
    spent = {account: minor for account, minor in spent.items() if minor}
    bases = [payables[a.invoice_id].booked_at(a.minor) for a in found.netted]
    in_own = any(base is not None for base in bases)
    worth = split_by_weights(Money(sum(base or 0 for base in bases), currency), list(spent.values()))
    debits = [
        Posting(account, minor, base_minor=base.minor if in_own else None)
        for (account, minor), base in zip(spent.items(), worth, strict=True)
    ]
    credits = [
        Posting(
            LedgerAccount.RECEIVABLES,
            -a.minor,
            invoice_id=a.invoice_id,
            due_on=payables[a.invoice_id].due_on,
            base_minor=-(base or 0) if in_own else None,
        )
        for a, base in zip(found.netted, bases, strict=True)
    ]
    return entry_for(
        EntryKind.CREDIT_APPLIED,
        booked_on=on,
        entity_id=entity_id,
        account_id=account_id,
        currency=currency,
        source_id=source_id,
        postings=(*debits, *credits),
    )
