"""What a service says, as taxes of lines."""

from __future__ import annotations

from decimal import Decimal

import pytest

from saldo.kernel.errors import Refusal
from saldo.tax.model import OUTSIDE, TaxTreatment
from saldo.tax.model_services import Rated, RatedLine, RatedTax, TaxDocument
from saldo.tax.rules_service import answer_from
from tests.contexts.tax.scenes import document


def rated(*lines: RatedLine) -> Rated:
    return Rated("USD", sum((line.tax for line in lines), Decimal(0)), lines)


def line(line_id: str, rate: str, taxable: str, tax: str, place: str = "US-NY", name: str = "NY") -> RatedLine:
    one = RatedTax(place, name, TaxTreatment.STANDARD, Decimal(rate), Decimal(taxable), Decimal(tax))
    return RatedLine(line_id, Decimal(tax), (one,))


def test_a_line_taxed_in_part_bears_that_part_of_the_rate() -> None:
    """Texas taxes 80 % of data processing at 6.25 %: 5 % of the price."""
    answer = answer_from(document(10_000), rated(line("1", "0.0625", "80.00", "5.00")), "service")
    assert answer.lines[0].shares[0].percent == 5
    assert answer.tax_minor == 500


def test_taxes_of_one_place_and_name_become_one() -> None:
    one, two = line("1", "0.01", "100", "1"), line("1", "0.02", "100", "2")
    both = RatedLine("1", Decimal(3), (*one.taxes, *two.taxes))
    answer = answer_from(document(10_000), rated(both), "service")
    assert [(s.jurisdiction, s.percent) for s in answer.lines[0].shares] == [("US-NY", 3)]
    assert [(t.base_minor, t.tax_minor) for t in answer.totals] == [(10_000, 300)]


def test_a_cent_of_the_services_own_rounding_is_taken_and_two_are_not() -> None:
    answer_from(document(999), rated(line("1", "0.0625", "9.99", "0.63")), "service")
    with pytest.raises(Refusal, match="tax_service_wrong"):
        answer_from(document(999), rated(line("1", "0.0625", "9.99", "0.64")), "service")


def test_what_costs_nothing_needs_no_tax_and_what_costs_something_needs_a_reason() -> None:
    answer = answer_from(document(0), rated(RatedLine("1", Decimal(0), ())), "service")
    assert answer.lines[0].shares[0].reason == "nothing_charged"
    with pytest.raises(Refusal, match="tax_service_wrong"):
        answer_from(document(1), rated(RatedLine("1", Decimal(0), ())), "service")


def test_every_problem_of_an_answer_is_named_at_once() -> None:
    said = Rated("EUR", Decimal("9.99"), (line("1", "0.0625", "100", "6.25"), line("7", "0.1", "1", "0.1")))
    with pytest.raises(Refusal) as refused:
        answer_from(document(10_000, 500), said, "service")
    codes = {problem.code for problem in refused.value.problems}
    assert codes == {"other_currency", "line_missing", "line_unknown", "sum_differs"}


def test_what_is_no_supply_is_not_asked_about_and_bears_no_tax() -> None:
    supplied = document(10_000, 4_000)
    interest = supplied.lines[1]._replace(category=OUTSIDE)
    asked = TaxDocument(supplied.facts, "USD", (supplied.lines[0], interest))
    assert [one.id for one in asked.asked] == ["1"]
    answer = answer_from(asked, rated(line("1", "0.0625", "100", "6.25")), "service")
    assert [tax.shares[0].reason for tax in answer.lines] == ["", "no_supply"]
    assert answer.tax_minor == 625
