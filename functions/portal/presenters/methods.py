"""Stored payment methods and scheduled payments as texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
from saldo.payments.model_methods import MethodKind, Methods, MethodStatus, StoredMethod
from saldo.payments.rules_methods import warns_on
from saldo.payments.scheduled import Scheduled, ScheduledState


@dataclass(frozen=True, slots=True)
class MethodRow:
    """`note`: until when it is good, or why it was not stored."""

    id: str
    name: str
    kind: str
    note: str
    tag: Tag
    is_active: bool
    is_default: bool
    url: str


@dataclass(frozen=True, slots=True)
class MethodsView:
    """`warning`: what the reader should do about a method that expires, "" for nothing. `is_waiting`: news are due."""

    rows: tuple[MethodRow, ...]
    warning: str
    is_waiting: bool


def methods_view(methods: Methods, today: date, words: Words) -> MethodsView:
    """What is there, what was begun lately, nothing that was removed."""
    shown = [m for m in methods.all if m.status is not MethodStatus.REMOVED]
    failed = [m for m in shown if m.status is MethodStatus.FAILED][1:]  # of those that failed the latest will do
    rows = tuple(method_row(m, methods, today, words) for m in shown if m not in failed)
    ends = [m for m in methods.active if _is_ending(m, today)]
    warning = words("methods.warning", name=ends[0].shown_as) if ends else ""
    return MethodsView(rows, warning, any(m.status is MethodStatus.STARTED for m in shown))


def method_row(method: StoredMethod, methods: Methods, today: date, words: Words) -> MethodRow:
    is_default = methods.default is not None and methods.default.id == method.id
    return MethodRow(
        method.id,
        method.shown_as or words("methods.new"),
        words(f"methods.kind.{method.kind}"),
        _note(method, words),
        _tag(method, is_default, today, words),
        method.status is MethodStatus.ACTIVE,
        is_default,
        method.url if method.status is MethodStatus.STARTED else "",
    )


def _note(method: StoredMethod, words: Words) -> str:
    if method.status is MethodStatus.FAILED:
        return words.known(f"payment_failure.{method.failure_code}", "methods.failed")
    if method.kind is MethodKind.DEBIT:
        return words("methods.only_in", currency=method.currency)
    return words("methods.good_until", on=words.day(method.expires_on)) if method.expires_on else ""


def _tag(method: StoredMethod, is_default: bool, today: date, words: Words) -> Tag:
    if method.status is not MethodStatus.ACTIVE:
        is_started = method.status is MethodStatus.STARTED
        return Tag("wait" if is_started else "late", words(f"methods.state.{method.status}"))
    if method.expires_on is not None and today > method.expires_on:
        return Tag("late", words("methods.state.expired"))
    if _is_ending(method, today):
        return Tag("late", words("methods.state.expiring"))
    return Tag(
        "done" if is_default else "open", words("methods.state.default" if is_default else "methods.state.active")
    )


def _is_ending(method: StoredMethod, today: date) -> bool:
    from_on = warns_on(method)
    return from_on is not None and today >= from_on


@dataclass(frozen=True, slots=True)
class ScheduledRow:
    id: str
    on: str
    amount: str
    note: str
    tag: Tag
    may_cancel: bool
    payment_id: str


_TONES = {
    ScheduledState.WAITING: "wait",
    ScheduledState.STARTING: "wait",
    ScheduledState.STARTED: "done",
    ScheduledState.CANCELLED: "over",
    ScheduledState.FAILED: "late",
}


def scheduled_rows(found: Sequence[Scheduled], words: Words) -> list[ScheduledRow]:
    """Those that wait first, then the latest."""
    ordered = sorted(found, key=lambda s: (s.on, s.id), reverse=True)
    ordered.sort(key=lambda s: s.state is not ScheduledState.WAITING)
    return [
        ScheduledRow(
            one.id,
            words.day(one.on),
            words.money(one.amount_minor, one.currency),
            words.known(f"refusal.{one.failure_code}", "scheduled.failed") if one.failure_code else "",
            Tag(_TONES[one.state], words(f"scheduled.state.{one.state}")),
            one.state is ScheduledState.WAITING,
            one.payment_id,
        )
        for one in ordered
    ]
