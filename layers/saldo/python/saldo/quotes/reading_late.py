"""Interest, compensation and fees for late payment, from a quote's document."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from saldo.accounts.model import LateTerms, MonthCount
from saldo.accounts.rules import counting_problems, fee_problems
from saldo.invoicing.rules_interest import Bands, LateFee, LateInterest
from saldo.invoicing.rules_late_law import STATUTES
from saldo.kernel.exact import ZERO
from saldo.kernel.periods import Unit
from saldo.kernel.reading import Fields
from saldo.quotes.reading_amounts import maybe_minor

_MOST_DAYS = 3660


class Law(StrEnum):
    """Whose law sets late interest; EU is directive 2011/7/EU as most of its members have it."""

    UK = "UK"
    EU = "EU"
    DE = "DE"
    DE_CONSUMER = "DE_CONSUMER"
    FR = "FR"
    AT = "AT"
    BE = "BE"
    CZ = "CZ"
    DK = "DK"
    ES = "ES"
    FI = "FI"
    IE = "IE"
    IT = "IT"
    LU = "LU"
    NL = "NL"
    PT = "PT"
    SE = "SE"

    def percent_over(self, reference: Decimal) -> Decimal:
        """The percent a year that its points above a reference rate come to."""
        statute = STATUTES[self.country]
        points = statute.consumer_points if self is Law.DE_CONSUMER else statute.points
        return statute.percent_over(reference, points or ZERO)

    @property
    def bands(self) -> Bands:
        return () if self is Law.DE_CONSUMER else STATUTES[self.country].bands

    @property
    def country(self) -> str:
        return _COUNTRY_OF.get(self, self.value)


_COUNTRY_OF = {Law.UK: "GB", Law.EU: "IT", Law.DE_CONSUMER: "DE"}


class Per(StrEnum):
    """What an interest rate is for."""

    YEAR = "year"
    MONTH = "month"


class Compounds(StrEnum):
    """After what time interest bears interest; NEVER: simple."""

    NEVER = "never"
    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


def late_from(fields: Fields, currency: str) -> LateInterest:
    """A rate of its own, or a law's points above the base rate, with the law's compensation."""
    law = fields.choice("law", Law) if fields.has("law") else None
    percent, later = _percent_from(fields, law), []
    for child in fields.maybe_children("later"):
        on = child.day("from_on")
        later.append((on, _percent_from(child, law)))
        child.finish()
    counting = _counting(fields)
    rule = LateInterest(
        percent=percent,
        year_days=counting.days_of_year,
        thirty_days=counting.thirty_days,
        compounds=counting.compounds,
        months=counting.months,
        grace_days=_not_below(fields, "grace_days"),
        from_grace=fields.flag("from_grace", False),
        most_percent=fields.maybe_decimal("most_percent"),
        fixed=law is not None and STATUTES[law.country].fixed,
        daily_rounding=counting.daily_rounding,
        bands=law.bands if law else (),
        per=Unit(fields.choice("per", Per, Per.YEAR)),
        later=tuple(sorted(later)),
        fees=tuple(_fee(child, currency) for child in fields.maybe_children("fees")),
    )
    fields.finish()
    return rule


def _counting(fields: Fields) -> LateTerms:
    """How days and months count, and when interest bears interest, as it is agreed on record."""
    compounds = fields.choice("compounds", Compounds, Compounds.NEVER)
    counting = LateTerms(
        compounds=None if compounds is Compounds.NEVER else Unit(compounds),
        year_days=fields.maybe_integer("year_days"),
        calendar_year=fields.flag("calendar_year", False),
        thirty_days=fields.flag("thirty_days", False),
        months=fields.choice("months", MonthCount, MonthCount.EXACT),
        daily_rounding=fields.flag("daily_rounding", False),
    )
    fields.problems.extend(counting_problems(counting), fields.path)
    return counting


def _percent_from(fields: Fields, law: Law | None) -> Decimal:
    """`percent` as it is, or `base_percent` plus the law's points; none where only fees are asked for."""
    if fields.has("percent"):
        if fields.has("base_percent"):
            fields.problems.add(fields.at("base_percent"), "one_of_two", "either a `percent` or a `base_percent`")
        return fields.decimal("percent")
    if law is None:
        if fields.has("base_percent"):
            fields.problems.add(fields.at("base_percent"), "no_law", "a base rate needs a `law` that adds to it")
        return ZERO if fields.has("fees") else fields.decimal("percent")
    return law.percent_over(fields.decimal("base_percent"))


def _fee(fields: Fields, currency: str) -> LateFee:
    fee = LateFee(
        after_days=fields.integer("after_days", 0),
        amount_minor=maybe_minor(fields, "amount", currency, signed=True) or 0,
        percent=fields.decimal("percent", ZERO),
        least_minor=maybe_minor(fields, "least", currency, signed=True) or 0,
        most_minor=maybe_minor(fields, "most", currency, signed=True),
        every_days=fields.maybe_integer("every_days"),
        times=fields.maybe_integer("times"),
    )
    fields.problems.extend(fee_problems(fee), fields.path)
    fields.finish()
    return fee


def _not_below(fields: Fields, name: str) -> int:
    days = fields.integer(name, 0)
    if not 0 <= days <= _MOST_DAYS:
        fields.problems.add(fields.at(name), "out_of_range", f"must be from 0 to {_MOST_DAYS}")
        return 0
    return days
