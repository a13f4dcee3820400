"""From a row of a file to a usage event, or everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from saldo.kernel.clock import instant_from
from saldo.kernel.errors import Problem, Problems, Refusal
from saldo.kernel.exact import fits
from saldo.kernel.ids import check_id
from saldo.usage.model import Aggregation, Meter, UsageEvent

COLUMNS = ("source", "id", "account_id", "meter", "at", "value")
PROPERTY_PREFIX = "property."
CLOCK_SKEW = timedelta(minutes=5)
EARLIEST_YEAR = 2000
MOST_PROPERTIES = 5

_NAME = re.compile(r"[\x21-\x7e]{1,200}")
_MAY_FALL = (Aggregation.WEIGHTED, Aggregation.LATEST)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One row as it came. `number` is its line, or its place in a batch, counted from 1; `fields` by column name.

    `broken` says why there are no fields to read. `text` is the row itself, for the report.
    """

    number: int
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    broken: Problem | None = None


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not accepted, with every problem found in it."""

    number: int
    text: str
    problems: tuple[Problem, ...]

    def as_dict(self) -> dict[str, object]:
        return {"row": self.number, "problems": [p.as_dict() for p in self.problems], "text": self.text[:1000]}


def account_named(row: UsageRow) -> str:
    """The account id a row names, "" when it has none of that shape."""
    try:
        return check_id(row.fields.get("account_id", ""), "acct")
    except Refusal:
        return ""


def event_from(row: UsageRow, meters: Mapping[str, Meter], now: datetime) -> UsageEvent | tuple[Problem, ...]:
    """The event of a row, or every problem in it; whether the account exists is for the caller to know."""
    if row.broken is not None:
        return (row.broken,)
    problems = Problems()
    for column in ("source", "id"):
        if not _NAME.fullmatch(row.fields.get(column, "")):
            problems.add(column, "invalid_id", "1 to 200 printable ASCII characters without blanks")
    if not account_named(row):
        problems.add("account_id", "invalid_account_id", "not an account id (acct_…)")
    meter = meters.get(row.fields.get("meter", ""))
    if meter is None:
        problems.add("meter", "unknown_meter", f"no meter {row.fields.get('meter', '')!r} of this seller")
    at = _at(row.fields.get("at", ""), now, problems)
    value = _value(row.fields.get("value", ""), meter, problems)
    properties = _properties(row.fields, meter, problems)
    if problems or meter is None or at is None or value is None:
        return problems.found
    fields = row.fields
    return UsageEvent(fields["source"], fields["id"], fields["account_id"], meter.id, at, value, properties)


def _at(text: str, now: datetime, problems: Problems) -> datetime | None:
    try:
        at = instant_from(text)
    except (ValueError, OverflowError):
        problems.add("at", "invalid_time", f"{text!r} is not a time with its offset (2026-11-23T20:43:20Z)")
        return None
    if at > now + CLOCK_SKEW:
        problems.add("at", "in_the_future", f"{text} has not come yet")
    if at.year < EARLIEST_YEAR:
        problems.add("at", "invalid_time", f"{text} lies before the year {EARLIEST_YEAR}")
    return at


def _value(text: str, meter: Meter | None, problems: Problems) -> Decimal | None:
    counts = meter is not None and meter.aggregation in (Aggregation.COUNT, Aggregation.UNIQUE)
    if not text and counts:
        return Decimal(1)
    try:
        value = Decimal(text)
    except InvalidOperation:
        problems.add("value", "invalid_value", f"{text!r} is not a number")
        return None
    if not fits(value):
        problems.add("value", "invalid_value", f"{text!r} is not a finite number of at most 40 digits")
    elif value < 0 and not (meter and meter.aggregation in _MAY_FALL):
        problems.add("value", "negative_value", f"{text} is below zero")
    return value


def _properties(fields: Mapping[str, str], meter: Meter | None, problems: Problems) -> dict[str, str]:
    found = {
        name.removeprefix(PROPERTY_PREFIX): text
        for name, text in fields.items()
        if name.startswith(PROPERTY_PREFIX) and text
    }
    if len(found) > MOST_PROPERTIES or any(len(name) > 40 or len(text) > 100 for name, text in found.items()):
        problems.add("properties", "invalid_properties", f"at most {MOST_PROPERTIES}, with values of 100 characters")
    if meter is not None and meter.unique_by and meter.unique_by not in found:
        problems.add(PROPERTY_PREFIX + meter.unique_by, "missing_property", f"{meter.id} counts its distinct values")
    return found
