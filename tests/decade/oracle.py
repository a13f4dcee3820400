"""The auditor of one account: works every invoice out again from the facts, and says where Saldo's is another.

Slow and plain on purpose: nothing of Saldo's rules is imported, only the shapes of what was agreed. What is due comes
from the diaries of the subscriptions, prices from a price list read in fractions, taxes from dated rates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

from saldo.catalog.model import ChargeKind, Component, DayCount, Included, PlanVersion, Timing
from saldo.invoicing.model import Coupon, CouponDuration, PrepaidCredit, PrepaidOrder
from saldo.orders.model import Item
from saldo.subscriptions.model import Subscription
from saldo.usage.model import Meter, UsageEvent
from tests.decade.history import History, Sale, Told
from tests.decade.oracle_calendar import DAY, HALVES_IN, cycle_around, midnight, share_of_days, share_of_seconds
from tests.decade.oracle_late import Window, Windows, meter_of, settled
from tests.decade.oracle_prices import (
    ZERO,
    Used,
    charge_of,
    dimensions_of,
    in_cents,
    left_over,
    minor,
    price_of,
    whole,
)
from tests.decade.oracle_returns import Kept, goes_back, usable_again
from tests.decade.oracle_service import MINIMUM, Diary, Entry, first_counted
from tests.decade.oracle_tax import Row, Tax, Taxed, table_of_taxes, taxes_on

Part = tuple[str, object]
Least = tuple[str, date]  # a minimum's days: of which subscription, since when


def _part_of(entry: Entry) -> Part:
    """The days of a subscription's minimum that an entry counts towards."""
    return entry.subscription_id, entry.part


@dataclass(frozen=True)
class Sum:
    """One line as it should be, before discounts.

    `or_quantities`: how much it may say instead. Late usage that came to nothing is closed without any document, on a
    day that no document tells; what is taken back after that says how much there was then, and costs the same.
    """

    kind: str
    subscription_id: str
    version_id: str
    component_id: str
    start: date
    end: date
    quantity: Fraction
    minor: int
    category: str
    inclusive: bool
    supplied_on: date
    entry: Entry | None = None
    back: Kept | None = None  # as it was invoiced what this line gives back all or a part of
    or_quantities: frozenset[Fraction] = frozenset()


@dataclass
class Expected:
    """An invoice as it should be."""

    lines: list[Sum]
    day: date
    returned: list[tuple[str, int, date]] = field(default_factory=list)  # prepaid credit, how much, drawn when
    discounts: list[tuple[str, int, int]] = field(default_factory=list)  # of which coupon, off which line, how much
    taxes: list[Row] = field(default_factory=list)
    net: int = 0
    tax: int = 0
    payable: int = 0
    coupons: list[tuple[str, int, int]] = field(default_factory=list)
    credits: list[tuple[str, int]] = field(default_factory=list)


def may_pay(credit: PrepaidCredit, lines: Sequence[Sum]) -> list[int]:
    """Which lines a prepaid credit may pay for."""
    return [n for n, line in enumerate(lines) if not credit.components or line.component_id in credit.components]


