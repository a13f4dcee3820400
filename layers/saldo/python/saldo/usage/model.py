"""Usage events, meters and the keys under which totals are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from saldo.kernel.periods import Period


class Aggregation(StrEnum):
    """How a meter turns events into one number per period.

    SUM of values, COUNT of events, number of UNIQUE values of a property, MAX value, LATEST value, and WEIGHTED:
    values are changes of a level, and the level is averaged over the time of the period.
    """

    SUM = "sum"
    COUNT = "count"
    UNIQUE = "unique"
    MAX = "max"
    LATEST = "latest"
    WEIGHTED = "weighted"


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One thing that happened, as its producer tells it. `source` and `id` together name it for ever.

    at: UTC instant. value: in the meter's unit; 1 for events that are only counted.
    """

    source: str
    id: str
    account_id: str
    meter_id: str
    at: datetime
    value: Decimal
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meter:
    """What is counted. `unique_by` names the property that a UNIQUE meter counts distinct values of."""

    id: str
    entity_id: str
    aggregation: Aggregation
    names: dict[str, str]
    unit_names: dict[str, str]
    unique_by: str = ""


class UsageKey(NamedTuple):
    """Names one total that an invoice needs: what the meter counted for a subscription in a period."""

    subscription_id: str
    meter_id: str
    period: Period
