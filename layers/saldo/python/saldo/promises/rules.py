"""Decisions on promises: what may be promised, how it is parted, how it stands, what a day does. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.money import Money, split_by_weights
from saldo.kernel.periods import add_months
from saldo.kernel.states import moved
from saldo.payments.model import Allocation
from saldo.promises.model import (
    ACTIVE,
    MOVES,
    Candidate,
    Case,
    Covered,
    Due,
    Every,
    Instalment,
    Limits,
    LimitsPolicy,
    Offer,
    Promise,
    PromiseState,
    Stands,
    StateChange,
    Wanted,
)

MOST_INVOICES = 20
MOST_INSTALMENTS = 24
FARTHEST = timedelta(days=730)
# So long before its day an instalment's payer is told of it, and its charge is announced.
NOTICE = timedelta(days=3)
_DAYS = {Every.WEEK: 7, Every.FORTNIGHT: 14}


def check_limits(policy: LimitsPolicy) -> None:
    """Refusal `invalid_limits` naming every problem."""
    problems = Problems()
    for segment, limits in {"": policy.limits, **policy.segments}.items():
        path = f"segments.{segment}." if segment else ""
        bounds = {"most_days": 365, "months_after_broken": 60, "most_at_once": 20, "grace_days": 30}
        for name, most in bounds.items():
            if not 0 <= getattr(limits, name) <= most:
                problems.add(path + name, "out_of_range", f"must be from 0 to {most}")
        if not 1 <= limits.most_instalments <= MOST_INSTALMENTS:
            problems.add(path + "most_instalments", "out_of_range", f"must be from 1 to {MOST_INSTALMENTS}")
        if limits.most_minor < 0:
            problems.add(path + "most_minor", "out_of_range", "must be zero or more")
    problems.refuse_if_any("these limits cannot be set", "invalid_limits")


def offer(wanted: Wanted, case: Case) -> Offer:
    """What a wish comes to. Refusal `invalid_promise` with every problem: nothing_chosen, too_many_covered,
    unknown_invoice, nothing_to_promise, promised_already, currency_mix, not_ahead, too_far, out_of_range, too_small."""
    problems = Problems()
    chosen = _chosen(wanted, case, problems)
    earliest = case.today + (NOTICE + timedelta(days=1) if wanted.method_id else timedelta(days=1))
    if wanted.first_on < earliest:
        problems.add("first_on", "too_soon" if wanted.first_on > case.today else "not_ahead", "choose a later day")
    total = sum(one.minor for one in chosen)
    if not 1 <= wanted.count <= MOST_INSTALMENTS:
        problems.add("count", "out_of_range", f"must be from 1 to {MOST_INSTALMENTS}")
    elif chosen and total < wanted.count:
        problems.add("count", "too_small", "each instalment is at least the smallest coin")
    elif wanted.first_on > case.today + FARTHEST or _days(wanted)[-1] > case.today + FARTHEST:
        problems.add("first_on", "too_far", f"the last day lies within {FARTHEST.days} days")
    problems.refuse_if_any("this cannot be promised so", "invalid_promise")
    covers = tuple(Covered(c.invoice_id, c.number, c.due_on, c.minor) for c in chosen)
    instalments = parted(Money(total, chosen[0].currency), _days(wanted))
    return Offer(chosen[0].currency, covers, instalments, _beyond(covers, instalments, case))


def _chosen(wanted: Wanted, case: Case, problems: Problems) -> list[Candidate]:
    ids = tuple(dict.fromkeys(wanted.invoice_ids))
    if not ids:
        problems.add("invoices", "nothing_chosen", "choose at least one invoice")
    if len(ids) > MOST_INVOICES:
        problems.add("invoices", "too_many_covered", f"one promise covers at most {MOST_INVOICES} invoices")
    asked = {c.invoice_id for p in case.earlier if p.state is PromiseState.ASKED for c in p.covers}
    found = [case.candidates[i] for i in ids if i in case.candidates]
    if len(found) < len(ids):
        problems.add("invoices", "unknown_invoice", "there is no such open invoice")
    for one in found:
        if one.minor <= 0:
            problems.add("invoices", "nothing_to_promise", f"nothing of {one.number} is to be paid")
        if one.invoice_id in asked or (one.promise_id and one.promise_id != case.replaces):
            problems.add("invoices", "promised_already", f"{one.number} is promised already, or that was asked for")
    if len({one.currency for one in found}) > 1:
        problems.add("invoices", "currency_mix", "one promise has one currency")
    return sorted(found, key=lambda one: (one.due_on, one.invoice_id))


def _days(wanted: Wanted) -> list[date]:
    if wanted.every is Every.MONTH:
        return [add_months(wanted.first_on, n) for n in range(wanted.count)]
    return [wanted.first_on + timedelta(days=n * _DAYS[wanted.every]) for n in range(wanted.count)]


def parted(total: Money, days: Sequence[date]) -> tuple[Instalment, ...]:
    """Equal instalments that add up to the total: largest remainder, so the first ones are a coin larger."""
    parts = split_by_weights(total, [1] * len(days))
    return tuple(Instalment(on, part.minor) for on, part in zip(days, parts, strict=True))


def _beyond(covers: Sequence[Covered], instalments: Sequence[Instalment], case: Case) -> tuple[str, ...]:
    limits, active = case.limits, [p for p in case.earlier if p.state in ACTIVE and p.id != case.replaces]
    broken = [h.at.date() for p in case.earlier for h in p.history if h.state is PromiseState.BROKEN]
    total = sum(one.minor for one in covers)
    found = {
        "late": (instalments[-1].on - covers[0].due_on).days > limits.most_days,
        "much": bool(limits.most_minor) and total > limits.most_minor,
        "many": len(active) >= limits.most_at_once,
        "instalments": len(instalments) > limits.most_instalments,
        "broken": any(case.today < add_months(on, limits.months_after_broken) for on in broken),
        "again": bool(case.replaces),
    }
    return tuple(code for code, goes in found.items() if goes)


def into(promise: Promise, state: PromiseState, at: datetime) -> Promise:
    """The promise in another state; Refusal `promise_over` where no move leads there."""
    try:
        state = moved(MOVES, promise.state, state)
    except Refusal as refusal:
        raise Refusal("promise_over", "this promise has been decided, or is over; look at it again") from refusal
    return replace(promise, state=state, history=(*promise.history, StateChange(at, state)))


def agreed(old: Promise, case: Case, at: datetime) -> Promise:
    """A request as it becomes a promise: of what is open now, its last instalments shortened to that.

    Refusal `promise_outdated` when its first day has come, or nothing is left to promise.
    """
    open_now = [case.candidates[c.invoice_id] for c in old.covers if c.invoice_id in case.candidates]
    free = [c for c in open_now if c.minor > 0 and c.promise_id in ("", old.replaces)]
    if not free or old.instalments[0].on <= case.today:
        raise Refusal("promise_outdated", "its first day has come, or nothing of it is left to promise")
    covers = tuple(Covered(c.invoice_id, c.number, c.due_on, c.minor) for c in free)
    amounts = _amounts(old.instalments, sum(c.minor for c in covers))
    pairs = zip(old.instalments, amounts, strict=True)
    instalments = tuple(Instalment(one.on, minor) for one, minor in pairs if minor)
    new = into(old, PromiseState.CURRENT, at)
    return replace(new, covers=covers, instalments=instalments, revision=old.revision + 1)


def stands(promise: Promise, dues: Sequence[Due]) -> tuple[Stands, ...]:
    """The instalments by now. What payments brought pays the earliest; what credit notes and disputes took away
    shortens the last ones, and what comes back from a dispute is on the last."""
    paid, left = sum(d.paid_minor for d in dues), sum(d.left_minor for d in dues)
    amounts = _amounts(promise.instalments, paid + left)
    found = []
    for number, (one, minor) in enumerate(zip(promise.instalments, amounts, strict=True), 1):
        of_it = min(paid, minor)
        found.append(Stands(number, one.on, minor, of_it))
        paid -= of_it
    return tuple(found)


def _amounts(instalments: Sequence[Instalment], total: int) -> list[int]:
    """The instalments' amounts, shortened from the end to the total, or the last of them raised to it."""
    amounts = []
    for one in instalments:
        minor = min(one.minor, total)
        amounts.append(minor)
        total -= minor
    amounts[-1] += total
    return amounts


