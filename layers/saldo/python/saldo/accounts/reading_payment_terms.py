"""Payment terms as JSON: {"days": 30}, {"days": 30, "then": "end_of_month"}, {"from": "end_of_month", "days": 10},
{"months": 1}, {"day": 20, "months": 1, "cut_off": 12}. What is a number of days alone is also told as that number."""

from __future__ import annotations

from enum import StrEnum
from typing import Any  # JSON is of any shape until it is read

from saldo.accounts.model_payment_terms import MONTH_END, PaymentTerms
from saldo.kernel.errors import Problems
from saldo.kernel.reading import Fields

Json = dict[str, Any]
STANDARD_DAYS = 30
MOST_DAYS = 365
_MOST_MONTHS = 12


class _From(StrEnum):
    ISSUE = "issue"
    END_OF_MONTH = "end_of_month"


class _Then(StrEnum):
    END_OF_MONTH = "end_of_month"


def payment_terms_of(fields: Fields, most_days: int) -> PaymentTerms:
    """What an account's `payment_terms` or `payment_terms_days` say; 30 days where neither does."""
    fields.one_of("payment_terms", "payment_terms_days")
    if fields.has("payment_terms"):
        return payment_terms_from(fields.child("payment_terms"), most_days)
    days = fields.integer("payment_terms_days", STANDARD_DAYS)
    _bounded(fields, "payment_terms_days", days, 0, most_days)
    return PaymentTerms(days)


def payment_terms_from(fields: Fields, most_days: int) -> PaymentTerms:
    """The terms that an object says; problems where a due date would not follow from it."""
    from_month_end = fields.choice("from", _From, _From.ISSUE) is _From.END_OF_MONTH
    day = _day(fields)
    is_told = (day is not None or fields.has("months")) and not from_month_end
    days = fields.integer("days", 0) if is_told else fields.integer("days")
    _bounded(fields, "days", days, int(from_month_end), most_days)
    months, cut_off = fields.maybe_integer("months"), fields.maybe_integer("cut_off")
    fields.finish()
    if day is None:
        if fields.has("cut_off"):
            fields.problems.add(fields.at("cut_off"), "no_day", "which day of the month is `day`, or `then`, to say")
        if months is not None:
            _bounded(fields, "months", months, 1, _MOST_MONTHS)
        return PaymentTerms(days, from_month_end, None, months or 0)
    if months is None:
        months = 0 if fields.has("then") else 1
    _bounded(fields, "months", months, 0, _MOST_MONTHS)
    _check_cut_off(fields, day, months, cut_off)
    if cut_off == MONTH_END:  # no day is after it
        cut_off = None
    return PaymentTerms(days, from_month_end, day, months, cut_off)


def _day(fields: Fields) -> int | None:
    fields.one_of("day", "then")
    if fields.has("then"):
        fields.choice("then", _Then)
        return MONTH_END
    if not fields.has("day"):
        return None
    day = fields.integer("day")
    _bounded(fields, "day", day, 1, MONTH_END)
    return day


def _check_cut_off(fields: Fields, day: int, months: int, cut_off: int | None) -> None:
    """In the month itself nothing may be due on a day that is over when it is issued."""
    if cut_off is not None:
        _bounded(fields, "cut_off", cut_off, 1, MONTH_END if months else day)
    elif not months and day < MONTH_END:
        why = "with `months` of 0, say after which day of the month it is a month later; no later than `day`"
        fields.problems.add(fields.at("cut_off"), "missing", why)


def _bounded(fields: Fields, name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most and not fields.is_faulty(name):
        fields.problems.add(fields.at(name), "out_of_range", f"must be from {least} to {most}")


def payment_terms_json(terms: PaymentTerms) -> Json:
    """As the object is written that reads as these terms, always the same way."""
    if terms.is_days:
        return {"days": terms.days}
    found: Json = {"from": "end_of_month"} if terms.from_month_end else {}
    if terms.days:
        found["days"] = terms.days
    if terms.day is not None:
        to_end = terms.day == MONTH_END
        found |= {"then": "end_of_month"} if to_end else {"day": terms.day}
        if terms.months != (0 if to_end else 1):
            found["months"] = terms.months
        if terms.cut_off is not None:
            found["cut_off"] = terms.cut_off
    elif terms.months:
        found["months"] = terms.months
    return found


def payment_terms_fields(terms: PaymentTerms) -> Json:
    """The field of an account's document that says them."""
    return {"payment_terms_days": terms.days} if terms.is_days else {"payment_terms": payment_terms_json(terms)}


def payment_terms_stored(kept: int | Json) -> PaymentTerms:
    """Of a number of days, or of an object as it was written by `payment_terms_json`."""
    found = kept if isinstance(kept, dict) else {"days": int(kept)}
    problems = Problems()
    terms = payment_terms_from(Fields(found, problems), most_days=36_600)
    assert not problems.found, "what is stored was checked before"
    return terms
