"""Prepaid credit: which is drawn first, and what it may pay for. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from saldo.invoicing.model import (
    AppliedCredit,
    BillingCase,
    CreditSource,
    InvoiceBody,
    Line,
    LineKind,
    PrepaidCredit,
)
from saldo.invoicing.rules_discounts import left_of, spread, take
from saldo.kernel.money import rounded_to_sum
from saldo.tax.model import Collection, TaxTotal

_DAY = timedelta(days=1)
_NAMES = {"en": "Prepaid credit", "de": "Guthaben", "fr": "Crédit prépayé", "es": "Crédito prepagado"}


def in_draw_order(credits: Iterable[PrepaidCredit], on: date) -> list[PrepaidCredit]:
    """Credits that can be drawn on a day, first the one to draw first."""
    there = [c for c in credits if c.balance_minor > 0 and c.granted_on <= on]
    there = [c for c in there if c.expires_on is None or on < c.expires_on]
    return sorted(there, key=lambda c: (c.priority, c.expires_on or date.max, c.paid, c.granted_on, c.id))


def drawn_before_tax(case: BillingCase, lines: Sequence[Line]) -> tuple[list[Line], tuple[AppliedCredit, ...]]:
    """The lines with what prepaid credit pays of them as lines of their own, and what is drawn of which.

    Each credit pays the same part of all lines that it may pay for; never more than these come to, or all of them. It
    does not pay what is itself given back: the tax of that goes back whole.
    """
    found, drawn = list(lines), []
    for credit in in_draw_order(case.wallet.credits, case.as_of):
        payable = [line for line in found if not line.of and line.is_for(credit.components)]
        left = left_of(found, payable)
        part = min(credit.balance_minor, sum(left), sum(line.net_minor for line in found))
        if part > 0:
            drawn.append(AppliedCredit(CreditSource.PREPAID, credit.id, part, before_tax=True))
            pays = [line for line, rest in zip(payable, left, strict=True) if rest > 0 or not line.supplied_on]
            take(case, found, part, pays, (LineKind.PREPAID, credit.id, _NAMES))
    return found, tuple(drawn)


def drawn_after_tax(
    body: InvoiceBody, note_minor: int, credits: Iterable[PrepaidCredit], on: date
) -> list[AppliedCredit]:
    """What pays for an invoice, tax and all: what the account has from credit notes, then prepaid credit in its order,
    each as far as it reaches and may."""
    due, there = Due(body), in_draw_order(credits, on)
    due.limited = any(credit.components for credit in there)
    paid = due.pay(note_minor)
    found = [AppliedCredit(CreditSource.CREDIT_NOTE, "", paid)] if paid else []
    for credit in there:
        if part := due.pay(credit.balance_minor, credit.components):
            found.append(AppliedCredit(CreditSource.PREPAID, credit.id, part))
    return found


class Due:
    """What is still to be paid of an invoice while one credit after the other pays for it.

    limited: whether some of them may pay for some lines only. Then each pays the same part of all lines that it may pay
    for, with their taxes; so what pays for some leaves no more of them to others than there is.
    """

    def __init__(self, body: InvoiceBody, limited: bool = False) -> None:
        self._body, self.limited = body, limited
        self._minor = body.payable_minor
        self._lines: list[Line] = []
        self._left: list[int] = []

    def pay(self, most_minor: int, components: frozenset[str] = frozenset()) -> int:
        """Pay as much of it, at most; how much that was. components: whose lines it may pay for; empty: all."""
        if self._minor <= 0 or most_minor <= 0:
            return 0
        if not self.limited:
            paid = min(most_minor, self._minor)
            self._minor -= paid
            return paid
        if not self._lines:
            self._lines = [line for line in self._body.lines if not line.of]
            self._left = by_line(self._body)
        chosen = [n for n, one in enumerate(self._lines) if one.is_for(components)]
        left = [self._left[n] for n in chosen]
        paid = min(most_minor, self._minor, sum(left))
        if paid <= 0:
            return 0
        for n, part in zip(chosen, spread(paid, [self._lines[n] for n in chosen], left), strict=True):
            self._left[n] -= part
        self._minor -= paid
        return paid


def by_line(body: InvoiceBody) -> list[int]:
    """What the buyer owes before credits, line by line: each that is not off another, with what is off it and its part
    of the taxes. They add up to `owed_minor`, less what rounds it; odd cents by largest remainder."""
    parents = [line for line in body.lines if not line.of]
    exact = [Fraction(minor) for minor in left_of(body.lines, parents)]
    at = {line.id: n for n, line in enumerate(parents)}
    for total in body.tax_totals:
        owed = _owed_of(total)
        bearing = [line for line in body.lines if line.inclusive == total.included and total.share in line.taxes]
        base = sum(line.net_minor for line in bearing)
        if owed and base:
            for line in bearing:
                exact[at[line.of or line.id]] += Fraction(owed * line.net_minor, base)
        elif owed and bearing:
            exact[at[bearing[0].of or bearing[0].id]] += owed
    return rounded_to_sum(int(sum(exact)), exact)


def _owed_of(total: TaxTotal) -> int:
    """What a tax adds to what is owed for its lines: it may be within their amounts, or paid to the state instead."""
    elsewhere = total.collection is not Collection.CHARGED
    added = not total.included and total.collection is not Collection.WITHHELD
    return total.tax_minor * (added - elsewhere)


def drawn_from(credits: Iterable[PrepaidCredit], applied: AppliedCredit, on: date) -> tuple[PrepaidCredit, ...]:
    """Prepaid credits after one was drawn on, or got back (below zero) on a day what was drawn on another.

    What comes back to a credit that has expired can be used for as long as it could have been when it was drawn: while
    an invoice held it, its time stood still. Otherwise a credit keeps its day.
    """
    return tuple(_after(credit, applied, on) if credit.id == applied.credit_id else credit for credit in credits)


def _after(credit: PrepaidCredit, applied: AppliedCredit, on: date) -> PrepaidCredit:
    expires_on = credit.expires_on
    if applied.minor < 0 and applied.drawn_on is not None and expires_on is not None and expires_on <= on:
        expires_on = on + max(expires_on - applied.drawn_on, _DAY)
    return replace(credit, balance_minor=credit.balance_minor - applied.minor, expires_on=expires_on)
