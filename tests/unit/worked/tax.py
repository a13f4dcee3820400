"""Sums and roundings of tax."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from saldo.tax.model import LineTax, TaxableLine, TaxRounding, TaxShare, TaxTotal, TaxTreatment
from saldo.tax.rules import tax_totals
from tests.unit.worked.reading import Case, Check, cents, euros


def taxed(rows: list[tuple[object, list[Decimal]]], rounding: TaxRounding = TaxRounding.DOCUMENT) -> list[TaxTotal]:
    """Totals of lines of (net in euros, percentages). Taxes of one place in a line are told apart by percent."""
    lines = [TaxableLine(str(i), cents(net), "standard", date(2025, 1, 1)) for i, (net, _) in enumerate(rows)]
    taxes = [LineTax(str(i), tuple(_share(n, p) for n, p in enumerate(ps))) for i, (_, ps) in enumerate(rows)]
    return list(tax_totals(lines, taxes, rounding))


def _share(n: int, percent: Decimal) -> TaxShare:
    return TaxShare("X", f"tax {n + 1}", TaxTreatment.STANDARD, percent)


def rate_of(fraction: object) -> Decimal:
    return Decimal(str(fraction)) * 100


def en16931(inputs: Case, expected: Case) -> None:
    bases = inputs["bases(rate)"]
    pairs = [(net, rate) for rate, net in bases.items()] if isinstance(bases, dict) else bases
    totals = taxed([(net, [Decimal(str(rate))]) for net, rate in pairs])
    vat = expected["vat"]
    wanted = [Decimal(v) for v in (vat.values() if isinstance(vat, dict) else vat)]
    assert [euros(t.tax_minor) for t in totals] == wanted
    net, tax = sum(t.base_minor for t in totals), sum(t.tax_minor for t in totals)
    assert euros(net) == Decimal(expected["net"])
    assert euros(net + tax) == Decimal(expected["gross"])
    if "prepaid" in inputs:
        assert euros(net + tax - cents(inputs["prepaid"])) == Decimal(expected["payable"])


def single_tax(inputs: Case, expected: Case) -> None:
    (total,) = taxed([(inputs["net"], [rate_of(inputs["rate"])])])
    assert euros(total.tax_minor) == Decimal(expected["tax"])


def percent_tax(inputs: Case, expected: Case) -> None:
    (total,) = taxed([(inputs["net"], [Decimal(inputs["rate"])])])
    assert euros(total.tax_minor) == Decimal(expected["tax"])


def mixed_rates(inputs: Case, expected: Case) -> None:
    totals = taxed([(net, [rate_of(rate)]) for net, rate in inputs["lines"]])
    assert euros(sum(t.tax_minor for t in totals)) == Decimal(expected["tax"])


def parallel_rates(inputs: Case, expected: Case) -> None:
    totals = taxed([(inputs["amount"], [rate_of(rate) for rate in inputs["rates"]])])
    assert euros(sum(t.tax_minor for t in totals)) == Decimal(expected["tax"])


def federal_and_provincial(inputs: Case, expected: Case) -> None:
    totals = taxed([(inputs["net"], [Decimal(inputs["gst"]), Decimal(inputs["qst"])])])
    assert euros(cents(inputs["net"]) + sum(t.tax_minor for t in totals)) == Decimal(expected["gross"])


def advance_deducted(inputs: Case, expected: Case) -> None:
    (total,) = taxed([(net, [Decimal(inputs["rate"])]) for net in inputs["lines"]])
    assert euros(total.base_minor) == Decimal(expected["net"])
    assert euros(total.tax_minor) == Decimal(expected["tax"])
    assert euros(total.base_minor + total.tax_minor) == Decimal(expected["gross"])


def many_lines(inputs: Case, expected: Case) -> None:
    first, second = taxed([(net, [rate_of(rate) for rate in rates]) for net, rates in inputs["lines"]])
    for total, wanted in ((first, expected["tax1(base,amount)"]), (second, expected["tax2(base,amount)"])):
        assert [euros(total.base_minor), euros(total.tax_minor)] == [Decimal(w) for w in wanted]


def residual(inputs: Case, expected: Case) -> None:
    rates = [rate_of(rate) for rate in inputs["taxes"]]
    totals = taxed([(inputs["net_unrounded"], rates)], TaxRounding.LINE_RESIDUAL)
    assert euros(totals[0].base_minor) == Decimal(expected["base"])
    assert [euros(t.tax_minor) for t in totals] == [Decimal(t) for t in expected["taxes"]]
    assert euros(sum(t.tax_minor for t in totals)) == Decimal(expected["total_tax"])


AREAS: Mapping[str, Check] = {
    "pricing.tax_stack": parallel_rates,
    "tax.advance_deduction": advance_deducted,
    "tax.en16931": en16931,
    "tax.gst_qst": federal_and_provincial,
    "tax.many_lines": many_lines,
    "tax.mixed": mixed_rates,
    "tax.qst": percent_tax,
    "tax.residual": residual,
    "tax.single": single_tax,
}
