"""Reads the notices of one user: for each account the trail and the invoices, and the user's own trail.

Bounded: so many accounts, so many records of each. What is beyond is named (`Told.since`, `Told.left_out`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from saldo.access.model import Session
from saldo.access.model_notices import NoticeChoices
from saldo.access.notice_choices import ChosenNotices, choices_from, choices_key
from saldo.access.rules_visibility import sees
from saldo.accounts.model import BankStatement
from saldo.accounts.records import bank_statement_from
from saldo.audit.records import PREFIX as TRAIL
from saldo.audit.records import audit_record
from saldo.invoicing.listing import ListWish
from saldo.invoicing.reading import bounds_of
from saldo.invoicing.status import SHOWN, DocumentKind
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.periods import local_date
from saldo.notices import rules
from saldo.notices.model import IssuedInvoice, Notice, Reader, Told
from saldo.storage.items import Item
from saldo.storage.store import Page, Store

MOST_ACCOUNTS = 10
MOST_RECORDS, MOST_INVOICES = 300, 100
_FRESH = timedelta(minutes=5)
_ISSUED_BY_US = ("run_", "request_")


@dataclass(slots=True)
class _Found:
    notices: list[Notice] = field(default_factory=list)
    since: dict[str, datetime] = field(default_factory=dict)

    def cut(self, account_id: str, page: Page, at: datetime) -> None:
        """Remember that there is more of this account than what was read."""
        if page.cursor:
            self.since[account_id] = max(at, self.since.get(account_id, at))


class NotificationCentre:
    """Of a region. `store` is the region's; each account is read through its own scope, as its role sees it now, and
    of its seller only what that says of its bank account."""

    def __init__(self, store: Store, chosen: ChosenNotices, clock: Clock) -> None:
        self._store, self._chosen, self._clock = store, chosen, clock
        self._sellers: dict[str, tuple[datetime, BankStatement | None]] = {}

    def told(self, session: Session, account_id: str = "") -> Told:
        """All that the session's user is told of, or what of one of their accounts. A call for what they chose (with
        their own trail, where that is asked for), two for each account."""
        since, last = self._clock() - rules.KEPT, choices_key(session.user_id)[1]
        if account_id:
            return self._told(session, account_id, self._chosen.of(session.user_id), since, [])
        first = TRAIL + instant_text(since)
        read = self._store.query(
            session.user_id, first=first, last=last, newest_first=True, limit=MOST_RECORDS, consistent=True
        )
        choices = choices_from(next((item for item in read.items if item["sk"] == last), None))
        own = [item for item in read.items if item["sk"].startswith(TRAIL)]
        if read.cursor:  # records of other kinds lie between the two: after years, sealed links by the hundred
            own = self._trail(self._store, session.user_id, since).items
        return self._told(session, account_id, choices, since, own)

    def unread(self, session: Session) -> int:
        """How many the session's user has not read; of the trails, nothing older is read."""
        choices = self._chosen.of(session.user_id)
        since = rules.read_from(choices, self._clock())
        return self._told(session, "", choices, since, self._trail(self._store, session.user_id, since).items).unread

    def _told(
        self, session: Session, account_id: str, choices: NoticeChoices, since: datetime, own: list[Item]
    ) -> Told:
        """own: the user's own trail, none where one account is asked for."""
        found, now = _Found(list(rules.of_own_trail(map(audit_record, own)))), self._clock()
        seats = [seat for seat in session.seats if account_id in ("", seat.account_id)]
        sellers = self._statements({seat.entity_id for seat in seats[:MOST_ACCOUNTS]})
        for seat in seats[:MOST_ACCOUNTS]:
            reader = Reader(session.user_id, seat.account_id, seat.role, seat.visibility, seat.time_zone)
            found.notices += rules.of_bank(sellers[seat.entity_id], reader)
            self._read(found, reader, since, now)
        notices = rules.in_order(found.notices, choices, now)
        left_out = max(0, len(seats) - MOST_ACCOUNTS)
        return Told(notices, rules.read_from(choices, now), found.since, left_out)

    def _statements(self, entity_ids: set[str]) -> dict[str, BankStatement | None]:
        """What sellers say of their bank accounts, read again every five minutes: few pages pay for it."""
        now = self._clock()
        old = [one for one in sorted(entity_ids) if one not in self._sellers or self._sellers[one][0] + _FRESH <= now]
        items = self._store.get_many([(one, "entity") for one in old]) if old else {}
        for one in old:
            item = items.get((one, "entity"))
            self._sellers[one] = now, bank_statement_from(item) if item else None
        return {one: self._sellers[one][1] for one in entity_ids}

    def _read(self, found: _Found, reader: Reader, since: datetime, now: datetime) -> None:
        account_id, in_sight = reader.account_id, sees(reader.visibility, local_date(now, reader.zone))
        seen = self._store.within(account_id, sees=in_sight)
        trail = self._trail(seen, account_id, since)
        found.notices += rules.of_trail(map(audit_record, trail.items), reader, now)
        if trail.items:
            found.cut(account_id, trail, instant_from(trail.items[-1]["at"]))
        first, _ = bounds_of(ListWish(from_on=local_date(now - rules.KEPT, reader.zone)))
        _, last = bounds_of(ListWish())
        page = seen.query(account_id, first=first, last=last, newest_first=True, limit=MOST_INVOICES)
        issued = list(_issued(page.items))
        found.notices += rules.of_invoices(issued, reader, now)
        if issued:
            found.cut(account_id, page, issued[-1].issued_at)

    def _trail(self, store: Store, owner_id: str, since: datetime) -> Page:
        first, last = TRAIL + instant_text(since), f"{TRAIL}~"
        return store.query(owner_id, first=first, last=last, newest_first=True, limit=MOST_RECORDS)


def _issued(items: Iterable[Item]) -> Iterable[IssuedInvoice]:
    """Documents that we issued; what was brought in from elsewhere is history, not news."""
    for item in items:
        if item["status"] not in SHOWN or not item["run_id"].startswith(_ISSUED_BY_US):
            continue
        yield IssuedInvoice(
            invoice_id=item["invoice_id"],
            is_credit_note=item.get("document") == DocumentKind.CREDIT_NOTE,
            number=item["number"],
            currency=item["currency"],
            total_minor=item["total_minor"],
            asked_minor=0 if item.get("promise_id") else item["open_minor"] - item.get("disputed_minor", 0),
            due_on=datetime.fromisoformat(item["due_on"]).date(),
            issued_at=instant_from(next(h["at"] for h in item["history"] if h["status"] != "draft")),
        )
