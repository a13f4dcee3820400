"""An invoice of Saldo held against what it should be: everything in which they differ, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

from saldo.invoicing.model import InvoiceBody, LineKind
from tests.decade.oracle import Auditor, Expected, Sum


def line_of(body: InvoiceBody, n: int) -> tuple[object, ...]:
    """The same of a line of Saldo's invoice, to be held against it."""
    line = body.lines[n]
    where = line.subscription_id, line.plan_version_id, line.component_id, line.period.start, line.period.end
    # How much of late usage is on which line depends on when somebody looked; what it comes to does not.
    quantity = None if line.kind is LineKind.LATE else Fraction(line.quantity)
    return line.kind.value, *where, quantity, line.net_minor, line.tax_category, line.inclusive


def compare(auditor: Auditor, expected: list[Sum], body: InvoiceBody, day: date) -> tuple[list[str], Expected]:
    """Everything in which an invoice differs from what it should be, and what it should be."""
    found: list[str] = []
    theirs = [n for n, line in enumerate(body.lines) if line.kind not in (LineKind.DISCOUNT, LineKind.PREPAID)]
    ordered = in_order(expected, [line_of(body, n) for n in theirs], found)
    whole_invoice = auditor.reckon(ordered, day)
    found += differences(whole_invoice, body)
    return found, whole_invoice


def in_order(expected: list[Sum], theirs: list[tuple[object, ...]], found: list[str]) -> list[Sum]:
    """The expected lines in the order of the invoice; what is on one side only is a finding."""
    waiting: dict[tuple[object, ...], list[Sum]] = {}
    for line in expected:
        waiting.setdefault(facts_of(line), []).append(line)
    ordered = []
    for facts in theirs:
        said = facts if waiting.get(facts) else _otherwise(facts, expected)
        if waiting.get(said):
            ordered.append(waiting[said].pop())
        else:
            found.append(f"on the invoice, but not due: {told(facts)}")
    missing = [line for lines in waiting.values() for line in lines]
    found += [f"due, but not on the invoice: {told(facts_of(line))}" for line in missing]
    return ordered + missing


def _otherwise(facts: tuple[object, ...], expected: list[Sum]) -> tuple[object, ...]:
    """The facts of the line that may say so, too."""
    for line in expected:
        if facts in [facts_of(replace(line, quantity=quantity)) for quantity in line.or_quantities]:
            return facts_of(line)
    return facts


def facts_of(line: Sum) -> tuple[object, ...]:
    where = line.subscription_id, line.version_id, line.component_id, line.start, line.end
    return line.kind, *where, None if line.kind == "late" else line.quantity, line.minor, line.category, line.inclusive


def told(facts: tuple[object, ...]) -> str:
    return " ".join(str(fact) for fact in facts)


def differences(expected: Expected, body: InvoiceBody) -> list[str]:
    """Discounts, taxes, totals and credits, each told with what it should be."""
    discounts = [
        (line.kind, int(line.of) - 1, line.net_minor)
        for line in body.lines
        if line.kind in (LineKind.DISCOUNT, LineKind.PREPAID)
    ]
    taxes = sorted(
        (t.jurisdiction, t.name, t.treatment.value, str(Fraction(t.percent)), t.included, t.base_minor, t.tax_minor)
        for t in body.tax_totals
    )
    wanted_taxes = sorted(
        (r.tax.jurisdiction, r.tax.name, r.tax.treatment, str(r.tax.percent), r.inclusive, r.base, r.amount)
        for r in expected.taxes
    )
    total = expected.net + expected.tax
    pairs: dict[str, tuple[object, object]] = {
        "discounts": (sorted(d[1:] for d in discounts), sorted(d[1:] for d in expected.discounts)),
        "taxes": (taxes, wanted_taxes),
        "net": (body.net_minor, expected.net),
        "tax": (body.tax_minor, expected.tax),
        "total": (body.total_minor, total),
        "payable": (body.payable_minor, expected.payable),
        "coupons": ([(u.coupon_id, u.minor, u.unused_minor) for u in body.coupons], expected.coupons),
        "credits": ([(c.credit_id, c.minor) for c in body.credits], expected.credits),
        "kind": (body.kind.value, "credit_note" if total < 0 else "invoice"),
    }
    return [f"{name} is {is_} and should be {should}" for name, (is_, should) in pairs.items() if is_ != should]
