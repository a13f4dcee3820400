"""Discounts that lessen the tax whether or not they are taken: on the invoice from the start, and in all after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.portal.presenters.invoices import invoice_view
from functions.portal.words import LANGUAGES, Words
from saldo.accounts.model import DiscountTax, EarlyDiscount
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.reading import invoice
from saldo.invoicing.rules_credit_notes import credit_note, whole
from saldo.invoicing.rules_soundness import problems_of
from saldo.invoicing.rules_terms import early_offers
from saldo.invoicing.tax_documents import booked_with_documents
from saldo.quotes.reading import request_from
from saldo.quotes.rules import quote
from saldo.quotes.service import quote_document
from saldo.tax.report import report_as_invoiced
from tests.simulation.test_early_discounts import IN_FIRST, IN_SECOND, JAN, TOO_LATE, Early
from tests.simulation.world import ENTITY

ALWAYS = EarlyDiscount(Decimal(3), 7, DiscountTax.ALWAYS), EarlyDiscount(Decimal(2), 14, DiscountTax.ALWAYS)
TAX, TOTAL = 1041, 5650 + 1041  # 19 per cent of 56.50 less 3 per cent of it, 1.70
UK: dict[str, Any] = {
    "billing": {"on": "2014-06-30"},
    "items": [{"unit_price": "1000"}],
    "taxes": {"rates": [{"percent": "20"}]},
    "receivables": {"early_discount": {"percent": "2", "days": 10, "tax": "always"}},
}


def test_a_thousand_at_two_per_cent_is_invoiced_with_the_tax_of_nine_hundred_and_eighty() -> None:
    answer = quote_document(UK)
    (one,), (standing,) = answer["invoices"], answer["receivables"]["invoices"]
    assert (one["net"], one["tax"], one["total"], one["payable"]) == ("1000.00", "196.00", "1196.00", "1196.00")
    assert [(tax["base"], tax["tax"]) for tax in one["taxes"]] == [("980.00", "196.00")]
    early = standing["early_payment"]
    assert (early["pay_early"], early["pay_late"]) == ("1176.00", "1196.00")
    assert (early["tax_early"], early["tax_late"]) == ("196.00", "196.00")


def paid(on: str, amount: str) -> dict[str, Any]:
    asked = UK["receivables"] | {"payments": [{"on": on, "amount": amount}]}
    (one,) = quote_document(UK | {"receivables": asked})["receivables"]["invoices"]
    return {name: one[name] for name in ("open", "discount_taken")}


def test_who_pays_late_owes_all_of_it_and_who_pays_early_the_discount_less() -> None:
    assert paid("2014-07-10", "1176.00") == {"open": "0.00", "discount_taken": "20.00"}
    assert paid("2014-07-11", "1176.00") == {"open": "20.00", "discount_taken": "0.00"}
    assert paid("2014-07-11", "1196.00") == {"open": "0.00", "discount_taken": "0.00"}


@pytest.mark.parametrize(
    ("off", "on", "discount"), [(170, IN_FIRST, 170), (113, IN_SECOND, 113), (0, TOO_LATE, 0), (0, IN_FIRST, 0)]
)
def test_on_record_the_tax_stays_whatever_is_paid(off: int, on: date, discount: int) -> None:
    early = Early(ALWAYS)
    assert (early.invoice.total_minor, early.invoice.tax_minor) == (TOTAL, TAX)
    assert [offer.minor for offer in early.invoice.early] == [170, 113]
    early.pay(TOTAL - off, on)
    balances = early.balances()
    assert early.now().open_minor == balances.get("receivables", 0) == 0
    assert (balances.get("early_discount", 0), balances["tax_payable"]) == (discount, -TAX)
    early.check()


def test_the_tax_report_has_the_base_that_the_tax_is_on() -> None:
    early = Early(ALWAYS)
    early.pay(TOTAL - 170, IN_FIRST)
    end = date(2027, 1, 1)
    report = report_as_invoiced(booked_with_documents(early.world.store, ENTITY.id, JAN, end), JAN, end)
    assert [(row.base_minor, row.tax_minor) for row in report.rows] == [(5480, TAX)] and not report.adjustments
    assert report.is_in_order


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 3000), max_size=4), st.sampled_from([0, 113, 170]))
def test_credit_notes_in_any_amounts_leave_nothing_but_what_was_paid(nets: list[int], off: int) -> None:
    early = Early(ALWAYS)
    early.pay(TOTAL - off, {0: TOO_LATE, 113: IN_SECOND, 170: IN_FIRST}[off])
    left = 5650
    for n, net in enumerate(nets):
        if net <= left:
            early.credit(f"r{n}", net_minor=net)
            left -= net
    if left:
        early.credit("last")
    assert early.balances() == {"bank": TOTAL - off, "customer_credit": off - TOTAL}
    early.check()


def test_a_part_is_taken_back_with_the_tax_of_its_part() -> None:
    early = Early(ALWAYS)
    note = early.credit(net_minor=1000)
    assert (note.net_minor, note.tax_minor) == (-1000, -184), "19 per cent of 9.70"
    early.check()


def test_an_invoice_billed_again_has_the_same_tax_and_keeps_what_settled_it() -> None:
    early = Early(ALWAYS)
    early.pay(TOTAL - 170, IN_FIRST)
    before = early.balances()
    _, new = early.corrections.rebill(early.asked())
    assert (new.total_minor, new.open_minor) == (TOTAL, 0) and early.balances() == before
    early.check()


AMOUNTS = st.integers(1, 300_000).map(lambda minor: f"{Decimal(minor) / 100:f}")
ITEMS = st.lists(
    st.fixed_dictionaries(
        {
            "unit_price": AMOUNTS,
            "tax_category": st.sampled_from(["standard", "reduced"]),
            "tax_inclusive": st.booleans(),
        }
    ),
    min_size=1,
    max_size=4,
)
ROUNDINGS = st.sampled_from(["document", "line", "line_residual", "total", "unrounded"])


@settings(max_examples=80, deadline=None)
@given(ITEMS, st.decimals(Decimal("0.1"), 30, places=1), st.integers(0, 20), ROUNDINGS, st.data())
def test_paid_early_an_invoice_comes_to_what_its_tax_is_on_and_that_tax(
    items: list[dict[str, Any]], percent: Decimal, coupon: int, rounding: str, data: st.DataObject
) -> None:
    document = {
        "billing": {"on": "2026-01-31"},
        "items": items,
        "taxes": {"rates": [{"percent": "19"}, {"percent": "7", "categories": ["reduced"]}], "rounding": rounding},
        "coupons": [{"percent": str(coupon)}] if coupon else [],
        "receivables": {"early_discount": {"percent": str(percent), "tax": "always"}},
    }
    (body,) = quote(request_from(document)).invoices
    assert problems_of(body) == () and body_from_bytes(body_to_bytes(body)) == body
    plain = {**document, "receivables": {}}
    (full,) = quote(request_from(plain)).invoices
    gross = sum(line.net_minor for line in body.lines if line.inclusive)
    assert gross == sum(line.net_minor for line in full.lines if line.inclusive), "prices with tax in them stay"
    assert body.tax_minor <= full.tax_minor
    off = sum(offer.minor for offer in early_offers(body))
    assert off == sum(line.base_off_minor for line in body.lines)
    assert abs(off - sum(line.net_minor for line in body.lines) * percent / 100) <= 4
    bases = sum(total.base_minor for total in body.tax_totals)
    assert body.payable_minor - off == bases + body.tax_minor
    rest, notes = whole(body), list[Any]()
    first = {line: data.draw(st.integers(1, minor)) for line, minor in rest.items() if minor > 0}
    notes.append(credit_note(body, date(2026, 2, 1), first))
    if left := whole(body, notes):
        notes.append(credit_note(body, date(2026, 2, 2), left, notes))
    assert sum(note.total_minor for note in notes) == -body.total_minor
    assert sum(note.tax_minor for note in notes) == -body.tax_minor
    assert sum(line.base_off_minor for one in (body, *notes) for line in one.lines) == 0
    assert sum(t.base_minor for note in notes for t in note.tax_totals) == -bases


def test_a_credit_of_days_paid_ahead_gives_back_the_tax_that_was_charged() -> None:
    document = {
        "billing": {"from": "2026-04-01", "through": "2026-04-20"},
        "plans": [{"id": "team", "components": [{"id": "fee", "price": {"kind": "flat", "amount": "300"}}]}],
        "subscriptions": [
            {"plan": "team", "started_on": "2026-04-01", "changes": [{"kind": "cancel", "effective_on": "2026-04-16"}]}
        ],
        "taxes": {"rates": [{"percent": "20"}]},
        "receivables": {"early_discount": {"percent": "2", "days": 10, "tax": "always"}},
    }
    first, back = quote_document(document)["invoices"]
    assert (first["tax"], back["net"], back["tax"]) == ("58.80", "-150.00", "-29.40")


def test_where_the_buyer_pays_a_tax_to_the_state_there_is_no_discount_and_the_tax_is_whole() -> None:
    rates = [{"percent": "20", "collection": "split"}]
    answer = quote_document(UK | {"taxes": {"rates": rates}})
    assert answer["invoices"][0]["tax"] == "200.00"
    assert "early_payment" not in answer["receivables"]["invoices"][0]


def test_a_body_whose_tax_is_not_as_its_terms_say_is_told() -> None:
    body = Early(ALWAYS).body()
    assert problems_of(body) == ()
    whole_tax = replace(body, lines=tuple(line._replace(base_off_minor=0) for line in body.lines))
    assert "base_differs" in {problem.code for problem in problems_of(whole_tax)}
    assert b"base_off" not in body_to_bytes(Early(()).body())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_what_the_tax_is_on(language: str) -> None:
    early, words = Early(ALWAYS), Words(language)
    view = invoice_view(invoice(early.world.store, early.account, early.invoice.invoice_id), JAN, "UTC", words)
    assert words("invoice.early_tax_always") in view.early
