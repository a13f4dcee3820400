"""Reconcile a run with the ledger, close it, or record why it failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from heapq import nsmallest
from itertools import chain, islice

from saldo.invoicing.run import records
from saldo.invoicing.run.account_parts import Part, parts_of
from saldo.invoicing.run.model import Attempt, Drafted, RunState
from saldo.invoicing.run.number import batches_of, drafts_of, load_attempt, set_aside_of, taken_blocks
from saldo.invoicing.run.open import move
from saldo.invoicing.status import DocumentKind
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import derived_id
from saldo.ledger.model import EntryKind, LedgerAccount
from saldo.ledger.records import PREFIX, entry_from
from saldo.storage.store import Store

MOST_DIFFERENCES = 50


def reconcile_run(store: Store, run_id: str, attempt_number: int) -> dict[str, int]:
    """Compare what was drafted with what the ledger now holds, invoice by invoice; minor units per currency.

    Raises Refusal `run_does_not_reconcile` with the first differences when an entry is missing or of another amount,
    or when numbers and drafts are not as many.
    """
    attempt = load_attempt(store, run_id, attempt_number)
    if attempt.dry_run:
        return totals_of(drafts_of(store, attempt))
    totals: Counter[str] = Counter()
    drafted, wrong = 0, list[str]()
    for some in _hundreds(drafts_of(store, attempt)):
        drafted += len(some)
        totals.update(totals_of(some))
        wrong += _differing(store, some, attempt.as_of)
    numbered = sum(block.count for block in taken_blocks(store, attempt))
    if numbered != drafted:
        raise Refusal("run_does_not_reconcile", f"{drafted} drafts but {numbered} numbers")
    if wrong:
        raise Refusal("run_does_not_reconcile", "; ".join(wrong[:5]))
    return dict(totals)


def _hundreds(drafts: Iterator[Drafted]) -> Iterator[list[Drafted]]:
    while some := list(islice(drafts, 100)):
        yield some


def _differing(store: Store, drafts: Sequence[Drafted], booked_on: date) -> list[str]:
    """Which of these (at most 100) are booked otherwise than drafted."""
    keys = {d.invoice_id: _entry_key(d, booked_on) for d in drafts}
    found = store.get_many(list(keys.values()), consistent=True)
    wrong = []
    for draft in drafts:
        item = found.get(keys[draft.invoice_id])
        booked = _booked(item, draft) if item else 0
        if booked != draft.payable_minor:
            wrong.append(f"{draft.invoice_id} was drafted at {draft.payable_minor} and is booked at {booked}")
    return wrong


def _entry_key(draft: Drafted, booked_on: date) -> tuple[str, str]:
    credit_note = draft.kind is DocumentKind.CREDIT_NOTE
    kind = EntryKind.CREDIT_NOTE_ISSUED if credit_note else EntryKind.INVOICE_ISSUED
    return draft.account_id, f"{PREFIX}{booked_on.isoformat()}#{derived_id('je', booked_on, kind, draft.invoice_id)}"


def _booked(item: Mapping[str, object], draft: Drafted) -> int:
    """What the entry has the customer owe, or have to its credit."""
    legs = entry_from(dict(item)).postings
    if draft.kind is DocumentKind.CREDIT_NOTE:
        return sum(p.minor for p in legs if p.account is LedgerAccount.CUSTOMER_CREDIT)
    return sum(p.minor for p in legs if p.account is LedgerAccount.RECEIVABLES and p.invoice_id == draft.invoice_id)


def totals_of(drafts: Iterable[Drafted]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for draft in drafts:
        totals[draft.currency] += draft.total_minor
    return dict(totals)


def close_run(store: Store, clock: Clock, run_id: str, attempt_number: int) -> Attempt:
    """Close the attempt with its totals; closing twice changes nothing."""
    attempt = load_attempt(store, run_id, attempt_number)
    if attempt.state is RunState.CLOSED:
        return attempt
    numbers = _number_range(store, attempt)
    invoices = 0
    totals: Counter[str] = Counter()
    for drafts in batches_of(store, attempt):
        invoices += len(drafts)
        totals.update(totals_of(drafts))
    closed = replace(
        attempt,
        state=RunState.CLOSED,
        closed_at=instant_text(clock()),
        invoices=invoices,
        set_aside=len(set_aside_of(store, attempt)),
        totals=dict(totals),
        first_number=numbers[0],
        last_number=numbers[1],
    )
    if closed.dry_run:
        closed = replace(closed, differences=tuple(_differences(store, closed)))
    move(store, closed, attempt.state)
    return closed


def fail_run(store: Store, run_id: str, attempt_number: int, error: str) -> None:
    """Record why an attempt stopped; `saldo run retry` goes on where it stopped."""
    attempt = load_attempt(store, run_id, attempt_number)
    if attempt.state is RunState.OPEN:
        move(store, replace(attempt, state=RunState.FAILED, error=error[:500]), RunState.OPEN)


def _number_range(store: Store, attempt: Attempt) -> tuple[str, str]:
    """The first and last number of the series that most of its documents are in."""
    blocks = taken_blocks(store, attempt)
    if not blocks:
        return "", ""
    counts: Counter[str] = Counter()
    for block in blocks:
        counts[block.series.name] += block.count
    main = [block for block in blocks if block.series.name == counts.most_common(1)[0][0]]
    return main[0].numbers[0], main[-1].numbers[1]


def _differences(store: Store, attempt: Attempt) -> list[dict[str, object]]:
    """Accounts whose total would differ from the seller's last closed run, the largest changes first."""
    last = _last_closed(store, attempt)
    largest: list[dict[str, object]] = []
    for part in parts_of(attempt.invoices + (last.invoices if last else 0)):
        now = _by_account(drafts_of(store, attempt), part)
        before = _by_account(drafts_of(store, last), part) if last else {}
        changed = (
            {
                "account_id": account,
                "currency": currency,
                "before_minor": before.get((account, currency), 0),
                "now_minor": now.get((account, currency), 0),
            }
            for account, currency in now.keys() | before.keys()
            if now.get((account, currency), 0) != before.get((account, currency), 0)
        )
        largest = nsmallest(MOST_DIFFERENCES, chain(largest, changed), key=_by_size)
    return largest


def _by_size(change: Mapping[str, object]) -> tuple[int, str, str]:
    moved_by = abs(int(str(change["now_minor"])) - int(str(change["before_minor"])))
    return -moved_by, str(change["account_id"]), str(change["currency"])


def _by_account(drafts: Iterable[Drafted], part: Part) -> Mapping[tuple[str, str], int]:
    totals: Counter[tuple[str, str]] = Counter()
    for draft in drafts:
        if part(draft.account_id):
            totals[draft.account_id, draft.currency] += draft.total_minor
    return totals


def _last_closed(store: Store, attempt: Attempt) -> Attempt | None:
    for item in store.query_all(attempt.entity_id, prefix="run#", newest_first=True):
        before = records.attempt_from(item)
        if before.state is RunState.CLOSED and before.invoices and not before.is_one_off:
            return before
    return None
