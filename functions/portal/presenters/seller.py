"""How to pay by bank transfer."""

from __future__ import annotations

from dataclasses import dataclass

from functions.portal.words import Words
from saldo.invoicing.records import InvoiceHeader
from saldo.storage.items import Item


@dataclass(frozen=True, slots=True)
class BankDetails:
    seller: str
    bank: str
    iban: str
    bic: str
    reference: str
    amount: str


def bank_details(entity: Item | None, header: InvoiceHeader, words: Words) -> BankDetails | None:
    """Whom to send what is open, with the invoice's number as reference; None when nothing is or no bank is known.

    entity: the seller's item, read as it lies: its record's definition costs a page more than the page.
    """
    if entity is None or header.undisputed_minor <= 0 or not entity["iban"]:
        return None
    iban = entity["iban"].replace(" ", "")
    grouped = " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))
    amount = words.money(header.undisputed_minor, header.currency)
    return BankDetails(entity["name"], entity["bank_name"], grouped, entity["bic"], header.number, amount)
