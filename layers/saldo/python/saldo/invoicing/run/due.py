"""Who is due: the accounts that a run bills, in the order of whom they are invoiced to, from the agenda.

Most subscriptions lie on the agenda under the day of the month on which they are billed, and billing does not move them
(`accounts.agenda`). What keeps anybody from being missed:

- Only a run puts one there, and only when it billed it on its very day and the next is that day of the following month.
  Whoever else writes a subscription puts it under its next billing date, where every later run finds it.
- A run lists the monthly places of all days since the last that closed. So the first on or after that next date finds
  it. It bills it, or sets its account aside and puts it back under its date (`keep_due`) before it can
  close.
- Monthly places are read before dates, for what is changed meanwhile goes from there to here, and never the other way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from saldo.accounts.agenda import DUE_SHARDS, MONTHLY, due_agenda_of, due_shard, monthly_place, monthly_places
from saldo.accounts.records import invoiced_to
from saldo.invoicing.run import records
from saldo.invoicing.run.model import Attempt, DueAccount, RunState
from saldo.kernel.clock import instant_from
from saldo.kernel.ids import is_double
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.records import PREFIX as SUBSCRIPTIONS
from saldo.subscriptions.records import subscription_key
from saldo.usage.records_windows import accounts_with_late_usage

# So many payers are in memory at once, with a quarter more; where there are others, the agenda is read in parts.
HELD_AT_ONCE = 50_000
# The agenda lags behind its records. Long before the day comes it does not.
_AHEAD = timedelta(days=7)
_LONGEST_MONTH = timedelta(days=31)


def due_accounts(store: Store, entity_id: str, on: date) -> Iterator[DueAccount]:
    """Accounts with subscriptions or items due on or before the date, in id order of whom they are invoiced to; where
    they are very many, first those that share invoices, then shard by shard, so that memory does not grow with them.

    Late usage waits for what is due next; where nothing ever will be, it is due by itself.
    """
    agenda = _Agenda(store, entity_id, _listed_through(store, entity_id), on)
    into = invoiced_to(store, entity_id)
    found = agenda.read(_Found(into, lambda _: True), range(DUE_SHARDS))
    if not found.more:
        yield from found.due()
        return
    together = {*into, *into.values()}
    if together:
        yield from agenda.read(_Found(into, together.__contains__, bounded=False), range(DUE_SHARDS)).due()
    for shard in range(DUE_SHARDS):
        found = agenda.read(_Found({}, lambda account_id: account_id not in together), [shard])
        yield from found.due()
        while found.more:
            found = agenda.read(_Found({}, lambda account_id: account_id not in together, found.last), [shard])
            yield from found.due()


class _Found:
    """What one reading of the agenda finds of those invoiced to somebody after `after`, the first in id order.

    into: who is invoiced to another. wanted: whether an account is looked for. last: the last in id order where there
    are `more` after it.
    """

    def __init__(
        self, into: Mapping[str, str], wanted: Callable[[str], bool], after: str = "", *, bounded: bool = True
    ) -> None:
        # By whom they are invoiced to, account and sort key of each record, as one text: a third of the memory.
        self._of: dict[str, list[str]] = {}
        self._into, self._wanted, self._after, self._bounded = into, wanted, after, bounded
        self._until = ""

    def add(self, account_id: str, sk: str) -> None:
        payer = self._into.get(account_id, account_id)
        if not self._has_room(account_id):
            return
        self._of.setdefault(payer, []).append(f"{account_id} {sk}")
        if self._bounded and len(self._of) > HELD_AT_ONCE + HELD_AT_ONCE // 4:
            self._until = sorted(self._of)[HELD_AT_ONCE - 1]
            for late in [payer for payer in self._of if payer > self._until]:
                del self._of[late]

    def lacks(self, account_id: str) -> bool:
        """Whether this account would be among them and is not yet."""
        known = self._of.get(self._into.get(account_id, account_id), ())
        return self._has_room(account_id) and not any(row.startswith(f"{account_id} ") for row in known)

    @property
    def more(self) -> bool:
        return bool(self._until)

    @property
    def last(self) -> str:
        return self._until

    def due(self) -> Iterator[DueAccount]:
        return (
            _due_account(payer, self._of[payer]) for payer in sorted(self._of) if payer <= self._until or not self.more
        )

    def _has_room(self, account_id: str) -> bool:
        payer = self._into.get(account_id, account_id)
        return self._wanted(account_id) and payer > self._after and (not self._until or payer <= self._until)


def _due_account(payer: str, rows: Iterable[str]) -> DueAccount:
    accounts: dict[str, dict[str, list[str]]] = {payer: {}}
    for row in sorted(set(rows)):  # one that moved while the agenda was read may be there twice
        account_id, _, sk = row.partition(" ")
        kind, _, record_id = sk.partition("#")
        accounts.setdefault(account_id, {}).setdefault(kind, []).append(record_id)
    due = [
        DueAccount(account_id, tuple(ids.get("subscription", ())), tuple(ids.get("item", ())))
        for account_id, ids in accounts.items()
    ]
    return replace(due[0], members=tuple(due[1:]))


@dataclass(frozen=True, slots=True)
class _Agenda:
    """The agenda as a run of the day `on` asks it. since: the day through which an earlier run did."""

    store: Store
    entity_id: str
    since: date | None
    on: date

    def read(self, found: _Found, shards: Sequence[int]) -> _Found:
        """All that is due in these shards, and late usage of accounts there that nothing else will ever bill."""
        for shard in shards:
            for item in self._items(due_agenda_of(self.entity_id, shard)):
                found.add(item["pk"], item["sk"])
        for account_id in accounts_with_late_usage(self.store, self.entity_id):
            here = due_shard(account_id) in shards and found.lacks(account_id)
            if here and not _has_more_to_bill(self.store, account_id):
                found.add(account_id, "")
        return found

    def _items(self, agenda: str) -> Iterator[Item]:
        keys = {"agenda": True, "fields": ("pk", "sk")}
        for first, last in monthly_places(self.since, self.on):
            yield from self.store.query_all(agenda, first=first, last=last, **keys)
        yield from self.store.query_all(agenda, last=self.on.isoformat(), **keys)


def _listed_through(store: Store, entity_id: str) -> date | None:
    """The day of the last run of all accounts that closed: whoever was due by then was found by it."""
    runs = store.query_all(entity_id, prefix="run#", newest_first=True, limit=8, consistent=True)
    attempts = map(records.attempt_from, runs)
    return next((a.as_of for a in attempts if a.state is RunState.CLOSED and not a.is_one_off), None)


def _has_more_to_bill(store: Store, account_id: str) -> bool:
    sold = store.query_all(account_id, prefix=SUBSCRIPTIONS, fields=("agenda_on",), consistent=True)
    return any("agenda_on" in subscription for subscription in sold)


def place_after(attempt: Attempt, before: Subscription, after: Subscription) -> str:
    """Where on the agenda a subscription that the attempt bills goes; "" for under its next billing date.

    A double's goes there always: its clock asks for the next day with something due.
    """
    on, following = attempt.as_of, after.next_bill_on
    if following is None or before.next_bill_on != on or is_double(before.account_id):
        return ""
    monthly = following.day == on.day and on < following <= on + _LONGEST_MONTH
    written_by = instant_from(attempt.opened_at).date() + _AHEAD
    return monthly_place(following) if monthly and following > written_by else ""


def keep_due(store: Store, on: date, accounts: Iterable[DueAccount]) -> None:
    """Put what is still due of these accounts under its billing date, for every later run to find."""
    keys = [subscription_key(one.account_id, s) for all_ in accounts for one in all_.all for s in one.subscription_ids]
    found = store.get_many(keys, consistent=True)
    units = (_dated(key, item, on.isoformat()) for key, item in found.items())
    store.write([unit for unit in units if unit])  # one that does not hold was moved since, by whoever placed it


def _dated(key: Key, item: Item, on: str) -> Unit | None:
    place, due_on = item.get("agenda_on", ""), item.get("next_bill_on", on)
    if not place.startswith(MONTHLY) or due_on > on:
        return None
    as_read = {"agenda_on": place, "next_bill_on": item.get("next_bill_on")}
    return Unit(f"keep due {key}").update(key, set={"agenda_on": due_on}, when=as_read)
