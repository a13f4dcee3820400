"""Credit notes: an invoice taken back, in whole or in part, with the tax that was on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

from saldo.invoicing.model import (
    AppliedCredit,
    CreditSource,
    DocumentKind,
    InvoiceBody,
    Line,
    LineKind,
    PayableRounding,
)
from saldo.invoicing.rules_early import Legs, differences_of, discounts_of, given_back, minor_of
from saldo.invoicing.rules_reduced_tax import part_off
from saldo.kernel.errors import Problems
from saldo.kernel.exact import ONE
from saldo.kernel.ids import derived_id
from saldo.kernel.money import Money, split_by_weights
from saldo.kernel.rounding import rounded_ratio
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting, entry_for
from saldo.rating.model import Share, Step
from saldo.tax.model import Collection, TaxShare, TaxTotal
from saldo.tax.rules import percent_of


def credit_note(
    body: InvoiceBody, on: date, amounts: Mapping[str, int], earlier: Sequence[InvoiceBody] = (), note: str = ""
) -> InvoiceBody:
    """A credit note over amounts (minor units, above zero) of an invoice's lines, by line id.

    Its tax is reckoned on the credited net by rate. What is left of the invoice after `earlier` credit notes bounds it,
    and the note that takes back the last of a tax's base takes back the last of its tax, so that an invoice taken back
    whole is zero in every account. What of prepaid credit drawn before tax is among the lines goes back to it; for what
    was drawn after tax see `settled_back`. Refusal `invalid_credit_note` naming every line at fault.
    """
    _check(body, amounts, earlier)
    chosen = _chosen(body, amounts, earlier)
    lines = tuple(_line(n, line, amounts.get(line.id, 0), body, earlier) for n, line in enumerate(chosen, 1))
    totals = _taxes(body, lines, earlier)
    included = sum(t.tax_minor for t in totals if t.included and t.collection is not Collection.WITHHELD)
    net = sum(line.net_minor for line in lines) - included
    tax = sum(t.tax_minor for t in totals if t.collection is not Collection.WITHHELD)
    return replace(
        body,
        id=derived_id("inv", on, "credit note", body.id, str(len(earlier) + 1)),
        kind=DocumentKind.CREDIT_NOTE,
        of_invoice=body.id,
        issued_on=on,
        due_on=max(on, body.due_on),
        payment_terms=None,
        charges=(f"credit:{body.id}:{len(earlier) + 1}",),
        lines=_with_included(body, lines, earlier, included),
        tax_totals=totals,
        net_minor=net,
        tax_minor=tax,
        total_minor=net + tax,
        coupons=(),
        credits=_returned(body, lines),
        replaces="",
        early_discounts=(),
        early_in_part=False,
        note=note,
        rounding=_rounded_back(body, earlier) if _ends(body, lines, earlier) else None,
    )


def _rounded_back(body: InvoiceBody, earlier: Sequence[InvoiceBody]) -> PayableRounding | None:
    """The note that takes back the last of an invoice also takes back what was rounded at its end."""
    if body.rounding is None:
        return None
    done = sum(note.rounding.minor for note in earlier if note.rounding)
    return replace(body.rounding, minor=-body.rounding.minor - done)


def _returned(body: InvoiceBody, lines: Sequence[Line]) -> tuple[AppliedCredit, ...]:
    minor = Counter[str]()
    for line in lines:
        if line.kind is LineKind.PREPAID:
            minor[line.component_id] += line.net_minor
    return tuple(AppliedCredit(CreditSource.PREPAID, c, -m, True, body.issued_on) for c, m in minor.items() if m)


def settled_back(body: InvoiceBody, note: InvoiceBody, earlier: Sequence[InvoiceBody], open_minor: int) -> InvoiceBody:
    """The credit note with what it returns of prepaid credit that paid for its invoice after tax.

    open_minor: of the invoice, before this note. First it lowers what is open. The rest was paid already, and goes back
    the way it came: to the prepaid credits as large a part as they are of all that is settled and not given back yet,
    so that the last note returns the last of them; what remains is the customer's credit.
    """
    drawn = _after_tax(body)
    for one in earlier:
        drawn.update(_after_tax(one))
    drawn = Counter({credit_id: minor for credit_id, minor in drawn.items() if minor > 0})
    back = -note.owed_minor
    beyond = back - min(back, open_minor)
    settled = _settled_minor(body, earlier, open_minor)
    if not drawn or beyond <= 0 or settled <= 0:
        return note
    part = min(rounded_ratio(drawn.total() * beyond, settled), beyond, drawn.total())
    shares = split_by_weights(Money(part, body.currency), list(drawn.values()))
    returned = (
        AppliedCredit(CreditSource.PREPAID, credit_id, -share.minor, drawn_on=body.issued_on)
        for credit_id, share in zip(drawn, shares, strict=True)
        if share.minor
    )
    return replace(note, credits=(*note.credits, *returned))


def discount_back(
    body: InvoiceBody, note: InvoiceBody, earlier: Sequence[InvoiceBody], open_minor: int, taken: Legs
) -> Legs:
    """What a credit note gives back of what its invoice was settled with that nobody paid: discounts for paying early,
    and differences too small to chase.

    open_minor: of the invoice, before this note. taken: of it so, and not given back yet.
    """
    settled = _settled_minor(body, earlier, open_minor)
    beyond, rest = (max(-minor - open_minor, 0) for minor in (note.owed_minor, note.payable_minor))
    return given_back(taken, beyond, settled, rest)


def _settled_minor(body: InvoiceBody, earlier: Sequence[InvoiceBody], open_minor: int) -> int:
    """What has settled an invoice, and was not given back by credit notes."""
    return body.owed_minor + sum(one.owed_minor for one in earlier) - open_minor


def back_entries(note: InvoiceBody, back: Legs) -> list[Entry]:
    """Dr customer credit, Cr early discount and the tax on it, or small difference: of a credit note that gives back
    more than was paid, because these had settled a part of its invoice. None where there were none."""
    parts = (
        (EntryKind.EARLY_DISCOUNT_GIVEN_BACK, discounts_of(back)),
        (EntryKind.DIFFERENCE_GIVEN_BACK, differences_of(back)),
    )
    return [_back_entry(note, kind, part) for kind, part in parts if part]


def _back_entry(note: InvoiceBody, kind: EntryKind, back: Legs) -> Entry:
    legs = (Posting(account, -minor, tag=tag or None) for account, tag, minor in back)
    return entry_for(
        kind,
        booked_on=note.issued_on,
        entity_id=note.entity_id,
        account_id=note.account_id,
        currency=note.currency,
        source_id=note.id,
        postings=(Posting(LedgerAccount.CUSTOMER_CREDIT, minor_of(back)), *legs),
        exchange=note.exchange,
    )


def _after_tax(body: InvoiceBody) -> Counter[str]:
    paid = Counter[str]()
    for credit in body.credits:
        if credit.source is CreditSource.PREPAID and not credit.before_tax:
            paid[credit.credit_id] += credit.minor
    return paid


def whole(body: InvoiceBody, earlier: Sequence[InvoiceBody] = ()) -> dict[str, int]:
    """All that is left of an invoice's lines, for `credit_note`."""
    left = {line.id: _left(body, line, earlier) for line in body.lines}
    return {line_id: minor for line_id, minor in left.items() if minor}


