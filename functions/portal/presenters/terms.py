"""Payment terms of an account, what was asked for, and the form that asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.portal.presenters.paying import typed_amount
from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.documents.wording_terms import due_in_words
from saldo.kernel.errors import Problems, Refusal
from saldo.terms.model import Asked, TermsRequest, TermsState, Why

_TONES = {
    TermsState.ASKED: "wait",
    TermsState.AGREED: "done",
    TermsState.REFUSED: "late",
    TermsState.WITHDRAWN: "over",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, as texts."""

    days: str = ""
    limit: str = ""
    why: str = "growth"

    @classmethod
    def of(cls, form: Mapping[str, Sequence[str]]) -> Typed:
        return cls(**{name: form.get(name, [""])[-1].strip()[:40] for name in ("days", "limit", "why")})

    def asked(self, now: Asked, currency: str, words: Words) -> tuple[Asked, Why]:
        """Refusal `invalid_terms_request` naming each field that cannot be read. Without days they stay as they are
        now; an empty limit is none."""
        problems, limit, due = Problems(), 0, now.due
        if self.days:
            are_days = self.days.isascii() and self.days.isdigit() and len(self.days) < 4
            due = PaymentTerms(int(self.days) if are_days else -1)
        if due.days < 0:
            problems.add("days", "out_of_range", "days are a whole number")
        if self.limit:
            try:
                limit = typed_amount(self.limit, currency, words.language)
            except Refusal:
                problems.add("limit", "invalid_amount", "this is not an amount")
        problems.refuse_if_any("these terms cannot be asked for", "invalid_terms_request")
        return Asked(due, limit), Why(self.why) if self.why in set(Why) else Why.OTHER


def typed_of(held: Asked, currency: str, words: Words) -> Typed:
    days = str(held.due.days) if held.due.is_days else ""
    return Typed(days, words.amount(held.limit_minor, currency) if held.limit_minor else "")


def limit_text(minor: int, currency: str, words: Words) -> str:
    return words.money(minor, currency) if minor else words("terms.no_limit")


def facts_of(asked: Asked, currency: str, words: Words) -> list[tuple[str, str]]:
    return [
        (words("terms.days"), due_in_words(asked.due, words.language)),
        (words("terms.limit"), limit_text(asked.limit_minor, currency, words)),
    ]


def terms_tag(state: TermsState, words: Words) -> Tag:
    return Tag(_TONES[state], words(f"terms.state.{state}"))


def whys(words: Words) -> tuple[tuple[str, str], ...]:
    return tuple((w.value, words(f"terms.why.{w}")) for w in Why)


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request. `note`: why it was refused."""

    id: str
    asked: str
    days: str
    limit: str
    tag: Tag
    note: str
    seen: int
    waits: bool


def rows_of(requests: Sequence[TermsRequest], zone: str, words: Words) -> tuple[RequestRow, ...]:
    return tuple(
        RequestRow(
            r.id,
            words.moment(r.asked_at, zone),
            due_in_words(r.asked.due, words.language),
            limit_text(r.asked.limit_minor, r.currency, words),
            terms_tag(r.state, words),
            words(f"terms.why_not.{r.why_not}") if r.why_not else "",
            r.revision,
            r.state is TermsState.ASKED,
        )
        for r in requests
    )
