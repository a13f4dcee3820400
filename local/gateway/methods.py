"""Test cards and test accounts: what each of them does, and what is wrong with what was typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from saldo.kernel.errors import Problems


@dataclass(frozen=True, slots=True)
class TestMethod:
    """A number that may be typed, what it is shown as afterwards, and what then happens.

    outcome: `settle`, `challenge` (asks for strong authentication first), or the code of a failure. saves: the same for
    storing it, where that is another: a card may well be stored and then not pay.
    """

    number: str
    shown_as: str
    outcome: str
    saves: str = ""


CARDS = (
    TestMethod("4242424242424242", "Visa •••• 4242", "settle"),
    TestMethod("5555555555554444", "Mastercard •••• 4444", "settle"),
    TestMethod("4000002760003184", "Visa •••• 3184", "challenge"),
    TestMethod("4000000000000002", "Visa •••• 0002", "card_declined"),
    TestMethod("4000000000009995", "Visa •••• 9995", "insufficient_funds", "settle"),
    TestMethod("4000000000000341", "Visa •••• 0341", "card_declined", "settle"),
)
IBANS = (
    TestMethod("DE89370400440532013000", "SEPA •••• 3000", "settle"),
    TestMethod("DE62370400440532013001", "SEPA •••• 3001", "insufficient_funds", "settle"),
)


def card_of(form: Mapping[str, str], today: date) -> TestMethod:
    """The test card typed into the form (number, expiry MM/YY, cvc); Refusal `invalid_card` with every problem."""
    problems = Problems()
    number = re.sub(r"[\s\-]", "", form.get("number", ""))
    known = next((c for c in CARDS if c.number == number), None)
    if not re.fullmatch(r"[0-9]{12,19}", number) or not _luhn(number):
        problems.add("number", "invalid_number", "not_a_card_number")
    elif known is None:
        problems.add("number", "not_a_test_card", "test_cards_only")
    match = re.fullmatch(r"(0[1-9]|1[0-2]) ?/ ?(?:20)?([0-9]{2})", form.get("expiry", "").strip())
    if match is None:
        problems.add("expiry", "invalid_expiry", "expiry_form")
    elif (2000 + int(match[2]), int(match[1])) < (today.year, today.month):
        problems.add("expiry", "expired", "expired")
    if not re.fullmatch(r"[0-9]{3,4}", form.get("cvc", "").strip()):
        problems.add("cvc", "invalid_cvc", "cvc_form")
    problems.refuse_if_any("the card was not accepted", "invalid_card")
    assert known is not None, "a card without problems is a known one"
    return known


def expiry_of(form: Mapping[str, str]) -> date:
    """The last day that a card accepted by `card_of` is good."""
    month, year = (int(part) for part in form["expiry"].replace(" ", "").split("/"))
    year = year if year >= 2000 else 2000 + year
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def account_of(form: Mapping[str, str]) -> TestMethod:
    """The test bank account typed into the form (iban); Refusal `invalid_iban` otherwise."""
    problems = Problems()
    iban = re.sub(r"\s", "", form.get("iban", "")).upper()
    known = next((a for a in IBANS if a.number == iban), None)
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", iban) or not _mod97(iban):
        problems.add("iban", "invalid_iban", "not_an_iban")
    elif known is None:
        problems.add("iban", "not_a_test_account", "test_accounts_only")
    problems.refuse_if_any("the account was not accepted", "invalid_iban")
    assert known is not None, "an account without problems is a known one"
    return known


def _luhn(number: str) -> bool:
    doubled = [int(d) * 2 if i % 2 else int(d) for i, d in enumerate(reversed(number))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _mod97(iban: str) -> bool:
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1