def with_discounts(
    body: InvoiceBody, amounts: Mapping[str, int], earlier: Sequence[InvoiceBody] = ()
) -> dict[str, int]:
    """Amounts before discount, by line, with what of each line's discounts goes back with it; for `credit_note`.

    In proportion, of what earlier credit notes left; discounts that `amounts` names go back as they are told.
    """
    found = dict(amounts)
    for line in body.lines:
        if line.of and line.id not in amounts and amounts.get(line.of):
            parent = next(other for other in body.lines if other.id == line.of)
            off, left = _left(body, line, earlier), _left(body, parent, earlier)
            found[line.id] = _part(off, amounts[line.of], left) if left else 0
    return {line_id: minor for line_id, minor in found.items() if minor}


def _chosen(body: InvoiceBody, amounts: Mapping[str, int], earlier: Sequence[InvoiceBody]) -> list[Line]:
    """The lines with an amount; with the last of them also those of no amount, or taken back whole by then, of which a
    tax within is still to be taken back."""
    within = Counter({line.id: line.included_tax_minor for line in body.lines})
    for note in earlier:
        for line in note.lines:
            within[line.of] += line.included_tax_minor
    rest = {line_id: minor - amounts.get(line_id, 0) for line_id, minor in whole(body, earlier).items()}
    ends = not any(rest.values())
    return [line for line in body.lines if amounts.get(line.id) or (ends and within[line.id])]


def _ends(body: InvoiceBody, lines: Sequence[Line], earlier: Sequence[InvoiceBody]) -> bool:
    """Whether nothing of the invoice is left after these lines."""
    taken = Counter[str]()
    for line in lines:
        taken[line.of] += line.net_minor
    return not any(_left(body, line, earlier) + taken[line.id] for line in body.lines)


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
            there = ", ".join(f"{line.id} ({line.component_id})" for line in body.lines)
            problems.add(f"amounts.{line_id}", "unknown_line", f"{body.id} has no line {line_id!r}; there are {there}")
            continue
        left = _left(body, line, earlier)
        if abs(minor) > abs(left) or minor * left < 0:
            problems.add(f"amounts.{line_id}", "more_than_left", f"{Money(left, body.currency)} are left to take back")
    problems.refuse_if_any("the credit note cannot be made", "invalid_credit_note")


def _base_off(body: InvoiceBody, line: Line, minor: int, earlier: Sequence[InvoiceBody]) -> int:
    """What of so much that is taken back of a line bore no tax; of the last of it, all that is left."""
    if minor != _left(body, line, earlier):
        return part_off(line, minor)
    return line.base_off_minor + sum(o.base_off_minor for note in earlier for o in note.lines if o.of == line.id)


