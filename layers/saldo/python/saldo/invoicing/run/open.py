"""Open a run: check what it depends on, list who is due, and freeze that list."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from itertools import islice

from saldo.accounts.model import LegalEntity
from saldo.accounts.records import entity_from, facts_item
from saldo.invoicing.run import records
from saldo.invoicing.run.due import due_accounts
from saldo.invoicing.run.model import (
    ACCOUNTS_PER_BATCH,
    MOVES,
    Attempt,
    DueAccount,
    RunState,
    batch_name,
    request_run_id,
    run_id_of,
)
from saldo.invoicing.wallets import Wallets
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.kernel.ids import new_id
from saldo.kernel.periods import local_date
from saldo.kernel.states import moved
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

_DRY_RUN_KEPT_S = 7 * 86400


def as_of_date(text: str, zone: str, now: datetime | None = None) -> date:
    """The date a run is for: a date as it stands, or an instant (the schedule's) in the seller's time zone; "" for that
    of `now`, where there is one.

    Refusal `invalid_as_of` for anything else.
    """
    if not text and now is not None:
        return local_date(now, zone)
    try:
        return local_date(instant_from(text), zone) if "T" in text else date.fromisoformat(text)
    except ValueError as error:
        raise Refusal("invalid_as_of", f"{text!r} is neither a date (2026-11-30) nor an instant with offset") from error


def seller_day(store: Store, clock: Clock, entity_id: str, as_of: str = "") -> date:
    """Which of a seller's days is meant, as `as_of_date` reads it. NotFound."""
    return as_of_date(as_of, _entity(store, entity_id).time_zone, clock())


def open_run(store: Store, clock: Clock, entity_id: str, as_of: str, *, dry_run: bool = False) -> Attempt:
    """The attempt to work on: a new one, or the one that is still open or failed. Prepaid credit expires before it.

    Raises Refusal `dependencies_not_met` naming every dependency at fault.
    """
    entity = _entity(store, entity_id)
    on = as_of_date(as_of, entity.time_zone)
    _check_dependencies(store, entity, on, clock())
    if dry_run:
        return _begin(store, clock, entity, on, run_id=new_id("dry", clock()), number=1, dry_run=True)
    Wallets(store, clock).expire(entity_id, on)
    run_id = run_id_of(entity_id, on)
    for _ in range(8):
        latest = latest_attempt(store, run_id)
        if latest and latest.state is not RunState.CLOSED:
            return _resume(store, latest)
        if latest and not _anyone_due(store, entity_id, on):
            return replace(latest, accounts=0)
        number = latest.number + 1 if latest else 1
        begun = _begin(store, clock, entity, on, run_id=run_id, number=number, dry_run=False)
        if begun.plan_id:
            return begun
    raise AssertionError("attempts of one run cannot be begun by others eight times in a row")


def open_for_one(store: Store, clock: Clock, entity_id: str, request: str, on: date, due: DueAccount) -> Attempt:
    """The attempt of one account that staff asked for; the same request finds the one it began.

    Raises Refusal `dependencies_not_met` as `open_run` does.
    """
    run_id = request_run_id(entity_id, on, request)
    latest = latest_attempt(store, run_id)
    if latest:
        return latest if latest.state is RunState.CLOSED else _resume(store, latest)
    entity = _entity(store, entity_id)
    _check_dependencies(store, entity, on, clock())
    begun = _begin(store, clock, entity, on, run_id=run_id, number=1, dry_run=False, only=due)
    return begun if begun.plan_id else open_for_one(store, clock, entity_id, request, on, due)


def latest_attempt(store: Store, run_id: str) -> Attempt | None:
    page = store.query(run_id, prefix="attempt#", newest_first=True, limit=1, consistent=True)
    return records.attempt_from(page.items[0]) if page.items else None


def latest_of_seller(store: Store, entity_id: str) -> Attempt | None:
    """The attempt of a seller's latest date; where there are several, that of the day's own run."""
    page = store.query(entity_id, prefix="run#", newest_first=True, limit=1, consistent=True)
    return records.attempt_from(page.items[0]) if page.items else None


def earlier_open(store: Store, entity_id: str, on: date) -> Attempt | None:
    """An attempt of an earlier date that is not closed: its drafts must be numbered before any of a later date."""
    latest = latest_of_seller(store, entity_id)
    if latest is None or latest.as_of >= on:
        return None
    items = store.query_all(entity_id, prefix=f"run#{latest.as_of.isoformat()}#", consistent=True)
    return next((a for a in map(records.attempt_from, items) if a.state is not RunState.CLOSED), None)


def _anyone_due(store: Store, entity_id: str, on: date) -> bool:
    return next(due_accounts(store, entity_id, on), None) is not None


def _entity(store: Store, entity_id: str) -> LegalEntity:
    item = store.get(entity_id, "entity")
    if item is None:
        raise NotFound(f"no such legal entity: {entity_id}")
    return entity_from(item)


def _check_dependencies(store: Store, entity: LegalEntity, on: date, now: datetime) -> None:
    problems = Problems()
    today = local_date(now, entity.time_zone)
    if on > today:
        problems.add("as_of", "in_the_future", f"{on} has not begun where {entity.name} keeps its books")
    last = latest_of_seller(store, entity.id)
    if last and last.as_of > on:
        problems.add(
            "as_of",
            "numbers_would_go_back",
            f"invoices are already issued as of {last.as_of}, and dates must not fall as numbers rise;"
            " a run as of that day or later bills what was due before it too",
        )
    earlier = earlier_open(store, entity.id, on)
    if earlier:
        what = earlier.run_id if earlier.is_one_off else f"the run as of {earlier.as_of}"
        problems.add("as_of", "earlier_run_open", f"{what} is {earlier.state.value}; retry it first")
    problems.refuse_if_any("the run cannot start", "dependencies_not_met")


def _begin(
    store: Store,
    clock: Clock,
    entity: LegalEntity,
    on: date,
    *,
    run_id: str,
    number: int,
    dry_run: bool,
    only: DueAccount | None = None,
) -> Attempt:
    """Freeze who is due under a plan of our own, then claim the attempt; an attempt without plan is not ours."""
    plan_id = secrets.token_hex(6)
    attempt = Attempt(run_id, number, entity.id, on, RunState.OPEN, plan_id, 0, dry_run, instant_text(clock()))
    kept = {"expires_at_s": int(clock().timestamp()) + _DRY_RUN_KEPT_S} if dry_run else {}
    facts = [] if dry_run else [facts_item(entity)]  # what the documents of this attempt say of the seller
    due = [only] if only else due_accounts(store, entity.id, on)
    attempt = replace(attempt, accounts=_freeze(store, attempt, due, facts, kept))
    unit = Unit(f"open {run_id} {number}").insert(records.attempt_item(attempt) | kept)
    if not dry_run:
        unit.insert(records.listing_item(attempt))
    return attempt if store.write_one(unit) is None else replace(attempt, plan_id="")


def _freeze(store: Store, attempt: Attempt, due: Iterable[DueAccount], first: Iterable[Item], kept: Item) -> int:
    """Write who is due as the attempt's plan, batch by batch as they come, after what is to be `first`; how many."""
    count = 0

    def coming() -> Iterator[Item]:
        nonlocal count
        yield from first
        accounts = iter(due)
        while some := list(islice(accounts, ACCOUNTS_PER_BATCH)):
            batch = batch_name(count // ACCOUNTS_PER_BATCH)
            count += len(some)
            yield from (item | kept for item in records.plan_items(attempt.run_id, attempt.plan_id, batch, some))

    store.put_many(coming())
    return count


def _resume(store: Store, attempt: Attempt) -> Attempt:
    if attempt.state is RunState.FAILED:
        resumed = replace(attempt, state=RunState.OPEN, error="")
        move(store, resumed, RunState.FAILED)
        return resumed
    return attempt


def move(store: Store, attempt: Attempt, was: RunState) -> bool:
    """Write an attempt and its listing, if it is still in the state it was; False when someone else moved it."""
    moved(MOVES, was, attempt.state)
    key = records.attempt_key(attempt.run_id, attempt.number)
    unit = Unit(f"move {attempt.run_id} {attempt.number}")
    unit.update(key, set=records.attempt_fields(attempt), when={"status": was.value})
    if not attempt.dry_run:
        unit.put(records.listing_item(attempt))
    return store.write_one(unit) is None
