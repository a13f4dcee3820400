"""Usage so far and as it is likely to end, the next invoice, and how near limits are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from functions.portal import formats
from functions.portal.presenters.charts import WIDTH, Bar, BarChart
from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
from saldo.kernel.exact import plain, rounded_to
from saldo.usage.model_thresholds import Measure, Then, Threshold
from saldo.usage.rules_forecast import Method

if TYPE_CHECKING:
    from saldo.invoicing.model import BilledAccount, Line
    from saldo.invoicing.model_forecast import NextInvoice
    from saldo.usage.rules_forecast import LiveMeter

COST = "cost"  # what a limit of the whole invoice is called in forms


@dataclass(frozen=True, slots=True)
class MeterView:
    """A meter with its bars: so far, expected, the period before. `groups`: parts of what was used so far."""

    name: str
    period: str
    chart: BarChart
    method: str
    groups: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LineView:
    name: str
    period: str
    so_far: str
    expected: str


@dataclass(frozen=True, slots=True)
class LimitView:
    """`own`: the reader's side set it and may take it away."""

    id: str
    text: str
    note: str
    tag: Tag
    own: bool


@dataclass(frozen=True, slots=True)
class UsageView:
    sentence: str = ""
    detail: str = ""
    currency: str = ""
    so_far: str = ""
    expected: str = ""
    with_tax: tuple[tuple[str, str, str], ...] = ()
    meters: tuple[MeterView, ...] = ()
    lines: tuple[LineView, ...] = ()
    limits: tuple[LimitView, ...] = ()
    subjects: tuple[tuple[str, str], ...] = ()


def usage_view(ahead: NextInvoice, limits: Sequence[Threshold], words: Words) -> UsageView:
    """limits: all of the account; they are measured against the next invoice as it stands."""
    from saldo.invoicing.model_forecast import net_of

    currency = ahead.account.currency
    so_far, expected = net_of(ahead.so_far), net_of(ahead.expected)
    names = {m.meter.id: words.of(m.meter.names) for m in ahead.meters}
    return UsageView(
        sentence=words("usage.sentence", total=words.money(expected, currency), on=words.day(ahead.on)),
        detail=words("usage.detail", total=words.money(so_far, currency)),
        currency=currency,
        so_far=words.amount(so_far, currency),
        expected=words.amount(expected, currency),
        with_tax=_with_tax(ahead, words),
        meters=tuple(_meter(m, n, words) for n, m in enumerate(ahead.meters)),
        lines=_lines(ahead, words),
        limits=tuple(_limit(t, ahead, names, words) for t in limits),
        subjects=((COST, words("usage.of_cost", currency=currency)), *names.items()),
    )


def _with_tax(ahead: NextInvoice, words: Words) -> tuple[tuple[str, str, str], ...]:
    """Tax and total as they are estimated: so far, and expected; nothing where they are not known."""
    from saldo.invoicing.model_forecast import amounts_of

    currency = ahead.account.currency
    both = [amounts_of(one, currency) for one in (ahead.so_far, ahead.expected)]
    if any(one["tax_minor"] is None for one in both):
        return ()
    names = {"tax_minor": "usage.tax", "total_minor": "usage.with_tax"}
    so_far, expected = both
    return tuple(
        (words(key), words.amount(so_far[name], currency), words.amount(expected[name], currency))
        for name, key in names.items()
    )


def limit_text(at: Decimal, meter: str, currency: str, words: Words) -> str:
    """`Calls: 10,000` or `Next invoice before tax: €500`."""
    if meter:
        return words("usage.limit_of", what=meter, at=words.number(at))
    return words("usage.limit_of_cost", at=words.exact(at, currency))


