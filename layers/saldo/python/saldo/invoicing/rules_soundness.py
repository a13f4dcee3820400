"""Whether a frozen invoice follows from itself. No clock, no I/O."""

from __future__ import annotations

from saldo.invoicing.model import DocumentKind, InvoiceBody
from saldo.invoicing.rules_reduced_tax import is_reduced_as_agreed
from saldo.invoicing.rules_rounding import rounding_of
from saldo.invoicing.rules_taxable import taxable_lines
from saldo.kernel.errors import Problem, Problems
from saldo.kernel.exact import minor_of_share, total
from saldo.tax.model import Collection
from saldo.tax.rules import line_taxes, tax_totals


def problems_of(body: InvoiceBody) -> tuple[Problem, ...]:
    """Everything about a frozen invoice that does not follow from itself; empty for a sound one.

    Steps make up each line's exact price, which share and rounding turn into its net; lines and taxes make up the
    totals; each tax follows from the lines it is on; the id follows from what is billed.
    """
    found = Problems()
    for i, line in enumerate(body.lines):
        if total(step.amount for step in line.steps) != line.exact:
            found.add(f"lines[{i}].exact", "steps_differ", "the steps do not make up the price")
        net = minor_of_share(line.exact, line.part, body.currency, line.rounding) + line.residual_minor
        if net != line.net_minor:
            found.add(f"lines[{i}].net_minor", "net_differs", "share and rounding of the price do not make the net")
    _check_taxes(body, found)
    if not body.of_invoice and not is_reduced_as_agreed(body):
        found.add("lines", "base_differs", "the taxes are not due on what the discount for paying early leaves")
    if sum(line.net_minor - line.included_tax_minor for line in body.lines) != body.net_minor:
        found.add("net_minor", "lines_differ", "the lines do not add up to the net")
    if sum(t.tax_minor for t in body.tax_totals if t.collection is not Collection.WITHHELD) != body.tax_minor:
        found.add("tax_minor", "taxes_differ", "the taxes do not add up to the tax")
    if body.net_minor + body.tax_minor != body.total_minor:
        found.add("total_minor", "total_differs", "net and tax do not make the total")
    if (body.total_minor < 0) != (body.kind is DocumentKind.CREDIT_NOTE) and not (
        body.of_invoice and not body.total_minor
    ):
        found.add("kind", "kind_differs", "an invoice's total is above zero, a credit note's below")
    rounding = body.rounding if not body.of_invoice else None
    if rounding and rounding.minor != rounding_of(body.payable_minor - rounding.minor, rounding):
        found.add("rounding", "rounding_differs", "what is to be paid is not rounded so")
    if body.due_on < body.issued_on:
        found.add("due_on", "due_too_soon", "due before it was issued")
    return found.found


def _check_taxes(body: InvoiceBody, found: Problems) -> None:
    if body.of_invoice:
        return  # its taxes follow from its invoice and the credit notes before it
    lines = taxable_lines(body.lines, body.issued_on, body.currency)
    taxes = line_taxes(lines, [line.taxes for line in body.lines], body.tax_rounding, body.tax_mode)
    if tax_totals(lines, taxes, body.tax_rounding, body.tax_mode) != body.tax_totals:
        found.add("tax_totals", "tax_differs", "the taxes are not those of the lines")
    for i, (line, tax) in enumerate(zip(body.lines, taxes, strict=True)):
        if line.included_tax_minor != tax.included_minor:
            found.add(f"lines[{i}].included_tax_minor", "tax_differs", "the tax within is not this line's part")
