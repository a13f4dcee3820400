"""How an invoice stands on a day: open, late, and what it is worth in the ledger's currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.rules_early import Legs, Offers, differences_of, discounts_of, minor_of
from saldo.invoicing.rules_interest import LateCharges, Owed, late_charges
from saldo.invoicing.rules_terms import early_payment, instalments
from saldo.kernel.exact import rounded_to
from saldo.kernel.exchange import Booked, ExchangeRate
from saldo.kernel.money import Money
from saldo.ledger.model import OpenItem
from saldo.ledger.rules import aging
from saldo.ledger.rules_figures import (
    Owing,
    Sales,
    collection_effectiveness,
    days_counted_back,
    days_outstanding,
    turnover,
)
from saldo.quotes.model_receivables import (
    Aged,
    AgedBy,
    AgingAsked,
    Figures,
    Receivable,
    ReceivablesAsked,
    Revalued,
)
from saldo.tax.rules import percent_of


@dataclass(slots=True)
class Open:
    """An invoice while events are applied to it. `moves`: what was open after each, on which day. `booked`: at
    which rate it is booked in the ledger's currency, and how much of that is left. `early`: as it is
    issued with, and `discounted`: what was taken of that, or written off as too little to chase."""

    body: InvoiceBody
    minor: int
    early: Offers = ()
    written_off: int = 0
    discounted: Legs = ()
    booked: Booked | None = None
    moves: list[tuple[date, int]] = field(default_factory=list)
    notes: list[InvoiceBody] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.body.exchange is not None:
            open_ = Money(self.minor, self.body.currency)
            self.booked = Booked(self.body.exchange, self.body.exchange.convert(open_).minor)

    def move(self, on: date, minor: int, event: bool = True) -> int:
        """Take so much off; what that was booked at. The last of an invoice takes the last of what was booked.

        event: whether this is told by itself, or is part of the one before.
        """
        open_ = Money(self.minor, self.body.currency)
        booked = self.booked.part(minor, open_) if self.booked else 0
        self.booked = self.booked and self.booked.less(minor, open_)
        self.minor -= minor
        if event or not self.moves:
            self.moves.append((on, self.minor))
        else:
            self.moves[-1] = (on, self.minor)
        return booked

    def open_on(self, day: date) -> int:
        """What was open at the end of a day; nothing before it was issued."""
        if self.body.issued_on > day:
            return 0
        return next((left for on, left in reversed(self.moves) if on <= day), self.body.payable_minor)

    def give_up(self, on: date, minor: int) -> None:
        self.written_off += minor
        self.move(on, minor)


def standing(asked: ReceivablesAsked, item: Open) -> Receivable:
    """One invoice after all its events."""
    body = item.body
    earlier, offered = (early_payment(body, one) for one in body.early_discounts), {o.until_on for o in item.early}
    return Receivable(
        body=body,
        open_minor=item.minor,
        open_after=tuple(minor for _, minor in item.moves),
        written_off_minor=item.written_off + minor_of(differences_of(item.discounted)),
        early=tuple(early for early in earlier if early.until_on in offered),
        parts=tuple(_instalments(asked, item)),
        parts_due_on=tuple(_due_on(asked, item)),
        late=_late(asked, item),
        discount_taken_minor=minor_of(discounts_of(item.discounted)),
    )


def _instalments(asked: ReceivablesAsked, item: Open) -> list[int]:
    parts = asked.terms.instalments
    return instalments(Money(item.body.payable_minor, item.body.currency), parts) if parts else []


def _due_on(asked: ReceivablesAsked, item: Open) -> list[date]:
    """When each instalment is due; empty where none has a day of its own."""
    parts, body = asked.terms.instalments, item.body
    if not any(part.due for part in parts):
        return []
    return [part.due.due_on(body.issued_on) if part.due else body.due_on for part in parts]


@dataclass(frozen=True, slots=True)
class _Debt:
    """What of an invoice is due on a day: all of it, or an instalment. Those due earlier are settled first.

    `most`: how much it is, None for the earliest. `later`: what is due after it.
    """

    due_on: date
    most: int | None = None
    later: int = 0

    def of(self, open_minor: int) -> int:
        """What of it is open when so much of the invoice is."""
        left = open_minor - self.later
        if self.most is not None:
            left = min(left, self.most)
        return max(left, 0) if self.later else left


def _debts(asked: ReceivablesAsked, item: Open) -> list[_Debt]:
    """In the order in which they are due."""
    parts = sorted(zip(_due_on(asked, item), _instalments(asked, item), strict=False), key=lambda part: part[0])
    found, later = [], 0
    for n, (due_on, minor) in reversed(list(enumerate(parts))):
        found.append(_Debt(due_on, minor if n else None, later))
        later += minor
    return found[::-1] or [_Debt(item.body.due_on)]


def _late(asked: ReceivablesAsked, item: Open) -> LateCharges | None:
    """What is late costs by itself, instalment by instalment (directive 2011/7/EU, article 5)."""
    rule = asked.terms.late_interest
    if rule is None or asked.as_of is None:
        return None
    debts = [_owed(item, debt, asked.as_of) for debt in _debts(asked, item)]
    return _together([late_charges(owed, item.body.currency, rule) for owed in debts])


def _together(charges: Sequence[LateCharges]) -> LateCharges:
    """Those of several debts; `days`: of the one that is late the longest."""
    return LateCharges(
        days=max(one.days for one in charges),
        per_year_minor=sum(one.per_year_minor for one in charges),
        per_day_minor=sum(one.per_day_minor for one in charges),
        interest_minor=sum(one.interest_minor for one in charges),
        compensation_minor=sum(one.compensation_minor for one in charges),
        fees_minor=sum(one.fees_minor for one in charges),
        spans=tuple(span for one in charges for span in one.spans),
    )


def _owed(item: Open, debt: _Debt, as_of: date) -> list[Owed]:
    """What was open on the days after the due date: a payment counts from the day after it is made."""
    after, found = debt.due_on, []
    minor = debt.of(item.body.payable_minor)
    for on, left in [*item.moves, (as_of, item.minor)]:
        through = min(on, as_of)
        if through > after:
            found.append(Owed(after, through, minor))
            after = through
        minor = debt.of(left)
    return found


def aged(items: Sequence[Open], asked: ReceivablesAsked, as_of: date) -> Aged | None:
    """What is open by its age, of invoices issued by then; None where there are none."""
    issued, how = [item for item in items if item.body.issued_on <= as_of], asked.aging
    if not issued:
        return None
    by_due = how.by is AgedBy.DUE
    debts = [(i, debt) for i in issued for debt in _debts(asked, i)]
    listed = [
        OpenItem(i.body.id, debt.due_on if by_due else i.body.issued_on, i.body.currency, debt.of(i.minor))
        for i, debt in debts
    ]
    (buckets,) = aging(listed, as_of, how.bounds).values()
    pairs = zip(buckets, how.loss_percents, strict=False)
    losses = tuple(percent_of(bucket.minor, percent) for bucket, percent in pairs)
    current = sum(debt.of(i.minor) for i, debt in debts if debt.due_on >= as_of)
    return Aged(as_of, tuple(buckets), losses, _figures(issued, how, as_of, current))


def _figures(items: Sequence[Open], how: AgingAsked, as_of: date, current_minor: int) -> Figures | None:
    """Sales are what was invoiced, tax and all, less credit notes, within the days up to `as_of`."""
    if how.sales_days is None:
        return None
    since = as_of - timedelta(days=how.sales_days)
    sales = Sales(how.sales_days, _sold(items, since, as_of))
    owed = Owing(
        begin_minor=sum(item.open_on(since) for item in items),
        end_minor=sum(item.minor for item in items),
        current_minor=current_minor,
    )
    days, best = days_outstanding(owed.end_minor, sales), days_outstanding(owed.current_minor, sales)
    return Figures(
        days=_to_two(days),
        counted_back=_to_two(days_counted_back(owed.end_minor, _months_back(items, how, as_of))),
        at_best=_to_two(best),
        delinquent=_to_two(None if days is None or best is None else days - best),
        effectiveness=_to_two(collection_effectiveness(owed, sales)),
        turnover=_to_two(turnover(owed, sales)),
    )


def _sold(items: Sequence[Open], since: date, until: date) -> int:
    documents = (document for item in items for document in (item.body, *item.notes))
    return sum(document.total_minor for document in documents if since < document.issued_on <= until)


def _months_back(items: Sequence[Open], how: AgingAsked, as_of: date) -> list[Sales]:
    """Calendar months from that of a day back to the first invoice."""
    found, last, first = [], as_of, min(item.body.issued_on for item in items)
    while last >= first:
        before = last.replace(day=1) - timedelta(days=1)
        found.append(Sales(how.month_days or (last - before).days, _sold(items, before, last)))
        last = before
    return found


def _to_two(exact: Fraction | None) -> Decimal | None:
    return None if exact is None else rounded_to(2, exact)


def revalued(items: Sequence[Open], closing: ExchangeRate) -> Revalued:
    """What is open, as booked and at the closing rate; each invoice is valued by itself."""
    owing = [item for item in items if item.minor]
    now = [closing.convert(Money(item.minor, item.body.currency)).minor for item in owing]
    return Revalued(sum(item.booked.minor for item in owing if item.booked), sum(now))
