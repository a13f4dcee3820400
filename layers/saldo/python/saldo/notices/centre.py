"""Reads the notices of one user: what is kept as news of each account and of the user, and what is open.

Bounded: so many accounts, so many records of each. What is beyond is named (`Told.since`, `Told.left_out`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from saldo.access.model import Seat, Session
from saldo.access.notice_choices import choices_from, choices_key
from saldo.access.rules_visibility import sees
from saldo.accounts.records import bank_statement_from
from saldo.invoicing import open_list
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.reading import rows_by_id
from saldo.kernel.clock import Clock, instant_from
from saldo.kernel.periods import local_date
from saldo.ledger.records import BALANCE, entries_counted
from saldo.notices import rules
from saldo.notices.latest import LatestNews
from saldo.notices.model import IssuedInvoice, Notice, Reader, Told
from saldo.notices.records import News, act_from, issued_from, news_from, news_key
from saldo.storage.items import Item, Key
from saldo.storage.store import Store

MOST_ACCOUNTS = 10


class NotificationCentre:
    """Of a region. `store` is the region's; of each account a reader is told what its role sees now, and of its seller
    only what that says of its bank account."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock, self._news = store, clock, LatestNews(store, clock)

    def told(self, session: Session, account_id: str = "") -> Told:
        """All that the session's user is told of, or what of one of their accounts. One call; for what changed since
        somebody looked at it last, those of `LatestNews.read` and of `open_list` besides."""
        seats, user_id, now = _seats(session, account_id), session.user_id, self._clock()
        found = self._store.get_many(_keys(user_id, seats[:MOST_ACCOUNTS]), consistent=True)
        notices, since = list[Notice](), dict[str, datetime]()
        if not account_id:
            notices += rules.of_own_trail(act_from(user_id, row) for row in self._latest(user_id, found, 0).acts)
        for seat in seats[:MOST_ACCOUNTS]:
            reader = Reader(user_id, seat.account_id, seat.role, seat.visibility, seat.time_zone)
            news = self._latest(seat.account_id, found, entries_counted(found.get((seat.account_id, BALANCE))))
            notices += rules.of_trail((act_from(seat.account_id, row) for row in news.acts), reader, now)
            notices += rules.of_invoices(self._issued(news, reader, found), reader, now)
            bank = found.get((seat.entity_id, "entity"))
            notices += rules.of_bank(bank_statement_from(bank) if bank else None, reader)
            if news.cut:
                since[seat.account_id] = instant_from(news.cut)
        choices = choices_from(found.get(choices_key(user_id)))
        in_order = rules.in_order(notices, choices, now)
        return Told(in_order, rules.read_from(choices, now), since, max(0, len(seats) - MOST_ACCOUNTS))

    def unread(self, session: Session) -> int:
        """How many the session's user has not read."""
        return self.told(session).unread

    def _latest(self, owner_id: str, found: Mapping[Key, Item], entries: int) -> News:
        """entries: how many the owner's journal has."""
        kept = news_from(owner_id, found.get(news_key(owner_id)))
        return kept if self._news.is_fresh(kept, entries) else self._news.read(kept, entries)

    def _issued(self, news: News, reader: Reader, found: Mapping[Key, Item]) -> Iterator[IssuedInvoice]:
        """What was issued and is in sight, with what is asked for of it now."""
        is_seen = sees(reader.visibility, local_date(self._clock(), reader.zone))
        owed = self._owed(news, found) if news.invoices else {}
        for row in news.invoices:
            open_row = owed.get(row["invoice_id"])
            if is_seen is None or is_seen(row | {"open_minor": open_row.open_minor if open_row else 0}):
                yield issued_from(row, open_row)

    def _owed(self, news: News, found: Mapping[Key, Item]) -> dict[str, InvoiceRow]:
        """By id, proven: from the account's list or, where very many are open, from the invoices themselves."""
        owed = open_list.of_found(self._store, news.owner_id, found)
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