def spread(minor: int, dues: Sequence[Due]) -> tuple[Allocation, ...]:
    """What an instalment pays: the invoices due first, each as far as it is still to come."""
    found = []
    for due in sorted(dues, key=lambda d: (d.due_on, d.invoice_id)):
        part = min(minor, due.left_minor)
        if part > 0:
            found.append(Allocation(due.invoice_id, part))
        minor -= part
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Today:
    """What a day does with a promise. over: KEPT or BROKEN. coming: an instalment that is told of, and charged where
    that was chosen. missed: one whose day is past and that may still come."""

    over: PromiseState | None = None
    coming: Stands | None = None
    missed: Stands | None = None


def day_of(promise: Promise, dues: Sequence[Due], on: date, *, being_paid: bool) -> Today:
    """being_paid: a payment for one of its invoices is under way, so nothing is missed yet."""
    if not any(due.left_minor for due in dues):
        return Today(over=PromiseState.KEPT)
    unpaid = [one for one in stands(promise, dues) if one.left_minor]
    # What was to be charged and was not even announced, because no day's run came by, is not the payer's fault.
    late = [one for one in unpaid if one.on < on and (not promise.method_id or one.number <= promise.told)]
    if late and not being_paid and late[0].on + timedelta(days=promise.grace_days) < on:
        return Today(over=PromiseState.BROKEN)
    missed = late[0] if late and not being_paid and late[0].number > promise.missed_told else None
    ahead = [one for one in unpaid if one.number > promise.told and one.on <= on + NOTICE]
    near = [one for one in ahead if promise.method_id or on <= one.on]
    return Today(coming=near[0] if near else None, missed=missed)


def limits_for(policy: LimitsPolicy, own: Limits | None, segment: str) -> Limits:
    """An account's own limits go before its segment's, and those before everybody's."""
    return own or policy.of(segment)
