"""Payment terms in words, step by step, so that 30 days and then the month's end is not the other way round."""

from __future__ import annotations

from collections.abc import Iterator

from saldo.accounts.model_payment_terms import MONTH_END, PaymentTerms
from saldo.documents.wording import catalogue, language_of


def due_in_words(terms: PaymentTerms, language: str) -> str:
    """As documents and pages say it; English where the language has no catalogue."""
    words = catalogue(language_of(language))
    steps = [words[key].format(**values) for key, values in _steps(terms)]
    cut_off = words["due_cut_off"].format(day=terms.cut_off) if terms.cut_off is not None else ""
    return (words["due_then"].join(steps) or words["due_at_once"]) + cut_off


def _steps(terms: PaymentTerms) -> Iterator[tuple[str, dict[str, int]]]:
    """The key of each step's words and what they name."""
    if terms.from_month_end:
        yield "due_end_0", {}
    if terms.days:
        yield "due_days_one" if terms.days == 1 else "due_days", {"days": terms.days}
    if terms.day is None and terms.months:
        yield "due_months_one" if terms.months == 1 else "due_months", {"months": terms.months}
    if terms.day is not None:
        when = "end" if terms.day == MONTH_END else "day"
        yield f"due_{when}_{min(terms.months, 2)}", {"day": terms.day, "months": terms.months}
