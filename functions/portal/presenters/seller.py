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
from saldo.payments.rules_methods import creditor_reference, in_fours
from saldo.storage.items import Item
from saldo.storage.jws import parts

KEY_SET = "/.well-known/jwks.json"


@dataclass(frozen=True, slots=True)
class BankDetails:
    """`facts`: whom to send money, as the part `facts` takes them. `changed`: what the payer is told of a change of the
    account, "" where there is nothing to tell."""

    facts: tuple[tuple[str, str], ...]
    changed: str


def bank_details(entity: Item | None, header: InvoiceHeader, now: datetime, words: Words) -> BankDetails | None:
    """Whom to send what is open, with the invoice's number as reference; None when nothing is or no bank is known.

    entity: the seller's item, read as it lies: its record's definition costs a page more than the page.
    """
    if entity is None or header.undisputed_minor <= 0 or not entity["iban"]:
        return None
    amount = (words("column.amount"), words.money(header.undisputed_minor, header.currency))
    facts = (*_facts(entity, words), (words("bank.reference"), header.number), amount)
    return BankDetails(facts, _account_changed(entity, now, words, header.issued_on))


def transfer_details(entity: Item, account_id: str, now: datetime, words: Words) -> BankDetails:
    """Whom to send whatever the account pays, with the reference that ties it to the account."""
    reference = (words("transfer.reference"), in_fours(creditor_reference(account_id)))
    return BankDetails((*_facts(entity, words), reference), _account_changed(entity, now, words))


def _facts(entity: Item, words: Words) -> tuple[tuple[str, str], ...]:
    return (
        (words("bank.to"), entity["name"]),
        (words("bank.bank"), entity["bank_name"]),
        ("IBAN", in_fours(entity["iban"].replace(" ", ""))),
        ("BIC", entity["bic"]),
    )


def _account_changed(entity: Item, now: datetime, words: Words, issued_on: date | None = None) -> str:
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
