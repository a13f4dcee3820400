"""Keeps what makes notices beside each owner that somebody looked at, so that all accounts of a reader are one read.

The stream's function adds each act that is news as it comes; whoever looks reads the invoices anew where the journal
has moved since, and all of it after an hour. An owner that nobody looked at has no record, and nothing is written for
it.
"""

from __future__ import annotations

from collections.abc import Iterable
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
from saldo.storage.items import Item
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
            found = self._store.get_many([records.news_key(o) for o in waiting], consistent=True) if waiting else {}
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

    def is_fresh(self, news: News, entries: int) -> bool:
        """Whether nothing was issued since, as far as the journal tells. Not all that is issued is in the journal
        (what comes to nothing is not), and word may have been lost: so after an hour no more.

        entries: how many the journal has, 0 for a user.
        """
        return news.entries == entries and self._clock() < news.read_at + FRESH

    def read(self, kept: News, entries: int) -> News:
        """What of an owner is not fresh anew, kept where nobody else wrote meanwhile. entries: as for `is_fresh`."""
        version, now = kept.version or self._begun(kept.owner_id), self._clock()
        news = replace(kept, entries=entries, version=version)
        if now >= kept.read_at + FRESH:
            news = replace(self._acts(news), read_at=now)
        news = self._invoices(news) if entries else news
        if version:
            self._store.write_one(self._rewrite(news))
        return news

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

    def _begun(self, owner_id: str) -> int:
        """From now on the stream adds to it, and nothing that happens while all is read is lost. 0: another began."""
        unit = Unit(f"news of {owner_id}").insert(records.news_item(News(owner_id, version=1)))
        return 0 if self._store.write_one(unit) else 1

    def _newest(self, owner_id: str, first: str, last: str, most: int) -> Page:
        return self._store.query(owner_id, first=first, last=last, newest_first=True, limit=most, consistent=True)
