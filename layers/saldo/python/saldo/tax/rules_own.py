"""A seller's own rates over those that come with Saldo: which hold, and that none of these is forgotten by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any  # a rate as it is written: parsed JSON

from saldo.accounts.model import LegalEntity
from saldo.kernel.exact import plain
from saldo.kernel.reading import Fields
from saldo.tax.model import TaxRate, TaxTable

# Days [from, until); date.max where there is no end. Several are apart from each other and in order.
_Span = tuple[date, date]
_Spans = tuple[_Span, ...]
_Days = Mapping[tuple[str, ...], _Spans]


def over(carried: TaxTable, own: Sequence[TaxRate], version: str) -> TaxTable:
    """The carried table with a seller's own rates over it.

    Where own rates of a jurisdiction hold for a category on a day, the carried ones of both say nothing there, whatever
    their names: no tax is charged twice because it is called differently. Elsewhere they hold as before. Own rates come
    after carried ones, so that what is due on taxes before it is due on those of the country too.
    """
    said = _days_of(own)
    left = [part for rate in carried.rates for part in _left_of(rate, said)]
    return TaxTable(version, (*left, *own), carried.unions)


def check_over(carried: TaxTable, own: Sequence[TaxRate], fields: Fields) -> None:
    """Adds a problem to `rates` for each carried tax that own rates would silently do away with: on days and categories
    of its jurisdiction of which they say something, they say what becomes of it. 0 % says that it is not charged."""
    if any(problem.field.startswith(fields.at("rates")) for problem in fields.problems.found):
        return
    for why in [*_forgotten(carried, own), *_not_by_region(carried, own)]:
        fields.problems.add(fields.at("rates"), "carried_tax_not_named", why)


def not_charged(own: Sequence[TaxRate], seller: LegalEntity, carried: TaxTable) -> tuple[str, ...]:
    """Jurisdictions of own rates where the seller is not registered: nothing is charged there (`shares_for`)."""
    may = set(seller.tax_registrations)
    may |= {country for name in seller.tax_registrations for country in carried.unions.get(name, ())}
    if seller.country in _of_regions_alone((*carried.rates, *own)):
        may.add(f"{seller.country}-{seller.region}")
    return tuple(sorted({rate.jurisdiction for rate in own} - may))


def _of_regions_alone(rates: Sequence[TaxRate]) -> set[str]:
    """Countries whose taxes are all those of their regions."""
    return {rate.country for rate in rates if rate.region} - {rate.country for rate in rates if not rate.region}


_NAMED = ("country", "region", "name", "categories", "percent", "from_on", "until_on")


def told_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """A rate as it is written, in cells: jurisdiction, tax, categories, percent, first day, the day after the last, and
    all else that it says."""
    place = "-".join(part for part in (row["country"], row.get("region", "")) if part)
    categories = ", ".join(row.get("categories") or ("standard",))
    besides = ", ".join(f"{name} {_word(row[name])}" for name in row if name not in _NAMED)
    percent, *days = (_word(row.get(name)) for name in ("percent", "from_on", "until_on"))
    return place, row.get("name") or "VAT", categories, percent, *days, besides


def _word(value: object) -> str:
    if value is None:
        return ""
    return " + ".join(map(str, value)) if isinstance(value, list) else str(value).lower()


def _forgotten(carried: TaxTable, own: Sequence[TaxRate]) -> Iterator[str]:
    said, named = _days_of(own), _days_of(own, by_name=True)
    first: dict[tuple[str, ...], tuple[date, TaxRate]] = {}
    for rate in carried.rates if own else ():
        for category in rate.categories if rate.treatment.is_taxed else ():
            where = rate.jurisdiction, category
            days = _common((_span(rate),), said.get(where, ()))
            left = _without(days, named.get((*where, rate.name), ()))
            if left:
                first.setdefault((*where, rate.name), (left[0][0], rate))
    for (place, category, name), (day, rate) in sorted(first.items(), key=lambda one: one[0]):
        yield (
            f"{place} {category}: the carried table charges {name} of {plain(rate.percent)} %, which is not named"
            f" here on {day}: name it, with percent 0 where it is not charged"
        )


def _not_by_region(carried: TaxTable, own: Iterable[TaxRate]) -> Iterator[str]:
    """A country's tax beside those of its regions would have buyers without a region taxed by it alone."""
    for country in sorted({rate.country for rate in own if not rate.region} & _of_regions_alone(carried.rates)):
        yield f"{country}: its taxes are those of its regions: name one"


def _left_of(rate: TaxRate, said: _Days) -> Iterator[TaxRate]:
    """What is left of a carried rate: as many as there are different stretches of days."""
    stretches: dict[_Span, set[str]] = defaultdict(set)
    for category in rate.categories:
        for span in _without((_span(rate),), said.get((rate.jurisdiction, category), ())):
            stretches[span].add(category)
    for (begins, ends), categories in sorted(stretches.items()):
        until = None if ends == date.max else ends
        yield replace(rate, categories=frozenset(categories), from_on=begins, until_on=until)


def _days_of(own: Iterable[TaxRate], *, by_name: bool = False) -> _Days:
    """On which days there are own rates, by jurisdiction and category, and by name."""
    found: dict[tuple[str, ...], list[_Span]] = defaultdict(list)
    for rate in own:
        for category in rate.categories:
            found[(rate.jurisdiction, category, *([rate.name] if by_name else []))].append(_span(rate))
    return {where: _joined(spans) for where, spans in found.items()}


def _span(rate: TaxRate) -> _Span:
    return rate.from_on, rate.until_on or date.max


def _joined(spans: Iterable[_Span]) -> _Spans:
    found: list[_Span] = []
    for begins, ends in sorted(spans):
        if found and begins <= found[-1][1]:
            found[-1] = found[-1][0], max(ends, found[-1][1])
        else:
            found.append((begins, ends))
    return tuple(found)


def _common(some: _Spans, others: _Spans) -> _Spans:
    both = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return _joined(span for span in both if span[0] < span[1])


def _without(some: _Spans, others: _Spans) -> _Spans:
    left = list(some)
    for begins, ends in others:
        around = [part for a, b in left for part in ((a, min(b, begins)), (max(a, ends), b))]
        left = [(a, b) for a, b in around if a < b]
    return tuple(left)
