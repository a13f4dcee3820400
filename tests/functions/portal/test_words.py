"""Languages are complete, and write money and dates as Unicode's CLDR says."""

from __future__ import annotations

import json
import re
import string
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from functions.portal import formats
from functions.portal.words import LANGUAGES, Words, catalogue, language_for

PORTAL = Path(__file__).parents[3] / "functions" / "portal"
CLDR = {"en": "en_GB", "en-US": "en_US", "de": "de", "fr": "fr", "es": "es"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_says_everything_with_the_same_values() -> None:
    english = catalogue("en")
    for language in LANGUAGES:
        other = catalogue(language)
        assert set(other) == set(english)
        for key, text in other.items():
            assert text.strip(), key
            free = {"unit"} if key.startswith("line.step") else set()
            assert placeholders(text) - free == placeholders(english[key]) - free, key


def test_every_text_a_template_names_exists() -> None:
    known = set(catalogue("en"))
    for template in (PORTAL / "templates").glob("*.html"):
        for key in re.findall(r'\bt\("([a-z0-9_.]+)"[,)]', template.read_text()):
            assert key in known, f"{template.name}: {key}"


def test_templates_say_nothing_in_a_language_of_their_own() -> None:
    for template in (PORTAL / "templates").glob("*.html"):
        text = re.sub(r"\{% block main_class %\}.*?\{% endblock %\}", "", template.read_text())
        text = re.sub(r"\{[{%#].*?[}%#]\}", "", text, flags=re.S)
        text = re.sub(r"<[^>]*>", " ", text)
        words = [w for w in re.findall(r"[A-Za-z]{3,}", text) if w not in ("Saldo", "IBAN", "BIC", "nbsp", "doctype")]
        assert not words, f"{template.name}: {words}"


def test_catalogues_are_sorted_and_not_escaped() -> None:
    for language in LANGUAGES:
        text = (PORTAL / "locales" / f"{language}.json").read_text(encoding="utf-8")
        assert "\\u" not in text and json.loads(text)


@pytest.mark.parametrize("language", CLDR)
@pytest.mark.parametrize("currency", ["EUR", "USD", "GBP", "CHF", "JPY"])
@pytest.mark.parametrize("minor", [0, 5, -5, 99, 100, 12345, 123456, -123456, 1234567, 123456789012])
def test_money_is_written_as_cldr_says(language: str, currency: str, minor: int) -> None:
    cldr = "en" if language in ("en", "en-US") else language  # en_GB would write US$ to people in America
    value = Decimal(minor) if currency == "JPY" else Decimal(minor) / 100
    expected = format_currency(value, currency, locale=cldr)
    if language in ("en", "en-US") and currency == "CHF":
        # CLDR puts a space between letters and digits (currencySpacing), which Babel leaves out.
        expected = expected.replace("CHF", "CHF\u00a0")
    assert formats.money(language, minor, currency) == expected


@pytest.mark.parametrize("language", CLDR)
def test_days_numbers_and_percentages_are_written_as_cldr_says(language: str) -> None:
    for month in range(1, 13):
        on = date(2026, month, 7)
        assert formats.day(language, on) == format_date(on, "medium", locale=CLDR[language])
    for value in (Decimal(0), Decimal("1234.5"), Decimal("-98765.4321"), Decimal(10) ** 9):
        assert formats.number(language, value) == format_decimal(value, format="#,##0.#########", locale=CLDR[language])
    assert formats.percent(language, Decimal("19")) == format_percent(Decimal("0.19"), locale=CLDR[language])


def test_a_reader_gets_the_first_language_we_have() -> None:
    assert language_for("", "pt-BR,de-AT;q=0.8,en;q=0.5") == "de"
    assert language_for("xx", "") == "en"


def test_counting_knows_one_and_many() -> None:
    assert Words("en").count("due.late", 1) == "1 day late" and Words("de").count("due.late", 2) == "2 Tage überfällig"
