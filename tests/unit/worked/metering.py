"""Meters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from saldo.kernel.periods import Period
from saldo.usage.rules import weighted
from tests.unit.worked.reading import Case, Check


def weighted_sum(inputs: Case, expected: Case) -> None:
    start, end = _metered_period(inputs["period"])
    for name, wanted in (
        ("weighted", expected.get("weighted")),
        ("eu", expected.get("eu")),
        ("us", expected.get("us")),
    ):
        if wanted is None:
            continue
        rows = inputs[name] if name in inputs else inputs.get("deltas(h:m,value)", inputs.get("adds"))
        found = weighted([(_moment(start, at), Decimal(value)) for at, value in rows], start, end)
        digits = -int(Decimal(wanted).as_tuple().exponent)
        assert round(found, digits) == Decimal(wanted)


def _metered_period(period: Any) -> tuple[datetime, datetime]:
    if isinstance(period, list):
        return datetime.fromisoformat(period[0]), datetime.fromisoformat(period[1])
    first = date.fromisoformat(f"{period.split(' ')[0]}-01")
    return Period(first, (first + timedelta(days=31)).replace(day=1)).instants("UTC")


def _moment(start: datetime, text: str) -> datetime:
    if "-" in text:
        return datetime.fromisoformat(f"{text}T00:00+00:00")
    hours, minutes = text.split(":")
    return start + timedelta(hours=int(hours), minutes=int(minutes))


AREAS: Mapping[str, Check] = {
    "metering.weighted_sum": weighted_sum,
}
