"""Tax stays right over credit notes, early payment and part payments, whatever the amounts and their order."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.rules_credit_notes import credit_note, whole
from saldo.invoicing.rules_terms import DiscountTax, EarlyDiscount, early_payment
from saldo.kernel.money import Money
from saldo.ledger.model import LedgerAccount
from saldo.tax.model import Collection, TaxTotal, TaxTreatment
from saldo.tax.model_services import Rated, RatedLine, RatedTax, TaxDocument
from saldo.tax.rules_cash import paid, taken_back, undue
from saldo.tax.rules_service import answer_from
from saldo.tax.rules_totals import tax_totals
from tests.contexts.tax.scenes import document
from tests.property.test_document_properties import ON, accounts_of, bodies


@settings(max_examples=300, deadline=None)
@given(bodies(), st.lists(st.tuples(st.integers(0, 5), st.integers(1, 100)), max_size=8))
def test_the_tax_of_any_sequence_of_credit_notes_ends_at_zero(body: InvoiceBody, parts: list[tuple[int, int]]) -> None:
    if body.total_minor <= 0 or body.credits or not whole(body):
        return  # an invoice of levies on free goods alone has no amounts to take back
    notes: list[InvoiceBody] = []
    for nth, percent in parts:
        left = list(whole(body, notes).items())
        if left:
            line, minor = left[nth % len(left)]
            part = minor * percent // 100 or minor
            notes.append(credit_note(body, ON, {line: part}, notes))
    if left_over := whole(body, notes):
        notes.append(credit_note(body, ON, left_over, notes))
    taxes: Counter[object] = Counter()
    for one in (body, *notes):
        for total in one.tax_totals:
            kind = replace(total, base_minor=0, tax_minor=0)
            taxes[kind, "tax"] += total.tax_minor
            taxes[kind, "base"] += total.base_minor
    assert not any(taxes.values())
    left: Counter[object] = Counter()
    books = Counter[Any]()
    for one in (body, *notes):
        books.update(accounts_of(one))
    for (account, tag, invoice_id), minor in books.items():
        within = account in (LedgerAccount.REVENUE, LedgerAccount.DEFERRED_REVENUE) and any(
            line.inclusive for line in body.lines
        )
        left[account, None if within else tag, invoice_id] += minor  # a cent of tax within may change its revenue tag
    assert not any(left.values())


@settings(max_examples=300, deadline=None)
@given(bodies(), st.decimals(Decimal("0.01"), 10, places=2), st.sampled_from(DiscountTax))
def test_an_early_payment_lowers_each_tax_in_proportion(body: InvoiceBody, percent: Decimal, tax: DiscountTax) -> None:
    discount = EarlyDiscount(percent, 10, tax)
    found = early_payment(replace(body, early_discounts=(discount,)), discount)
    charged = [t for t in body.tax_totals if t.collection is not Collection.WITHHELD]
    exact = body.tax_minor * (1 - Fraction(percent) / 100)
    lowered = found.early_tax_minor
    if tax is DiscountTax.IF_EARLY:
        # Each tax is rounded anew on a base that is rounded, and documents may have been rounded by line.
        slack = sum(2 + len(body.lines) + abs(t.percent) / 100 for t in charged)
        assert abs(lowered - exact) <= slack
    else:
        assert found.early_tax_minor == found.late_tax_minor == body.tax_minor
    assert found.early_minor - found.early_tax_minor <= found.late_minor - found.late_tax_minor or body.net_minor < 0


def totals(low: int, high: int) -> st.SearchStrategy[list[TaxTotal]]:
    one = st.builds(
        lambda n, base, tax: TaxTotal(f"J{n}", "tax", TaxTreatment.STANDARD, Decimal(n), base, tax),
        st.integers(0, 3),
        st.integers(low, high),
        st.integers(low, high),
    )
    return st.lists(one, max_size=4, unique_by=lambda t: t.jurisdiction)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 50_000), totals(0, 20_000), st.lists(st.integers(1, 9_999), max_size=12))
def test_the_taxes_of_part_payments_add_up_to_the_invoices_tax(
    net: int, found: list[TaxTotal], payments: list[int]
) -> None:
    total = net + sum(t.tax_minor for t in found)
    open_ = undue(total, found)
    due: list[TaxTotal] = []
    for minor in (*payments, total):
        before = open_
        open_, parts = paid(open_, minor)
        due += parts
        for part, was in zip(parts, before.totals, strict=bool(parts)):
            assert 0 <= part.tax_minor <= was.tax_minor
            assert 0 <= part.base_minor <= was.base_minor
        assert before.minor - open_.minor == min(minor, before.minor)
        assert open_.net_minor >= 0
    assert open_.minor == 0
    for kind in found:
        parts_of = [d for d in due if d.jurisdiction == kind.jurisdiction]
        assert sum(d.tax_minor for d in parts_of) == (kind.tax_minor if total else 0)
        assert sum(d.base_minor for d in parts_of) == (kind.base_minor if total else 0)


@settings(max_examples=200, deadline=None)
@given(bodies(), st.lists(st.tuples(st.booleans(), st.integers(1, 100)), max_size=8))
def test_payments_and_credit_notes_in_any_order_leave_no_tax_unaccounted_for(
    body: InvoiceBody, steps: list[tuple[bool, int]]
) -> None:
    if body.payable_minor <= 0 or body.credits:
        return
    open_ = undue(body.payable_minor, body.tax_totals)
    notes: list[InvoiceBody] = []
    due: Counter[str] = Counter()
    for pays, percent in steps:
        if pays:
            open_, parts = paid(open_, body.payable_minor * percent // 100)
        else:
            amounts = {line: minor * percent // 100 for line, minor in whole(body, notes).items()}
            if not any(amounts.values()):
                continue
            note = credit_note(body, ON, amounts, notes)
            notes.append(note)
            open_, parts = taken_back(open_, note.payable_minor, note.tax_totals)
        for part in parts:
            due[part.jurisdiction] += part.tax_minor
    booked = sum(t.tax_minor for d in (body, *notes) for t in d.tax_totals if t.collection is Collection.CHARGED)
    assert sum(due.values()) + sum(t.tax_minor for t in open_.totals) == booked


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(-50_000, 50_000).filter(bool), min_size=1, max_size=6),
    st.lists(st.decimals("0.001", "0.3", places=5), min_size=1, max_size=4),
)
def test_an_honest_services_answer_is_taken_and_its_totals_follow_from_its_lines(
    nets: list[int], rates: list[Decimal]
) -> None:
    asked = document(*nets)
    answer = answer_from(asked, _rated(asked, rates), "service")
    assert answer.totals == tax_totals(asked.lines, answer.lines, answer.rounding)
    said = sum(line.tax for line in _rated(asked, rates).lines)
    assert Money(answer.tax_minor, "USD").as_decimal() == said


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(100, 50_000), min_size=1, max_size=4),
    st.data(),
)
def test_a_tax_off_by_more_than_a_cent_is_never_taken(nets: list[int], data: st.DataObject) -> None:
    asked = document(*nets)
    honest = _rated(asked, [Decimal("0.0625")])
    at = data.draw(st.integers(0, len(nets) - 1))
    off = data.draw(st.integers(-10_000, 10_000).filter(lambda n: abs(n) > 2))
    line = honest.lines[at]
    wrong = Money(off, "USD").as_decimal()
    spoilt = RatedLine(line.line_id, line.tax + wrong, (replace(line.taxes[0], tax=line.taxes[0].tax + wrong),))
    lines = tuple(spoilt if n == at else one for n, one in enumerate(honest.lines))
    try:
        answer_from(asked, Rated("USD", honest.tax + wrong, lines), "service")
    except Exception as error:
        assert getattr(error, "code", "") == "tax_service_wrong"
    else:
        raise AssertionError("it was taken")


def _rated(asked: TaxDocument, rates: list[Decimal]) -> Rated:
    lines = []
    for line in asked.lines:
        net = Money(line.net_minor, asked.currency)
        taxes = tuple(
            RatedTax(
                f"US-NY-{n}", f"tax {n}", TaxTreatment.STANDARD, rate, net.as_decimal(), net.times(rate).as_decimal()
            )
            for n, rate in enumerate(rates)
        )
        lines.append(RatedLine(line.id, sum((t.tax for t in taxes), Decimal(0)), taxes))
    return Rated(asked.currency, sum((line.tax for line in lines), Decimal(0)), tuple(lines))
