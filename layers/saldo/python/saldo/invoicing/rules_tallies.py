"""What follows from all that is charged for a period, and the lines that it makes. No clock, no I/O.

A plan's minimum and maximum, and components that cost a percent of others, each have a tally for the days on which
they hold: a period, or the part of it before or after it changes; a minimum with a period of its own is one pool for
that, whatever changed in it. All that the subscription is charged for these days counts, whenever it is billed. When
they are over, what misses to the minimum is asked for (or what goes beyond, at the factor agreed for that), what is
beyond the maximum is given back, the percent is charged. What comes later for the same days (late usage, a change told
late) is set off against that. What a tally makes counts towards others as charges do: a percent may be of a percent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from saldo.catalog.model import MAXIMUM, MINIMUM, Component, PercentOf, PlanVersion, Timing
from saldo.invoicing.model import BillingCase, Charged, DueSubscription, LateCharge, Line, LineKind
from saldo.invoicing.model_tally import Tally, TallyKey
from saldo.invoicing.rules_charged import tallies_due
from saldo.kernel.exact import ONE, ZERO, minus, total
from saldo.kernel.money import Money
from saldo.kernel.periods import Period
from saldo.kernel.rounding import rounded_ratio
from saldo.rating.model import Share, Step
from saldo.rating.rules.proration import share_of
from saldo.rating.rules.registry import price, rate
from saldo.subscriptions.model import Charge

_BEYOND = {
    "en": "Beyond the agreed minimum",
    "de": "Über den vereinbarten Mindestbetrag hinaus",
    "fr": "Au-delà du minimum convenu",
    "es": "Por encima del mínimo acordado",
}
_NAMES = {
    "en": "Up to the agreed minimum",
    "de": "Bis zum vereinbarten Mindestbetrag",
    "fr": "Complément jusqu’au minimum convenu",
    "es": "Hasta el mínimo acordado",
}
_MOST_NAMES = {
    "en": "Down to the agreed maximum",
    "de": "Bis auf den vereinbarten Höchstbetrag",
    "fr": "Réduction au maximum convenu",
    "es": "Reducción al máximo acordado",
}


class Place(NamedTuple):
    """Where a charge of a component stands, and so which tallies it counts towards: `part`, since when the minimum
    holds there, `since`, since when the others do; "" without any."""

    account_id: str
    subscription_id: str
    version: PlanVersion
    component: Component
    part: str
    since: str

    def key_of(self, tally: Component) -> TallyKey:
        part = self.part if tally.id == MINIMUM else self.since
        return TallyKey(self.account_id, self.subscription_id, part, tally.id)

    def counted(self) -> list[TallyKey]:
        """Of the tallies that it counts towards."""
        counting = (tally for tally in self.version.tallies if self.version.counts(tally.id, self.component))
        return [key for key in map(self.key_of, counting) if key.part]

    def touched(self) -> list[TallyKey]:
        """Of all that it may move, by way of others too."""
        return [key for key in map(self.key_of, self.version.tallies) if key.part]


def place_of(item: DueSubscription, charged: Charged) -> Place:
    sold = item.subscription
    return Place(sold.account_id, sold.id, charged.version, charged.component, charged.part, charged.since)


def place_of_late(charge: LateCharge) -> Place:
    """The same of usage that was billed."""
    window = charge.usage.window
    component = next(c for c in charge.version.components if c.id == window.terms.component_id)
    since = window.terms.part, window.terms.since
    return Place(window.account_id, window.subscription_id, charge.version, component, *since)


def keys_touched(case: BillingCase) -> set[TallyKey]:
    """The tallies that billing a case may move."""
    charged = ((item, one) for item in case.due for one in (*item.charged, *tallies_due(item)))
    places = [place_of(item, one) for item, one in charged if one.version.tallies]
    places += [place_of_late(late) for late in case.late if late.version.tallies]
    return {key for place in places for key in place.touched()}


class Tallies:
    """Where tallies stand while the lines of an invoice are made."""

    def __init__(self, known: Mapping[TallyKey, Tally]) -> None:
        self._known, self._now = known, dict(known)
        self._places: dict[TallyKey, Place] = {}
        self._touched: dict[TallyKey, None] = {}

    def count(self, place: Place, net_minor: int) -> None:
        """Count a line's net amount (below zero: a credit) towards all that it counts for.

        Tallies are in the currency of their plan: what is invoiced in another counts as what it is priced at."""
        for key in place.counted():
            before = self._of(key)
            self._move(replace(before, counted_minor=before.counted_minor + net_minor), place)

    def end(self, place: Place, over: Charged, bound_minor: int, since: date) -> None:
        """Days of a tally are over, for which its bound comes to so much; it did not hold on them after all where
        `over`, the tally as a charge, is taken back. since: the first day of those that it is for."""
        like, version, tally = over.component, over.version, self._of(place.key_of(over.component))
        minimum = version.minimum if like.id == MINIMUM else None
        moved = replace(
            tally,
            bound_minor=max(tally.bound_minor + (-bound_minor if over.taken_back else bound_minor), 0),
            days=Period(since, over.period.period.end),
            overage_factor=minimum.overage_factor if minimum else ONE,
            percents=like.price.tiers if isinstance(like.price, PercentOf) else (),
            held=like.id == MINIMUM or not over.taken_back,
            plan_version_id=version.id,
            tax_category=like.tax_category,
            revenue_tag=like.revenue_tag,
            inclusive=like.tax_inclusive,
            rounding=version.rounding,
            currency=version.currency,
        )
        self._move(moved, place)

    def true_ups(self) -> Iterator[tuple[Line, str]]:
        """Lines, without ids, for what is owed now by tallies that were touched since this was asked, less what was
        asked for before; below zero where that was more. Each with the currency of its plan, which it is in."""
        while self._touched:
            key = next(
                key for key in self._touched if not any(key in self._after(o) for o in self._touched if o != key)
            )
            del self._touched[key]
            tally = self._now[key]
            owed = owed_minor(tally)
            more = owed - tally.trued_up_minor
            if more and tally.days is not None:
                self._now[key] = replace(tally, trued_up_minor=owed)
                line = _line(tally, self._component(key), tally.days, more)
                bounded = self._places[key].version.bounded_by(MAXIMUM) if key.of == MAXIMUM else ()
                yield line._replace(bounds=tuple(sorted(bounded))), tally.currency
                self.count(self._places[key]._replace(component=self._component(key)), more)

    def moved(self) -> tuple[Tally, ...]:
        """Those that stand otherwise than they were known to."""
        return tuple(tally for key, tally in self._now.items() if tally != self._known.get(key))

    def _component(self, key: TallyKey) -> Component:
        return next(tally for tally in self._places[key].version.tallies if tally.id == key.of)

    def _after(self, key: TallyKey) -> set[TallyKey]:
        """What a tally counts towards, and what that does."""
        found: set[TallyKey] = set()
        for after in self._places[key]._replace(component=self._component(key)).counted():
            self._places.setdefault(after, self._places[key])
            found |= {after} | self._after(after)
        return found

    def _of(self, key: TallyKey) -> Tally:
        return self._now.get(key) or Tally(key)

    def _move(self, tally: Tally, place: Place) -> None:
        self._now[tally.key] = tally
        self._places[tally.key] = place
        self._touched[tally.key] = None


def least_minor(charge: Charge, versions: Mapping[str, PlanVersion], zone: str) -> int:
    """What a minimum comes to for the days of its charge."""
    version, period = versions[charge.plan_version_id], charge.period
    assert version.least is not None
    share = Share(*charge.share) if charge.share else share_of(period.period, period.full, version.day_count, zone)
    return rate(version.least.price, ONE, version.currency, share, version.rounding, charge.cycle).net_minor


def owed_minor(tally: Tally) -> int:
    """What is to be asked for besides what is charged (below zero: given back); nothing before its days are over."""
    if tally.days is None or not tally.held:
        return 0
    if tally.percents:
        return rounded_total(_percent_steps(tally), tally)
    if tally.key.of == MAXIMUM:
        return -max(tally.beyond_minor, 0)
    if tally.beyond_minor <= 0:
        return -tally.beyond_minor
    more = tally.beyond_minor * (Fraction(tally.overage_factor) - 1)
    return rounded_ratio(more.numerator, more.denominator, tally.rounding)


def rounded_total(steps: tuple[Step, ...], tally: Tally) -> int:
    exact = Fraction(total(step.amount for step in steps)) / Fraction(_major(1, tally))
    return rounded_ratio(exact.numerator, exact.denominator, tally.rounding)


def _major(minor: int, tally: Tally) -> Decimal:
    return Money(minor, tally.currency).as_decimal()


def _percent_steps(tally: Tally) -> tuple[Step, ...]:
    """Of what was charged, in whole minor units; what came back of it beyond that bears nothing."""
    model = PercentOf(tally.percents, minimum=_major(tally.bound_minor, tally))
    return price(model, _major(max(tally.counted_minor, 0), tally)).steps


def _line(tally: Tally, component: Component, days: Period, minor: int) -> Line:
    steps = tuple(_steps(tally))
    return Line(
        "",
        tally.key.subscription_id,
        tally.plan_version_id,
        component.id,
        Timing.ARREARS,
        days,
        _names(tally, component),
        component.unit_names,
        ONE,
        total(step.amount for step in steps),
        Share(),
        tally.rounding,
        minor,
        steps,
        tally.tax_category,
        tally.revenue_tag,
        (),
        LineKind.TRUE_UP,
        inclusive=tally.inclusive,
    )


def _names(tally: Tally, component: Component) -> dict[str, str]:
    if tally.percents:
        return component.names
    if tally.key.of == MAXIMUM:
        return _MOST_NAMES
    return _BEYOND if tally.beyond_minor > 0 and tally.overage_factor != ONE else _NAMES


def _steps(tally: Tally) -> Iterator[Step]:
    """What follows from what was charged, less what was asked for before."""
    if not tally.held:
        pass
    elif tally.percents:
        yield from _steps_of_percent(tally)
    elif tally.key.of == MAXIMUM:
        yield from _from(tally, "due_at_most") if tally.beyond_minor > 0 else ()
    else:
        yield from _steps_of_minimum(tally)
    if tally.trued_up_minor:
        before = _major(-tally.trued_up_minor, tally)
        yield Step("asked_before", ONE, before, before)


def _from(tally: Tally, rule: str) -> Iterator[Step]:
    """The bound less what counts towards it."""
    bound, counted = _major(tally.bound_minor, tally), _major(-tally.counted_minor, tally)
    yield Step(rule, ONE, bound, bound)
    yield Step("counted", ONE, counted, counted)


def _steps_of_minimum(tally: Tally) -> Iterator[Step]:
    """What is due at least less what counts towards it; or what goes beyond it, by how much more that costs."""
    if tally.beyond_minor < 0:
        yield from _from(tally, "due_at_least")
    elif owed := owed_minor(tally):
        factor, least = minus(tally.overage_factor, ONE), _major(tally.bound_minor, tally)
        yield Step("overage", _major(tally.beyond_minor, tally), factor, _major(owed, tally), above=least)


def _steps_of_percent(tally: Tally) -> Iterator[Step]:
    """Rounded before it is compared with what was asked for before."""
    steps = _percent_steps(tally)
    yield from steps
    rounded = minus(_major(rounded_total(steps, tally), tally), total(step.amount for step in steps))
    if tally.trued_up_minor and rounded:
        yield Step("rounded", ONE, ZERO, rounded, rounded)
