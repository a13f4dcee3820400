"""The words, numbers and dates of a document, in the customer's language and their country's custom.

One catalogue per language (`catalogues/<language>.json`, all with the same keys); numbers and dates by CLDR (Babel).
"""

from __future__ import annotations

import json
import re
from copy import copy
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from saldo.kernel.money import minor_digits
from saldo.kernel.periods import Period

if TYPE_CHECKING:
    from babel import Locale

_CATALOGUES = Path(__file__).parent / "catalogues"
_DEFAULT_LANGUAGE = "en"
# English of a country that has no English of its own is written the international way, not the American one.
_DEFAULT_COUNTRY = {"en": "GB", "de": "DE", "fr": "FR", "es": "ES"}
_OWN_CUSTOM = {
    "en": {"US", "GB", "CA", "AU", "NZ", "IE", "ZA", "IN", "SG"},
    "de": {"DE", "AT", "CH", "LI", "LU"},
    "fr": {"FR", "BE", "CH", "LU", "MC", "CA"},
    "es": {"ES", "MX", "AR", "CL", "CO", "PE", "US"},
}
# CLDR's currency spacing, which Babel leaves out: `KWD 1`, but `$1`.
_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")
_MINUS = "\N{MINUS SIGN}"


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Languages with a catalogue, in order of their codes."""
    return tuple(sorted(path.stem for path in _CATALOGUES.glob("*.json")))


@lru_cache(maxsize=16)
def catalogue(language: str) -> dict[str, str]:
    """Every text of a language by its key."""
    texts: dict[str, str] = json.loads((_CATALOGUES / f"{language}.json").read_text(encoding="utf-8"))
    return texts


@lru_cache(maxsize=64)
def wording(language: str, country: str) -> Wording:
    """How to speak to a customer of this language and country; English where the language has no catalogue."""
    return Wording(language_of(language), country)


def language_of(language: str) -> str:
    """The language that has a catalogue: this one, or English."""
    code = language.partition("-")[0].lower()
    return code if code in languages() else _DEFAULT_LANGUAGE


class Wording:
    """Texts, amounts and dates for one language and country."""

    def __init__(self, language: str, country: str) -> None:
        from babel import Locale

        self.language = language
        custom = country if country in _OWN_CUSTOM.get(language, ()) else _DEFAULT_COUNTRY.get(language, "")
        self.locale: Locale = Locale.parse(f"{language}_{custom}" if custom else language)
        self._texts = catalogue(language)

    @property
    def region(self) -> str:
        return self.locale.territory or ""

    def __call__(self, key: str, **values: str) -> str:
        return self._texts[key].format_map(values)

    def any(self, key: str, otherwise: str) -> str:
        """The text of a key that may be new to the catalogue."""
        return self._texts.get(key, otherwise)

    def money(self, minor: int, currency: str) -> str:
        """An amount with its currency sign, with exactly the currency's ISO 4217 digits (`1.234,50 €`)."""
        pattern = copy(self.locale.currency_formats["standard"])
        digits = minor_digits(currency)
        pattern.frac_prec = (digits, digits)
        amount = Decimal(minor).scaleb(-digits)
        text = str(pattern.apply(amount, self.locale, currency=currency, currency_digits=False))
        return _LETTER_BESIDE_DIGIT.sub("\N{NO-BREAK SPACE}", _typeset(text))

    def amount(self, minor: int, currency: str) -> str:
        """An amount without its sign, for columns that name the currency once (`1.234,50`)."""
        digits = minor_digits(currency)
        return self._decimal(Decimal(minor).scaleb(-digits), digits, digits)

    def price(self, price: Decimal, currency: str) -> str:
        """A unit price in major units: the currency's digits, and as many more as the price really has."""
        return self._decimal(price, minor_digits(currency), 12)

    def number(self, value: Decimal | int) -> str:
        """A quantity with every digit it has and no more."""
        return self._decimal(Decimal(value), 0, 12)

    def percent(self, percent: Decimal) -> str:
        """A rate (19 → `19 %`), with the language's own space before the sign."""
        sign = "".join(str(part) for part in self.locale.percent_formats[None].suffix[:1])
        return self._decimal(percent, 0, 4) + sign

    def day(self, day: date) -> str:
        from babel.dates import format_date

        return _unbroken(str(format_date(day, "long", locale=self.locale)))

    def short_day(self, day: date) -> str:
        from babel.dates import format_date

        return _unbroken(str(format_date(day, "medium", locale=self.locale)))

    def period(self, period: Period) -> str:
        """First to last day as people write it (`1.–30. Nov. 2026`), though periods are half-open."""
        from babel.dates import format_interval

        last = period.end - timedelta(days=1)
        if last == period.start:
            return self.short_day(last)
        return str(format_interval(period.start, last, "yMMMd", locale=self.locale))

    def country(self, code: str) -> str:
        return str(self.locale.territories.get(code, code))

    def _decimal(self, value: Decimal, least: int, most: int) -> str:
        pattern = copy(self.locale.decimal_formats[None])
        pattern.frac_prec = (least, most)
        return _typeset(str(pattern.apply(value, self.locale)))


def _typeset(number: str) -> str:
    """A true minus sign instead of a hyphen."""
    return number.replace("-", _MINUS)


def _unbroken(day: str) -> str:
    return day.replace(" ", "\N{NO-BREAK SPACE}")
