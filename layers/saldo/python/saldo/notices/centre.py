"""Reads the notices of one user: what is kept as news of each account and of the user, and what is open.

Bounded: so many accounts, so many records of each. What is beyond is named (`Told.since`, `Told.left_out`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from saldo.access.model import Seat, Session
from saldo.access.notice_choices import choices_from, choices_key
from saldo.access.rules_visibility import sees
from saldo.accounts.records import bank_statement_from
from saldo.invoicing import open_list
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.open_list import Open
from saldo.invoicing.reading import rows_by_id
from saldo.kernel.clock import Clock, instant_from
from saldo.kernel.periods import local_date
from saldo.ledger.records import BALANCE, entries_counted
from saldo.notices import rules
from saldo.notices.latest import LatestNews
from saldo.notices.model import IssuedInvoice, Notice, Reader, Told
from saldo.notices.records import News, act_from, issued_from, news_key
from saldo.storage.items import Key
from saldo.storage.store import Store

MOST_ACCOUNTS = 10


class NotificationCentre:
    """Of a region. `store` is the region's; of each account a reader is told what its role sees now, and of its seller
    only what that says of its bank account."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock, self._news = store, clock, LatestNews(store, clock)

    def told(self, session: Session, account_id: str = "") -> Told:
        """All that the session's user is told of, or what of one of their accounts. One call; for what changed since
        somebody looked at it last, those of `LatestNews.of_owners` and of `open_list` besides."""
        seats, user_id, now = _seats(session, account_id), session.user_id, self._clock()
        shown = seats[:MOST_ACCOUNTS]
        found = self._store.get_many(_keys(user_id, shown), consistent=True)
        entries = {seat.account_id: entries_counted(found.get((seat.account_id, BALANCE))) for seat in shown}
        latest = self._news.of_owners(entries if account_id else {user_id: 0} | entries, found)
        owed = open_list.of_found(self._store, entries.keys(), found)
        own = () if account_id else latest[user_id].acts
        notices = list(rules.of_own_trail(act_from(user_id, row) for row in own))
        for seat in shown:
            reader = Reader(user_id, seat.account_id, seat.role, seat.visibility, seat.time_zone)
            notices += self._of_account(latest[seat.account_id], owed[seat.account_id], reader)
            bank = found.get((seat.entity_id, "entity"))
            notices += rules.of_bank(bank_statement_from(bank) if bank else None, reader)
        choices = choices_from(found.get(choices_key(user_id)))
        since = {account: instant_from(latest[account].cut) for account in entries if latest[account].cut}
        in_order, left_out = rules.in_order(notices, choices, now), len(seats) - len(shown)
        return Told(in_order, rules.read_from(choices, now), since, left_out)

    def unread(self, session: Session) -> int:
        """How many the session's user has not read."""
        return self.told(session).unread

    def _of_account(self, news: News, owed: Open, reader: Reader) -> Iterator[Notice]:
        now = self._clock()
        yield from rules.of_trail((act_from(news.owner_id, row) for row in news.acts), reader, now)
        yield from rules.of_invoices(self._issued(news, owed, reader), reader, now)

    def _issued(self, news: News, owed: Open, reader: Reader) -> Iterator[IssuedInvoice]:
        """What was issued and is in sight, with what is asked for of it now."""
        is_seen = sees(reader.visibility, local_date(self._clock(), reader.zone))
        rows = self._rows(news, owed)
        for row in news.invoices:
            open_row = rows.get(row["invoice_id"])
            if is_seen is None or is_seen(row | {"open_minor": open_row.open_minor if open_row else 0}):
                yield issued_from(row, open_row)

    def _rows(self, news: News, owed: Open) -> dict[str, InvoiceRow]:
        """What is open, by id: all of the account or, where that is very much, what is news of it."""
        if owed.is_all:
            return {row.invoice_id: row for row in owed.rows}
        return rows_by_id(self._store, news.owner_id, [row["invoice_id"] for row in news.invoices])


def _seats(session: Session, account_id: str) -> list[Seat]:
    return [seat for seat in session.seats if account_id in ("", seat.account_id)]


def _keys(user_id: str, seats: Sequence[Seat]) -> list[Key]:
    keys = [choices_key(user_id), news_key(user_id)]
    for seat in seats:
        keys += [(seat.entity_id, "entity"), news_key(seat.account_id), *open_list.keys_of(seat.account_id)]
    return keys
