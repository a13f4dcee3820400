"""Taxes by jurisdiction over a period, tied to the ledger. No clock, no I/O.

Taxes come from the journal's postings on tax payable and, with their bases, from the documents behind the entries. Both
must say the same, document by document; where they do not, the report says so and is not in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from saldo.ledger.model import Entry, EntryKind, LedgerAccount
from saldo.ledger.rules import base_amounts, own_currency
from saldo.tax.model import Collection, TaxTotal, TaxTreatment
from saldo.tax.rules_cash import Undue, paid, taken_back, undue

_DOCUMENTED = (EntryKind.INVOICE_ISSUED, EntryKind.CREDIT_NOTE_ISSUED, EntryKind.TAX_TRUED_UP)


class Basis(StrEnum):
    """INVOICED: tax is due when invoiced. PAID: when paid (cash basis)."""

    INVOICED = "invoiced"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class TaxedDocument:
    """What stands behind an entry. `id`: the entry's source. `of_invoice`: which invoice a credit note takes back.

    `credited_minor`: what of its total credits paid when it was issued. `waiting`: its tax is still an estimate.
    """

    id: str
    total_minor: int
    totals: tuple[TaxTotal, ...]
    of_invoice: str = ""
    credited_minor: int = 0
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One tax of one jurisdiction in one currency."""

    currency: str
    jurisdiction: str
    name: str
    treatment: str
    percent: str
    reason: str
    collection: str
    base_minor: int
    tax_minor: int
    documents: int


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Tax that moved in the ledger without a document, by what moved it (`early_discount_taken`)."""

    currency: str
    jurisdiction: str
    kind: str
    tax_minor: int


@dataclass(frozen=True, slots=True)
class SalesListRow:
    """What a buyer accounts for tax on itself (EC sales list). `country`: the buyer's."""

    currency: str
    country: str
    account_id: str
    base_minor: int


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry that says other than its document, in one jurisdiction; `document_minor` None: there is none."""

    entry_id: str
    currency: str
    jurisdiction: str
    ledger_minor: int
    document_minor: int | None


@dataclass(frozen=True, slots=True)
class TaxReport:
    """`ledger`: what the journal says by (currency, jurisdiction), tax owed above zero. `not_yet_due`: with basis PAID,
    tax invoiced by the end of the period and not paid. `estimated_minor`: tax in the rows that is still an estimate.
    `in_own_currency`: `ledger` in the currency that the seller declares in, at the rate of each document; empty with
    basis PAID.

    `is_in_order` only while rows and adjustments make up the ledger.
    """

    from_on: date
    until_on: date
    basis: Basis
    rows: tuple[Row, ...]
    adjustments: tuple[Adjustment, ...]
    sales_list: tuple[SalesListRow, ...]
    ledger: Mapping[tuple[str, str], int]
    not_yet_due: Mapping[tuple[str, str], int]
    estimated_minor: Mapping[str, int]
    differences: tuple[Difference, ...]
    in_own_currency: Mapping[tuple[str, str], int]

    @property
    def difference_minor(self) -> Mapping[tuple[str, str], int]:
        """Ledger less rows and adjustments, by (currency, jurisdiction); all zeros left out. Over the period when
        invoiced, and with basis PAID over all time together with what is not yet due."""
        left: Counter[tuple[str, str]] = Counter(self.ledger)
        for row in self.rows:
            if row.collection == Collection.CHARGED:
                left[row.currency, row.jurisdiction] -= row.tax_minor
        for one in self.adjustments:
            left[one.currency, one.jurisdiction] -= one.tax_minor
        left.subtract(self.not_yet_due)
        return {key: minor for key, minor in left.items() if minor}

    @property
    def is_in_order(self) -> bool:
        return not self.differences and not self.difference_minor


Kind = tuple[str, TaxTotal]  # currency, and a total with its amounts taken out


@dataclass(slots=True)
class _Fold:
    sums: dict[Kind, list[int]] = field(default_factory=dict)
    adjustments: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    sales: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    ledger: Counter[tuple[str, str]] = field(default_factory=Counter)
    not_yet_due: Counter[tuple[str, str]] = field(default_factory=Counter)
    estimated: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    own: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, entry: Entry, totals: Iterable[TaxTotal]) -> None:
        for total in totals:
            kind = entry.currency, replace(total, base_minor=0, tax_minor=0, included=False, basis=None)
            row = self.sums.setdefault(kind, [0, 0, 0])
            row[0] += total.base_minor
            row[1] += total.tax_minor
            row[2] += 1
            if total.treatment in (TaxTreatment.REVERSE_CHARGE, TaxTreatment.INTRA_COMMUNITY):
                self.sales[entry.currency, total.jurisdiction, entry.account_id] += total.base_minor

    def adjust(self, entry: Entry, taxes: Mapping[str, int]) -> None:
        for jurisdiction, minor in taxes.items():
            self.adjustments[entry.currency, jurisdiction, entry.kind.value] += minor

    def compare(self, entry: Entry, document: TaxedDocument | None) -> None:
        """An entry and its document, jurisdiction by jurisdiction."""
        booked = _taxes_of(entry)
        shown: Counter[str] = Counter()
        for total in document.totals if document else ():
            if total.collection is Collection.CHARGED:
                shown[total.jurisdiction] += total.tax_minor
        for jurisdiction in sorted(booked.keys() | shown.keys()):
            there = shown[jurisdiction] if document else None
            if booked[jurisdiction] != (there or 0) or (there is None and booked[jurisdiction]):
                place = entry.id, entry.currency, jurisdiction
                self.differences.append(Difference(*place, booked[jurisdiction], there))

    def as_report(self, from_on: date, until_on: date, basis: Basis) -> TaxReport:
        rows = [_row(currency, total, sums) for (currency, total), sums in self.sums.items()]
        return TaxReport(
            from_on,
            until_on,
            basis,
            tuple(sorted(rows, key=lambda r: (r.currency, r.jurisdiction, r.name, r.percent, r.reason))),
            tuple(Adjustment(*key, minor) for key, minor in sorted(self.adjustments.items()) if minor),
            tuple(SalesListRow(*key, minor) for key, minor in sorted(self.sales.items()) if minor),
            _without_zeros(self.ledger),
            _without_zeros(self.not_yet_due),
            {currency: minor for currency, minor in sorted(self.estimated.items()) if minor},
            tuple(self.differences),
            _without_zeros(self.own),
        )


def _row(currency: str, total: TaxTotal, sums: list[int]) -> Row:
    kind = total.jurisdiction, total.name, total.treatment.value, str(total.percent), total.reason
    return Row(currency, *kind, total.collection.value, *sums)


def _without_zeros(sums: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {key: minor for key, minor in sorted(sums.items()) if minor}


def _taxes_of(entry: Entry) -> Counter[str]:
    """What an entry says is owed, above zero, by jurisdiction."""
    found: Counter[str] = Counter()
    for posting in entry.postings:
        if posting.account is LedgerAccount.TAX_PAYABLE:
            found[posting.tag or ""] -= posting.minor
    return found


def _in_own_currency(entry: Entry) -> Iterator[tuple[tuple[str, str], int]]:
    """The same in the seller's own currency, leg by leg."""
    currency = own_currency(entry)
    for posting, minor in zip(entry.postings, base_amounts(entry), strict=True):
        if posting.account is LedgerAccount.TAX_PAYABLE:
            yield (currency, posting.tag or ""), -minor


