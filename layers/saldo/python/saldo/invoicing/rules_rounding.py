"""What is to be paid, rounded to what coins there are: Swiss 5 Rappen, Danish 50 øre, Swedish whole kronor."""

from __future__ import annotations

from dataclasses import replace

from saldo.invoicing.model import InvoiceBody, PayableRounding
from saldo.kernel.rounding import rounded_ratio


def rounded_payable(body: InvoiceBody, rule: PayableRounding | None) -> InvoiceBody:
    """The document with what is left to pay after credits rounded once; tax and total do not move (EN 16931 BT-114).

    Nothing is rounded where nothing is to be paid, nor in another currency than the rule is for.
    """
    body = replace(body, rounding=None)
    due = body.payable_minor
    if rule is None or rule.currency != body.currency or due <= 0:
        return body
    return replace(body, rounding=replace(rule, minor=rounding_of(due, rule)))


def rounding_of(due_minor: int, rule: PayableRounding) -> int:
    """What is added to an amount so that it can be paid."""
    return rounded_ratio(due_minor, rule.to_minor, rule.mode) * rule.to_minor - due_minor
