"""Rates of a day, and which of them hold for a document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

ECB = "ECB"


class PriceDay(StrEnum):
    """The rate of which day a price in another currency is converted at: that of the INVOICE, the first day of
    the billed cycle (PERIOD), or the last of the month before the invoice (MONTH_END)."""

    INVOICE = "invoice"
    PERIOD = "period"
    MONTH_END = "month_end"


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
    91(2) of directive 2006/112/EC lets a seller use. prices_on: at the rate of which day prices in other currencies
    than the invoice's are converted; None for a seller that converts none. tolerance: by how many per cent
    money in another currency may miss what it is to pay, and is taken for just that.
    """

    source: str = ECB
    base: str = "EUR"
    most_days: int = 7
    prices_on: PriceDay | None = None
    tolerance: Decimal = Decimal(0)
