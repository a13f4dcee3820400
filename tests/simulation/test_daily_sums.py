"""Statements of a long journal are what the journal says, whatever the stream has told of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

import pytest

from saldo.ledger import statements
from saldo.ledger.daily_sums import DailySums, all_lines
from saldo.ledger.model import EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.model_statement import LONG, PAGE, Statement
from saldo.ledger.records import post
from saldo.ledger.records_statement import day_sums_from, day_sums_key
from saldo.ledger.rules_statement import sums_of
from saldo.ledger.statements import statement, whole
from saldo.storage import schema
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.simulation.dynamodb import MemoryDynamoDB

ACCOUNT, TODAY = "acct_eu_1", date(2026, 6, 30)


class Books:
    """A journal of one entry a day and more, and what the stream has yet to tell of it."""

    def __init__(self) -> None:
        self.table = MemoryDynamoDB(schema.AGENDA_FIELDS)
        self.store = Store(self.table, "records")  # type: ignore[arg-type]
        self.posted = 0
        self.waiting: list[tuple[str, int]] = []

    def post(self, days_ago: int, minor: int = 100) -> None:
        self.posted += 1
        on = TODAY - timedelta(days=days_ago)
        legs = (
            Posting(LedgerAccount.RECEIVABLES, minor, f"inv_{self.posted}", on),
            Posting(LedgerAccount.REVENUE, -minor),
        )
        entry = entry_for(
            EntryKind.INVOICE_ISSUED, booked_on=on, entity_id="ent_eu_1", account_id=ACCOUNT, currency="EUR",
            source_id=f"inv_{self.posted}", postings=legs,
        )  # fmt: skip
        self.store.write_one(post(Unit("p"), entry, correlation_id="", numbers={entry.source_id: f"RW-{self.posted}"}))
        self.waiting.append((on.isoformat(), self.posted))

    def told(self, news: tuple[str, int]) -> None:
        DailySums(self.store).fold(ACCOUNT, {news[0]}, news[1])

    def page(self, page: int = 1, days: int = 90) -> Statement:
        found = statement(self.store, ACCOUNT, TODAY - timedelta(days=days), TODAY, page, TODAY)
        return found.statements[0]

    def right(self, days: int = 90) -> tuple[int, int, int]:
        """Opening, charged and closing of the last days, from every entry there is."""
        lines, since = all_lines(self.store, ACCOUNT), (TODAY - timedelta(days=days)).isoformat()
        before = sum(line.minor for line in lines if line.on < since)
        return before, sum(line.minor for line in lines) - before, sum(line.minor for line in lines)


@pytest.fixture
def books() -> Iterator[Books]:
    statements._known_long.clear()
    made = Books()
    for n in range(LONG + 60):
        made.post(days_ago=n % 200)
    yield made
    statements._known_long.clear()


def says(books: Books) -> tuple[int, int, int]:
    page = books.page()
    return page.opening, page.charged, page.closing


def test_a_long_statement_is_read_in_two_calls_once_the_stream_has_caught_up(books: Books) -> None:
    books.told(books.waiting[-1])
    assert says(books) == books.right()
    calls = books.table.calls
    second = books.page(2)
    assert books.table.calls == calls + 2
    assert len(second.lines) == PAGE and second.carried == books.page(1).lines[-1].balance
    assert second.lines[0].line.number


def test_however_far_behind_the_stream_is_the_statement_is_right(books: Books) -> None:
    assert says(books) == books.right(), "never told of anything"
    books.told(books.waiting[-1])
    for days_ago in (0, 3, 39, 41, 150):
        books.post(days_ago, 7 + days_ago)
        assert says(books) == books.right(), f"not told of {days_ago} days ago"


def test_word_that_comes_twice_late_or_in_any_order_ends_in_the_sums_of_the_journal(books: Books) -> None:
    chance = Random(7)
    books.told(books.waiting[-1])
    books.waiting.clear()
    for _ in range(40):
        books.post(chance.randrange(200), chance.randrange(-50, 50) or 1)
    news = books.waiting * 2
    chance.shuffle(news)
    for one in news:
        books.told(one)
    stored = books.store.get(*day_sums_key(ACCOUNT))
    assert stored and day_sums_from(stored) == sums_of(all_lines(books.store, ACCOUNT))


def test_word_that_was_lost_is_made_up_for_by_the_next(books: Books) -> None:
    books.told(books.waiting[-1])
    books.post(120)
    books.post(5)
    books.told(books.waiting[-1])
    assert says(books) == books.right()
    stored = books.store.get(*day_sums_key(ACCOUNT))
    assert stored and sum(one.entries for one in day_sums_from(stored)) == books.posted


def test_a_short_journal_has_no_sums_and_needs_one_call() -> None:
    statements._known_long.clear()
    books = Books()
    for n in range(60):
        books.post(n)
        books.told(books.waiting[-1])
    assert books.store.get(*day_sums_key(ACCOUNT)) is None
    right, calls = books.right(), books.table.calls
    assert says(books) == right
    assert books.table.calls == calls + 1
    assert books.page().aged and len(books.page(2).lines) == 10


def test_the_export_has_every_line_and_the_same_sums(books: Books) -> None:
    books.told(books.waiting[-1])
    since = TODAY - timedelta(days=90)
    for _ in range(2):  # the second time it is known to be long
        (found,) = whole(books.store, ACCOUNT, since, TODAY, TODAY)
        assert (found.opening, found.charged, found.closing) == books.right()
        assert found.lines[-1].balance == found.closing and found.opening == found.carried
        books.page()


def test_rebuilding_counts_what_was_not_counted_and_sums_what_was_not_summed(books: Books) -> None:
    books.store.write_one(Unit("forget").update((ACCOUNT, "balance"), set={"entries": 3}))
    assert DailySums(books.store).rebuild(ACCOUNT) == books.posted
    balance = books.store.get(ACCOUNT, "balance")
    stored = books.store.get(*day_sums_key(ACCOUNT))
    assert balance and balance["entries"] == books.posted
    assert stored and day_sums_from(stored) == sums_of(all_lines(books.store, ACCOUNT))
    assert DailySums(books.store).rebuild("acct_eu_nobody") == 0