Booked = Iterable[tuple[Entry, TaxedDocument | None]]


def report_as_invoiced(booked: Booked, from_on: date, until_on: date) -> TaxReport:
    """Over entries booked on [from_on, until_on), each with the document behind it; others are left alone."""
    fold = _Fold()
    for entry, document in booked:
        if not from_on <= entry.booked_on < until_on:
            continue
        taxes = _taxes_of(entry)
        fold.ledger.update({(entry.currency, place): minor for place, minor in taxes.items()})
        for key, minor in _in_own_currency(entry):
            fold.own[key] += minor
        if entry.kind not in _DOCUMENTED:
            fold.adjust(entry, taxes)
            continue
        fold.compare(entry, document)
        if document is not None:
            fold.add(entry, document.totals)
            if document.waiting:
                fold.estimated[entry.currency] += sum(total.tax_minor for total in document.totals)
    return fold.as_report(from_on, until_on, Basis.INVOICED)


def report_as_paid(booked: Booked, from_on: date, until_on: date) -> TaxReport:
    """The same by payments. booked: every entry of an account before `until_on`, in booking order, account by account.

    What credit pays is paid when the invoice is issued. A payment taken off an invoice again is not known here.
    `ledger` and the differences are of all time until `until_on`, for what is due now was booked before.
    """
    fold, now, before = _Fold(), _Fold(), _Fold()
    open_: dict[str, Undue] = {}
    currency_of: dict[str, str] = {}
    for entry, document in booked:
        if entry.booked_on >= until_on:
            continue
        part = now if entry.booked_on >= from_on else before
        taxes = _taxes_of(entry)
        fold.ledger.update({(entry.currency, place): minor for place, minor in taxes.items()})
        if entry.kind in _DOCUMENTED:
            fold.compare(entry, document)
            if document is not None:
                currency_of[document.of_invoice or document.id] = entry.currency
                part.add(entry, _issued(open_, entry.kind, document))
        else:
            part.adjust(entry, taxes)
            for invoice_id, minor in _payments(entry):
                if invoice_id in open_:
                    open_[invoice_id], due = paid(open_[invoice_id], minor)
                    part.add(entry, due)
    for invoice_id, left in open_.items():
        for total in left.totals:
            fold.not_yet_due[currency_of[invoice_id], total.jurisdiction] += total.tax_minor
    return _as_paid(fold, now, before, from_on, until_on)


def _issued(open_: dict[str, Undue], kind: EntryKind, document: TaxedDocument) -> tuple[TaxTotal, ...]:
    """What a document makes due at once."""
    if kind is EntryKind.TAX_TRUED_UP:
        return document.totals  # the seller's own affair with the state
    if document.of_invoice in open_:
        open_[document.of_invoice], due = taken_back(open_[document.of_invoice], document.total_minor, document.totals)
        return due
    if document.total_minor < 0:
        return document.totals
    open_[document.id], due = paid(undue(document.total_minor, document.totals), document.credited_minor)
    return due


def _payments(entry: Entry) -> Iterable[tuple[str, int]]:
    for posting in entry.postings:
        if posting.account is LedgerAccount.RECEIVABLES and posting.invoice_id and posting.minor < 0:
            yield posting.invoice_id, -posting.minor


def _as_paid(fold: _Fold, now: _Fold, before: _Fold, from_on: date, until_on: date) -> TaxReport:
    """The period's rows, and the ledger of all time less what was due before it."""
    for (currency, total), (_, tax, _) in before.sums.items():
        if total.collection is Collection.CHARGED:
            fold.ledger[currency, total.jurisdiction] -= tax
    for (currency, jurisdiction, _), minor in before.adjustments.items():
        fold.ledger[currency, jurisdiction] -= minor
    fold.sums, fold.adjustments, fold.sales = now.sums, now.adjustments, now.sales
    return fold.as_report(from_on, until_on, Basis.PAID)
