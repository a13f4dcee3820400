"""What credit pays of chosen invoices: never more than there is, nor than was chosen, and to the cent."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from saldo.invoicing.rules_early import EarlyOffer
from saldo.ledger.model import LedgerAccount
from saldo.payments.model import Allocation, Payable
from saldo.payments.rules_netting import Credit, after, net, netting_entry

ON = date(2026, 3, 2)


def payables(*open_minors: int) -> dict[str, Payable]:
    rows = [Payable(f"inv_{n}", f"R-{n}", "ent_eu_a", "EUR", ON, minor) for n, minor in enumerate(open_minors)]
    return {row.invoice_id: row for row in rows}


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), min_size=1, max_size=60),
    st.integers(0, 10**7),
    st.integers(0, 10**7),
)
def test_netted_and_rest_are_what_was_chosen_and_the_entry_balances(
    sizes: list[tuple[int, int]], cash: int, notes: int
) -> None:
    known = payables(*(max(pair) for pair in sizes))
    chosen = [Allocation(f"inv_{n}", min(pair)) for n, pair in enumerate(sizes)]
    found = net(chosen, known, Credit(cash, notes), ON)
    assert found.minor + sum(a.minor for a in found.rest) == sum(a.minor for a in chosen)
    assert found.credit.cash_minor <= cash and found.credit.notes_minor <= notes
    assert found.credit.minor == found.minor <= cash + notes
    assert found.credit.notes_minor == 0 or found.credit.cash_minor == cash, "money goes first"
    assert all(p.open_minor >= 0 for p in after(known, found.netted).values())
    if found.minor:
        entry = netting_entry("netting_a", "acct_eu_a", "ent_eu_a", "EUR", found, known, ON)
        owed = [p.minor for p in entry.postings if p.account is LedgerAccount.RECEIVABLES]
        assert sum(owed) == -found.minor and sum(p.minor for p in entry.postings) == 0


def test_an_invoice_that_is_paid_early_for_less_is_left_to_money() -> None:
    offer = EarlyOffer(ON, ((LedgerAccount.EARLY_DISCOUNT, "", 200),))
    known = {"inv_0": Payable("inv_0", "R-0", "ent_eu_a", "EUR", ON, 10_000, early=(offer,))}
    early = net([Allocation("inv_0", 9_800)], known, Credit(500), ON)
    assert early.netted == () and early.rest == (Allocation("inv_0", 9_800),)
    assert net([Allocation("inv_0", 10_000)], known, Credit(500), ON).minor == 500
