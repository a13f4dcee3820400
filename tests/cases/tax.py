"""Taxes: on top and within, one on another, withheld and split, rounded one way or another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from saldo.quotes.service import quote_document
from tests.cases.reading import Area, Case, Document, NotApplicable, number, percent_of, rate, same, sold


def _rated(rows: list[tuple[Any, list[str]]], **taxes: Any) -> Document:
    """Items of (net, percents), each kind of tax a rate by its place in the list and its percent."""
    items, rates = [], {}
    for net, percents in rows:
        category = "+".join(percents)
        items.append({"unit_price": str(net), "tax_category": category})
        for n, percent in enumerate(percents):
            rates[n, percent] = [*rates.get((n, percent), []), category]
    listed = [
        {"percent": percent, "categories": sorted(set(categories)), "name": f"tax {n} {percent}"}
        for (n, percent), categories in rates.items()
    ]
    return sold(*items, taxes={"rates": listed, **taxes})


def _taxes(invoice: Document, name: str = "tax") -> list[str]:
    return [tax[name] for tax in invoice["taxes"]]


def en16931(inputs: Case, expected: Case, _option: Document) -> None:
    bases = inputs["bases(rate)"]
    pairs = [(net, rate) for rate, net in bases.items()] if isinstance(bases, dict) else bases
    more = {"prepaid_credits": [{"amount": inputs["prepaid"]}]} if "prepaid" in inputs else {}
    rows = [{"unit_price": str(net), "tax_category": str(percent)} for net, percent in pairs]
    rates = [rate(percent, str(percent)) for _, percent in pairs]
    invoice = sold(*rows, taxes={"rates": rates}, **more)
    vat = expected["vat"]
    same(_taxes(invoice), list(vat.values()) if isinstance(vat, dict) else vat)
    same([invoice["net"], invoice["total"]], [expected["net"], expected["gross"]])
    if "payable" in expected:
        same(invoice["payable"], expected["payable"])


def tax_currency(_inputs: Case, _expected: Case, _option: Document) -> None:
    raise NotApplicable("the rate of exchange is not in the case; a quote with `exchange` shows tax in both currencies")


def split_payment(inputs: Case, expected: Case, _option: Document) -> None:
    item = {"unit_price": inputs["price"], "quantity": inputs["quantity"]}
    invoice = sold(item, taxes={"rates": [rate(inputs["rate"], collection="split")]})
    found = [invoice[name] for name in ("net", "tax", "total", "payable")]
    same(found, [expected[name] for name in ("net", "vat", "gross", "payable")])
    same(number(invoice["total"]) - number(invoice["payable"]), expected["prepaid"])


def sum_vs_round(inputs: Case, expected: Case, _option: Document) -> None:
    rows = [(net, [str(percent)]) for net, percent in inputs["lines(net,rate)"]]
    same(_rated(rows)["tax"], expected["round_then_sum"])
    same(_rated(rows, rounding="total")["tax"], expected["sum_then_round"])


def line_precision(inputs: Case, expected: Case, _option: Document) -> None:
    items = [{"unit_price": inputs["price"], "quantity": inputs["quantity"]}] * inputs["lines"]
    by_line = sold(*items)
    same(by_line["lines"][0]["amount"], expected["line"])
    same(by_line["net"], expected["sum_of_rounded"])
    same(sold(*items, options={"net_rounding": "document"})["net"], expected["sum_precise"])


def inclusive(inputs: Case, expected: Case, _option: Document) -> None:
    lines = inputs.get("gross_lines", [inputs.get("gross")])
    items = [{"unit_price": gross, "tax_inclusive": True} for gross in lines]
    invoice = sold(*items, taxes={"rates": [rate(inputs["rate"])]})
    same(invoice["tax"], expected["tax"])
    same(invoice["total"], sum(map(number, lines)))
    for name, found in (("gross", invoice["total"]), ("net", invoice["net"])):
        if name in expected:
            same(found, expected[name])
    if "net_4dp" in expected:  # to the cent, the net of a document is its gross less its tax
        same(invoice["net"], round(number(expected["net_4dp"]), 2))


def withholding(inputs: Case, expected: Case, _option: Document) -> None:
    rates = [rate(inputs["vat"]), rate(inputs["withholding"], name="withholding", collection="withheld")]
    invoice = sold({"unit_price": inputs["net"]}, taxes={"rates": rates})
    same([*_taxes(invoice), invoice["payable"]], [expected["vat"], expected["withheld"], expected["payable"]])


def single(inputs: Case, expected: Case, _option: Document) -> None:
    percent = inputs["rate"] if number(inputs["rate"]) > 1 else percent_of(inputs["rate"])
    same(_rated([(inputs["net"], [percent])])["tax"], expected["tax"])


def gst_qst(inputs: Case, expected: Case, _option: Document) -> None:
    same(_rated([(inputs["net"], [inputs["gst"], inputs["qst"]])])["total"], expected["gross"])


def advance_deduction(inputs: Case, expected: Case, _option: Document) -> None:
    invoice = _rated([(net, [str(inputs["rate"])]) for net in inputs["lines"]])
    same([invoice[n] for n in ("net", "tax", "total")], [expected[n] for n in ("net", "tax", "gross")])


def mixed(inputs: Case, expected: Case, _option: Document) -> None:
    same(_rated([(net, [percent_of(r)]) for net, r in inputs["lines"]])["tax"], expected["tax"])


def cash_discount(inputs: Case, expected: Case, _option: Document) -> None:
    mode = {"always": "always", "only_if_early": "if_early", "never": "never"}[inputs["mode"].split(" ")[0]]
    document: Document = {"early_discount": {"percent": percent_of(inputs["discount"]), "tax": mode}}
    early = _standing(inputs, document)["early_payment"]
    same([early["pay_early"], early["pay_late"]], [expected["pay_early"], expected["pay_late"]])


def _standing(inputs: Case, receivables: Document) -> Document:
    answer = quote_document(
        {
            "billing": {"on": "2025-01-31"},
            "items": [{"unit_price": inputs["net"]}],
            "taxes": {"rates": [rate(percent_of(inputs["rate"]))]},
            "receivables": receivables,
        }
    )
    invoice: Document = answer["receivables"]["invoices"][0]
    return invoice


def rounding_mode(inputs: Case, expected: Case, _option: Document) -> None:
    rows = [(inputs["unit_price"], [percent_of(inputs["rate"])])] * inputs["lines"]
    by_line, unrounded = _rated(rows, rounding="line"), _rated(rows, rounding="unrounded")
    same([by_line["net"], unrounded["net"]], [expected["base"]] * 2)
    same([by_line["tax"], unrounded["tax"]], [expected["tax_rounded_per_line"], expected["tax_rounded_per_document"]])


def residual(inputs: Case, expected: Case, _option: Document) -> None:
    invoice = _rated([(inputs["net_unrounded"], [percent_of(t) for t in inputs["taxes"]])], rounding="line_residual")
    same(invoice["taxes"][0]["base"], expected["base"])
    same([_taxes(invoice), invoice["tax"]], [expected["taxes"], expected["total_tax"]])


def many_lines(inputs: Case, expected: Case, _option: Document) -> None:
    invoice = _rated([(net, [percent_of(r) for r in rates]) for net, rates in inputs["lines"]])
    found = [[tax["base"], tax["tax"]] for tax in invoice["taxes"]]
    same(found, [expected["tax1(base,amount)"], expected["tax2(base,amount)"]])


def tax_on_tax(inputs: Case, expected: Case, _option: Document) -> None:
    levy = {"per_unit": inputs["ecotax_fixed_per_unit"], "name": "ecotax"}
    taxes = {"rates": [levy, rate(percent_of(inputs["vat"]), compound=True)]}
    invoice = sold({"unit_price": inputs["unit_price"], "quantity": inputs["quantity"]}, taxes=taxes)
    eco, vat = invoice["taxes"]
    same([eco["tax"], vat["base"], vat["tax"]], [expected[n] for n in ("ecotax", "vat_base", "vat")])
    reverse = sold({"unit_price": "126", "tax_inclusive": True}, taxes=taxes)
    same(reverse["net"], expected["reverse_of_126"])


AREAS: Mapping[str, Area] = {
    "tax.advance_deduction": Area(advance_deduction),
    "tax.cash_discount": Area(cash_discount),
    "tax.en16931": Area(en16931),
    "tax.gst_qst": Area(gst_qst),
    "tax.inclusive": Area(inclusive),
    "tax.line_precision": Area(line_precision),
    "tax.many_lines": Area(many_lines),
    "tax.mixed": Area(mixed),
    "tax.qst": Area(single),
    "tax.residual": Area(residual, chosen="tax rounding `line_residual`"),
    "tax.rounding_mode": Area(rounding_mode, chosen="tax rounding `line` and `unrounded`"),
    "tax.single": Area(single),
    "tax.split_payment": Area(split_payment),
    "tax.sum_vs_round": Area(sum_vs_round, chosen="the second number by tax rounding `total`"),
    "tax.tax_currency": Area(tax_currency),
    "tax.tax_on_tax": Area(tax_on_tax),
    "tax.withholding": Area(withholding),
}
