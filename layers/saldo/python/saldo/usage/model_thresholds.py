"""Thresholds of usage and cost, and the alerts that they raise once per period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Measure(StrEnum):
    """What a threshold looks at: the QUANTITY of a meter in its period; the PERCENT of what the price of the meter
    includes, commits to or is capped at; or the COST of the next invoice before tax (major units)."""

    QUANTITY = "quantity"
    PERCENT = "percent"
    COST = "cost"


class Then(StrEnum):
    """What is to follow: people are told (ALERT), or whoever provides the service is to stop as well (BLOCK)."""

    ALERT = "alert"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Reached when the measure is at or above `at`. A spend cap is one of COST that blocks. meter_id: "" for COST.

    own: set by the customer, who may take it away again; the seller's stay.
    """

    id: str
    measure: Measure
    at: Decimal
    meter_id: str = ""
    then: Then = Then.ALERT
    own: bool = False


@dataclass(frozen=True, slots=True)
class OwnThreshold:
    """What a customer asks to be told of: so much of a meter, or, without one, an invoice of so much (major units)."""

    at: Decimal
    meter_id: str
    then: Then


@dataclass(frozen=True, slots=True)
class Alert:
    """A threshold that was reached. period: the meter's (`<start>/<end>`), or the day of the invoice for COST."""

    account_id: str
    entity_id: str
    threshold: Threshold
    period: str
    measured: Decimal
    currency: str
    reached_at: datetime
