"""The EPC QR code ("GiroCode", EPC069-12): a SEPA transfer that a banking app fills in from a picture."""

from __future__ import annotations

from decimal import Decimal

_MOST_MINOR = 99_999_999_999  # 999 999 999.99 EUR, the most the code may ask for
_LONGEST_NAME = 70


def giro_code(name: str, iban: str, bic: str, minor: int, currency: str, reference: str) -> str:
    """The code as SVG; empty where the standard has none (not EUR, nothing to pay, or no account that can be named)."""
    plain = "".join(iban.split()).upper()
    if currency != "EUR" or not 0 < minor <= _MOST_MINOR or not name or not valid_iban(plain):
        return ""
    from segno import helpers

    code = helpers.make_epc_qr(
        name[:_LONGEST_NAME],
        plain,
        Decimal(minor).scaleb(-2),
        text=reference[:140],
        bic=bic if len(bic) in (8, 11) else None,
        encoding="utf-8",
    )
    return str(code.svg_inline(border=0, dark="#14202b", omitsize=True))


def valid_iban(iban: str) -> bool:
    """Check digits of an IBAN (ISO 13616: letters count 10 to 35, the whole is 1 modulo 97)."""
    if not (15 <= len(iban) <= 34 and iban.isascii() and iban.isalnum() and iban[:2].isalpha()):
        return False
    digits = "".join(str(int(c, 36)) for c in iban[4:] + iban[:4])
    return int(digits) % 97 == 1
