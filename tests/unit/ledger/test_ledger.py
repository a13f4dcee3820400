"""The journal balances, and what is owed is read from it as of any date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import ExchangeRate
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.records import entry_from, entry_item
from saldo.ledger.rules import aging, balances, base_amounts, open_items

RECEIVABLES, REVENUE, UNAPPLIED = LedgerAccount.RECEIVABLES, LedgerAccount.REVENUE, LedgerAccount.UNAPPLIED_CASH


def _entry(kind: EntryKind, on: date, source: str, *postings: Posting) -> Entry:
    return entry_for(
        kind,
        booked_on=on,
        entity_id="ent_eu_a",
        account_id="acct_eu_a",
        currency="EUR",
        source_id=source,
        postings=postings,
    )


def _issue(invoice: str, on: date, due: date, minor: int) -> Entry:
    return _entry(
        EntryKind.INVOICE_ISSUED, on, invoice, Posting(RECEIVABLES, minor, invoice, due), Posting(REVENUE, -minor)
    )


def _pay(invoice: str, on: date, minor: int) -> Entry:
    return _entry(
        EntryKind.PAYMENT_APPLIED,
        on,
        f"pay {invoice}",
        Posting(UNAPPLIED, minor),
        Posting(RECEIVABLES, -minor, invoice),
    )


def test_an_entry_that_does_not_balance_cannot_be_made() -> None:
    with pytest.raises(Refusal, match="unbalanced_entry"):
        _entry(EntryKind.INVOICE_ISSUED, date(2026, 1, 1), "x", Posting(RECEIVABLES, 100), Posting(REVENUE, -99))
    with pytest.raises(Refusal, match="empty_posting"):
        _entry(EntryKind.INVOICE_ISSUED, date(2026, 1, 1), "x", Posting(RECEIVABLES, 0), Posting(REVENUE, 0))


def test_an_event_has_the_same_entry_id_whenever_it_is_posted_again() -> None:
    assert (
        _issue("inv_1", date(2026, 1, 1), date(2026, 1, 31), 5).id
        == _issue("inv_1", date(2026, 1, 1), date(2026, 1, 31), 5).id
    )


def test_what_is_owed_is_read_as_of_a_past_date() -> None:
    entries = [
        _issue("inv_1", date(2026, 1, 1), date(2026, 1, 31), 1000),
        _issue("inv_2", date(2026, 2, 1), date(2026, 3, 3), 500),
        _pay("inv_1", date(2026, 2, 10), 400),
        _pay("inv_1", date(2026, 3, 10), 600),
    ]
    assert [(i.invoice_id, i.open_minor) for i in open_items(entries, date(2026, 2, 9))] == [
        ("inv_1", 1000),
        ("inv_2", 500),
    ]
    assert [(i.invoice_id, i.open_minor) for i in open_items(entries, date(2026, 2, 10))] == [
        ("inv_1", 600),
        ("inv_2", 500),
    ]
    assert [(i.invoice_id, i.open_minor) for i in open_items(entries)] == [("inv_2", 500)]
    assert balances(entries)["EUR", RECEIVABLES] == 500


def test_a_balance_of_a_day_has_what_was_booked_on_that_day() -> None:
    entries = [
        _issue("inv_1", date(2026, 1, 1), date(2026, 1, 31), 1000),
        _pay("inv_1", date(2026, 2, 10), 400),
    ]
    days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 2, 9), date(2026, 2, 10))
    assert [balances(entries, day).get(("EUR", RECEIVABLES), 0) for day in days] == [0, 1000, 1000, 600]


def test_the_odd_cent_of_a_conversion_goes_to_the_largest_of_what_is_earned() -> None:
    rate = ExchangeRate("EUR", "USD", Decimal(3), "ECB", date(2026, 1, 1))
    issued = entry_for(
        EntryKind.INVOICE_ISSUED,
        booked_on=date(2026, 1, 1),
        entity_id="ent_eu_a",
        account_id="acct_eu_a",
        currency="USD",
        source_id="inv_1",
        postings=(
            Posting(RECEIVABLES, 200, "inv_1", date(2026, 1, 31)),
            Posting(REVENUE, -80, tag="fees"),
            Posting(REVENUE, -120, tag="usage"),
        ),
        exchange=rate,
    )
    assert base_amounts(issued) == (67, -27, -40)
    halves = replace(issued, postings=(issued.postings[0], Posting(REVENUE, -100), Posting(UNAPPLIED, -100)))
    assert base_amounts(halves) == (67, -34, -33)


def test_a_debt_is_one_day_late_on_the_day_after_its_due_date() -> None:
    items = open_items([_issue("inv_1", date(2026, 1, 1), date(2026, 1, 31), 1000)])
    on_due, next_day = aging(items, date(2026, 1, 31)), aging(items, date(2026, 2, 1))
    assert {b.name: b.minor for b in on_due["EUR"]} == {
        "not_due": 1000,
        "1_30": 0,
        "31_60": 0,
        "61_90": 0,
        "over_90": 0,
    }
    assert {b.name: b.minor for b in next_day["EUR"]}["1_30"] == 1000
    assert {b.name: b.minor for b in aging(items, date(2026, 5, 2))["EUR"]}["over_90"] == 1000


def test_an_entry_comes_back_from_the_table_as_it_went() -> None:
    entry = _issue("inv_1", date(2026, 1, 1), date(2026, 1, 31), 1000)
    assert entry_from(entry_item(entry)) == entry
