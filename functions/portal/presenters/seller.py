"""How to pay by bank transfer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from functions.portal.words import Words
from saldo.accounts.model import BankStatement
from saldo.accounts.records import bank_statement_from
from saldo.accounts.rules_bank import change_told, may_name_another
from saldo.invoicing.records import InvoiceHeader
from saldo.kernel.periods import local_date
from saldo.storage.items import Item
from saldo.storage.jws import parts

KEY_SET = "/.well-known/jwks.json"


@dataclass(frozen=True, slots=True)
class BankDetails:
    """`changed`: what the payer is told of a change of the account, "" where there is nothing to tell."""

    seller: str
    bank: str
    iban: str
    bic: str
    reference: str
    amount: str
    changed: str = ""


def bank_details(entity: Item | None, header: InvoiceHeader, now: datetime, words: Words) -> BankDetails | None:
    """Whom to send what is open, with the invoice's number as reference; None when nothing is or no bank is known.

    entity: the seller's item, read as it lies: its record's definition costs a page more than the page.
    """
    if entity is None or header.undisputed_minor <= 0 or not entity["iban"]:
        return None
    iban = entity["iban"].replace(" ", "")
    grouped = " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))
    amount = words.money(header.undisputed_minor, header.currency)
    changed = account_changed(entity, now, words, header.issued_on)
    return BankDetails(entity["name"], entity["bank_name"], grouped, entity["bic"], header.number, amount, changed)


def account_changed(entity: Item, now: datetime, words: Words, issued_on: date | None = None) -> str:
    """The sentence on a change that is to be told today, beside a document of that day; else ""."""
    change = change_told(bank_statement_from(entity), local_date(now, entity["time_zone"]), issued_on)
    if change is None:
        return ""
    return words("bank.changed", day=words.day(change.since), seller=entity["name"], ending=change.before)


def names_another_account(entity: Item | None, header: InvoiceHeader) -> bool:
    """Whether money is asked for on a document whose PDF may name an account that is not the one to pay to now."""
    statement = bank_statement_from(entity) if entity else None
    return header.undisputed_minor > 0 and may_name_another(statement, header.issued_on)


@dataclass(frozen=True, slots=True)
class SignedView:
    """The seller's signed statement as the page tells it. `key`: the thumbprint of the key that signed."""

    number: str
    since: str
    key: str
    key_set: str


def signed_view(statement: BankStatement | None, origin: str, words: Words) -> SignedView | None:
    if statement is None:
        return None
    head, *_ = parts(statement.signed)
    return SignedView(str(statement.number), words.day(statement.since), head["kid"], f"{origin}{KEY_SET}")
