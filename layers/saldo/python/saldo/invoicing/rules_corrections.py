"""What a correction of an issued invoice is made of: amounts to take back, the invoice that stands for it, offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from saldo.accounts.model import Account
from saldo.invoicing.model import AppliedCredit, CreditSource, DocumentKind, InvoiceBody, PrepaidCredit
from saldo.invoicing.records import InvoiceHeader
from saldo.invoicing.rules import invoice_id, taxed_lines
from saldo.invoicing.rules_credit_notes import credit_note, whole
from saldo.invoicing.rules_prepaid import Due, drawn_from
from saldo.invoicing.rules_rounding import rounded_payable
from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.money import Money, split_by_weights
from saldo.kernel.rounding import rounded_ratio
from saldo.tax.model import TaxAnswer

# How far around the proportional net amount one is sought that makes the total asked for: tax is rounded per rate,
# so a handful of neighbours decide.
_NEIGHBOURS = 12


class Reason(StrEnum):
    """Why an invoice is corrected. TAX: the tax was estimated, and the tax service says otherwise."""

    PRICE = "price"
    QUANTITY = "quantity"
    SERVICE = "service"
    GOODWILL = "goodwill"
    MASTER_DATA = "master_data"
    DUPLICATE = "duplicate"
    CANCELLED = "cancelled"
    TAX = "tax"


def amounts_of_net(body: InvoiceBody, net_minor: int, earlier: Sequence[InvoiceBody] = ()) -> dict[str, int]:
    """A net amount (above zero, before tax) spread over what is left of the lines in proportion, by line id.

    Discounts lessen their lines in the same proportion. Refusal `more_than_left`.
    """
    left = whole(body, earlier)
    upper = {line: minor for line, minor in left.items() if minor > 0}
    lower = {line: -minor for line, minor in left.items() if minor < 0}
    all_left, gross = sum(left.values()), sum(upper.values())
    if not 0 < net_minor <= all_left:
        raise Refusal("more_than_left", f"{Money(all_left, body.currency)} net are left to take back")
    taken = max(rounded_ratio(gross * net_minor, all_left), net_minor)
    found = _spread(taken, upper, body.currency)
    return found | {line: -minor for line, minor in _spread(taken - net_minor, lower, body.currency).items()}


def _spread(minor: int, weights: Mapping[str, int], currency: str) -> dict[str, int]:
    if not minor:
        return {}
    parts = split_by_weights(Money(minor, currency), list(weights.values()))
    return {line: part.minor for line, part in zip(weights, parts, strict=True) if part.minor}


def amounts_of_total(
    body: InvoiceBody, total_minor: int, on: date, earlier: Sequence[InvoiceBody] = ()
) -> dict[str, int]:
    """An amount with its tax (above zero) spread over the lines, so that the credit note comes to exactly that.

    Tax is rounded by rate, so not every total can be reached: Refusal `total_out_of_reach` names the nearest ones.
    """
    left = whole(body, earlier)
    all_net = sum(left.values())
    all_total = -credit_note(body, on, left, earlier).total_minor if left else 0
    if not 0 < total_minor <= all_total:
        raise Refusal("more_than_left", f"{Money(all_total, body.currency)} are left to take back")
    middle = rounded_ratio(all_net * total_minor, all_total)
    near: dict[int, dict[str, int]] = {}
    for net in range(max(middle - _NEIGHBOURS, 1), min(middle + _NEIGHBOURS, all_net) + 1):
        amounts = amounts_of_net(body, net, earlier)
        near[-credit_note(body, on, amounts, earlier).total_minor] = amounts
    if total_minor not in near:
        nearest = sorted(near, key=lambda total: abs(total - total_minor))[:2]
        reachable = " and ".join(str(Money(total, body.currency)) for total in sorted(nearest))
        raise Refusal("total_out_of_reach", f"with its tax rounded no credit note comes to that; {reachable} are next")
    return near[total_minor]


def rebilled(
    body: InvoiceBody,
    account: Account,
    on: date,
    answer: TaxAnswer,
    credit_minor: int,
    attempt: int,
    facts: str,
    credits: Sequence[PrepaidCredit] = (),
) -> InvoiceBody:
    """The invoice that stands for one taken back whole: the same lines for the buyer as it is now.

    answer: tax on these lines for the buyer of now, at the dates of supply of then. credit_minor: what the credit note
    gave back as the customer's credit; it pays for this one, and after it the prepaid credit that paid before. attempt:
    counts the corrections of `body`, from 1. facts: the print of what the seller is now. credits: the account's, which
    say what each of those may pay for.
    """
    charges = (f"rebill:{body.id}:{attempt}",)
    lines = taxed_lines(body.lines, answer)
    net = sum(line.net_minor - line.included_tax_minor for line in lines)
    new = replace(
        body,
        id=invoice_id(on, body.entity_id, body.account_id, body.currency, charges),
        kind=DocumentKind.INVOICE,
        issued_on=on,
        due_on=max(on, body.due_on),
        payment_terms=None,
        language=account.language,
        buyer_profile=account.profile_version,
        charges=charges,
        lines=lines,
        tax_totals=answer.totals,
        tax_source=answer.source,
        tax_estimated=answer.estimated,
        tax_rounding=answer.rounding,
        tax_mode=answer.mode,
        net_minor=net,
        tax_minor=answer.tax_minor,
        total_minor=net + answer.tax_minor,
        credits=tuple(c for c in body.credits if c.before_tax),
        replaces=body.id,
        tax_facts=answer.facts,
        seller_facts=facts,
        rounding=None,
    )
    paid = [AppliedCredit(CreditSource.CREDIT_NOTE, "", credit_minor)]
    paid += [c for c in body.credits if c.source is CreditSource.PREPAID and not c.before_tax]
    limits = {credit.id: credit.components for credit in credits if credit.components}
    due = Due(new, limited=any(credit.credit_id in limits for credit in paid))
    used = [replace(c, minor=due.pay(c.minor, limits.get(c.credit_id, frozenset()))) for c in paid]
    new = replace(new, credits=(*new.credits, *(credit for credit in used if credit.minor)))
    return rounded_payable(new, body.rounding)


def returned_to(credits: Sequence[PrepaidCredit], documents: Sequence[InvoiceBody]) -> tuple[PrepaidCredit, ...]:
    """Prepaid credits after a credit note returned some and the invoice that stands for the one taken back drew again.

    Refusal `prepaid_spent` where the invoice had itself returned credit that has been used since.
    """
    net: dict[str, AppliedCredit] = {}
    for applied in (c for body in documents for c in body.credits if c.source is CreditSource.PREPAID):
        before = net.get(applied.credit_id, replace(applied, minor=0))
        net[applied.credit_id] = replace(before, minor=before.minor + applied.minor)
    found = tuple(credits)
    for applied in net.values():
        if applied.minor:
            found = drawn_from(found, applied, documents[0].issued_on)
    pairs = zip(found, credits, strict=True)
    spent = [credit.id for credit, before in pairs if credit.balance_minor < min(before.balance_minor, 0)]
    if spent:
        raise Refusal("prepaid_spent", f"prepaid credit {spent[0]}, which this invoice returned, has been used since")
    return found


class Offered(StrEnum):
    """Which invoices may be corrected after master data changed: none, those still open, or also recent ones."""

    NONE = "none"
    OPEN = "open"
    RECENT = "recent"


@dataclass(frozen=True, slots=True)
class CorrectionPolicy:
    """What a seller offers when a billing profile changes. `days`: how old a closed invoice may be.

    `fields`: changes that are worth another document; others hold for future invoices alone.
    """

    offered: Offered = Offered.OPEN
    days: int = 90
    fields: frozenset[str] = frozenset({"legal_name", "address", "tax_id", "purchase_order"})


# What of a billing profile a document shows.
SHOWN_FIELDS = frozenset({"legal_name", "contact_name", "address", "tax_id", "purchase_order"})


def check_policy(policy: CorrectionPolicy) -> None:
    """Refusal `invalid_policy` naming every problem."""
    problems = Problems()
    if not 0 <= policy.days <= 3650:
        problems.add("days", "out_of_range", "from 0 to 3650 days")
    if not policy.fields:
        problems.add("fields", "missing", "name one at least; offered none is how to offer nothing")
    if unknown := sorted(policy.fields - SHOWN_FIELDS):
        problems.add("fields", "unknown", f"{', '.join(unknown)}: known are {', '.join(sorted(SHOWN_FIELDS))}")
    problems.refuse_if_any("this cannot be offered", "invalid_policy")


def is_of_older_details(header: InvoiceHeader, version: int) -> bool:
    """Whether it could be billed again: an invoice that is out, to an older version of the billing details, of which
    nothing was taken back."""
    is_out = header.document is DocumentKind.INVOICE and header.number != ""
    return is_out and header.buyer_profile < version and not header.credited_minor


def correctable(
    headers: Iterable[InvoiceHeader], policy: CorrectionPolicy, version: int, today: date
) -> list[InvoiceHeader]:
    """Invoices of an older profile version that the policy lets be corrected, oldest first; credited ones not."""
    if policy.offered is Offered.NONE:
        return []
    since = today - timedelta(days=policy.days)
    found = [
        h
        for h in headers
        if is_of_older_details(h, version)
        if h.open_minor > 0 or (policy.offered is Offered.RECENT and h.issued_on >= since)
    ]
    return sorted(found, key=lambda h: (h.issued_on, h.number))
