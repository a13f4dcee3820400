"""Keeps what makes notices beside each owner that somebody looked at, so that all accounts of a reader are one read.

The stream's function adds each act that is news as it comes; whoever looks reads the invoices anew where the journal
has moved since, and all of it after an hour. An owner that nobody looked at has no record, and nothing is written for
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from saldo.audit.records import PREFIX as TRAIL
from saldo.audit.records import audit_record
from saldo.invoicing.listing import ListWish
from saldo.invoicing.reading import bounds_of
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import Unavailable
from saldo.notices import records, rules
from saldo.notices.records import News
from saldo.storage.items import Item, Key
from saldo.storage.store import Page, Store
from saldo.storage.units import Unit

MOST_RECORDS, MOST_INVOICES = 300, 100
FRESH = timedelta(hours=1)
_MOST_ATTEMPTS = 5


class LatestNews:
    """The records of one region's accounts and users. May be repeated at any point."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def fold(self, items: Iterable[Item]) -> int:
        """Add what is news of these records of trails to the owners that have a record; how many owners that were."""
        waiting: dict[str, list[Item]] = {}
        for item in items:
            if rules.is_news(audit_record(item)):
                waiting.setdefault(item["pk"], []).append(records.act_row(item))
        folded = 0
        for _ in range(_MOST_ATTEMPTS):
            found = self._store.get_many([records.news_key(o) for o in waiting], consistent=True)
            units = [self._added(records.news_from(pk, item), waiting[pk]) for (pk, _), item in found.items()]
            lost = {conflict.unit for conflict in self._store.write(units)}
            folded += len(units) - len(lost)
            waiting = {owner_id: waiting[owner_id] for owner_id in lost}
            if not waiting:
                return folded
        raise Unavailable("news of the same owners are being written elsewhere")

    def _added(self, news: News, rows: list[Item]) -> Unit:
        first = instant_text(self._clock() - rules.KEPT)
        acts, cut = records.together(news.acts, rows, first, MOST_RECORDS)
        return self._rewrite(replace(news, acts=acts, acts_cut=max(cut, news.acts_cut)))

    def _rewrite(self, news: News) -> Unit:
        """Only from the version that was read: what was added meanwhile is not lost."""
        made = records.news_item(replace(news, version=news.version + 1))
        return Unit(news.owner_id).put(made, when={"version": news.version})

    def of_owners(self, entries: Mapping[str, int], found: Mapping[Key, Item]) -> dict[str, News]:
        """What is kept of each owner, and what is not fresh of it anew: by two calls an owner at most, and two for all.

        entries: of each one's journal, 0 of a user. found: the records of `news_key`, read a moment ago.
        """
        known = {owner: records.news_from(owner, found.get(records.news_key(owner))) for owner in entries}
        stale = [news for owner, news in known.items() if not self._is_fresh(news, entries[owner])]
        begun = self._begun([news.owner_id for news in stale if not news.version])
        read = [self._read(n, entries[n.owner_id], n.version or int(n.owner_id in begun)) for n in stale]
        self._store.write([self._rewrite(news) for news in read if news.version])
        return known | {news.owner_id: news for news in read}

    def _is_fresh(self, news: News, entries: int) -> bool:
        """Whether nothing was issued since, as far as the journal tells. Not all that is issued is in the journal
        (what comes to nothing is not), and word may have been lost: so after an hour no more."""
        return news.entries == entries and self._clock() < news.read_at + FRESH

    def _begun(self, owner_ids: Sequence[str]) -> set[str]:
        """From now on the stream adds to these, and nothing that happens while all is read is lost. Those left out are
        being read by somebody else, who keeps what that says."""
        units = [Unit(owner).insert(records.news_item(News(owner, version=1))) for owner in owner_ids]
        return set(owner_ids) - {conflict.unit for conflict in self._store.write(units)}

    def _read(self, kept: News, entries: int, version: int) -> News:
        news, now = replace(kept, entries=entries, version=version), self._clock()
        if now >= kept.read_at + FRESH:
            news = replace(self._acts(news), read_at=now)
        return self._invoices(news) if entries else news

    def _acts(self, news: News) -> News:
        first = TRAIL + instant_text(self._clock() - rules.KEPT)
        page = self._newest(news.owner_id, first, f"{TRAIL}~", MOST_RECORDS)
        acts = tuple(records.act_row(item) for item in page.items if rules.is_news(audit_record(item)))
        return replace(news, acts=acts, acts_cut=page.items[-1]["at"] if page.cursor else "")

    def _invoices(self, news: News) -> News:
        first, _ = bounds_of(ListWish(from_on=(self._clock() - rules.KEPT).date()))
        _, last = bounds_of(ListWish())
        page = self._newest(news.owner_id, first, last, MOST_INVOICES)
        rows = records.issued_rows(page.items)
        return replace(news, invoices=rows, invoices_cut=rows[-1]["issued_at"] if page.cursor and rows else "")

    def _newest(self, owner_id: str, first: str, last: str, most: int) -> Page:
        return self._store.query(owner_id, first=first, last=last, newest_first=True, limit=most, consistent=True)
