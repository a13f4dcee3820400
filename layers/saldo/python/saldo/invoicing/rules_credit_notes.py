"""Credit notes: an invoice taken back, in whole or in part, with the tax that was on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from saldo.invoicing.model import DocumentKind, InvoiceBody, Line, LineKind
from saldo.kernel.errors import Problems
from saldo.kernel.exact import ONE, ZERO
from saldo.kernel.ids import derived_id
from saldo.kernel.money import Money
from saldo.kernel.rounding import rounded_ratio
from saldo.rating.model import Share, Step
from saldo.tax.model import Collection, TaxShare, TaxTotal


def credit_note(
    body: InvoiceBody, on: date, amounts: Mapping[str, int], earlier: Sequence[InvoiceBody] = ()
) -> InvoiceBody:
    """A credit note over amounts (minor units, above zero) of an invoice's lines, by line id.

    Its tax is reckoned on the credited net by rate. What is left of the invoice after `earlier` credit notes bounds it,
    and the note that takes back the last of a tax's base takes back the last of its tax, so that an invoice taken back
    whole is zero in every account. Refusal `invalid_credit_note` naming every line at fault.
    """
    _check(body, amounts, earlier)
    lines = tuple(_line(n, line, amounts[line.id], body) for n, line in enumerate(_chosen(body, amounts), 1))
    totals = _taxes(body, lines, earlier)
    included = sum(t.tax_minor for t in totals if t.included)
    net = sum(line.net_minor for line in lines) - included
    tax = sum(t.tax_minor for t in totals if t.collection is not Collection.WITHHELD)
    return replace(
        body,
        id=derived_id("crn", on, body.id, str(len(earlier) + 1)),
        kind=DocumentKind.CREDIT_NOTE,
        of_invoice=body.id,
        issued_on=on,
        due_on=max(on, body.due_on),
        charges=(f"credit:{body.id}:{len(earlier) + 1}",),
        lines=_included(lines, included),
        tax_totals=totals,
        net_minor=net,
        tax_minor=tax,
        total_minor=net + tax,
        coupons=(),
        credits=(),
    )


def whole(body: InvoiceBody, earlier: Sequence[InvoiceBody] = ()) -> dict[str, int]:
    """All that is left of an invoice's lines, for `credit_note`."""
    left = {line.id: _left(body, line, earlier) for line in body.lines}
    return {line_id: minor for line_id, minor in left.items() if minor}


def _chosen(body: InvoiceBody, amounts: Mapping[str, int]) -> list[Line]:
    return [line for line in body.lines if amounts.get(line.id)]


def _left(body: InvoiceBody, line: Line, earlier: Sequence[InvoiceBody]) -> int:
    """What a line was, less what earlier credit notes took back of it."""
    return line.net_minor + sum(other.net_minor for note in earlier for other in note.lines if other.of == line.id)


def _check(body: InvoiceBody, amounts: Mapping[str, int], earlier: Sequence[InvoiceBody]) -> None:
    problems = Problems()
    lines = {line.id: line for line in body.lines}
    if not any(amounts.values()):
        problems.add("amounts", "empty", "a credit note takes something back")
    for line_id, minor in amounts.items():
        line = lines.get(line_id)
        if line is None:
            problems.add(f"amounts.{line_id}", "unknown_line", f"{body.id} has no line {line_id!r}")
            continue
        left = _left(body, line, earlier)
        if abs(minor) > abs(left) or minor * left < 0:
            problems.add(f"amounts.{line_id}", "more_than_left", f"{left} of this line are left to take back")
    problems.refuse_if_any("the credit note cannot be made", "invalid_credit_note")


def _line(n: int, line: Line, minor: int, body: InvoiceBody) -> Line:
    amount = -Money(minor, body.currency).as_decimal()
    return replace(
        line,
        id=str(n),
        kind=line.kind if line.kind is LineKind.PREPAID else LineKind.CREDIT,
        of=line.id,
        quantity=ONE,
        exact=amount,
        share=Share(),
        net_minor=-minor,
        residual_minor=0,
        steps=(Step("credit", ONE, amount, amount),),
    )


def _included(lines: Sequence[Line], included: int) -> tuple[Line, ...]:
    """The tax within the lines that have it, each with what the running total grows by."""
    gross = sum(line.net_minor for line in lines if line.inclusive)
    found, running, done = [], 0, 0
    for line in lines:
        if line.inclusive and gross:
            running += line.net_minor
            upto = rounded_ratio(included * running * (1 if gross > 0 else -1), abs(gross))
            line, done = replace(line, included_tax_minor=upto - done), upto
        found.append(line)
    return tuple(found)


def _taxes(body: InvoiceBody, lines: Sequence[Line], earlier: Sequence[InvoiceBody]) -> tuple[TaxTotal, ...]:
    found = []
    taken = {line.of: line.net_minor for line in lines}
    is_last = not any(_left(body, line, earlier) + taken.get(line.id, 0) for line in body.lines)
    for total in body.tax_totals:
        amount = sum(line.net_minor for line in lines if _bears(line, total))
        if amount or (is_last and _is_levied_on_nothing(body, total)):
            found.append(_tax(body, total, amount, earlier))
    return tuple(found)


def _is_levied_on_nothing(body: InvoiceBody, total: TaxTotal) -> bool:
    """A tax per unit on what costs nothing: no line's amount can take it back, so the note that takes the last does."""
    return bool(total.tax_minor) and not any(line.net_minor for line in body.lines if _bears(line, total))


def _bears(line: Line, total: TaxTotal) -> bool:
    return line.inclusive == total.included and any(_same(share, total) for share in line.taxes)


def _same(share: TaxShare, total: TaxTotal) -> bool:
    one = share.jurisdiction, share.name, share.treatment, share.percent, share.reason
    return one == (total.jurisdiction, total.name, total.treatment, total.percent, total.reason)


def _tax(body: InvoiceBody, total: TaxTotal, amount: int, earlier: Sequence[InvoiceBody]) -> TaxTotal:
    """amount: of the lines credited now that bear the tax, below zero."""
    before = [t for note in earlier for t in note.tax_totals if _kind(t) == _kind(total)]
    billed = sum(line.net_minor for line in body.lines if _bears(line, total))
    credited = sum(line.net_minor for note in earlier for line in note.lines if _bears(line, total))
    if billed + credited + amount == 0:
        base = -total.base_minor - sum(t.base_minor for t in before)
        return replace(total, base_minor=base, tax_minor=-total.tax_minor - sum(t.tax_minor for t in before))
    if total.compound or total.levy_minor or total.included:
        tax = _part(total.tax_minor, amount, billed)
        base = amount - tax if total.included else _part(total.base_minor, amount, billed)
        return replace(total, base_minor=base, tax_minor=tax)
    numerator, denominator = (total.percent or ZERO).as_integer_ratio()
    tax = rounded_ratio(amount * numerator, denominator * 100, body.tax_mode)
    return replace(total, base_minor=amount, tax_minor=tax)


def _part(whole_minor: int, amount: int, of: int) -> int:
    return rounded_ratio(whole_minor * amount * (1 if of > 0 else -1), abs(of))


def _kind(total: TaxTotal) -> tuple[object, ...]:
    return total.jurisdiction, total.name, total.treatment, total.percent, total.reason, total.included
