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
from local.gateway.words import WORDS as GATEWAY
from saldo.documents.wording import catalogue as documents
from saldo.documents.wording import languages as document_languages
from saldo.invoicing.late_charges import _AGREED_NAMES, _FEE_NAMES, _INTEREST_NAMES
from saldo.invoicing.rules_prepaid import _NAMES
from saldo.invoicing.rules_tallies import _NAMES as _MINIMUM
from saldo.orders.rules_contracts import _RETENTION
from saldo.payments.rules import _TEXTS

PORTAL = Path(__file__).parents[3] / "functions" / "portal"
CLDR = {"en": "en_GB", "en-US": "en_US", "de": "de", "fr": "fr", "es": "es"}


# Said alike in English: names, loan words and formulas. Anything else that equals English has not been translated.
ALIKE = {
    *("de:passkeys.title", "notice.amount", "fr:nav.notifications"),
    "fr:activity.kind.tkt",
    *("line.step.per_unit", "line.step.other", "de:usage.limit_of", "es:usage.limit_of"),
    *("de:column.status", "de:nav.profile", "de:bank.bank", "de:field.name", "de:column.name", "de:status.paid"),
    *("fr:nav.invoices", "fr:pager.label", "fr:column.total", "fr:column.total_minor", "fr:column.date"),
    *("fr:nav.documents", "fr:documents.document"),
    *("es:column.total", "es:column.total_minor", "es:invoice.total", "es:error.prefix"),
}
SOURCES = ("functions/portal", "functions/staff")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def sources() -> str:
    """Everything that may name a key: views, presenters and templates."""
    root = PORTAL.parents[1]
    files = [p for folder in SOURCES for kind in ("*.py", "*.html") for p in (root / folder).rglob(kind)]
    return "\n".join(p.read_text(encoding="utf-8") for p in files)


def named_in(text: str) -> tuple[set[str], set[str]]:
    """Keys that a source writes out, and the beginnings of those it puts together."""
    whole = set(re.findall(r"""["']([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*)["']""", text))
    begun = set(re.findall(r"""f["']([a-z][a-z0-9_.]*\.)\{""", text)) | set(
        re.findall(r"""["']([a-z][a-z0-9_.]*\.)["'] ~""", text)
    )
    return whole, begun


@pytest.mark.parametrize("language", [*LANGUAGES])
def test_every_language_says_everything_with_the_same_values(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    assert sorted(set(english) - set(other)) == [], "missing"
    assert sorted(set(other) - set(english)) == [], "extra"
    for key, text in other.items():
        assert text.strip(), key
        free = {"unit"} if key.startswith("line.step") else set()
        assert placeholders(text) - free == placeholders(english[key]) - free, key


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_nothing_was_left_in_english(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    same = {key for key, text in other.items() if text == english[key]}
    assert sorted(key for key in same if key not in ALIKE and f"{language}:{key}" not in ALIKE) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("begins", ["nav.", "staff.nav.", "staff.show."])
def test_links_that_stand_side_by_side_say_different_things(begins: str, language: str) -> None:
    texts = [text for key, text in catalogue(language).items() if key.startswith(begins) and key != "nav.main"]
    assert sorted({text for text in texts if texts.count(text) > 1}) == []


def test_every_text_is_said_somewhere_and_in_one_file() -> None:
    whole, begun = named_in(sources())
    said = whole | {f"{key}.{form}" for key in whole for form in ("one", "other")}
    unused = [key for key in catalogue("en") if key not in said and not key.startswith(tuple(begun))]
    assert unused == []
    for language in LANGUAGES:
        keys = [key for path in (PORTAL / "locales" / language).glob("*.json") for key in json.loads(path.read_text())]
        assert sorted({key for key in keys if keys.count(key) > 1}) == []


def test_the_test_of_texts_finds_what_it_is_for() -> None:
    whole, begun = named_in(
        """{{ t("nav.you") }} {{ t("filter." ~ s) }} words(f"column.{name}") t.count('due.late', 2)"""
    )
    assert {"nav.you", "due.late"} <= whole and begun == {"filter.", "column."}


def test_languages_keep_the_same_files() -> None:
    files = {language: {p.name for p in (PORTAL / "locales" / language).iterdir()} for language in LANGUAGES}
    assert all(found == files["en"] for found in files.values()), files


def misset(language: str, text: str) -> str:
    """What breaks the language's rules of typesetting, "" for nothing."""
    text = re.sub(r"\{[^}]*\}", "x", text)
    rules = {
        "fr": [
            (r"(?<!\u202f)[:;!?»](?!//|\d)", "no narrow space"),
            (r"«(?!\u202f)", "no narrow space"),
            ("'", "apostrophe"),
        ],
        "es": [(r"^[^¿]*\?", "no ¿"), (r"^[^¡]*!", "no ¡"), (r"\u202f", "a French space")],
        "de": [("'", "apostrophe"), (r"\s[:;!?]", "a space before the sign")],
        "en": [(r"\s[:;!?]", "a space before the sign")],
    }
    return ", ".join(said for rule, said in rules[language] if re.search(rule, text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_set_as_the_language_sets_them(language: str) -> None:
    texts = dict(catalogue(language)) | {f"document {k}": v for k, v in documents(language).items()}
    texts |= {f"gateway {k}": v for k, v in GATEWAY[language].items()}
    assert {key: wrong for key, text in texts.items() if (wrong := misset(language, text))} == {}


def test_a_breach_of_typesetting_is_seen() -> None:
    assert misset("fr", "Mot de passe oublié ?") and misset("fr", "l'avoir") and not misset("fr", "oublié\u202f?")
    assert misset("es", "Olvidado?") and not misset("es", "¿Olvidado?")


def test_documents_and_the_pay_page_speak_every_language_of_the_portal() -> None:
    assert set(document_languages()) == set(LANGUAGES) == set(GATEWAY)
    assert all(set(GATEWAY[language]) == set(GATEWAY["en"]) for language in LANGUAGES)
    for names in (_RETENTION, _MINIMUM, _INTEREST_NAMES, _FEE_NAMES, _AGREED_NAMES, _NAMES, _TEXTS):
        assert set(names) == set(LANGUAGES)


def test_every_text_a_template_names_exists() -> None:
    known = set(catalogue("en"))
    for template in (PORTAL / "templates").rglob("*.html"):
        for key in re.findall(r'\bt\("([a-z0-9_.]+)"[,)]', template.read_text()):
            assert key in known, f"{template.name}: {key}"


def test_templates_say_nothing_in_a_language_of_their_own() -> None:
    for template in (PORTAL / "templates").rglob("*.html"):
        text = re.sub(r"\{% block main_class %\}.*?\{% endblock %\}", "", template.read_text())
        text = re.sub(r"\{#.*?#\}", "", text, flags=re.S)
        text = re.sub(r"\{[{%].*?[}%]\}", "", text, flags=re.S)
        text = re.sub(r"<[^>]*>", " ", text)
        text = re.sub(r"\b[a-z]+-[a-z-]+(=\"[^\"]*\")?", " ", text)  # attributes that a macro writes into a tag
        words = [w for w in re.findall(r"[A-Za-z]{3,}", text) if w not in ("Saldo", "IBAN", "BIC", "nbsp", "doctype")]
        assert not words, f"{template.name}: {words}"


def test_catalogues_are_not_escaped() -> None:
    for path in (PORTAL / "locales").rglob("*.json"):
        assert "\\u" not in path.read_text(encoding="utf-8")


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
    assert Words("fr").count("due.late", 0) == "0 jour de retard" and Words("es").count("due.late", 0)[:6] == "0 días"