class Auditor:
    """Follows one account through its history. `due` and `check` for each run, then `settle`."""

    def __init__(self, history: History) -> None:
        self.history, self.market, self.account = history, history.market, history.account
        self.diaries: dict[str, Diary] = {}
        self.windows = Windows(self.account.time_zone)
        self.coupons: list[Coupon] = []
        self.prepaid: list[PrepaidCredit] = []
        self.left: dict[str, int] = {}
        self.used: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.items: list[Item] = []
        self.notes = 0
        self.billed: dict[Entry, Sum] = {}
        self.kept: dict[Entry, Kept] = {}
        self.kept_least: dict[Least, Kept] = {}
        self.least: dict[Part, Sum] = {}
        self.owing: dict[Part, dict[Entry, int]] = defaultdict(dict)
        self.factor: dict[Part, Fraction] = {}
        self.asked: Counter[Part] = Counter()

    def learn(self, fact: object) -> None:
        match fact:
            case Sale():
                self.diaries[fact.id] = Diary(subscription_of(fact, self.account.id), self.market.versions, self._zone)
            case Told():
                self.diaries[fact.subscription_id].learn(fact.change)
            case UsageEvent():
                self.windows.learn(fact)
            case Coupon():
                self.coupons.append(fact)
            case PrepaidCredit():
                self.prepaid.append(fact)
                self.left[fact.id] = fact.balance_minor
            case Item():
                self.items.append(fact)

    @property
    def _zone(self) -> str:
        return self.account.time_zone

    def due(self, day: date) -> list[tuple[Entry, int]]:
        return [pair for diary in self.diaries.values() for pair in diary.due(day)]

    def settle(self, due: list[tuple[Entry, int]]) -> None:
        for diary in self.diaries.values():
            diary.settle([pair for pair in due if pair[0].subscription_id == diary.sold.id])
        self.items = []

    def lines(self, due: Sequence[tuple[Entry, int]], day: date, with_late: bool) -> list[Sum]:
        """Every line before discounts. with_late: there is an invoice that late usage can ride on."""
        plain = [(entry, times) for entry, times in due if entry.component_id != MINIMUM]
        taken = {entry: self._taken_back(entry) for entry, times in plain if times < 0}
        found = [line for line, _ in taken.values()]
        known = {(meter_of(e, w.meter), e.start, e.end): w.known for e, (_, w) in taken.items() if w is not None}
        now = {entry for entry, times in plain if times > 0}
        for entry, times in plain:
            if times > 0:
                line = self._line(entry, known)
                if entry.of is not None and entry.of not in now:
                    line = replace(line, back=self.kept.get(entry.of, Kept(entry.of.due)))
                self.billed[entry] = line
                found.append(line)
        self._know_minimums([(entry, times) for entry, times in due if entry.component_id == MINIMUM])
        found += [self._lowered(asked) for asked in self._true_ups()]
        if with_late:
            found += self._late([entry for entry, _ in due])
        supplied = [replace(s, supplied_on=day) if s.supplied_on == date.min else s for s in found]
        return supplied + [self._item(item, day) for item in self.items]

    def _taken_back(self, entry: Entry) -> tuple[Sum, Window | None]:
        looked = self.windows.counts_since(entry)
        window = self.windows.take_back(entry) if entry in self.windows.billed else None
        line = replace(self.billed.pop(entry), or_quantities=looked)
        kept = self.kept.pop(entry, Kept(entry.due if line.supplied_on == date.min else line.supplied_on))
        return replace(taken_back(line), back=kept, entry=None), window

    def _late(self, due: Sequence[Entry]) -> list[Sum]:
        """Of windows billed before, what came since: the difference, or the charge taken back and made anew."""
        found = []
        metered = [(e, self._component(e)[1].meter_id) for e in due if e.component_id != MINIMUM]
        asked = [(meter_of(e, self.market.meters[name]), (e.start, e.end)) for e, name in metered if name]
        for entry, _, now, corrected in list(self.windows.came_late(asked)):
            version, component = self._component(entry)
            before = self.billed[entry]
            grown, more = settled(self.windows, entry, now, lambda used: self._price(version, component, used))  # noqa: B023
            whole_line = replace(before, quantity=now.quantity, minor=before.minor + grown, back=None)
            self.billed[entry] = whole_line
            back = self.kept.get(entry) if grown < 0 else None  # what comes back is a part of what was charged
            if corrected:
                found.append(replace(before, kind="credit", minor=-before.minor, back=back))
                found.append(replace(whole_line, kind="late", back=back))
            else:
                found.append(replace(before, kind="late", quantity=abs(more), minor=grown, back=back))
            for asked in self._true_ups():
                alike = (asked.category, asked.inclusive) == (before.category, before.inclusive)
                found.append(replace(asked, back=back) if alike and asked.minor > 0 else asked)
        return [line for line in found if line.minor]

    def _price(self, version: PlanVersion, component: Component, used: Used) -> int:
        return minor(charge_of(component, used), version.currency, version.rounding.value)

    def _item(self, item: Item, day: date) -> Sum:
        amount = minor(Fraction(item.quantity) * Fraction(item.unit_price), self.account.currency)
        quantity = Fraction(item.quantity)
        return Sum("item", "", "", item.id, day, day + DAY, quantity, amount, item.tax_category, item.inclusive, day)

    def _line(self, entry: Entry, known: Mapping[tuple[tuple[str, str], date, date], int]) -> Sum:
        """known: of windows that are taken back now, how many events they were billed by; they are charged by the same,
        and what came since follows."""
        version, component = self._component(entry)
        share = self._share(entry, version, component)
        if component.kind is ChargeKind.USAGE:
            meter = self.market.meters[component.meter_id]
            by = known.get((meter_of(entry, meter), entry.start, entry.end), self.windows.all_known(meter))
            goes_on = self._taken_over(entry, component, meter, known)
            used = Used(ZERO, (), None, entry.cycle, Fraction(1) if component.cumulates else share, *goes_on)
            window = Window(meter, dimensions_of(component.price), used, by, 0)
            window.used = self.windows.count(entry, window, by)
            window.minor = self._price(version, component, window.used)
            self.windows.bill(entry, window)
            return self._sum(entry, version, component, window.used.quantity, charge_of(component, window.used))
        quantity = entry.quantity or ZERO
        exact = price_of(component.price, Used(quantity, cycle=entry.cycle)) * share
        return self._sum(entry, version, component, quantity, exact)

    def _taken_over(
        self, entry: Entry, component: Component, meter: Meter, known: Mapping[tuple[tuple[str, str], date, date], int]
    ) -> tuple[Fraction | None, Fraction]:
        """What was used in the cycles with which this one adds up, and what is left of earlier allowances: by all that
        is known of those cycles, or by what they are charged for on this very invoice."""
        cycles, version = [], self.market.versions[entry.version_id]
        dimensions = dimensions_of(component.price)
        for lived in entry.earlier:
            days = lived.start, lived.end
            by = known.get((meter_of(entry, meter), *days), self.windows.all_known(meter))
            then = entry._replace(
                start=lived.start, end=lived.end, full=lived.full, start_at=lived.start_at, end_at=None
            )
            share = self._share(then, version, component)
            bounds = (0, Fraction(1) if component.cumulates else share, None, ZERO)
            used = self.windows.used_in(entry, meter, days, by, dimensions, bounds).quantity
            cycles.append((used, share))
        if component.cumulates is not None:
            return sum((used for used, _ in cycles), ZERO) if cycles else None, ZERO
        if not isinstance(component.price, Included):
            return None, ZERO
        units = Fraction(component.price.units)
        return None, left_over(component.price.rollover, [(units * share, used) for used, share in cycles])

    def _sum(self, e: Entry, version: PlanVersion, component: Component, quantity: Fraction, exact: Fraction) -> Sum:
        amount = e.sign * minor(exact, version.currency, version.rounding.value)
        kind = "charge" if e.sign > 0 else "credit"
        end = max(e.end, e.start + DAY)
        supplied = end - DAY if e.timing is Timing.ARREARS else date.min
        category, inclusive = component.tax_category, component.tax_inclusive
        where = e.subscription_id, e.version_id, e.component_id, e.start, end
        return Sum(kind, *where, quantity, amount, category, inclusive, supplied, e)

    def _component(self, entry: Entry) -> tuple[PlanVersion, Component]:
        version = self.market.versions[entry.version_id]
        return version, next(c for c in version.components if c.id == entry.component_id)

    def _share(self, entry: Entry, version: PlanVersion, component: Component | None) -> Fraction:
        """The part of the cycle (or of what the price is for) that these days are."""
        full, zone = entry.full, self._zone
        if component is not None and (component.kind is ChargeKind.ONE_TIME or not component.prorate):
            return Fraction(1)
        if component is not None and component.priced_per is not None:
            return self._units(entry, version, component.priced_per.value)
        if version.day_count is DayCount.SECOND and (entry.start_at or entry.end_at):
            start, end = entry.start_at or midnight(entry.start, zone), entry.end_at or midnight(entry.end, zone)
            return share_of_seconds((start, end), full, zone)
        return share_of_days(version.day_count.value, (entry.start, entry.end), full, zone)

    def _units(self, entry: Entry, version: PlanVersion, unit: str) -> Fraction:
        """How many units of time an entry is, from the cycle's first day; longer ones from the anchor."""
        cycle = HALVES_IN.get(version.cycle_unit.value, 0) * version.cycle_count
        if version.day_count.value.startswith("30_360") and cycle and HALVES_IN.get(unit, 1) % cycle == 0:
            part = share_of_days(version.day_count.value, (entry.start, entry.end), entry.full, self._zone)
            return part * cycle / HALVES_IN[unit]
        anchor, zone, found = entry.full[0], self._zone, Fraction(0)
        if cycle_around((unit, 1, anchor), anchor)[1] > entry.full[1]:
            anchor = self.diaries[entry.subscription_id].sold.anchor_on
        start, end = entry.start_at or midnight(entry.start, zone), entry.end_at or midnight(entry.end, zone)
        day = entry.start
        while day < max(entry.end, entry.start + DAY):
            one = cycle_around((unit, 1, anchor), day)
            if version.day_count is DayCount.SECOND:
                part = max(start, midnight(one[0], zone)), min(end, midnight(one[1], zone))
                found += share_of_seconds(part, one, zone)
            else:
                part_days = max(entry.start, one[0]), min(entry.end, one[1])
                found += share_of_days(version.day_count.value, part_days, one, zone)
            day = one[1]
        return found

    def _know_minimums(self, due: Sequence[tuple[Entry, int]]) -> None:
        """Of minimums whose days are over, what these cost at least, and the line on which the missing is asked for."""
        for entry, times in sorted(due, key=lambda pair: (pair[1], pair[0].due, pair[0].start)):
            part, version = _part_of(entry), self.market.versions[entry.version_id]
            least, like = version.minimum, first_counted(version)
            assert least is not None
            amount = Fraction(least.amounts[min(entry.cycle, len(least.amounts) - 1)])
            amount *= self._share(entry, version, None)
            if times > 0:
                self.owing[part][entry] = minor(amount, version.currency, version.rounding.value)
            else:
                del self.owing[part][entry]
            assert entry.part is not None
            where = entry.subscription_id, version.id, MINIMUM, entry.part[0], max(entry.end, entry.start + DAY)
            taxed = like.tax_category, like.tax_inclusive, where[-1] - DAY
            owed = sum(self.owing[part].values())
            self.least[part] = Sum("true_up", *where, Fraction(1), owed, *taxed)
            self.factor[part] = Fraction(least.overage_factor)

    def _true_ups(self) -> list[Sum]:
        """For every minimum that is over: what all that stands billed for its days misses, less what was asked for."""
        stands: Counter[Part] = Counter()
        for entry, line in self.billed.items():
            stands[_part_of(entry)] += line.minor
        found = []
        for part, least in self.least.items():
            missing = least.minor - stands[part]
            if missing < 0:
                version = self.market.versions[least.version_id]
                missing = whole(-missing * (self.factor[part] - 1), version.rounding.value)
            if missing != self.asked[part]:
                found.append(replace(least, minor=missing - self.asked[part]))
                self.asked[part] = missing
        return found

    def _lowered(self, asked: Sum) -> Sum:
        """What is asked for less than before is a part of that."""
        before = self.kept_least.get((asked.subscription_id, asked.start))
        if before is None or before.minor * asked.minor >= 0:
            return asked
        return replace(asked, back=before)

    def reckon(self, lines: list[Sum], day: date) -> Expected:
        """The whole invoice. lines: in the order in which they are on it, which decides who gets an odd cent."""
        expected = Expected(lines, day)
        for credit in self.prepaid:
            if credit.expires_on is not None and credit.expires_on <= day:
                self.left[credit.id] = 0
        left = [line.minor for line in lines]
        self._give_back(expected, left)
        for coupon in self.coupons:
            self._discount(expected, coupon, left, day)
        if self.market.options.prepaid is PrepaidOrder.BEFORE_TAX:
            for credit in self._in_draw_order(day):
                concerned = may_pay(credit, lines)
                part = min(self.left[credit.id], sum(left), sum(left[n] for n in concerned))
                if part > 0:
                    expected.credits.append((credit.id, part))
                    paying = [n for n in concerned if lines[n].back is None or left[n] > 0]
                    self._spread(expected, credit.id, part, left, paying)
        self._tax(expected)
        self._pay(expected, self._in_draw_order(day) if self.market.options.prepaid is PrepaidOrder.AFTER_TAX else [])
        return expected

    def _pay(self, expected: Expected, credits: Sequence[PrepaidCredit]) -> None:
        """Credit notes pay the same part of every line and its taxes, then each credit of those that it is for."""
        lines, due = expected.lines, self._with_taxes(expected)
        paying = [("", self.notes, list(range(len(lines))))]
        paying += [(credit.id, self.left[credit.id], may_pay(credit, lines)) for credit in credits]
        for credit_id, there, concerned in paying:
            part = min(there, expected.payable, sum(due[n] for n in concerned))
            if part > 0:
                expected.credits.append((credit_id, part))
                expected.payable -= part
                self._spread(Expected(lines, expected.day), credit_id, part, due, concerned)

    def _with_taxes(self, expected: Expected) -> list[int]:
        """What is owed for each line, with what is off it and its part of each tax, in whole cents."""
        off = [(n, line.minor) for n, line in enumerate(expected.lines)]
        off += [(n, part) for _, n, part in expected.discounts]
        exact = {n: Fraction(0) for n in range(len(expected.lines))}
        for n, amount in off:
            exact[n] += amount
        bearing = [self._taxes(line) for line in expected.lines]
        for row in expected.taxes:
            adds = 0 if row.inclusive or row.tax.collection == "withheld" else row.amount
            adds -= row.amount if row.tax.collection != "charged" else 0
            on = [(n, a) for n, a in off if row.tax in bearing[n] and expected.lines[n].inclusive == row.inclusive]
            whole_base = sum(amount for _, amount in on)
            for n, amount in on if whole_base else on[:1]:
                exact[n] += Fraction(adds * amount, whole_base) if whole_base else adds
        return list(in_cents(expected.payable, exact).values())

    def _give_back(self, expected: Expected, left: list[int]) -> None:
        """Under each line that gives something back, what was off that; prepaid credit among it returns."""
        returned: Counter[tuple[str, date]] = Counter()
        for n, line in enumerate(expected.lines):
            for name, part in goes_back(line.back, line.minor, frozenset(self.left)).items() if line.back else ():
                expected.discounts.append((name, n, part))
                left[n] += part
                if line.back and name in self.left:
                    returned[name, line.back.invoiced_on] += part
        expected.returned = [(name, part, on) for (name, on), part in returned.items()]
        expected.credits = [(name, -part) for name, part, _ in expected.returned]

    def _discount(self, expected: Expected, coupon: Coupon, left: list[int], day: date) -> None:
        begun = coupon.from_on is None or coupon.from_on <= day
        over = coupon.until_on is not None and coupon.until_on <= day
        most = {CouponDuration.ONCE: 1, CouponDuration.REPEATING: coupon.times}.get(coupon.duration, 10**9)
        if coupon.carries and coupon.duration is CouponDuration.ONCE:
            most = 10**9  # until it is used up
        if not begun or over or coupon.used + self.used[coupon.id] >= most:
            return
        concerned = [
            n
            for n, line in enumerate(expected.lines)
            if line.back is None
            and (not coupon.plans or line.version_id in coupon.plans)
            and (not coupon.components or line.component_id in coupon.components)
        ]
        base = sum(left[n] for n in concerned)
        worth = self._worth(coupon, base)
        if base <= 0 or worth <= 0:
            return
        lapsed = 0 if coupon.carries else max(worth - base, 0)
        expected.coupons.append((coupon.id, min(worth, base), lapsed))
        self._spread(expected, coupon.id, min(worth, base), left, concerned)

    def _worth(self, coupon: Coupon, base: int) -> int:
        """What a coupon can take off lines of so much; 0 where these come to less than it asks for."""
        currency = self.account.currency
        if coupon.minimum is not None and base < minor(Fraction(coupon.minimum), currency):
            return 0
        if coupon.percent is not None:
            worth = whole(base * Fraction(coupon.percent) / 100)
        else:
            worth = minor(Fraction(coupon.amount or 0), currency)
        if coupon.maximum is not None:
            worth = min(worth, minor(Fraction(coupon.maximum), currency))
        return worth - self.taken[coupon.id] if coupon.carries else worth

    def _spread(self, expected: Expected, what: str, off: int, left: list[int], concerned: list[int]) -> None:
        """Everything concerned costs the same part less, and what is credited among it the same part more.

        A rate's taxes are on what its lines come to together, so whole cents are found for these sums first.
        """
        part = Fraction(off, sum(left[n] for n in concerned))
        of_rate: dict[tuple[str, bool], list[int]] = {}
        for n in concerned:
            of_rate.setdefault((expected.lines[n].category, expected.lines[n].inclusive), []).append(n)
        cents = in_cents(off, {rate: part * sum(left[n] for n in lines) for rate, lines in of_rate.items()})
        parts: dict[int, int] = {}
        for rate, lines in of_rate.items():
            parts |= in_cents(cents[rate], {n: part * left[n] for n in lines})
        for n in concerned:
            left[n] -= parts[n]
            if parts[n]:
                expected.discounts.append((what, n, -parts[n]))

    def _in_draw_order(self, day: date) -> list[PrepaidCredit]:
        there = [c for c in self.prepaid if self.left[c.id] > 0 and (c.expires_on is None or day < c.expires_on)]
        return sorted(there, key=lambda c: (c.priority, c.expires_on or date.max, c.paid, c.granted_on, c.id))

    def _tax(self, expected: Expected) -> None:
        bearing = [self._taxes(line) for line in expected.lines]
        lines = [Taxed(s.minor, taxes, s.inclusive) for s, taxes in zip(expected.lines, bearing, strict=True)]
        lines += [Taxed(off, bearing[n], expected.lines[n].inclusive) for _, n, off in expected.discounts]
        expected.taxes = table_of_taxes(lines)
        within = sum(r.amount for r in expected.taxes if r.inclusive and r.tax.collection != "withheld")
        expected.net = sum(line.amount for line in lines) - within
        expected.tax = sum(r.amount for r in expected.taxes if r.tax.collection != "withheld")
        elsewhere = sum(r.amount for r in expected.taxes if r.tax.collection != "charged")
        expected.payable = expected.net + expected.tax - elsewhere

    def _taxes(self, line: Sum) -> tuple[Tax, ...]:
        if line.back is not None and line.back.taxes is not None:
            return line.back.taxes
        day = line.back.supplied_on if line.back is not None else line.supplied_on
        return taxes_on(line.category, day, self.account, self.market.seller, self.market.table)

    def use_up(self, expected: Expected) -> None:
        """Coupons and credits after an invoice; a total below zero is kept for the customer."""
        for coupon_id, off, _ in expected.coupons:
            self.used[coupon_id] += 1
            self.taken[coupon_id] += off
        for credit_id, part in expected.credits:
            if credit_id:
                self.left[credit_id] -= part
            else:
                self.notes -= part
        for credit_id, _, drawn_on in expected.returned:
            self.prepaid = [usable_again(c, drawn_on, expected.day) if c.id == credit_id else c for c in self.prepaid]
        for n, line in enumerate(expected.lines):
            kept = self._kept(line)
            if kept is not None:
                off = {name: part for name, of, part in expected.discounts if of == n}
                kept.add(line.minor, off, self._taxes(line), expected.day)
        if expected.net + expected.tax < 0:
            self.notes -= expected.payable

    def _kept(self, line: Sum) -> Kept | None:
        if line.kind == "true_up":
            return self.kept_least.setdefault((line.subscription_id, line.start), Kept(line.supplied_on))
        return None if line.entry is None else self.kept.setdefault(line.entry, Kept(line.supplied_on))


def taken_back(line: Sum) -> Sum:
    """To the cent what was billed, the other way round."""
    return replace(line, kind="credit" if line.kind == "charge" else "charge", minor=-line.minor)


def subscription_of(sale: Sale, account_id: str) -> Subscription:
    """What was sold, as the diary reads it."""
    first = sale.started_on + timedelta(days=sale.trial_days)
    return Subscription(
        sale.id,
        account_id,
        "",
        sale.plan_version_id,
        sale.started_on,
        sale.anchor_on or first,
        sale.alignment,
        first if sale.trial_days else None,
        sale.cancelled_on,
        {name: Fraction(q) for name, q in sale.quantities.items()},  # type: ignore[misc]  # read as fractions anyway
        term=sale.term,
    )
