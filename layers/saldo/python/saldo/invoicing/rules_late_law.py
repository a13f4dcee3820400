"""What the law of the seller's country gives for late payment: a reference rate, points above it, a fixed sum.

Reference rates are dated half-years. Those known when this was written are here; later ones are put on record
(`LateCharges.add_reference_rate`), and where one is missing nothing is charged by guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from saldo.invoicing.rules_interest import EU_BANDS, IE_BANDS, UK_BANDS, Bands
from saldo.kernel.exact import plus, rounded_to, times
from saldo.kernel.rounding import Rounding


@dataclass(frozen=True, slots=True)
class ReferenceRate:
    """`percent` a year on [from_on, until_on). `name`: ECB (main refinancing), BOE (Bank Rate), or the country that has
    a rate of its own, as DE (Basiszinssatz)."""

    name: str
    from_on: date
    until_on: date
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Statute:
    """Points above the reference rate for businesses and (None: no rule) consumers, and the fixed sum for businesses.

    `fixed`: the rate of the half-year in which a debt became late holds until it is paid. `to_half_points`: the sum of
    both is rounded up to half a point.
    """

    reference: str
    points: Decimal
    consumer_points: Decimal | None
    bands: Bands
    currency: str
    fixed: bool = False
    to_half_points: bool = False

    def percent_over(self, reference: Decimal, points: Decimal) -> Decimal:
        """The percent a year that so many points above a reference rate come to."""
        percent = plus(reference, points)
        if not self.to_half_points:
            return percent
        return times(rounded_to(0, times(percent, Decimal(2)), Rounding.UP), Decimal("0.5"))


# AT: § 456 and § 458 UGB, whose base rate is put on record as `AT`. DE: § 288 (1), (2), (5) BGB. FR: article L441-10 II
# code de commerce, D441-5. GB: Late Payment of Commercial Debts (Interest) Act 1998, Rate of Interest Order 2002.
# BE: loi du 2 août 2002, article 5, up to the half point. IE: S.I. 580/2012; one rate for a debt, that of the day it
# became overdue (Department of Enterprise). Others: directive 2011/7/EU, articles 2(6), 3 and 6, as ES Ley 3/2004
# art. 7, IT D.Lgs. 231/2002 art. 5, NL art. 6:119a BW. With reference rates and sums of their own, the rates to be put
# on record by country: CZ § 1970 OZ and nařízení vlády 351/2013, whose § 2 takes the half-year in which a debt became
# late; DK rentelov § 5 and bekendtgørelse 105/2013; FI korkolaki §§ 4 and 4a, laki 30/2013; SE räntelag § 6, lag
# 1981:739 § 4 a.
_DIRECTIVE = Statute("ECB", Decimal(8), None, EU_BANDS, "EUR")
STATUTES = dict.fromkeys(("ES", "IT", "LU", "NL", "PT"), _DIRECTIVE) | {
    "AT": Statute("AT", Decimal("9.2"), None, EU_BANDS, "EUR"),
    "BE": replace(_DIRECTIVE, to_half_points=True),
    "CZ": Statute("CZ", Decimal(8), Decimal(8), ((None, Decimal(1200)),), "CZK", fixed=True),
    "DE": Statute("DE", Decimal(9), Decimal(5), EU_BANDS, "EUR"),
    "DK": Statute("DK", Decimal(8), Decimal(8), ((None, Decimal(310)),), "DKK"),
    "FI": Statute("FI", Decimal(8), Decimal(7), EU_BANDS, "EUR"),
    "FR": Statute("ECB", Decimal(10), None, EU_BANDS, "EUR"),
    "IE": replace(_DIRECTIVE, bands=IE_BANDS, fixed=True),
    "SE": Statute("SE", Decimal(8), Decimal(8), ((None, Decimal(450)),), "SEK"),
    "GB": Statute("BOE", Decimal(8), None, UK_BANDS, "GBP", fixed=True),
}

REFERENCES = sorted({statute.reference for statute in STATUTES.values()})

# Sources: Deutsche Bundesbank (§ 247 BGB); ECB key interest rates; Bank of England (rate of 30 June and 31 December).
_KNOWN = {
    "DE": ("3.12", "3.62", "3.37", "2.27", "1.27", "1.27"),
    "ECB": ("4.00", "4.50", "4.25", "3.15", "2.15", "2.15"),
    "BOE": ("5.00", "5.25", "5.25", "4.75", "4.25", "3.75"),
}
_HALVES = [date(2023, 7, 1), *(date(y, m, 1) for y in (2024, 2025, 2026) for m in (1, 7))]
REFERENCE_RATES: tuple[ReferenceRate, ...] = tuple(
    ReferenceRate(name, _HALVES[i], _HALVES[i + 1], Decimal(percent))
    for name, row in _KNOWN.items()
    for i, percent in enumerate(row)
)


def reference_on(rates: Sequence[ReferenceRate], name: str, on: date) -> Decimal | None:
    """The rate on a day; of two the one that begins later, so that one put on record goes before. None: not known."""
    found = [rate for rate in rates if rate.name == name and rate.from_on <= on < rate.until_on]
    return max(found, key=lambda rate: rate.from_on).percent if found else None
