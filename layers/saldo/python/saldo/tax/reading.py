"""Tax rates as people write them, in a quote's document and in a seller's own: every fault is named, all at once."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from saldo.kernel.exact import ZERO, times
from saldo.kernel.money import minor_digits
from saldo.kernel.reading import Fields
from saldo.tax.model import NET, Collection, Piece, TaxBasis, TaxRate, TaxTreatment
from saldo.tax.rules import problems_of_rates

_LONG_AGO = date(1900, 1, 1)
_ALL = Decimal(100)
_COUNTRY = re.compile(r"[A-Z]{2}")


def country_from(fields: Fields, usual: str) -> str:
    """`country`, by its ISO 3166 code of two letters."""
    country = fields.text("country", usual)
    if not _COUNTRY.fullmatch(country):
        fields.problems.add(fields.at("country"), "invalid_country", "must be an ISO 3166 code such as DE")
        return usual
    return country


def rates_from(fields: Fields, country: str, currency: str) -> tuple[TaxRate, ...]:
    """The `rates` of a document (docs/quote.md), () when absent. country: of rates that name none; currency: of their
    amounts, told in major units."""
    before = len(fields.problems.found)
    rates = tuple(_rate(child, country, currency) for child in fields.maybe_children("rates"))
    if len(fields.problems.found) == before:
        for problem in problems_of_rates(rates):
            fields.problems.add(fields.at("rates"), "invalid_rates", problem)
    return rates


_AMOUNTS = {"least": "least", "below": "below", "above": "above", "up_to": "up_to", "most": "most_tax"}
_MAKES_A_BASIS = ("of", "part", "within", "each", "once", *_AMOUNTS)


def _rate(fields: Fields, country: str, currency: str) -> TaxRate:
    percent = fields.decimal("percent", ZERO)
    amounts = [name for name in ("per_unit", "once") if fields.has(name)]
    usual = TaxTreatment.STANDARD if percent or amounts else TaxTreatment.ZERO
    rate = TaxRate(
        country=country_from(fields, country),
        region=fields.text("region", ""),
        name=fields.text("name", "VAT"),
        categories=frozenset(fields.text_list("categories") or ("standard",)),
        treatment=fields.choice("treatment", TaxTreatment, usual),
        percent=percent,
        from_on=fields.maybe_day("from_on") or _LONG_AGO,
        until_on=fields.maybe_day("until_on"),
        compound=fields.flag("compound", False),
        levy_minor=_minor(fields, "per_unit", currency) or ZERO,
        collection=fields.choice("collection", Collection, Collection.CHARGED),
        basis=_basis(fields, currency) if any(fields.has(name) for name in _MAKES_A_BASIS) else None,
    )
    if not fields.has("percent") and not amounts:
        fields.problems.add(fields.at("percent"), "missing", "a tax has a `percent` or an amount `per_unit` or `once`")
    fields.finish()
    return rate


def _basis(fields: Fields, currency: str) -> TaxBasis:
    bounds = {f"{field}_minor": _minor(fields, name, currency) for name, field in _AMOUNTS.items()}
    basis = TaxBasis(
        of=fields.text_list("of") or (NET,),
        part=fields.decimal("part", _ALL),
        within=fields.flag("within", False),
        piece=fields.choice("each", Piece, Piece.UNIT),
        once_minor=_minor(fields, "once", currency) or ZERO,
        **bounds,
    )
    if not 0 < basis.part <= _ALL:
        fields.problems.add(fields.at("part"), "out_of_range", "must be above 0 and at most 100")
    for low, high in (("above", "up_to"), ("least", "below")):
        lower, upper = bounds[f"{low}_minor"], bounds[f"{high}_minor"]
        if lower is not None and upper is not None and upper <= lower:
            fields.problems.add(fields.at(high), "not_above", f"must be above `{low}`")
    return basis


def _minor(fields: Fields, name: str, currency: str) -> Decimal | None:
    """An amount of a tax in minor units, of which it may have a part; None where it is not told."""
    if not fields.has(name):
        return None
    amount = times(fields.decimal(name), Decimal(10 ** minor_digits(currency)))
    if amount < 0:
        fields.problems.add(fields.at(name), "negative", "must be zero or more")
    return amount
