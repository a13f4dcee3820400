"""Promises and payment plans: the form, its check, the list, and one with how it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from functions.portal.presenters.filters import date_from
from functions.portal.presenters.tags import Tag, due_note, promise_tag
from functions.portal.words import Words
from saldo.invoicing.listing import InvoiceRow
from saldo.kernel.errors import Problems
from saldo.payments.model_methods import StoredMethod
from saldo.promises.model import ACTIVE, Due, Every, Offer, Promise, PromiseState, Stands, Wanted, Why
from saldo.promises.rules import MOST_INSTALMENTS, spread, stands

MOST_SHOWN = 200
_PLAIN = ("first_on", "count", "every", "method", "why", "replaces")


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody filled in, as texts. `method` "" is to be reminded."""

    invoices: tuple[str, ...] = ()
    first_on: str = ""
    count: str = "1"
    every: str = "month"
    method: str = ""
    why: str = "cash"
    replaces: str = ""

    @classmethod
    def of(cls, form: Mapping[str, Sequence[str]]) -> Filled:
        plain = {name: form.get(name, [""])[-1].strip()[:64] for name in _PLAIN}
        return cls(tuple(dict.fromkeys(form.get("pay", [])))[:MOST_SHOWN], **plain)

    def pairs(self) -> list[tuple[str, str]]:
        """For hidden fields."""
        return [("pay", i) for i in self.invoices] + [(name, getattr(self, name)) for name in _PLAIN]

    def wanted(self, problems: Problems) -> Wanted:
        on = date_from(self.first_on, "first_on", problems)
        if on is None and not problems:
            problems.add("first_on", "invalid_date", "choose a day")
        count = int(self.count) if self.count.isascii() and self.count.isdigit() and len(self.count) < 4 else 0
        every = Every(self.every) if self.every in set(Every) else Every.MONTH
        why = Why(self.why) if self.why in set(Why) else Why.OTHER
        return Wanted(self.invoices, on or date.min, count, every, self.method, why)


@dataclass(frozen=True, slots=True)
class FormRow:
    invoice_id: str
    number: str
    due: str
    note: str
    amount: str
    minor: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class FormView:
    currency: str
    rows: tuple[FormRow, ...]
    methods: tuple[tuple[str, str, str], ...]
    every: tuple[tuple[str, str], ...]
    whys: tuple[tuple[str, str], ...]
    most: int = MOST_INSTALMENTS


def form_view(
    rows: Sequence[InvoiceRow],
    filled: Filled,
    methods: Sequence[StoredMethod],
    currency: str,
    today: date,
    words: Words,
) -> FormView:
    """Open invoices of one currency that are not under another promise."""
    free = [r for r in rows if r.currency == currency and r.undisputed_minor > 0]
    free = [r for r in free if r.promise_id in ("", filled.replaces)]
    shown = sorted(free, key=lambda r: (r.invoice_id not in filled.invoices, r.due_on, r.invoice_id))[:MOST_SHOWN]
    stored = tuple((m.id, words("plan.charge", method=m.shown_as), "") for m in methods)
    return FormView(
        currency,
        tuple(
            FormRow(
                r.invoice_id,
                r.number,
                words.day(r.due_on),
                due_note(r, today, words),
                words.amount(r.undisputed_minor, currency),
                r.undisputed_minor,
                r.invoice_id in filled.invoices,
            )
            for r in shown
        ),
        (("", words("plan.remind"), words("plan.remind_hint")), *stored),
        tuple((e.value, words(f"plan.every.{e}")) for e in Every),
        tuple((w.value, words(f"plan.why.{w}")) for w in Why),
    )


@dataclass(frozen=True, slots=True)
class CheckView:
    """`beyond`: why the seller has to be asked, as sentences; none where it counts at once."""

    currency: str
    minor: int
    total: str
    invoices: tuple[tuple[str, str], ...]
    instalments: tuple[tuple[str, str], ...]
    how: str
    why: str
    beyond: tuple[str, ...]


def check_view(offer: Offer, wanted: Wanted, methods: Sequence[StoredMethod], words: Words) -> CheckView:
    shown = {m.id: m.shown_as for m in methods}
    how = words("plan.charge", method=shown.get(wanted.method_id, "")) if wanted.method_id else words("plan.remind")
    return CheckView(
        offer.currency,
        offer.minor,
        words.money(offer.minor, offer.currency),
        tuple((c.number, words.amount(c.minor, offer.currency)) for c in offer.covers),
        tuple((words.day(i.on), words.amount(i.minor, offer.currency)) for i in offer.instalments),
        how,
        words(f"plan.why.{wanted.why}"),
        tuple(words(f"plan.beyond.{code}") for code in offer.beyond),
    )