def _line(n: int, line: Line, minor: int, body: InvoiceBody, earlier: Sequence[InvoiceBody]) -> Line:
    amount = -Money(minor, body.currency).as_decimal()
    return line._replace(
        id=str(n),
        kind=line.kind if line.kind is LineKind.PREPAID else LineKind.CREDIT,
        of=line.id,
        quantity=ONE,
        exact=amount,
        share=Share(),
        net_minor=-minor,
        base_off_minor=-_base_off(body, line, minor, earlier),
        residual_minor=0,
        priced_in=None,
        steps=(Step("credit", ONE, amount, amount),),
    )


def _with_included(
    body: InvoiceBody, lines: Sequence[Line], earlier: Sequence[InvoiceBody], included: int
) -> tuple[Line, ...]:
    """The tax within the lines of a note: each line's own part, all that is left of it when the line is taken whole.

    included: what the note's taxes within amounts come to. The first line that has tax in it makes up a difference of
    roundings, so that the sum is right; the last note puts that cent back between revenue tags.
    """
    lines_of = {line.id: line for line in body.lines}
    before = Counter[str]()
    for note in earlier:
        for line in note.lines:
            before[line.of] += line.included_tax_minor
    within = {}
    for line in lines:
        whole_line = lines_of[line.of]
        left = _left(body, whole_line, earlier) + line.net_minor
        rest = -whole_line.included_tax_minor - before[line.of]
        within[line.of] = (
            rest if not left else _part(whole_line.included_tax_minor, line.net_minor, whole_line.net_minor)
        )
    first = next((line.of for line in lines if line.inclusive), "")
    if first:
        within[first] += included - sum(within.values())
    return tuple(line._replace(included_tax_minor=within[line.of]) for line in lines)


def _taxes(body: InvoiceBody, lines: Sequence[Line], earlier: Sequence[InvoiceBody]) -> tuple[TaxTotal, ...]:
    """The note that takes back the last of an invoice also takes back what its lines of no amount bore: levies."""
    found: list[TaxTotal] = []
    left = {line.id: _left(body, line, earlier) for line in body.lines}
    for line in lines:
        left[line.of] += line.net_minor
    ends = _ends(body, lines, earlier)
    for total in body.tax_totals:
        if any(_bears(line, total) for line in lines) or (ends and not _credited(total, earlier)):
            amount = sum(line.net_minor - line.base_off_minor for line in lines if _bears(line, total))
            is_last = not any(left[line.id] for line in body.lines if _bears(line, total))
            one = _tax(body, total, amount, earlier, is_last=is_last)
            taxed = next((t for t in found if _is_rest_of(total, t, lines)), None)
            found.append(one if taxed is None or is_last else _rest(body, one, amount, taxed))
    return tuple(found)


def _is_rest_of(total: TaxTotal, taxed: TaxTotal, lines: Sequence[Line]) -> bool:
    """Whether lines are exempt from a tax for a part, the one behind the other."""
    if taxed.included != total.included or not total.share.is_rest_of(taxed.share):
        return False
    return any((taxed.share, total.share) in pairwise(line.taxes) for line in lines)


def _rest(body: InvoiceBody, total: TaxTotal, amount: int, taxed: TaxTotal) -> TaxTotal:
    """What of an amount is exempt: both parts are all of it, to the cent."""
    billed = sum(line.net_minor for line in body.lines if _bears(line, total))
    both = sum(t.base_minor for t in body.tax_totals if _kind(t) in (_kind(taxed), _kind(total)))
    return replace(total, base_minor=_part(both, amount, billed) - taxed.base_minor)


def _credited(total: TaxTotal, earlier: Sequence[InvoiceBody]) -> bool:
    return any(_kind(t) == _kind(total) for note in earlier for t in note.tax_totals)


def _bears(line: Line, total: TaxTotal) -> bool:
    return line.inclusive == total.included and total.share in line.taxes


def _tax(body: InvoiceBody, total: TaxTotal, amount: int, earlier: Sequence[InvoiceBody], *, is_last: bool) -> TaxTotal:
    """amount: of the lines credited now that bear the tax. is_last: they are then taken back to the last cent."""
    before = [t for note in earlier for t in note.tax_totals if _kind(t) == _kind(total)]
    billed = sum(line.net_minor - line.base_off_minor for line in body.lines if _bears(line, total))
    if is_last:
        base = -total.base_minor - sum(t.base_minor for t in before)
        return replace(total, base_minor=base, tax_minor=-total.tax_minor - sum(t.tax_minor for t in before))
    if total.included or not total.share.is_percentage:
        tax = _part(total.tax_minor, amount, billed)
        of_all = total.included and total.basis is None
        base = amount - tax if of_all else _part(total.base_minor, amount, billed)
        return replace(total, base_minor=base, tax_minor=tax)
    return replace(total, base_minor=amount, tax_minor=percent_of(amount, total.percent, body.tax_mode))


def _part(whole_minor: int, amount: int, of: int) -> int:
    """Nothing of what bears a tax and comes to nothing: the note that takes back the last of it takes the tax."""
    if not of:
        return 0
    return rounded_ratio(whole_minor * amount * (1 if of > 0 else -1), abs(of))


def _kind(total: TaxTotal) -> tuple[TaxShare, bool]:
    return total.share, total.included
