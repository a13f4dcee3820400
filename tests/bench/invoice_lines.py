"""Rating and invoice arithmetic: from usage totals to the frozen invoice with taxes and journal entry, by lines.

The naive way beside it multiplies, rounds and adds tax, and does nothing else: no tiers told apart, no taxes by rate
and category, no check, no entry, nothing frozen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from saldo.catalog.model import ChargeKind, Component, Graduated, PerUnit, PlanVersion, Tier, Timing
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.model import BillingCase, Draft
from saldo.invoicing.rules import bill, due_of, usage_needed
from saldo.invoicing.rules_entry import issue_entry
from saldo.ledger.records import entry_item
from saldo.subscriptions.model import Alignment
from saldo.subscriptions.rules import subscribe
from saldo.tax.table import TableTax, shipped_table
from tests.bench.figures import Figure
from tests.contexts.sellers import account, entity, plan_version

BAR = 3_000
SIZES = (10, 100, 1_000)
TIERS = (Tier(Decimal(100), Decimal("0.10"), Decimal(1)), Tier(None, Decimal("0.0525")))


def version(lines: int) -> PlanVersion:
    """A plan with so many charges for usage, every second one in tiers."""
    components = [
        Component(
            id=f"part{number}",
            kind=ChargeKind.USAGE,
            names={"en": f"Part {number}", "de": f"Teil {number}"},
            price=Graduated(TIERS) if number % 2 else PerUnit(Decimal("0.0375")),
            timing=Timing.ARREARS,
            tax_category="standard",
            revenue_tag=f"tag{number % 5}",
            meter_id=f"meter{number}",
            unit_names={"en": "calls", "de": "Aufrufe"},
        )
        for number in range(lines)
    ]
    return plan_version(components=tuple(components))


def case(lines: int) -> BillingCase:
    """A month of an account with usage on each of its charges."""
    sold, buyer = version(lines), account()
    subscription = subscribe(
        "sub_1",
        account_id=buyer.id,
        entity_id=buyer.entity_id,
        plan_version=sold,
        started_on=date(2026, 1, 1),
        alignment=Alignment.CALENDAR,
    )
    due = (due_of(subscription, sold, date(2026, 2, 1)),)
    totals = {key: Decimal(50 + place * 37) for place, key in enumerate(usage_needed(due))}
    return BillingCase(buyer, entity(), due, totals, date(2026, 2, 1))


def invoices_per_second(lines: int, *, frozen: bool) -> float:
    """Of one core: rating, lines, discounts, taxes, totals and the journal entry; `frozen`: with the bytes that are
    stored of it, which is most of what an invoice costs besides."""
    made, tax = case(lines), TableTax(shipped_table())

    def one() -> None:
        outcome = bill(made, tax)
        assert isinstance(outcome, Draft)
        assert len(outcome.body.lines) == lines
        entry = issue_entry(outcome.body)
        if frozen:
            body_to_bytes(outcome.body)
            entry_item(entry)

    return _per_second(one, max(20_000 // lines, 20))


def naive_per_second(lines: int) -> float:
    """The same number of lines multiplied, rounded and taxed."""
    quantities = [Decimal(50 + place * 37) for place in range(lines)]

    def one() -> Decimal:
        cent = Decimal("0.01")
        made = [{"quantity": q, "amount": (q * Decimal("0.0375")).quantize(cent, ROUND_HALF_UP)} for q in quantities]
        net = sum((line["amount"] for line in made), Decimal(0))
        return net + (net * Decimal("0.19")).quantize(cent, ROUND_HALF_UP)

    return _per_second(one, max(200_000 // lines, 100))


def _per_second(one: Callable[[], object], times: int, rounds: int = 3) -> float:
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            one()
        best = min(best, time.process_time() - began)
    return times / best


def figures() -> list[Figure]:
    found = []
    for lines in SIZES:
        speed, bar = invoices_per_second(lines, frozen=False), BAR if lines == 10 else None
        found.append(
            Figure(f"invoices of {lines:,} lines, with tax and entry", speed, "invoices/s core", bar, "higher")
        )
        by_line = 1e6 / speed / lines
        found.append(Figure(f"  by line, of {lines:,} lines", by_line, "µs CPU/line", None, "lower"))
    stored = invoices_per_second(10, frozen=True)
    found.append(Figure("invoices of 10 lines, encoded for storage", stored, "invoices/s core", None, "higher"))
    naive = naive_per_second(10)
    found.append(Figure("  naive: 10 lines multiplied and summed", naive, "invoices/s core", None, "higher"))
    return found


if __name__ == "__main__":
    from tests.bench.figures import report

    report(figures())
