"""What must hold between invoices that were paid early for less and the journal (invariant 14)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from saldo.insight.model import Owner, Violation
from saldo.invoicing.records import header_from
from saldo.ledger.model import LedgerAccount


def discounts_are_what_the_ledger_says(owner: Owner) -> Iterator[Violation]:
    """No more discount for paying early is noted on invoices than the journal has; for those that were settled before
    it was noted, it has more."""
    left: Counter[str] = Counter()
    for entry in owner.entries:
        for p in entry.postings:
            if p.account is LedgerAccount.EARLY_DISCOUNT:
                left[entry.currency] += p.minor
    for header in (header_from(item) for item in owner.of("invoice") if "discounted" in item):
        net = sum(minor for account, _, minor in header.discounted if account is LedgerAccount.EARLY_DISCOUNT)
        left[header.currency] -= net
    for currency, minor in left.items():
        if minor < 0:
            said = f"invoices say {-minor} {currency} more of early discount than the journal"
            yield Violation(14, owner.id, said)
