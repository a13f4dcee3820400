"""The form and check digits of tax ids, country by country (python-stdnum)."""

from __future__ import annotations

from dataclasses import dataclass

_PREFIX = {"GR": "EL"}  # the union's own code for Greece
# Whose ids VIES knows.
_MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
UNION = frozenset(_MEMBERS.split())


@dataclass(frozen=True, slots=True)
class TaxId:
    """A tax id whose form is right. `prefix` and `number` as VIES takes them; `in_union`: whether VIES knows it."""

    prefix: str
    number: str
    in_union: bool


def tax_id_of(text: str, country: str) -> TaxId | None:
    """A country's tax id, None when the text is not one: another country's, too short, a wrong check digit.

    Countries for whose ids no rule is known are taken at their word. country: ISO 3166.
    """
    from stdnum import get_cc_module
    from stdnum.eu import vat
    from stdnum.exceptions import ValidationError

    if country in UNION:
        prefix = _PREFIX.get(country, country)
        try:
            number = vat.validate(text)
        except ValidationError:
            return None
        return TaxId(prefix, number[2:], True) if number[:2] in (prefix, country) else None
    rules = get_cc_module(country.lower(), "vat")
    if rules is not None and not rules.is_valid(text):
        return None
    return TaxId(country, text.strip(), False) if text.strip() else None
