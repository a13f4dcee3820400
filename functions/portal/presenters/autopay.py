"""Autopay as sentences: the rule, its form, its debits, what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from functions.portal.presenters.paying import typed_amount
from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
from saldo.autopay.model import Debit, DebitState, Plan, Rule, When
from saldo.autopay.reading import Paying
from saldo.kernel.errors import Refusal
from saldo.payments.model_methods import Methods

_FLAGS = ("skips_disputed", "skips_promised", "takes_discounts")
_TONES = {
    DebitState.ANNOUNCED: "wait",
    DebitState.STARTING: "wait",
    DebitState.STARTED: "wait",
    DebitState.CANCELLED: "over",
    DebitState.SKIPPED: "over",
    DebitState.FAILED: "late",
    DebitState.PAID: "done",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, as texts."""

    when: str = "due"
    days: str = "3"
    day: str = "1"
    method: str = ""
    cap: str = ""
    notice_days: str = "5"
    also: tuple[str, ...] = _FLAGS

    @classmethod
    def of(cls, form: Mapping[str, Sequence[str]]) -> Typed:
        plain = {name: form.get(name, [""])[-1].strip()[:64] for name in _PLAIN}
        return cls(**plain, also=tuple(flag for flag in form.get("also", []) if flag in _FLAGS))

    def pairs(self) -> list[tuple[str, str]]:
        """For hidden fields."""
        return [(name, getattr(self, name)) for name in _PLAIN] + [("also", flag) for flag in self.also]

    def rule(self, old: Rule, words: Words) -> tuple[Rule, list[tuple[str, str]]]:
        """The rule that this describes; problems by field. What is not asked for keeps what it was."""
        problems: list[tuple[str, str]] = []
        when = When(self.when) if self.when in set(When) else When.DUE
        asked = {When.BEFORE: ("days",), When.MONTHLY: ("day",)}.get(when, ())
        numbers: dict[str, int] = {}
        for name in (*asked, "notice_days"):
            text = getattr(self, name)
            if text.isascii() and text.isdigit() and len(text) <= 3:
                numbers[name] = int(text)
            else:
                problems.append((name, words(f"autopay.problem.{name}")))
        cap_minor = 0
        if self.cap:
            try:
                cap_minor = typed_amount(self.cap, old.currency, words.language)
            except Refusal:
                problems.append(("cap", words("autopay.problem.cap")))
        wanted = replace(
            old,
            when=when,
            days=numbers.get("days", old.days),
            day=numbers.get("day", old.day),
            method_id=self.method,
            cap_minor=cap_minor,
            notice_days=numbers.get("notice_days", old.notice_days),
            skips_disputed="skips_disputed" in self.also,
            skips_promised="skips_promised" in self.also,
            takes_discounts="takes_discounts" in self.also,
        )
        return wanted, problems


_PLAIN = ("when", "days", "day", "method", "cap", "notice_days")


def typed_rule(rule: Rule, words: Words) -> Typed:
    """A rule as it is filled in."""
    cap = words.amount(rule.cap_minor, rule.currency) if rule.cap_minor else ""
    also = tuple(flag for flag in _FLAGS if getattr(rule, flag))
    days = str(rule.days or 3)
    return Typed(rule.when.value, days, str(rule.day), rule.method_id, cap, str(rule.notice_days), also)


@dataclass(frozen=True, slots=True)
class FormView:
    when: tuple[tuple[str, str, str], ...]
    methods: tuple[tuple[str, str], ...]
    also: tuple[tuple[str, str, str], ...]


def rule_form(methods: Methods, typed: Typed, words: Words) -> FormView:
    default = (("", words("autopay.default_method")),)
    return FormView(
        tuple((when.value, words(f"autopay.when.{when}"), "") for when in When),
        (*default, *((m.id, m.shown_as) for m in methods.active)),
        tuple((flag, words(f"autopay.also.{flag}"), "") for flag in _FLAGS),
    )


@dataclass(frozen=True, slots=True)
class DebitRow:
    id: str
    on: str
    amount: str
    note: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class RuleView:
    """`sentences`: the rule as a person would say it, none without one. `needs_method`: nothing could be charged."""

    sentences: tuple[str, ...]
    is_on: bool
    debits: tuple[DebitRow, ...]
    needs_method: bool


def rule_view(paying: Paying, words: Words) -> RuleView:
    rule, method = paying.rule, paying.method
    rows = tuple(_row(debit, words) for debit in sorted(paying.debits, key=lambda d: d.id, reverse=True))
    if rule is None:
        return RuleView((), False, rows, method is None)
    name = method.shown_as if method else words("autopay.no_method")
    sentences = [
        words(f"autopay.says.{rule.when}", days=str(rule.days), day=str(rule.day), method=name),
        words.count("autopay.says.notice", rule.notice_days),
    ]
    if rule.cap_minor:
        sentences.append(words("autopay.says.cap", amount=words.money(rule.cap_minor, rule.currency)))
    sentences += [words(f"autopay.says.{flag}") for flag in _FLAGS if getattr(rule, flag)]
    if rule.excluded:
        sentences.append(words.count("autopay.says.excluded", len(rule.excluded)))
    return RuleView(tuple(sentences), rule.is_on, rows, method is None)


def _row(debit: Debit, words: Words) -> DebitRow:
    tag = Tag(_TONES[debit.state], words(f"autopay.state.{debit.state}"))
    return DebitRow(
        debit.id, words.day(debit.debit_on), words.money(debit.minor, debit.currency), _why(debit.code, words), tag
    )


def _why(code: str, words: Words) -> str:
    """Why it is not collected: autopay's own reasons, else the gateway's."""
    if not code:
        return ""
    gateway = f"payment_failure.{code}"
    return words.known(f"autopay.code.{code}", gateway if code in _OF_THE_GATEWAY else "autopay.code.other")


_OF_THE_GATEWAY = ("insufficient_funds", "card_declined")


@dataclass(frozen=True, slots=True)
class DebitView:
    row: DebitRow
    currency: str
    announced: str
    method: str
    lines: tuple[tuple[str, str, str], ...]
    may_cancel: bool
    payment_id: str


def debit_view(debit: Debit, words: Words) -> DebitView:
    charged = {a.invoice_id: a.minor for a in debit.charged}
    lines = tuple(
        (line.invoice_id, line.number, words.amount(charged.get(line.invoice_id, line.minor), debit.currency))
        for line in debit.lines
        if not charged or line.invoice_id in charged
    )
    return DebitView(
        _row(debit, words),
        debit.currency,
        words.day(debit.announced_on),
        debit.method,
        lines,
        debit.state is DebitState.ANNOUNCED,
        debit.payment_id,
    )


@dataclass(frozen=True, slots=True)
class PlannedRow:
    on: str
    announced: str
    numbers: str
    amount: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """`left_out`: (invoice id, number, amount, why)."""

    planned: tuple[PlannedRow, ...]
    left_out: tuple[tuple[str, str, str, str], ...]


def plan_view(plan: Plan, currency: str, words: Words) -> PlanView:
    planned = tuple(
        PlannedRow(
            words.day(p.debit_on),
            words.day(p.announce_on),
            ", ".join(line.number for line in p.lines),
            words.money(p.minor, currency),
        )
        for p in plan.planned
    )
    left_out = tuple(
        (one.invoice_id, one.number, words.money(one.open_minor, one.currency), _why(one.code, words))
        for one in plan.left_out
    )
    return PlanView(planned, left_out)