def _meter(live: LiveMeter, place: int, words: Words) -> MeterView:
    unit = _unit_beside(words.of(live.meter.names), words.of(live.meter.unit_names))
    figures = [(words("usage.so_far"), live.so_far)]
    if live.forecast.method not in (Method.OVER, Method.NOTHING):
        counted = [live.so_far, *([live.last.whole] if live.last else [])]
        figures.append((words("usage.expected"), _as_fine_as(counted, live.forecast.quantity)))
    if live.last is not None:
        figures.append((words("usage.last_period"), live.last.whole))
    parts = sorted(live.groups.items(), key=lambda part: -part[1])
    name = words.of(live.meter.names)
    return MeterView(
        f"{name} · {live.key.subscription_id}" if live.meter.by_subscription else name,
        words.period(live.key.period),
        _bars(f"meter-{place}", unit, figures, words),
        words(f"usage.method.{live.forecast.method}"),
        tuple((" · ".join(values), words.number(quantity)) for values, quantity in parts if live.meter.group_by),
    )


def _unit_beside(name: str, unit: str) -> str:
    """The unit, where the meter's name does not say it already: "Tokens" needs no "tokens"."""
    return "" if unit.casefold() in name.casefold().split() else unit


def _as_fine_as(counted: Sequence[Decimal], guess: Decimal) -> Decimal:
    """A guess with no more decimals than what was counted: to say 1,669.645461 pages would claim to know."""
    decimals = max(len(plain(quantity).partition(".")[2]) for quantity in counted)
    return rounded_to(decimals, guess)


def _bars(chart_id: str, unit: str, figures: Sequence[tuple[str, Decimal]], words: Words) -> BarChart:
    most = max(max(quantity for _, quantity in figures), Decimal(1))
    bars = (
        Bar(
            name,
            words.number(quantity),
            0,
            max(int(WIDTH * max(quantity, Decimal(0)) / most), 2 if quantity else 0),
            False,
        )
        for name, quantity in figures
    )
    return BarChart(chart_id, unit, tuple(bars), 0)


def _lines(ahead: NextInvoice, words: Words) -> tuple[LineView, ...]:
    """What the next invoice is made of: each charge once, as it stands beside as it is expected."""
    currency = ahead.account.currency
    so_far, expected = _by_charge(ahead.so_far), _by_charge(ahead.expected)
    found = []
    for key, line in {**{k: lines[0] for k, lines in so_far.items()}, **{k: v[0] for k, v in expected.items()}}.items():
        sums = [sum(each.net_minor for each in lines.get(key, ())) for lines in (so_far, expected)]
        amounts = [words.amount(minor, currency) for minor in sums]
        found.append(LineView(words.of(line.names), words.period(line.period), *amounts))
    return tuple(found)


def _by_charge(billed: BilledAccount) -> dict[tuple[str, ...], list[Line]]:
    found: dict[tuple[str, ...], list[Line]] = {}
    for body in billed.bodies:
        for line in body.lines:
            key = (line.subscription_id, line.component_id, line.kind.value, line.period.as_text())
            found.setdefault(key, []).append(line)
    return found


def _limit(limit: Threshold, ahead: NextInvoice, names: dict[str, str], words: Words) -> LimitView:
    from saldo.invoicing.rules_thresholds import measured_by

    measured = max((m for _, m in measured_by(ahead, limit)), default=None)
    if limit.measure is Measure.PERCENT:
        at = formats.percent(words.locale, limit.at)
        text = words("usage.limit_of", what=names.get(limit.meter_id, limit.meter_id), at=at)
    else:
        text = limit_text(limit.at, names.get(limit.meter_id, limit.meter_id), ahead.account.currency, words)
    stops = words("usage.stops") if limit.then is Then.BLOCK else words("usage.tells")
    return LimitView(limit.id, text, stops, _reached(limit, measured, words), limit.own)


def _reached(limit: Threshold, measured: Decimal | None, words: Words) -> Tag:
    if measured is None:
        return Tag("over", words("usage.not_measured"))
    if measured >= limit.at:
        return Tag("late", words("usage.reached"))
    return Tag(
        "open",
        words("usage.percent_of", percent=formats.percent(words.locale, Decimal(int(100 * measured / limit.at)))),
    )
