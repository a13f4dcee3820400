"""What is exempt for a part: the two parts are all of it, whatever is rounded how, and documents and reports say so."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from saldo.accounts.codec import exemption_from, exemption_to
from saldo.accounts.model import Exemption, TaxStatus
from saldo.kernel.errors import Refusal
from saldo.kernel.money import round_exact
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting
from saldo.quotes.service import quote_document
from saldo.tax.breaker import Breaker
from saldo.tax.fallback import ServiceTax
from saldo.tax.model import (
    BuyerFacts,
    SellerFacts,
    TaxableLine,
    TaxAnswer,
    TaxBasis,
    TaxRate,
    TaxRounding,
    TaxTable,
    TaxTreatment,
)
from saldo.tax.model_services import Rated, TaxDocument
from saldo.tax.report import TaxedDocument, report_as_invoiced
from saldo.tax.table import TableTax, shipped_table

ON = date(2026, 3, 1)
FOREVER = date(2020, 1, 1), date(2030, 1, 1)


def rate(name: str, percent: str, **more: object) -> TaxRate:
    kind = frozenset({"standard"}), TaxTreatment.STANDARD, Decimal(percent), date(2020, 1, 1)
    return TaxRate("US", "NY", name, *kind, **more)  # type: ignore[arg-type]  # fields of several types by name


def exempt(percent: Decimal | str, *taxes: str, name: str = "cert_1") -> Exemption:
    return Exemption(name, frozenset({"US-NY"}), frozenset(), *FOREVER, Decimal(percent), frozenset(taxes))


def asked(
    nets: list[int],
    *exemptions: Exemption,
    rates: tuple[TaxRate, ...] = (rate("sales tax", "8.875"),),
    rounding: TaxRounding = TaxRounding.DOCUMENT,
    inclusive: bool = False,
) -> TaxAnswer:
    buyer = BuyerFacts("US", "NY", TaxStatus.BUSINESS, False, exemptions)
    seller = SellerFacts("US", "NY", frozenset({"US-NY"}), rounding=rounding)
    lines = [TaxableLine(f"l{n}", net, "standard", ON, inclusive) for n, net in enumerate(nets)]
    return TableTax(TaxTable("t", rates, {})).quote(lines, buyer, seller)


PERCENTS = st.decimals("0.01", "99.99", places=2)
NETS = st.lists(st.integers(-5_000, 100_000), min_size=1, max_size=6)


@given(NETS, PERCENTS, st.sampled_from(TaxRounding), st.booleans())
def test_both_parts_make_up_the_amount_and_tax_is_on_one_of_them(
    nets: list[int], percent: Decimal, rounding: TaxRounding, inclusive: bool
) -> None:
    answer = asked(nets, exempt(percent), rounding=rounding, inclusive=inclusive)
    taxed, rest = answer.totals
    included = sum(line.included_minor for line in answer.lines)
    assert taxed.base_minor + rest.base_minor == sum(nets) - included
    assert (taxed.treatment.en16931_code, rest.treatment.en16931_code) == ("S", "E")
    assert (rest.tax_minor, rest.reason) == (0, "exemption_certificate")
    slack = len(nets) if rounding in (TaxRounding.LINE, TaxRounding.LINE_RESIDUAL, TaxRounding.UNIT) else 1
    assert abs(rest.base_minor - Fraction(sum(nets) - included) * Fraction(percent) / 100) <= slack
    if rounding is TaxRounding.DOCUMENT and not inclusive:
        assert taxed.tax_minor == round_exact(taxed.base_minor * Fraction("8.875") / 100)


@given(NETS)
def test_of_several_certificates_the_largest_counts_and_a_whole_one_leaves_nothing(nets: list[int]) -> None:
    assert asked(nets, exempt("40"), exempt("25", name="cert_2")).totals == asked(nets, exempt("40")).totals
    (whole,) = asked(nets, exempt("40"), exempt("100", name="cert_2")).totals
    assert (whole.treatment, whole.base_minor) == (TaxTreatment.EXEMPT, sum(nets))


@given(NETS)
def test_a_certificate_for_one_tax_leaves_the_others(nets: list[int]) -> None:
    both = rate("state", "4"), rate("city", "4.5")
    state, city = asked(nets, exempt("100", "city"), rates=both).totals
    assert (state.treatment, city.treatment) == (TaxTreatment.STANDARD, TaxTreatment.EXEMPT)
    assert state == asked(nets, rates=both).totals[0]


def test_a_tax_on_a_tax_and_one_by_the_unit_are_exempt_in_the_same_part() -> None:
    rates = rate("state", "10"), rate("county", "10", compound=True), rate("fee", "0", levy_minor=Decimal(100))
    found = {
        (t.name, t.treatment): (t.base_minor, t.tax_minor) for t in asked([1_000], exempt("40"), rates=rates).totals
    }
    assert found["state", TaxTreatment.STANDARD] == (600, 60)
    assert found["county", TaxTreatment.STANDARD] == (636, 64), "60 % of the amount with the 60 of the state"
    assert found["fee", TaxTreatment.STANDARD] == (600, 60)


def test_of_a_tax_within_the_amount_no_part_is_guessed_at() -> None:
    within = rate("ICMS", "18", basis=TaxBasis(within=True))
    with pytest.raises(Refusal, match="no part can be exempt"):
        asked([1_000], exempt("40"), rates=(within,))


class Unasked:
    """A service that nobody may ask."""

    name = "unasked"

    def rate(self, document: TaxDocument) -> Rated:
        raise AssertionError(document)

    record = rate


def test_a_tax_service_is_not_asked_where_a_part_is_exempt() -> None:
    line = TaxableLine("l", 1_000, "standard", ON)
    buyer = BuyerFacts("US", "NY", TaxStatus.BUSINESS, False, (exempt("40"),))
    tax = ServiceTax(Unasked(), TableTax(shipped_table()), Breaker(lambda: 0.0))
    with pytest.raises(Refusal, match="have the service keep it"):
        tax.quote([line], buyer, SellerFacts("US", "NY", frozenset({"US-NY"})), "USD")


@given(st.integers(1, 10_000), PERCENTS)
def test_the_tax_report_has_taxed_and_exempt_sales_and_ties_to_the_ledger(net: int, percent: Decimal) -> None:
    answers = asked([net], exempt(percent)), asked([net])
    entries = [_entry(n, net, answer) for n, answer in enumerate(answers)]
    documents = [TaxedDocument(e.source_id, net + a.tax_minor, a.totals) for e, a in zip(entries, answers, strict=True)]
    report = report_as_invoiced(zip(entries, documents, strict=True), ON, date(2026, 4, 1))
    assert report.is_in_order and [row.treatment for row in report.rows] == ["exempt", "standard"]
    assert sum(row.base_minor for row in report.rows) == 2 * net
    assert report.ledger.get(("USD", "US-NY"), 0) == sum(answer.tax_minor for answer in answers)


@given(
    st.lists(st.integers(10, 4_000), min_size=1, max_size=3), PERCENTS, st.sampled_from(TaxRounding), st.integers(1, 99)
)
@example([10], Decimal(50), TaxRounding.DOCUMENT, 30)
def test_what_a_credit_note_takes_back_is_taxed_and_exempt_in_two_parts_that_add_up(
    nets: list[int], percent: Decimal, rounding: TaxRounding, taken: int
) -> None:
    part = Decimal(max(sum(nets) * taken // 100, 1)) / 100
    document = {
        "currency": "USD",
        "billing": {"on": "2026-01-31"},
        "items": [{"unit_price": str(Decimal(net) / 100)} for net in nets],
        "account": {"country": "US", "exemptions": [{"jurisdictions": ["US"], "percent": str(percent)}]},
        "taxes": {"rounding": rounding.value, "rates": [{"country": "US", "percent": "8.875"}]},
        "receivables": {"credit_notes": [{"on": "2026-02-01", "amount": str(part)}, {"on": "2026-02-02"}]},
    }
    told = quote_document(document)
    documents = [told["invoices"][0], *told["receivables"]["credit_notes"]]
    for one in documents:
        assert sum(Decimal(row["base"]) for row in one["taxes"]) == Decimal(one["net"])
    for n in (0, 1):
        rows = [one["taxes"][n] for one in documents]
        assert not sum(Decimal(row["base"]) for row in rows) and not sum(Decimal(row["tax"]) for row in rows)


def test_certificates_of_before_there_were_parts_are_for_all_of_it() -> None:
    assert exemption_to(exempt("100")) == ["cert_1", ["US-NY"], [], "2020-01-01", "2030-01-01"]
    for one in (exempt("100"), exempt("37.5"), exempt("100", "city")):
        assert exemption_from(exemption_to(one)) == one


def _entry(n: int, net: int, answer: TaxAnswer) -> Entry:
    tax = answer.tax_minor
    legs = [Posting(LedgerAccount.RECEIVABLES, net + tax), Posting(LedgerAccount.REVENUE, -net)]
    legs += [Posting(LedgerAccount.TAX_PAYABLE, -tax, tag="US-NY")] if tax else []
    names = "ent_us_a", "acct_us_a", "USD", f"inv_{n}"
    return Entry(f"entry_{n}", EntryKind.INVOICE_ISSUED, ON, *names, tuple(legs))
