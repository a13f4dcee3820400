"""From a row of a file to a usage event, or everything that is wrong with it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from saldo.kernel.clock import instant_from
from saldo.kernel.errors import Problem, Problems, Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.numbers import fits, number_in
from saldo.usage.model import SUBSCRIPTION, Aggregation, Meter, UsageEvent

COLUMNS = ("source", "id", "account_id", "meter", "at", "value")
PROPERTY_PREFIX = "property."
CLOCK_SKEW = timedelta(minutes=5)
EARLIEST_YEAR = 2000
MOST_PROPERTIES, MOST_PROPERTY_LENGTH = 5, 100

_NAME = re.compile(r"[\x21-\x7e]{1,200}")
_ONLY_COUNT = (Aggregation.COUNT, Aggregation.UNIQUE)
_MAY_FALL = (Aggregation.WEIGHTED, Aggregation.LATEST)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One row as it came. `number` is its line, or its place in a batch, counted from 1; `fields` by column name.

    `broken` says why there are no fields to read. `text` is the row itself, for the report. `repairs`: how often it was
    edited in the quarantine.
    """

    number: int
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    broken: Problem | None = None
    repairs: int = 0


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not accepted, with every problem found in it."""

    number: int
    text: str
    problems: tuple[Problem, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    repairs: int = 0

    def as_dict(self) -> dict[str, object]:
        return {"row": self.number, "problems": [p.as_dict() for p in self.problems], "text": self.text[:1000]}


def rejected(row: UsageRow, *problems: Problem) -> RejectedRow:
    return RejectedRow(row.number, row.text, problems, row.fields, row.repairs)


def account_named(row: UsageRow) -> str:
    """The account id a row names, "" when it has none of that shape."""
    try:
        return check_id(row.fields.get("account_id", ""), "acct")
    except Refusal:
        return ""


def subscription_named(row: UsageRow, meters: Mapping[str, Sequence[Meter]]) -> str:
    """The subscription that a row names for a meter that counts by subscription, "" where none does."""
    counting = meters.get(row.fields.get("meter", ""), ())
    named = row.fields.get(PROPERTY_PREFIX + SUBSCRIPTION, "")
    return named if any(m.by_subscription for m in counting) and len(named) <= MOST_PROPERTY_LENGTH else ""


def event_from(row: UsageRow, meters: Mapping[str, Sequence[Meter]], now: datetime) -> UsageEvent | tuple[Problem, ...]:
    """The event of a row, or every problem in it; whether the account exists is for the caller to know.

    meters: those that count events of a name, by that name.
    """
    if row.broken is not None:
        return (row.broken,)
    problems = Problems()
    for column in ("source", "id"):
        if not _NAME.fullmatch(row.fields.get(column, "")):
            problems.add(column, "invalid_id", "1 to 200 printable ASCII characters without blanks")
    if not account_named(row):
        problems.add("account_id", "invalid_account_id", "not an account id (acct_…)")
    name = row.fields.get("meter", "")
    counting = meters.get(name, ())
    if not counting:
        problems.add("meter", "unknown_meter", f"no meter of this seller counts {name!r}")
    at = _at(row.fields.get("at", ""), now, problems)
    value = _value(row.fields.get("value", ""), counting, problems)
    properties = _properties(row.fields, counting, problems)
    if problems or at is None or value is None:
        return problems.found
    fields = row.fields
    return UsageEvent(fields["source"], fields["id"], fields["account_id"], name, at, value, properties)


def by_event_name(meters: Iterable[Meter]) -> dict[str, list[Meter]]:
    """Meters by the name of the events they count."""
    found: dict[str, list[Meter]] = defaultdict(list)
    for meter in meters:
        found[meter.event_name].append(meter)
    return dict(found)


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


def only_count(meters: Sequence[Meter]) -> bool:
    """Whether none of these meters takes an event's value, so that it may be left out."""
    return bool(meters) and all(m.aggregation in _ONLY_COUNT for m in meters)


def may_fall(meters: Sequence[Meter]) -> bool:
    """Whether those of these meters that take a value are levels, which may be below zero."""
    valued = [m for m in meters if m.aggregation not in _ONLY_COUNT]
    return bool(valued) and all(m.aggregation in _MAY_FALL for m in valued)


def _value(text: str, meters: Sequence[Meter], problems: Problems) -> Decimal | None:
    """A value may be left out where all meters only count, and fall below zero where those that take it are levels."""
    if not text and only_count(meters):
        return Decimal(1)
    value = number_in(text)
    if value is None:
        problems.add("value", "invalid_value", f"{text!r} is not a number")
        return None
    if not fits(value):
        problems.add("value", "invalid_value", f"{text!r} is not a finite number of at most 40 digits")
    elif value < 0 and not may_fall(meters):
        problems.add("value", "negative_value", f"{text} is below zero")
    return value


def _properties(fields: Mapping[str, str], meters: Sequence[Meter], problems: Problems) -> dict[str, str]:
    found = {
        name.removeprefix(PROPERTY_PREFIX): text
        for name, text in fields.items()
        if name.startswith(PROPERTY_PREFIX) and text
    }
    longest = MOST_PROPERTY_LENGTH
    if len(found) > MOST_PROPERTIES or any(len(name) > 40 or len(text) > longest for name, text in found.items()):
        problems.add(
            "properties", "invalid_properties", f"at most {MOST_PROPERTIES}, with values of {longest} characters"
        )
    for meter in meters:
        taken = all(found.get(name) in values for name, values in meter.filters.items())
        if taken and meter.by_subscription and SUBSCRIPTION not in found:
            problems.add(PROPERTY_PREFIX + SUBSCRIPTION, "missing_subscription", f"{meter.id} counts by subscription")
        if taken and meter.unique_by and meter.unique_by not in found:
            problems.add(
                PROPERTY_PREFIX + meter.unique_by, "missing_property", f"{meter.id} counts its distinct values"
            )
    return found


def event_said(row: UsageRow) -> UsageEvent | None:
    """What a row in quarantine speaks of, where an account and a time can be read; its value is left out."""
    try:
        at = instant_from(row.fields.get("at", ""))
    except (ValueError, OverflowError):
        return None
    fields, properties = row.fields, _properties(row.fields, (), Problems())
    account_id = account_named(row)
    if not account_id:
        return None
    named = fields.get("source", ""), fields.get("id", "")
    return UsageEvent(*named, account_id, fields.get("meter", ""), at, Decimal(0), properties)
