"""Rates of a day, and which of them hold for a document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

ECB = "ECB"


@dataclass(frozen=True, slots=True)
class DayRate:
    """What one unit of the source's own currency was worth on a day: 1 base = `rate` of `currency`."""

    currency: str
    on: date
    rate: Decimal


@dataclass(frozen=True, slots=True)
class RatePolicy:
    """Whose rates a seller books at (`base`: the currency they are quoted against), and how old one may be.

    A week bridges the holidays on which no central bank publishes; rates of the European Central Bank are what article
    91(2) of directive 2006/112/EC lets a seller use.
    """

    source: str = ECB
    base: str = "EUR"
    most_days: int = 7
