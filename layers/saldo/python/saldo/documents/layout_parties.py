"""Who a document is to and from: addresses as their countries write them, and the footer."""

from __future__ import annotations

from saldo.accounts.model import Address
from saldo.documents.model import BuyerView, SellerView
from saldo.documents.wording import Wording

_STATE_LINE = {"US", "CA", "AU"}
_POSTCODE_LAST = {"GB", "IE"}


def recipient(buyer: BuyerView, home: str, words: Wording) -> list[str]:
    """The address as the window shows it: at most 6 lines are visible (DIN 5008)."""
    lines = [buyer.legal_name, buyer.contact_name, *address_lines(buyer.address, words, home=home)]
    return [line for line in lines if line]


def address_lines(address: Address, words: Wording, *, home: str | None) -> list[str]:
    """A postal address in its own country's order; the country itself only on mail that leaves `home`."""
    lines = [line for line in address.lines if line]
    if address.country in _STATE_LINE:
        lines.append(f"{address.city}, {address.region} {address.postcode}".strip(" ,"))
    elif address.country in _POSTCODE_LAST:
        lines += [address.city, address.postcode]
    else:
        lines.append(f"{address.postcode} {address.city}".strip())
    if home is not None and address.country != home:
        lines.append(words.country(address.country).upper())
    return [line for line in lines if line]


def footer(seller: SellerView, words: Wording) -> list[list[str]]:
    """Four columns of the legal entity's facts; the first line of each is its heading."""
    taxes = [
        number if number.startswith(where) else f"{where} {number}"
        for where, number in sorted(seller.tax_registrations.items())
        if number
    ]
    bank = [line for line in (seller.bank_name, grouped(seller.iban), seller.bic) if line]
    columns = [
        [seller.name, *address_lines(seller.address, words, home=None), words.country(seller.address.country)],
        [words("footer_bank"), *bank] if bank else [],
        [words("footer_tax"), *taxes] if taxes else [],
        [words("footer_contact"), seller.email] if seller.email else [],
    ]
    filled = [column for column in columns if column]
    return filled + [[] for _ in range(4 - len(filled))]


def grouped(iban: str) -> str:
    """An IBAN in groups of four, as people read it (ISO 13616)."""
    plain = "".join(iban.split())
    return "\N{NO-BREAK SPACE}".join(plain[i : i + 4] for i in range(0, len(plain), 4))
