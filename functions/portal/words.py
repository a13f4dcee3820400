"""Everything the portal says, in the reader's language, and numbers and dates as the reader writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from functions.portal import formats
from saldo.kernel.periods import Period, zone_named

LANGUAGES = ("en", "de", "fr", "es")
NAMES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
_FOLDER = Path(__file__).parent / "locales"


@lru_cache(maxsize=8)
def catalogue(language: str) -> Mapping[str, str]:
    """Key → text, from all files of the language's folder. Tests hold the languages to the same keys and values."""
    texts: dict[str, str] = {}
    for path in sorted((_FOLDER / language).glob("*.json")):
        texts |= json.loads(path.read_text(encoding="utf-8"))
    return texts


def language_for(*wanted: str) -> str:
    """The first language we have among an Accept-Language header, a user's choice, …; English otherwise."""
    for header in wanted:
        for part in header.split(","):
            code = part.split(";")[0].strip().lower()[:2]
            if code in LANGUAGES:
                return code
    return LANGUAGES[0]


@dataclass(frozen=True, slots=True)
class Words:
    """One language. Called with a key and values it says the text; a missing key is a bug and raises KeyError.

    `region_code`: English is written as in America where the region is there.
    """

    language: str = "en"
    region_code: str = ""

    @property
    def locale(self) -> str:
        """How numbers and dates are written."""
        return "en-US" if (self.language, self.region_code) == ("en", "us") else self.language

    def __call__(self, key: str, /, **values: object) -> str:
        text = catalogue(self.language)[key]
        return text.format(**values) if values else text

    def count(self, key: str, n: int, /, **values: object) -> str:
        """The text for so many: `key.one` or `key.other`, with {n}. French says zero in the singular (CLDR plurals)."""
        is_one = n == 1 or (n == 0 and self.language == "fr")
        return self(f"{key}.{'one' if is_one else 'other'}", n=formats.number(self.locale, n), **values)

    def known(self, key: str, otherwise: str) -> str:
        """The text of a key that comes from elsewhere (a code of a refusal), or of `otherwise`."""
        return self(key if key in catalogue(self.language) else otherwise)

    def money(self, minor: int, currency: str) -> str:
        """With the currency's sign: €1,234.56, 1.234,56 €."""
        return _typeset(formats.money(self.locale, minor, currency))

    def amount(self, minor: int, currency: str) -> str:
        """Without the sign, for columns whose heading names the currency."""
        return _typeset(formats.amount(self.locale, minor, currency))

    def exact(self, value: Decimal, currency: str) -> str:
        """A price with all its digits and the currency's sign."""
        return _typeset(formats.exact(self.locale, value, currency))

    def number(self, value: Decimal | int) -> str:
        return formats.number(self.locale, value)

    def day(self, on: date) -> str:
        return formats.day(self.locale, on)

    def moment(self, at: datetime, zone: str) -> str:
        """Date and time of day in a time zone."""
        local = at.astimezone(zone_named(zone))
        return f"{self.day(local.date())}, {local:%H:%M}"

    def period(self, period: Period) -> str:
        """First and last day, both included, as people write periods."""
        last = date.fromordinal(period.end.toordinal() - 1)
        return self.day(last) if last == period.start else formats.days(self.locale, period.start, last)

    def of(self, texts: Mapping[str, str]) -> str:
        """The text of this language among language → text; English or the first there is otherwise."""
        return texts.get(self.language) or texts.get("en") or next(iter(texts.values()), "")


def _typeset(amount: str) -> str:
    """A true minus sign, as wide as a digit: a negative amount must not pass for a positive one."""
    return amount.replace("-", "\N{MINUS SIGN}")
