"""Accounts of all kinds and what happens to them, day by day for ten years. The same seed makes the same world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random

from saldo.accounts.model import Account
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.catalog.model import ChargeKind, DayCount, PlanVersion
from saldo.invoicing.model import Coupon, CouponDuration, PrepaidCredit
from saldo.kernel.periods import Length
from saldo.orders.model import Item
from saldo.subscriptions.model import Alignment, Change, ChangeKind, CreditRule, Term
from saldo.usage.model import Meter, UsageEvent
from tests.decade.history import Fact, History, Market, Sale, Told
from tests.decade.world_plans import CLASSES, REGIONS
from tests.decade.world_sellers import PLACES, Buyer, market

FIRST_ON = date(2015, 1, 1)
DAY = timedelta(days=1)
KINDS = [ChangeKind.PLAN] * 4 + [ChangeKind.QUANTITY] * 6 + [ChangeKind.PAUSE] * 2 + [ChangeKind.RESUME] * 4
CREDITS = [CreditRule.UNUSED] * 6 + [CreditRule.NONE] * 2 + [CreditRule.WHOLE]


@lru_cache(maxsize=64)
def market_of(n: int, seed: int) -> tuple[Market, list[list[str]], tuple[Buyer, ...]]:
    return market(n, seed)


def history_of(n: int, seed: int, months: int, late: bool = False) -> History:
    """The n-th account's decade. late: some usage is told of weeks later, which only runs know what to do with; all
    prepaid credit is given, none bought."""
    return _Life(n, seed, months, late).history()


class _Life:
    """Draws an account's facts. `busy`: how many changes a year a subscription of it sees."""

    def __init__(self, n: int, seed: int, months: int, late: bool) -> None:
        self.late = late
        self.chance = chance = Random(f"{seed} account {n}")
        self.market, self.families, buyers = market_of(n % len(PLACES), seed)
        self.first_on = FIRST_ON
        self.last_on = FIRST_ON + timedelta(days=int(months * 30.44))
        self.account = _account(n, chance.choice(buyers), self.market, chance)
        self.busy = chance.choice([0, 0.5, 1, 2, 4])
        self.ids = 0

    def history(self) -> History:
        chance = self.chance
        facts = [*self._wallet(), *self._items()]
        for family in chance.sample(self.families, chance.choice([1, 1, 1, 2])):
            versions = [self.market.versions[name] for name in family]
            meters = [self.market.meters[c.meter_id] for v in versions for c in v.components if c.meter_id]
            twice = bool(meters) and all(meter.by_subscription for meter in meters) and chance.random() < 0.5
            for _ in range(1 + twice):
                facts += self._subscription(versions)
        facts = [(max(on, self.first_on), fact) for on, fact in facts if on <= self.last_on]
        return History(self.market, self.account, tuple(sorted(facts, key=lambda f: f[0])), self.first_on, self.last_on)

    def _some_day(self, share: float = 1.0) -> date:
        span = int((self.last_on - self.first_on).days * share)
        return self.first_on + timedelta(days=self.chance.randrange(max(span, 1)))

    def _id(self, what: str) -> str:
        self.ids += 1
        return f"{what}_{self.ids:04d}"

    def _wallet(self) -> Iterator[tuple[date, Fact]]:
        """Coupons and prepaid credits; some from the start, some later."""
        chance, plans = self.chance, [version for family in self.families for version in family]
        for _ in range(chance.choice([0, 0, 1, 2])):
            on, name = self._some_day(), self._id("coupon")
            share = Decimal(chance.choice([5, 10, "12.5", 33, 100])) if chance.random() < 0.6 else None
            amount = None if share is not None else Decimal(chance.randrange(1, 4000)) / 100
            yield (
                on,
                Coupon(
                    name,
                    {"en": name},
                    share,
                    amount,
                    chance.choice(list(CouponDuration)),
                    chance.randrange(1, 9),
                    frozenset(chance.sample(plans, 20)) if chance.random() < 0.3 else frozenset(),
                    frozenset({"base", "seats"}) if chance.random() < 0.4 else frozenset(),
                    on if chance.random() < 0.5 else None,
                    on + timedelta(days=chance.randrange(30, 900)) if chance.random() < 0.5 else None,
                    minimum=Decimal(chance.randrange(9000)) / 100 if chance.random() < 0.2 else None,
                    maximum=Decimal(chance.randrange(9000)) / 100 if chance.random() < 0.2 else None,
                    carries=amount is not None and chance.random() < 0.4,
                ),
            )
        for _ in range(chance.choice([0, 0, 0, 1, 3])):
            on = self._some_day()
            ends = on + timedelta(days=chance.randrange(20, 500)) if chance.random() < 0.6 else None
            amount = chance.randrange(100, 50_000)
            priority, paid = chance.randrange(2), chance.random() < 0.6
            paid = paid and not self.late  # stored wallets ask for cash that paid for it, and none comes in here
            limited = frozenset({"base", "seats"}) if amount % 3 == 0 else frozenset()
            yield on, PrepaidCredit(self._id("credit"), amount, on, ends, priority, paid, limited)

    def _items(self) -> Iterator[tuple[date, Fact]]:
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            name = self._id("item")
            price = Decimal(self.chance.randrange(-2000, 9000)) / 100
            quantity = Decimal(self.chance.choice(["1", "2.5", "3"]))
            inclusive = self.chance.random() < 0.2
            yield self._some_day(), Item(name, {"en": name}, price, quantity, "standard", "items", inclusive)

    def _subscription(self, family: list[PlanVersion]) -> Iterator[tuple[date, Fact]]:
        chance, first = self.chance, family[0]
        started = self._some_day(0.4)
        quantities = {c.id: chance.randrange(12) for c in first.components if c.id == "seats" and chance.random() < 0.9}
        sale = Sale(
            self._id("sub"),
            first.id,
            started,
            chance.choice(list(Alignment)),
            chance.choice([0, 0, 0, 7, 14, 31]),
            started.replace(day=chance.choice([1, 15, 28])) if chance.random() < 0.15 else None,
            quantities,
            started + timedelta(days=chance.randrange(700)) if chance.random() < 0.08 else None,
        )
        if sale.cancelled_on is None and chance.random() < 0.25:
            sale = replace(sale, term=self._term(first))
        yield started - timedelta(days=chance.randrange(10)) if chance.random() < 0.5 else started, sale
        yield from self._changes(sale, family)
        for meter_id in sorted({c.meter_id for version in family for c in version.components if c.meter_id}):
            yield from self._usage(self.market.meters[meter_id], sale)

    def _term(self, sold: PlanVersion) -> Term:
        length = Length(sold.cycle_unit, sold.cycle_count * self.chance.choice([1, 2, 3, 6]))
        notice_days = self.chance.choice([0, 0, 5, 14, 60])
        return Term(length, notice_days, notice_days + 7)

    def _changes(self, sale: Sale, family: list[PlanVersion]) -> Iterator[tuple[date, Fact]]:
        """Changes on days at random, some of them together, some told early, most in time, some late."""
        chance = self.chance
        years = (self.last_on - sale.started_on).days / 365
        for _ in range(int(self.busy * years + chance.random())):
            on = sale.started_on + timedelta(days=chance.randrange(max((self.last_on - sale.started_on).days, 1)))
            for _ in range(chance.choice([1, 1, 1, 1, 2, 3])):
                change = self._change(on, family)
                yield max(on + timedelta(days=self._delay()), sale.started_on), Told(sale.id, change)
        if chance.random() < (0.6 if sale.term else 0.25):
            on = max(self._some_day(), sale.started_on)
            credit = CreditRule.NONE if sale.term and chance.random() < 0.6 else chance.choice(CREDITS)
            change = Change(self._id("chg"), ChangeKind.CANCEL, on, credit=credit)
            yield max(on + timedelta(days=self._delay()), sale.started_on), Told(sale.id, change)

    def _delay(self) -> int:
        """When a change is told, in days after the day from which it holds."""
        return self.chance.choice([0] * 6 + [-20, -3, 1, 2, 9, 25, 60])

    def _change(self, on: date, family: list[PlanVersion]) -> Change:
        chance = self.chance
        version = chance.choice(family)
        has_seats = {v.id for v in family if any(c.id == "seats" for c in v.components)}
        kind = chance.choice(
            KINDS if family[0].id in has_seats else [ChangeKind.PLAN, ChangeKind.PAUSE, ChangeKind.RESUME]
        )
        at = None
        if chance.random() < 0.4 and family[0].day_count is DayCount.SECOND:
            at = _moment_of(on, chance.randrange(1, 86_000), self.account.time_zone)
        many = {"seats": Decimal(chance.randrange(15))}
        more = {"seats": Decimal(chance.randrange(-3, 5))}
        settings = kind is ChangeKind.QUANTITY and chance.random() < 0.6
        renews = kind is ChangeKind.PLAN and chance.random() < 0.2
        return Change(
            id=self._id("chg"),
            kind=kind,
            effective_on=on,
            effective_at=at,
            plan_version_id=version.id if kind is ChangeKind.PLAN else "",
            quantities=many if settings or (kind is ChangeKind.PLAN and version.id in has_seats) else {},
            added=more if kind is ChangeKind.QUANTITY and not settings else {},
            credit=CreditRule.UNUSED if renews else chance.choice(CREDITS),
            reset_cycle=kind is ChangeKind.PLAN and chance.random() < 0.15,
            only_from=chance.choice(family).id if renews else "",
        )

    def _usage(self, meter: Meter, sale: Sale) -> Iterator[tuple[date, Fact]]:
        """Events of a meter, each told on its day; some are told twice."""
        chance = self.chance
        day, gap = sale.started_on, chance.choice([5, 12, 40])
        named = {"subscription": sale.id} if meter.by_subscription else {}
        while day <= self.last_on:
            event = UsageEvent(
                "meter",
                self._id("ev"),
                self.account.id,
                meter.event_name,
                datetime(day.year, day.month, day.day, chance.randrange(11), chance.randrange(60), tzinfo=UTC),
                Decimal(chance.choice([1, 7, 40, 250, 1000])) * Decimal(chance.choice(["1", "0.5", "1.25"])),
                {
                    "region": chance.choice(REGIONS),
                    "class": chance.choice(CLASSES),
                    "user": f"u{chance.randrange(9)}",
                }
                | named,
            )
            delay = chance.randrange(45) if chance.random() < 0.08 and self.late else 0
            yield day + DAY * delay, event
            if chance.random() < 0.1:
                yield day + DAY * (delay + chance.randrange(20)), event
            day += timedelta(days=1 + chance.randrange(gap))


def _moment_of(day: date, seconds: int, zone: str) -> datetime:
    """So many seconds into the day, where the zone's clocks do not keep it from being the same day."""
    from tests.decade.oracle_calendar import midnight

    return min(midnight(day, zone) + timedelta(seconds=seconds), midnight(day + DAY, zone) - timedelta(seconds=1))


def _account(n: int, buyer: Buyer, sold: Market, chance: Random) -> Account:
    return Account(
        id=f"acct_eu_{n:06d}",
        organisation_id=f"org_eu_{n:06d}",
        entity_id=sold.seller.id,
        name=f"Customer {n}",
        currency=sold.seller.currency,
        time_zone=buyer.zone,
        country=buyer.country,
        tax_region=buyer.region,
        tax_status=buyer.status,
        has_tax_id=buyer.has_tax_id,
        language="en",
        payment_terms=PaymentTerms(chance.choice([0, 14, 30])),
        profile_version=1,
        deliver_by_email=False,
    )


def _only_fixed(version: PlanVersion) -> list[str]:
    return [c.id for c in version.components if c.kind is not ChargeKind.USAGE]
