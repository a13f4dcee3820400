"""Money, numbers and dates as each language writes them.

A few facts of Unicode CLDR, written down: loading Babel costs a cold start more than all of this file. Tests compare
every currency and language here with Babel's answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from saldo.kernel.exact import plain
from saldo.kernel.money import minor_digits

_NBSP, _NARROW = "\u00a0", "\u202f"


@dataclass(frozen=True, slots=True)
class Locale:
    """`least_grouped`: digits before the point from which they are grouped. `signs`: currency code → sign."""

    point: str
    group: str
    least_grouped: int
    sign_first: bool
    signs: Mapping[str, str]
    months: tuple[str, ...] = ()
    day_form: str = "{day} {month} {year}"
    percent: str = "%"


_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_EN = "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec"
_FR = "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."
_ES = "ene feb mar abr may jun jul ago sept oct nov dic"
LOCALES: Mapping[str, Locale] = {
    "plain": Locale(".", "", 99, True, {}),
    "en": Locale(".", ",", 4, True, _SIGNS, tuple(_EN.split())),
    "en-US": Locale(".", ",", 4, True, _SIGNS, tuple(_EN.replace("Sept", "Sep").split()), "{month} {day}, {year}"),
    "de": Locale(",", ".", 4, False, _SIGNS, (), "{day:02}.{number:02}.{year}", _NBSP + "%"),
    "fr": Locale(
        *(",", _NARROW, 4, False, {"EUR": "€", "USD": "$US", "GBP": "£GB", "JPY": "JPY"}),
        months=tuple(_FR.split()),
        percent=_NBSP + "%",
    ),
    "es": Locale(
        *(",", ".", 4, False, {"EUR": "€", "USD": "US$", "GBP": "GBP", "JPY": "JPY"}),
        months=tuple(_ES.split()),
        percent=_NBSP + "%",
    ),
}


def number(language: str, value: Decimal | int) -> str:
    """All digits of the value, grouped; a whole number has no point."""
    return _written(LOCALES[language], plain(Decimal(value)))


def percent(language: str, value: Decimal) -> str:
    """19 → 19% in English, 19 % in German."""
    return number(language, value) + LOCALES[language].percent


def amount(language: str, minor: int, currency: str) -> str:
    """Minor units in major ones, with the currency's digits and without its sign."""
    return _written(LOCALES[language], format(Decimal(minor).scaleb(-minor_digits(currency)), "f"))


def money(language: str, minor: int, currency: str) -> str:
    """With the currency's sign, where the language puts it."""
    return _signed(LOCALES[language], amount(language, minor, currency), currency)


def exact(language: str, value: Decimal, currency: str) -> str:
    """Major units with all their digits, and at least the currency's; with its sign."""
    text = plain(value)
    whole, _, fraction = text.partition(".")
    digits = fraction.ljust(minor_digits(currency), "0")
    return _signed(LOCALES[language], _written(LOCALES[language], f"{whole}.{digits}" if digits else whole), currency)


def day(language: str, on: date) -> str:
    """23 Nov 2026, 23.11.2026."""
    locale = LOCALES[language]
    month = locale.months[on.month - 1] if locale.months else ""
    return locale.day_form.format(day=on.day, month=month, number=on.month, year=on.year)


def days(language: str, first: date, last: date) -> str:
    """A range of days; the year once where both share it: 1 Aug – 31 Aug 2026."""
    if first.year != last.year:
        return f"{day(language, first)} – {day(language, last)}"
    short = day(language, first).replace(str(first.year), "").strip(", ")
    return f"{short} – {day(language, last)}"


def _written(locale: Locale, text: str) -> str:
    minus, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, fraction = digits.partition(".")
    if len(whole) >= locale.least_grouped:
        first = len(whole) % 3 or 3
        groups = [whole[:first], *(whole[i : i + 3] for i in range(first, len(whole), 3))]
        whole = locale.group.join(groups)
    return minus + whole + (locale.point + fraction if fraction else "")


def _signed(locale: Locale, text: str, currency: str) -> str:
    sign = locale.signs.get(currency, currency)
    if not locale.sign_first:
        return f"{text}{_NBSP}{sign}"
    gap = _NBSP if sign[-1].isalpha() else ""
    return f"-{sign}{gap}{text[1:]}" if text.startswith("-") else f"{sign}{gap}{text}"
