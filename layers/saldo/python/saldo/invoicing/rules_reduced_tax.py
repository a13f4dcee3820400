"""Tax on what is left after a discount for paying early, whether or not it is taken (`DiscountTax.ALWAYS`).

So it is in Belgium (code de la TVA, article 28, 1°) and was in the United Kingdom until 2015 (Value Added Tax Act 1994,
schedule 6, paragraph 4): 1,000 at 2 % discount and 20 % tax is invoiced as 1,196, and 1,176 when it is paid early. What
each line's tax is not due on is frozen with the line. Values in, values out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from saldo.accounts.model import DiscountTax, EarlyDiscount
from saldo.invoicing.model import InvoiceBody, Line
from saldo.kernel.money import round_exact, rounded_to_sum
from saldo.kernel.rounding import rounded_ratio
from saldo.tax.model import Collection, TaxAnswer
from saldo.tax.rules import percent_of


def percent_always(discounts: Sequence[EarlyDiscount]) -> Decimal:
    """By how many per cent the base of the tax is less: of several discounts the first, which is the largest; or 0."""
    return discounts[0].percent if discounts and discounts[0].tax is DiscountTax.ALWAYS else Decimal(0)


def reduced(lines: Sequence[Line], discounts: Sequence[EarlyDiscount], earlier: Sequence[InvoiceBody]) -> list[Line]:
    """The lines with what their tax is not due on; what gives back an earlier charge goes by that.

    earlier: the documents on which what is given back was charged.
    """
    percent = percent_always(discounts)
    if not percent and not any(line.gives_back for line in lines):
        return list(lines)
    off, origins = _own(lines, percent), {f"{body.id}/{line.id}": line for body in earlier for line in body.lines}
    for line in (one for one in lines if one.gives_back):
        origin = origins.get(line.gives_back)
        off[line.id] = part_off(origin, line.net_minor) if origin else 0
    return [line._replace(base_off_minor=off[line.id]) if off[line.id] else line for line in lines]


def taxed_early(
    lines: Sequence[Line],
    discounts: tuple[EarlyDiscount, ...],
    earlier: Sequence[InvoiceBody],
    ask: Callable[[Sequence[Line]], TaxAnswer],
) -> tuple[list[Line], TaxAnswer, tuple[EarlyDiscount, ...]]:
    """The lines, their taxes, and the discounts for paying early that an invoice of them is issued with.

    Where the buyer pays a tax to the state there is none, and so none that lessens the tax: it is asked for once more.
    """
    found = reduced(lines, discounts, earlier)
    answer = ask(found)
    if percent_always(discounts) and any(t.collection is not Collection.CHARGED for t in answer.totals):
        found = reduced(lines, (), earlier)
        return found, ask(found), ()
    return found, answer, discounts


def part_off(line: Line, minor: int) -> int:
    """What the tax is not due on of so much of a line, in proportion."""
    if not line.net_minor:
        return 0
    sign = 1 if line.net_minor > 0 else -1
    return rounded_ratio(line.base_off_minor * minor * sign, abs(line.net_minor))


def is_reduced_as_agreed(body: InvoiceBody) -> bool:
    """Whether the lines of an invoice that give nothing back say what its own terms say."""
    off = _own(body.lines, percent_always(body.early_discounts))
    return all(line.base_off_minor == off[line.id] for line in body.lines if not line.gives_back)


def discount_of(body: InvoiceBody, discount: EarlyDiscount) -> int:
    """What paying early takes off an invoice whose tax is reduced already: what its tax is not due on, or as large a
    part of it as a later and smaller discount is of the first."""
    whole = sum(line.base_off_minor for line in body.lines)
    return round_exact(Fraction(whole) * Fraction(discount.percent) / Fraction(body.early_discounts[0].percent))


def _own(lines: Sequence[Line], percent: Decimal) -> dict[str, int]:
    """Of each line that gives nothing back: to the cent of the sums that are taxed alike, by largest remainder."""
    alike: Mapping[object, list[Line]] = defaultdict(list)
    found = dict.fromkeys((line.id for line in lines), 0)
    for line in lines:
        if percent and not line.gives_back:
            alike[line.tax_category, line.inclusive].append(line)
    for some in alike.values():
        whole = sum(line.net_minor for line in some)
        off = percent_of(whole, percent)
        exact = [Fraction(off * line.net_minor, whole) if whole else Fraction(0) for line in some]
        found |= dict(zip((line.id for line in some), rounded_to_sum(off, exact), strict=True))
    return found
