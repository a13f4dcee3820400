"""What must hold between invoices that were settled for less than they ask for and the journal (invariant 14)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from saldo.insight.model import Owner, Violation
from saldo.invoicing.records import header_from
from saldo.ledger.model import LedgerAccount

_NOTED = {LedgerAccount.EARLY_DISCOUNT: "early discount", LedgerAccount.SMALL_DIFFERENCE: "small differences"}


def discounts_are_what_the_ledger_says(owner: Owner) -> Iterator[Violation]:
    """No more discount for paying early is noted on invoices than the journal has; for those that were settled before
    it was noted, it has more. Nor more of differences that were written off."""
    left: Counter[tuple[str, LedgerAccount]] = Counter()
    for entry in owner.entries:
        for p in entry.postings:
            if p.account in _NOTED:
                left[entry.currency, p.account] += p.minor
    for header in (header_from(item) for item in owner.of("invoice") if "discounted" in item):
        for account, _, minor in header.discounted:
            if account in _NOTED:
                left[header.currency, account] -= minor
    for (currency, account), minor in left.items():
        if minor < 0:
            said = f"invoices say {-minor} {currency} more of {_NOTED[account]} than the journal"
            yield Violation(14, owner.id, said)
