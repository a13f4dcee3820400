"""What a seller says of its bank account, and when its customers are told that it changed. Values in, values out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from saldo.accounts.model import BankStatement, LegalEntity
from saldo.kernel.periods import local_date

# RFC 8725, 3.11: a signed document of another kind, by the same key, is never taken for this one.
KIND = "bank-details+jwt"
TOLD_FOR = timedelta(days=90)
SIGNED = ("name", "bank_name", "iban", "bic")


def next_statement(entity: LegalEntity, before: LegalEntity | None, now: datetime) -> BankStatement:
    """The statement to be signed for a seller that stood as `before` (None: it is new). The day counts from the last
    change of the account itself: another name of the seller or the bank moves no money, and warns nobody."""
    known = before.bank_statement if before else None
    number, today = known.number + 1 if known else 1, local_date(now, entity.time_zone)
    if before is None or account_of(before) != account_of(entity):
        return BankStatement(number, now, today, ending(before.iban) if before else "", "")
    return replace(known, number=number, signed="") if known else BankStatement(number, now, today, "", "")


def says_the_same(entity: LegalEntity, before: LegalEntity) -> bool:
    """Whether what is signed of the one is, word for word, what is signed of the other."""
    return all(getattr(entity, name) == getattr(before, name) for name in SIGNED)


def claims(entity: LegalEntity, statement: BankStatement, issuer: str, at: datetime) -> dict[str, Any]:
    """What is signed (a JSON Web Token, RFC 7519). issuer: the portal's origin, where the keys are."""
    return {
        "iss": issuer,
        "iat": int(at.timestamp()),
        "seller": {"id": entity.id, "name": entity.name},
        "bank": {"name": entity.bank_name, "iban": account_of(entity), "bic": entity.bic},
        "since": statement.since.isoformat(),
        "statement": statement.number,
    }


def change_told(statement: BankStatement | None, today: date, issued_on: date | None = None) -> BankStatement | None:
    """The change that whoever sees the details is told of: for 90 days, and beside a document of before for ever.

    issued_on: the day of that document.
    """
    if statement is None or not statement.before:
        return None
    is_new = today < statement.since + TOLD_FOR
    return statement if is_new or (issued_on is not None and may_name_another(statement, issued_on)) else None


def may_name_another(statement: BankStatement | None, issued_on: date) -> bool:
    """Whether a document may name an account that is not the one to pay to now; one of the very day may, too."""
    return statement is not None and statement.before != "" and issued_on <= statement.since


def account_of(entity: LegalEntity) -> str:
    """Its account without spaces."""
    return "".join(entity.iban.split())


def ending(account_number: str) -> str:
    """The last four characters: enough to know it again, not to pay into it."""
    return "".join(account_number.split())[-4:]
