"""Payment terms of an account, what was asked for, and the form that asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.portal.presenters.paying import typed_amount
from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
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

    def asked(self, currency: str, words: Words) -> tuple[Asked, Why]:
        """Refusal `invalid_terms_request` naming each field that cannot be read. An empty limit is none."""
        problems, limit = Problems(), 0
        days = int(self.days) if self.days.isascii() and self.days.isdigit() and len(self.days) < 4 else -1
        if days < 0:
            problems.add("days", "out_of_range", "days are a whole number")
        if self.limit:
            try:
                limit = typed_amount(self.limit, currency, words.language)
            except Refusal:
                problems.add("limit", "invalid_amount", "this is not an amount")
        problems.refuse_if_any("these terms cannot be asked for", "invalid_terms_request")
        return Asked(days, limit), Why(self.why) if self.why in set(Why) else Why.OTHER


def typed_of(held: Asked, currency: str, words: Words) -> Typed:
    return Typed(str(held.days), words.amount(held.limit_minor, currency) if held.limit_minor else "")


def days_text(days: int, words: Words) -> str:
    return words.count("terms.days_of", days)


def limit_text(minor: int, currency: str, words: Words) -> str:
    return words.money(minor, currency) if minor else words("terms.no_limit")


def facts_of(asked: Asked, currency: str, words: Words) -> list[tuple[str, str]]:
    return [
        (words("terms.days"), days_text(asked.days, words)),
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
            days_text(r.asked.days, words),
            limit_text(r.asked.limit_minor, r.currency, words),
            terms_tag(r.state, words),
            words(f"terms.why_not.{r.why_not}") if r.why_not else "",
            r.revision,
            r.state is TermsState.ASKED,
        )
        for r in requests
    )
