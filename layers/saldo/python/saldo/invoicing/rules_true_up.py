"""What is done about an invoice whose tax was estimated, once the tax service has spoken. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.rules_taxable import taxable_lines
from saldo.kernel.money import minor_digits, round_exact
from saldo.kernel.rounding import Rounding
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting, entry_for
from saldo.tax.model import TaxAnswer, TaxTotal
from saldo.tax.model_services import TaxDocument

# What a seller takes on itself rather than ask a customer for it, in major units.
ABSORBED = Decimal("0.50")


class Outcome(StrEnum):
    """CONFIRMED: the estimate was right. ABSORBED: a little too low, or between jurisdictions; the seller bears it.
    CORRECTED: taken back and billed again. CREDITED: staff had taken the invoice back before."""

    CONFIRMED = "confirmed"
    ABSORBED = "absorbed"
    CORRECTED = "corrected"
    CREDITED = "credited"


@dataclass(frozen=True, slots=True)
class TrueUp:
    """`differences`: by tax, what the service says less what was invoiced. `difference_minor`: of the tax in all."""

    outcome: Outcome
    source: str = ""
    difference_minor: int = 0
    differences: tuple[TaxTotal, ...] = ()


def question(body: InvoiceBody) -> TaxDocument:
    """What the service is asked again: the same lines, on the same days, with the facts of then. What gives back an
    earlier charge is asked too: the taxes of that may have been an estimate as well."""
    assert body.tax_facts is not None, "what is estimated keeps its facts"
    lines = taxable_lines(body.lines, body.issued_on, body.currency)
    return TaxDocument(body.tax_facts, body.currency, tuple(line._replace(taxes=()) for line in lines))


def true_up(body: InvoiceBody, answer: TaxAnswer, absorbed: Decimal = ABSORBED) -> TrueUp:
    """What follows from the service's answer.

    Tax invoiced too high always goes back to the customer: whoever shows a tax owes it (Directive 2006/112/EC,
    article 203), and US states have over-collected tax refunded or handed over. Tax too low by no more than `absorbed`
    is the seller's own; more is billed again.
    """
    differences = _differences(body.tax_totals, answer.totals)
    minor = answer.tax_minor - body.tax_minor
    limit = round_exact(absorbed.scaleb(minor_digits(body.currency)), Rounding.DOWN)
    if not any(d.tax_minor for d in differences):
        outcome = Outcome.CONFIRMED
    else:
        outcome = Outcome.ABSORBED if 0 <= minor <= limit else Outcome.CORRECTED
    return TrueUp(outcome, answer.source, minor, differences if outcome is Outcome.ABSORBED else ())


def _differences(before: Iterable[TaxTotal], after: Iterable[TaxTotal]) -> tuple[TaxTotal, ...]:
    """By kind of tax; those without any are left out."""
    sums: dict[TaxTotal, tuple[int, int]] = {}
    for sign, totals in ((-1, before), (1, after)):
        for total in totals:
            kind = replace(total, base_minor=0, tax_minor=0)
            base, tax = sums.get(kind, (0, 0))
            sums[kind] = base + sign * total.base_minor, tax + sign * total.tax_minor
    found = (replace(kind, base_minor=base, tax_minor=tax) for kind, (base, tax) in sums.items())
    return tuple(total for total in found if total.base_minor or total.tax_minor)


def absorbing_entry(body: InvoiceBody, found: TrueUp, on: date) -> Entry | None:
    """Tax payable as the service has it, by jurisdiction, against what the seller bears; None where none moves."""
    if found.outcome is not Outcome.ABSORBED:
        return None
    by_place: dict[str, int] = {}
    for total in found.differences:
        by_place[total.jurisdiction] = by_place.get(total.jurisdiction, 0) + total.tax_minor
    legs = [Posting(LedgerAccount.TAX_PAYABLE, -minor, tag=place) for place, minor in by_place.items() if minor]
    if found.difference_minor:
        legs.append(Posting(LedgerAccount.TAX_DIFFERENCE, found.difference_minor))
    if not legs:
        return None
    return entry_for(
        EntryKind.TAX_TRUED_UP,
        booked_on=on,
        entity_id=body.entity_id,
        account_id=body.account_id,
        currency=body.currency,
        source_id=body.id,
        postings=legs,
        exchange=body.exchange,
    )