@dataclass(frozen=True, slots=True)
class PlanRow:
    id: str
    what: str
    numbers: str
    until: str
    amount: str
    tag: Tag


def rows_of(promises: Sequence[Promise], words: Words) -> tuple[PlanRow, ...]:
    return tuple(
        PlanRow(
            p.id,
            what_of(p, words),
            _numbers(p),
            words.day(p.until_on),
            words.money(p.minor, p.currency),
            _tag(p, words),
        )
        for p in promises
    )


def _tag(promise: Promise, words: Words) -> Tag:
    return promise_tag(promise.state, words)


def what_of(promise: Promise, words: Words) -> str:
    """`Promise to pay`, `Plan of 3 instalments`."""
    return words.count("plan.what", len(promise.instalments))


def _numbers(promise: Promise) -> str:
    numbers = [c.number for c in promise.covers]
    return ", ".join(numbers[:3]) + (", …" if len(numbers) > 3 else "")


@dataclass(frozen=True, slots=True)
class StandsRow:
    on: str
    amount: str
    paid: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class PlanView:
    """`pay`: (invoice, minor) of the next instalment, so that it can be paid at once; `seen`: the revision that forms
    act on."""

    id: str
    title: str
    told: str
    tag: Tag
    seen: int
    currency: str
    facts: tuple[tuple[str, str], ...]
    beyond: tuple[str, ...]
    rows: tuple[StandsRow, ...]
    invoices: tuple[tuple[str, str, str], ...]
    history: tuple[tuple[str, str], ...]
    pay: tuple[tuple[str, int], ...]
    pay_amount: str
    is_asked: bool
    is_current: bool


def plan_view(promise: Promise, dues: Sequence[Due], today: date, zone: str, words: Words) -> PlanView:
    """dues: its invoices as they are now; only of a current promise do they say anything."""
    is_current, money = promise.state is PromiseState.CURRENT, promise.currency
    rows = stands(promise, dues) if is_current else tuple(
        Stands(n, one.on, one.minor, 0) for n, one in enumerate(promise.instalments, 1)
    )  # fmt: skip
    upcoming = next((row for row in rows if row.left_minor), None) if is_current else None
    pay = spread(upcoming.left_minor, dues) if upcoming else ()
    how = words("plan.charge", method=promise.method) if promise.method_id else words("plan.remind")
    left = sum(d.left_minor for d in dues) if is_current else 0
    facts = [
        (words("plan.total"), words.money(promise.minor, money)),
        (words("plan.left"), words.money(left, money) if is_current else ""),
        (words("plan.how"), how),
        (words("plan.why"), words(f"plan.why.{promise.why}")),
        (words("plan.grace"), words.count("plan.grace_days", promise.grace_days)),
        (words("plan.why_not"), words(f"plan.why_not.{promise.why_not}") if promise.why_not else ""),
    ]
    return PlanView(
        id=promise.id,
        title=what_of(promise, words),
        told=words(f"plan.told.{promise.state}"),
        tag=_tag(promise, words),
        seen=promise.revision,
        currency=money,
        facts=tuple(facts),
        beyond=tuple(words(f"plan.beyond.{code}") for code in promise.beyond),
        rows=tuple(_stands_row(row, promise, today, words) for row in rows if row.minor),
        invoices=tuple((c.invoice_id, c.number, words.amount(c.minor, money)) for c in promise.covers),
        history=tuple((words(f"plan.state.{h.state}"), words.moment(h.at, zone)) for h in reversed(promise.history)),
        pay=tuple((a.invoice_id, a.minor) for a in pay),
        pay_amount=words.money(sum(a.minor for a in pay), money),
        is_asked=promise.state is PromiseState.ASKED,
        is_current=is_current,
    )


def _stands_row(row: Stands, promise: Promise, today: date, words: Words) -> StandsRow:
    if promise.state not in ACTIVE:
        tag = Tag("over", words("plan.row.over"))
    elif promise.state is PromiseState.CURRENT and not row.left_minor:
        tag = Tag("done", words("plan.row.paid"))
    elif row.on < today and promise.state is PromiseState.CURRENT:
        tag = Tag("late", words("plan.row.missed", on=words.day(row.on + timedelta(days=promise.grace_days))))
    else:
        tag = Tag("part" if row.paid_minor else "open", words("plan.row.part" if row.paid_minor else "plan.row.open"))
    money = promise.currency
    return StandsRow(words.day(row.on), words.amount(row.minor, money), words.amount(row.paid_minor, money), tag)


def chosen_again(promise: Promise, filled: Filled) -> Filled:
    """The form of a plan that is to replace this one: its invoices are chosen already."""
    return replace(filled, invoices=tuple(c.invoice_id for c in promise.covers), replaces=promise.id)
