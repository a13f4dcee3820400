"""The journal entry of issuing an invoice or a credit note. No clock, no I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from saldo.catalog.model import Timing
from saldo.invoicing.model import DocumentKind, InvoiceBody, Line, LineKind
from saldo.kernel.exchange import Booked
from saldo.kernel.money import Money
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting, entry_for
from saldo.tax.model import Collection


def issue_entry(body: InvoiceBody, open_minor: int | None = None, booked: Booked | None = None) -> Entry | None:
    """The journal entry of issuing: receivables against revenue, deferred revenue and tax; None where all cancels out.

    Charges in arrears are earned; those in advance are deferred, by revenue tag. Tax is owed per jurisdiction; what the
    buyer withholds of it is had back from the state. Credits that pay are used up. A credit note is the same with its
    signs turned round: against its invoice as far as that is open (`open_minor`; None: in full), taking as much of what
    that is `booked` at, and for the rest in favour of what the customer has with the seller.
    """
    credits = _earned(body.lines)
    for tax in body.tax_totals:
        if tax.collection is Collection.CHARGED:
            credits[LedgerAccount.TAX_PAYABLE, tax.jurisdiction] += tax.tax_minor
        if tax.collection is Collection.WITHHELD:
            credits[LedgerAccount.TAX_WITHHELD, tax.jurisdiction] -= tax.tax_minor
    if body.rounding is not None:
        credits[LedgerAccount.ROUNDING, ""] += body.rounding.minor
    for credit in body.credits:
        if not credit.before_tax:
            account = LedgerAccount.PREPAID_CREDIT if credit.credit_id else LedgerAccount.CUSTOMER_CREDIT
            credits[account, credit.credit_id] -= credit.minor
    legs = [Posting(account, -minor, tag=tag or None) for (account, tag), minor in credits.items() if minor]
    owed = -sum(leg.minor for leg in legs)
    if not legs:
        return None
    return entry_for(
        EntryKind.CREDIT_NOTE_ISSUED if body.kind is DocumentKind.CREDIT_NOTE else EntryKind.INVOICE_ISSUED,
        booked_on=body.issued_on,
        entity_id=body.entity_id,
        account_id=body.account_id,
        currency=body.currency,
        source_id=body.id,
        postings=(*_owed(body, owed, open_minor, booked), *legs),
        exchange=body.exchange,
    )


def _earned(lines: Sequence[Line]) -> defaultdict[tuple[LedgerAccount, str], int]:
    """What the lines earn, defer, or draw from prepaid credit. Tax within what a credit paid stays with its line."""
    credits: defaultdict[tuple[LedgerAccount, str], int] = defaultdict(int)
    for line in lines:
        net, earned = line.net_minor, (_account_of(line), line.revenue_tag)
        if line.kind is LineKind.PREPAID:
            credits[LedgerAccount.PREPAID_CREDIT, line.component_id] += net
            credits[earned] -= line.included_tax_minor
        else:
            credits[earned] += net - line.included_tax_minor
    return credits


def _owed(body: InvoiceBody, minor: int, open_minor: int | None, booked: Booked | None) -> list[Posting]:
    """What the customer owes, or (below zero) has back: first off what is open of the invoice, then as credit."""
    receivable = minor
    if body.kind is DocumentKind.CREDIT_NOTE:
        reach = minor if open_minor is None else max(minor, -open_minor)
        receivable = reach if body.of_invoice else 0
    invoice_id, base = body.of_invoice or body.id, None
    if body.of_invoice and open_minor and booked:
        base = -booked.part(-receivable, Money(open_minor, body.currency))
    owed = Posting(LedgerAccount.RECEIVABLES, receivable, invoice_id=invoice_id, due_on=body.due_on, base_minor=base)
    legs = [owed] if receivable else []
    return legs if receivable == minor else [*legs, Posting(LedgerAccount.CUSTOMER_CREDIT, minor - receivable)]


def _account_of(line: Line) -> LedgerAccount:
    return LedgerAccount.REVENUE if line.timing is Timing.ARREARS else LedgerAccount.DEFERRED_REVENUE
