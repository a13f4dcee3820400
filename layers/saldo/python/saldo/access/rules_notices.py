"""Who is told of what, and by which way. The one table of notices; values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from saldo.access.model import Role
from saldo.access.model_notices import Mail, Must, NoticeChoices, NoticeKind, NoticeRule, Way
from saldo.access.rules import PAYERS, READERS

_ADMINS = frozenset({Role.ACCOUNT_ADMIN})
_APPROVERS = frozenset({Role.APPROVER, Role.ACCOUNT_ADMIN})
_K = NoticeKind

RULES: Mapping[NoticeKind, NoticeRule] = {
    _K.INVOICE_READY: NoticeRule(READERS, Mail.COPY),
    _K.DUE_SOON: NoticeRule(READERS, Mail.COPY),
    _K.OVERDUE: NoticeRule(READERS, Mail.COPY),
    _K.PAYMENT_STARTED: NoticeRule(READERS),
    _K.PAYMENT_SUCCEEDED: NoticeRule(READERS, Mail.COPY),
    _K.PAYMENT_FAILED: NoticeRule(READERS, Mail.PERSON),
    _K.REFUNDED: NoticeRule(READERS),
    _K.DEBIT_ANNOUNCED: NoticeRule(PAYERS, Mail.PERSON, Must.LAW),
    _K.METHOD_EXPIRING: NoticeRule(PAYERS, Mail.PERSON),
    _K.APPROVAL_ASKED: NoticeRule(_APPROVERS, Mail.PERSON),
    _K.APPROVAL_DECIDED: NoticeRule(PAYERS),
    _K.DISPUTE_MOVED: NoticeRule(READERS, Mail.PERSON),
    _K.PROMISE_MOVED: NoticeRule(READERS, Mail.PERSON),
    _K.TERMS_DECIDED: NoticeRule(PAYERS, Mail.PERSON),
    _K.RENEWAL_ANNOUNCED: NoticeRule(PAYERS, Mail.PERSON, Must.LAW),
    _K.CERTIFICATE_DECIDED: NoticeRule(PAYERS, Mail.PERSON),
    _K.TICKET_ANSWERED: NoticeRule(READERS, Mail.PERSON),
    _K.LIMIT_REACHED: NoticeRule(READERS, Mail.COPY),
    _K.ACCOUNT_CHANGED: NoticeRule(_ADMINS),
    _K.SECURITY: NoticeRule(READERS, Mail.PERSON, Must.SECURITY),
}


def kinds_for(roles: Iterable[Role]) -> tuple[NoticeKind, ...]:
    """The kinds that somebody with these roles is told of, in the order of the table."""
    held = frozenset(roles)
    return tuple(kind for kind, rule in RULES.items() if rule.roles & held)


def can_choose(kind: NoticeKind, way: Way) -> bool:
    """Whether a person may switch it on and off there."""
    rule = RULES[kind]
    return rule.must is None and (way is Way.PORTAL or rule.mail is not Mail.NONE)


def wants(choices: NoticeChoices, kind: NoticeKind, way: Way) -> bool:
    """Whether a person is told of this there. What must be told is, whatever is on record."""
    rule = RULES[kind]
    if way is Way.EMAIL and rule.mail is Mail.NONE:
        return False
    usual = way is Way.PORTAL or rule.mail is Mail.PERSON
    return usual if rule.must else choices.chosen.get((kind, way), usual)
