"""Numbers, dates and words as people of a language and country write them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from string import Formatter

import pytest

from saldo.documents.wording import catalogue, languages, wording
from saldo.kernel.periods import Period

NBSP = "\N{NO-BREAK SPACE}"


def test_every_language_has_every_text_with_the_same_places_to_fill() -> None:
    def shape(language: str) -> dict[str, set[str | None]]:
        return {
            key: {part[1] for part in Formatter().parse(text)} - {None} for key, text in catalogue(language).items()
        }

    assert set(languages()) >= {"de", "en", "fr", "es"}
    for language in languages():
        assert shape(language) == shape("en"), language


@pytest.mark.parametrize(
    ("language", "country", "minor", "currency", "expected"),
    [
        ("de", "DE", 123456789, "EUR", f"1.234.567,89{NBSP}€"),
        ("de", "CH", 123450, "CHF", f"CHF{NBSP}1’234.50"),
        ("en", "US", 123450, "USD", "$1,234.50"),
        ("en", "DE", 123450, "EUR", "€1,234.50"),
        ("en", "US", 1234, "JPY", "¥1,234"),
        ("en", "US", 1234567, "KWD", f"KWD{NBSP}1,234.567"),
        ("de", "DE", -5000, "EUR", f"−50,00{NBSP}€"),
        ("fr", "FR", 123450, "EUR", f"1\u202f234,50{NBSP}€"),
        ("fr", "DE", 100, "EUR", f"1,00{NBSP}€"),
        ("es", "ES", 12345678, "EUR", f"123.456,78{NBSP}€"),
        ("it", "IT", 100, "EUR", "€1.00"),
    ],
)
def test_money_is_written_as_the_country_writes_it(
    language: str, country: str, minor: int, currency: str, expected: str
) -> None:
    assert wording(language, country).money(minor, currency) == expected


def test_a_unit_price_keeps_every_digit_and_never_fewer_than_its_currency_has() -> None:
    german = wording("de", "DE")
    assert german.price(Decimal("0.0000025"), "EUR") == "0,0000025"
    assert german.price(Decimal("18.5"), "EUR") == "18,50"
    assert german.number(Decimal("14250000.000")) == "14.250.000"
    assert german.percent(Decimal("7.70")) == f"7,7{NBSP}%"
    assert wording("en", "US").percent(Decimal("6.25")) == "6.25%"


def test_a_half_open_period_reads_from_its_first_to_its_last_day() -> None:
    november = Period(date(2026, 11, 1), date(2026, 12, 1))
    assert wording("de", "DE").period(november) == "1.–30. Nov. 2026"
    assert wording("en", "GB").period(november).replace("\u2009", " ") == "1–30 Nov 2026"
    assert wording("de", "DE").period(Period(date(2026, 11, 1), date(2026, 11, 2))) == "01.11.2026"


def test_english_of_a_country_without_an_english_of_its_own_is_not_american() -> None:
    assert wording("en", "DE").day(date(2026, 11, 3)).replace(NBSP, " ") == "3 November 2026"
    assert wording("en", "US").day(date(2026, 11, 3)).replace(NBSP, " ") == "November 3, 2026"
