"""What holds of prices in another currency than the invoice's, whatever the rates and however many digits they have."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.model import InvoiceBody, LineKind
from saldo.invoicing.rules_credit_notes import credit_note, whole
from saldo.invoicing.rules_entry import issue_entry
from saldo.invoicing.rules_soundness import problems_of
from saldo.kernel.money import minor_digits, round_exact
from saldo.kernel.periods import Period
from saldo.quotes.reading import request_from
from saldo.quotes.rules import quote

PAIRS = [("USD", "EUR"), ("EUR", "USD"), ("JPY", "EUR"), ("EUR", "JPY"), ("KWD", "EUR"), ("EUR", "KWD"), ("JPY", "KWD")]
RATES = {"USD": ("0.8", "1.4"), "JPY": ("90", "180"), "KWD": ("0.28", "0.4")}
DAYS = ("2026-01-02", "2026-01-16", "2026-01-30", "2026-02-27")


def published(currency: str) -> st.SearchStrategy[list[dict[str, str]]]:
    low, high = RATES[currency]
    return st.lists(st.decimals(low, high, places=4), min_size=len(DAYS), max_size=len(DAYS)).map(
        lambda found: [
            {"currency": currency, "on": on, "rate": str(rate)} for on, rate in zip(DAYS, found, strict=True)
        ]
    )


@st.composite
def documents(draw: st.DrawFn, **more: Any) -> dict[str, Any]:
    """A month of a plan that is priced in one currency and billed in another, at rates that move."""
    priced, invoiced = draw(st.sampled_from(PAIRS))
    prices = st.decimals("0.001", "900", places=3).map(str)
    plan = {
        "id": "p",
        "currency": priced,
        "components": [
            {"id": "fee", "price": {"kind": "flat", "amount": draw(prices)}},
            {"id": "seats", "price": {"kind": "per_unit", "unit_price": draw(prices)}},
            {"id": "calls", "meter_id": "calls", "price": {"kind": "per_unit", "unit_price": draw(prices)}},
        ],
    }
    if draw(st.booleans()):
        plan["minimum"] = str(draw(st.integers(1, 5000)))
    return {
        "currency": invoiced,
        "billing": {"from": "2026-01-01", "through": "2026-03-01"},
        "plans": [plan],
        "subscriptions": [
            {
                "plan": "p",
                "started_on": draw(st.sampled_from(["2026-01-02", "2026-01-17"])),
                "alignment": "calendar",
                "quantities": {"seats": str(draw(st.integers(0, 40)))},
                **more,
            }
        ],
        "usage": {"totals": [{"meter_id": "calls", "quantity": str(draw(st.integers(0, 900)))}]},
        "taxes": {"rates": [{"percent": "19"}]},
        "options": {"net_rounding": draw(st.sampled_from(["line", "document"]))},
        "prices": {
            "converted_at": draw(st.sampled_from(["invoice", "period", "month_end"])),
            "most_days": 60,
            "rates": [
                rate
                for currency in sorted({priced, invoiced} - {"EUR"})
                for rate in [{**draw(published(currency))[0], "on": "2025-12-31"}, *draw(published(currency))]
            ],
        },
    }


def billed(document: dict[str, Any]) -> tuple[InvoiceBody, ...]:
    return quote(request_from(document)).invoices


@given(documents())
@settings(max_examples=150, deadline=None)
def test_an_invoice_follows_from_itself_and_is_read_back_as_it_was_frozen(document: dict[str, Any]) -> None:
    for body in billed(document):
        assert problems_of(body) == ()
        assert body_from_bytes(body_to_bytes(body)) == body
        entry = issue_entry(body)
        assert entry is None or sum(p.minor for p in entry.postings) == 0
        for line in body.lines:
            assert line.priced_in is not None and line.priced_in.currency == document["plans"][0]["currency"]
            assert {line.priced_in.rate.base, line.priced_in.rate.counter} == {body.currency, line.priced_in.currency}


@given(documents())
@settings(max_examples=150, deadline=None)
def test_the_parts_of_an_invoice_add_up_to_the_whole_converted_at_once(document: dict[str, Any]) -> None:
    """Each line to within its one rounding; where a seller rounds the document, all of them together to within one."""
    for body in billed(document):
        exact = [Fraction(line.exact) * Fraction(*line.part) * 10 ** minor_digits(body.currency) for line in body.lines]
        total = sum(line.net_minor for line in body.lines)
        if document["options"]["net_rounding"] == "line":
            assert [line.net_minor for line in body.lines] == [round_exact(one) for one in exact]
            assert abs(total - sum(exact)) * 2 <= len(exact)
        else:
            assert abs(total - sum(exact)) * 2 <= 1 + 2 * sum(line.kind is LineKind.TRUE_UP for line in body.lines)


@given(documents())
@settings(max_examples=100, deadline=None)
def test_a_minimum_holds_in_the_currency_in_which_it_was_agreed_whatever_the_rates(document: dict[str, Any]) -> None:
    plan = document["plans"][0]
    february = Period.from_text("2026-02-01/2026-03-01")
    lines = [line for body in billed(document) for line in body.lines if line.period == february]
    least, spent = int(plan.get("minimum", 0)) * 10 ** minor_digits(plan["currency"]), sum(x.price_minor for x in lines)
    assert spent >= least
    if any(line.kind is LineKind.TRUE_UP for line in lines):
        assert spent == least


@given(documents(changes=[{"kind": "cancel", "effective_on": "2026-01-17", "credit": "whole"}]))
@settings(max_examples=100, deadline=None)
def test_what_was_paid_ahead_comes_back_at_the_rate_at_which_it_was_charged(document: dict[str, Any]) -> None:
    document["subscriptions"][0]["started_on"] = "2026-01-02"
    document["plans"][0].pop("minimum", None)
    document["options"]["net_rounding"] = "line"
    ahead: Counter[str] = Counter()
    priced: Counter[str] = Counter()
    for body in billed(document):
        for line in body.lines:
            if line.timing.value == "advance":
                ahead[line.component_id] += line.net_minor
                priced[line.component_id] += line.price_minor
    assert not any(ahead.values()) and not any(priced.values())


@given(documents())
@settings(max_examples=60, deadline=None)
def test_credit_notes_of_all_of_a_converted_invoice_leave_nothing_in_any_ledger_account(
    document: dict[str, Any],
) -> None:
    for body in billed(document):
        note = credit_note(body, body.issued_on, whole(body)) if whole(body) else None
        if note is not None:
            left: Counter[object] = Counter()
            for entry in (issue_entry(body), issue_entry(note)):
                for posting in entry.postings if entry else ():
                    left[posting.account, posting.tag] += posting.minor
            assert not any(left.values()), left
            assert problems_of(note) == () and all(line.priced_in is None for line in note.lines)


@given(
    documents(),
    st.decimals("0.01", "500", places=2),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_a_coupon_in_the_currency_of_the_price_takes_no_more_than_it_says(
    document: dict[str, Any], amount: Decimal, carries: bool
) -> None:
    currency = document["plans"][0]["currency"]
    amount = amount.quantize(Decimal(1).scaleb(-minor_digits(currency)))
    coupon = {"id": "c", "amount": str(amount), "currency": currency, "carries": carries}
    found = quote(request_from({**document, "coupons": [coupon]}))
    worth = int(amount.scaleb(minor_digits(currency)))
    uses = [use for body in found.invoices for use in body.coupons]
    assert all(use.rate and use.coupon_minor is not None and use.coupon_minor <= worth for use in uses)
    if carries:
        assert sum(use.coupon_minor or 0 for use in uses) == found.wallet.coupons[0].taken_minor <= worth
