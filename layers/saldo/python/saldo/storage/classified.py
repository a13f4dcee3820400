"""Every field that says something of a person or opens something: its class, and whether it lies sealed. One table.

From it follow what no log line shows (`functions/observed.py`) and which columns leave in files. It is held against
what rooms seal (`tests/contexts/recovery/test_sealed_kinds.py`) and against what lies in clear
(`tests/simulation/test_leaks.py`). What is in no part of it is internal: ids, states, dates, amounts, digests, reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Class(StrEnum):
    """PUBLIC: printed for anybody. INTERNAL: for customer and seller. PERSONAL: of somebody. SECRET: opens things."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SECRET = "secret"  # noqa: S105 - the name of a class

    @property
    def is_hidden(self) -> bool:
        return self in (Class.PERSONAL, Class.SECRET)


Fields = Mapping[str, Class]
Reasoned = Mapping[str, tuple[Class, str]]


def _personal(names: str) -> Fields:
    return dict.fromkeys(names.split(), Class.PERSONAL)


def _columns(names: str) -> dict[str, tuple[Class, str]]:
    return dict.fromkeys(names.split(), (Class.INTERNAL, ""))


# Kind of record → field: sealed under the data key of its organisation, staff's under their region's.
SEALED: Mapping[str, Fields] = {
    "profile": _personal("legal_name contact_name address tax_id emails purchase_order"),
    "certificate": _personal("number"),
    "user": _personal("email name"),
    "member": _personal("email name"),
    "invitation": _personal("email name"),
    "note": _personal("email values"),
    "staff": _personal("email name"),
    "passkey": _personal("name"),
    "sso_connection": {"client_secret": Class.SECRET},
    "dispute_words": _personal("words"),
    "ticket": _personal("subject texts"),
    "upload": _personal("title"),
    "certificate_request": _personal("number words"),
}

_PRINTED = ("name", "address", "email", "iban", "bic", "bank_name", "tax_registrations", "registered")
_SELLER = "the seller's own, printed on each of its invoices"
_LISTED = "how a seller's people find and name a customer, by index; erasing a customer takes it away"
_CUT_OFF = "from which network it was done, the address cut off"
_MASKED = "the gateway's mask, by which a payer knows its card or account again"
# Kind of record → field: what is personal, or looks like it, and lies in clear, with the reason.
IN_CLEAR: Mapping[str, Reasoned] = {
    "organisation": {"name": (Class.PERSONAL, _LISTED)},
    "account": {"name": (Class.PERSONAL, _LISTED)},
    "customer": {"name": (Class.PERSONAL, _LISTED)},
    "customer_word": {"name": (Class.PERSONAL, _LISTED)},
    "session": {"seats": (Class.PERSONAL, "names of accounts, for as long as somebody is signed in")},
    "entity": dict.fromkeys((*_PRINTED, "bank_statement"), (Class.PUBLIC, _SELLER)),
    "facts": dict.fromkeys(_PRINTED, (Class.PUBLIC, _SELLER)),
    "payment_method": {"shown_as": (Class.INTERNAL, _MASKED)},
    "payment": {"method": (Class.INTERNAL, _MASKED)},
    "debit": {"method": (Class.INTERNAL, _MASKED)},
}

# Names under which such values travel without being a field of a record: in events, requests, answers of others.
_ON_THE_WAY = """
    to recipients phone addresses lines postcode city iban bic password totp token secret cookie authorization body
"""


def hidden_names() -> frozenset[str]:
    """Under these names nothing is shown in a log line, wherever they appear."""
    sealed = {name for fields in SEALED.values() for name, its in fields.items() if its.is_hidden}
    clear = {name for fields in IN_CLEAR.values() for name, (its, _) in fields.items() if its.is_hidden}
    return frozenset(sealed | clear | set(_ON_THE_WAY.split()))


# Files that leave: name → column by the word that heads it. What is personal in one says why it may be there.
EXPORTS: Mapping[str, Reasoned] = {
    "register": _columns("number issued_on due_on status currency total_minor open_minor"),
    "payments": _columns(
        "column.date column.status fact.method column.currency column.amount fact.receipt_number fact.reference"
    ),
    "statement": _columns("date entry currency charge paid balance"),
    "activity": _columns("when what about")
    | {
        "who": (Class.PERSONAL, "names of colleagues, for who may see them on the same page"),
        "network": (Class.PERSONAL, _CUT_OFF),
    }
    | _columns("reason"),
    "audit": _columns("at owner action subject actor kind on_behalf_of")
    | {"network": (Class.PERSONAL, f"{_CUT_OFF}; for auditors, put on record")}
    | _columns("changes reason"),
    "remittance": _columns("number amount currency problem"),
    "tax": _columns("currency jurisdiction name treatment percent reason base tax documents"),
}
