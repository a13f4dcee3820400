"""What holds of prices, periods, taxes and invoices whatever the plan, the dates and the usage."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.accounts.model import TaxStatus
from saldo.catalog.codec import plan_version_from_json, plan_version_to_json
from saldo.catalog.model import (
    BY_MONTHS,
    Capped,
    ChargeKind,
    Commitment,
    Component,
    DayCount,
    Flat,
    Graduated,
    Included,
    Package,
    Percentage,
    PerUnit,
    PlanVersion,
    PriceModel,
    Ramp,
    RampStep,
    Stair,
    StairStep,
    Tier,
    Timing,
    Volume,
)
from saldo.catalog.rules import problems_of as problems_of_plan
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.model import Draft
from saldo.invoicing.rules import bill
from saldo.invoicing.rules_entry import issue_entry
from saldo.invoicing.rules_soundness import problems_of
from saldo.kernel.exact import minor_of_share
from saldo.kernel.money import minor_digits, round_exact
from saldo.kernel.periods import Period, Unit
from saldo.kernel.rounding import Rounding
from saldo.rating.rules.proration import share_of
from saldo.rating.rules.registry import price
from saldo.subscriptions.model import Alignment, Subscription
from saldo.subscriptions.rules import billed, billing_due, cancel
from saldo.tax.model import LineTax, TaxableLine, TaxRounding, TaxShare, TaxTreatment
from saldo.tax.rules import tax_totals
from saldo.usage.model import Aggregation, Meter, UsageEvent
from saldo.usage.rules import metered
from tests.unit.invoicing.scenes import BUYER, TAX, case_of, sold

amounts = st.decimals(0, 10**6, places=6)
quantities = st.decimals(0, 10**9, places=4)
days = st.dates(date(2018, 1, 1), date(2026, 12, 31))


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    bounds = sorted(draw(st.sets(st.decimals("0.01", 10**6, places=2), max_size=5)))
    return tuple(Tier(bound, draw(amounts), draw(amounts)) for bound in [*bounds, None])


simple_models = st.one_of(
    st.builds(Flat, amounts),
    st.builds(PerUnit, amounts),
    st.builds(Graduated, tiers(), st.booleans()),
    st.builds(Volume, tiers(), st.booleans()),
    st.builds(Package, st.decimals("0.01", 10**4, places=2), amounts, quantities),
)


@st.composite
def stair_steps(draw: st.DrawFn) -> StairStep:
    bounds = sorted(draw(st.sets(st.decimals("0.01", 10**6, places=2), max_size=4)))
    costs = sorted(draw(st.lists(amounts, min_size=len(bounds) + 1, max_size=len(bounds) + 1)))
    return StairStep(tuple(Stair(bound, cost) for bound, cost in zip([*bounds, None], costs, strict=True)))


@st.composite
def percentages(draw: st.DrawFn) -> Percentage:
    minimum = draw(amounts)
    maximum = draw(st.one_of(st.none(), amounts.map(lambda more: minimum + more)))
    return Percentage(draw(st.decimals(0, 1, places=5)), draw(amounts), minimum, maximum)


def nesting(inner: st.SearchStrategy[PriceModel]) -> st.SearchStrategy[PriceModel]:
    return st.one_of(
        st.builds(Included, quantities, inner),
        st.builds(Commitment, amounts, inner, st.decimals(0, 5, places=3)),
        st.builds(Capped, amounts, inner),
        st.builds(lambda first, later: Ramp((RampStep(0, first), RampStep(3, later))), inner, inner),
    )


def has_volume(model: object) -> bool:
    if isinstance(model, Ramp):
        return any(has_volume(step.price) for step in model.steps)
    held = getattr(model, "overage", getattr(model, "price", None))
    return isinstance(model, Volume) or (held is not None and has_volume(held))


models: st.SearchStrategy[PriceModel] = st.recursive(
    st.one_of(simple_models, stair_steps(), percentages()), nesting, max_leaves=3
)
names = st.fixed_dictionaries({"en": st.text(min_size=1).filter(str.strip)})


@st.composite
def components(draw: st.DrawFn, number: int) -> Component:
    kind = draw(st.sampled_from(list(ChargeKind)))
    usage = kind is ChargeKind.USAGE
    timing = Timing.ARREARS if usage else draw(st.sampled_from(list(Timing)))
    meter = f"meter_{number}" if usage else ""
    prorate = draw(st.booleans())
    return Component(
        f"c{number}", kind, draw(names), draw(models), timing, "standard", "rev", meter, {"en": "unit"}, prorate
    )


@st.composite
def plans(draw: st.DrawFn) -> PlanVersion:
    unit = draw(st.sampled_from([Unit.WEEK, Unit.MONTH, Unit.QUARTER, Unit.YEAR]))
    return PlanVersion(
        "plv_1",
        "plan_1",
        draw(st.integers(1, 99)),
        draw(st.sampled_from(["EUR", "JPY", "KWD", "USD"])),
        unit,
        draw(st.integers(1, 3)),
        tuple(draw(components(n)) for n in range(draw(st.integers(1, 4)))),
        draw(days),
        draw(st.sampled_from([Rounding.HALF_UP, Rounding.HALF_EVEN])),
        draw(st.sampled_from([d for d in DayCount if unit is not Unit.WEEK or d not in BY_MONTHS])),
    )


@st.composite
def subscriptions(draw: st.DrawFn, plan_version: PlanVersion) -> Subscription:
    start = draw(days)
    alignment = draw(st.sampled_from(list(Alignment)))
    anchor = start + timedelta(days=draw(st.integers(0, 40)))
    return sold(plan_version, start, alignment=alignment, trial_days=draw(st.integers(0, 45)), anchor_on=anchor)


@given(models, quantities)
def test_a_price_is_never_negative_and_its_steps_make_it_up(model: PriceModel, quantity: Decimal) -> None:
    priced = price(model, quantity)
    assert priced.amount >= 0
    assert sum((Fraction(s.amount) for s in priced.steps), Fraction(0)) == Fraction(priced.amount)


@given(models.filter(lambda m: not has_volume(m)), quantities, quantities)
def test_more_never_costs_less_except_by_volume(model: PriceModel, one: Decimal, other: Decimal) -> None:
    less, more = sorted((one, other))
    assert price(model, less).amount <= price(model, more).amount


@given(tiers(), quantities)
def test_graduated_prices_each_unit_in_its_tier(steps: tuple[Tier, ...], quantity: Decimal) -> None:
    expected, floor, units = Fraction(0), Fraction(0), Fraction(quantity)
    for tier in steps:
        ceiling = units if tier.up_to is None else min(units, Fraction(tier.up_to))
        if units > floor:
            expected += (ceiling - floor) * Fraction(tier.unit_price) + Fraction(tier.flat)
        floor = units if tier.up_to is None else Fraction(tier.up_to)
    assert Fraction(price(Graduated(steps), quantity).amount) == expected


@given(
    amounts, st.integers(0, 400), st.integers(1, 400), st.sampled_from(["JPY", "EUR", "KWD"]), st.sampled_from(Rounding)
)
def test_money_of_a_share_is_the_exact_share_rounded_once(
    amount: Decimal, part: int, of: int, currency: str, rounding: Rounding
) -> None:
    exact = Fraction(amount) * part / of * 10 ** minor_digits(currency)
    assert minor_of_share(amount, (part, of), currency, rounding) == round_exact(exact, rounding)


@given(days, st.integers(2, 400), st.data())
def test_shares_of_a_split_period_add_up_to_the_whole(start: date, length: int, data: st.DataObject) -> None:
    full = Period(start, start + timedelta(days=length))
    cut = start + timedelta(days=data.draw(st.integers(1, length - 1)))
    parts = [share_of(Period(a, b), full) for a, b in ((full.start, cut), (cut, full.end))]
    assert sum(Fraction(p.days, p.of) for p in parts) == 1


@given(st.data(), plans())
def test_every_day_is_charged_once_however_the_runs_fall(data: st.DataObject, plan_version: PlanVersion) -> None:
    subscription = data.draw(subscriptions(plan_version))
    fixed = Component("day", ChargeKind.FIXED, {"en": "x"}, Flat(Decimal(1)), Timing.ADVANCE, "standard", "rev")
    both = replace(plan_version, components=(fixed, replace(fixed, id="past", timing=Timing.ARREARS)))
    run_on = subscription.started_on
    if data.draw(st.booleans()):
        subscription = cancel(subscription, both, run_on + timedelta(days=data.draw(st.integers(0, 900))))
    found = []
    for gap in data.draw(st.lists(st.integers(0, 200), min_size=1, max_size=8)):
        run_on += timedelta(days=gap)
        found += billing_due(subscription, both, run_on)
        subscription = billed(subscription, both, run_on)
    for timing in Timing:
        periods = [p.period for p in found if p.timing is timing]
        assert all(a.end == b.start for a, b in pairwise(periods))
        assert not periods or periods[0].start == subscription.billed_from
    assert len({(p.identity, p.timing) for p in found}) == len(found)
    if subscription.next_bill_on is not None:
        assert subscription.next_bill_on > run_on


@given(plans())
def test_plans_survive_their_codec(plan_version: PlanVersion) -> None:
    assert problems_of_plan(plan_version) == ()
    assert plan_version_from_json(plan_version_to_json(plan_version)) == plan_version


@settings(max_examples=60)
@given(st.data(), plans(), st.sampled_from(["DE", "FR", "US", "CH", "EE"]), st.sampled_from(TaxStatus))
def test_any_invoice_adds_up_posts_balanced_and_survives_its_codec(
    data: st.DataObject, plan_version: PlanVersion, country: str, status: TaxStatus
) -> None:
    account = replace(
        BUYER, country=country, tax_region="NY", tax_status=status, currency=plan_version.currency, has_tax_id=True
    )
    subscription = data.draw(subscriptions(plan_version))
    as_of = subscription.billed_from + timedelta(days=data.draw(st.integers(0, 500)))
    used = {f"meter_{n}": data.draw(quantities) for n in range(4)}
    outcome = bill(case_of(plan_version, subscription, as_of=as_of, used=used, account=account), TAX)
    assert all(s.next_bill_on is None or s.next_bill_on > as_of for s in outcome.subscriptions)
    if isinstance(outcome, Draft):
        assert problems_of(outcome.body) == ()
        assert body_from_bytes(body_to_bytes(outcome.body)) == outcome.body
        assert sum(posting.minor for posting in issue_entry(outcome.body).postings) == 0


shares = st.builds(
    lambda name, percent: TaxShare("X", name, TaxTreatment.STANDARD, percent),
    st.sampled_from(["a", "b"]),
    st.decimals(0, 30, places=2),
)


@given(st.lists(st.tuples(st.integers(-(10**6), 10**6), st.lists(shares, max_size=2, unique=True)), max_size=12))
def test_tax_by_rate_is_the_tax_of_its_lines_and_close_to_their_rounded_sum(
    taxed: list[tuple[int, list[TaxShare]]],
) -> None:
    lines = [TaxableLine(str(i), net, "standard", date(2025, 1, 1)) for i, (net, _) in enumerate(taxed)]
    taxes = [LineTax(line.id, tuple(found)) for line, (_, found) in zip(lines, taxed, strict=True)]
    by_document = {(t.name, t.percent): t for t in tax_totals(lines, taxes)}
    by_line = {(t.name, t.percent): t for t in tax_totals(lines, taxes, TaxRounding.LINE)}
    for key, total in by_document.items():
        nets = [net for net, found in taxed for share in found if (share.name, share.percent) == key]
        assert total.base_minor == by_line[key].base_minor == sum(nets)
        assert total.tax_minor == round_exact(Fraction(total.percent) * sum(nets) / 100)
        assert abs(total.tax_minor - by_line[key].tax_minor) <= (len(nets) + 1) / 2


@given(st.data(), st.sampled_from(["Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "UTC"]))
def test_usage_of_the_days_is_the_usage_of_the_period(data: st.DataObject, zone: str) -> None:
    meter = Meter("m", "ent", data.draw(st.sampled_from([Aggregation.SUM, Aggregation.COUNT])), {}, {})
    period = Period(date(2025, 3, 1), date(2025, 4, 1))
    first, last = period.instants(zone)
    hours = data.draw(st.lists(st.tuples(st.integers(-48, 800), amounts), max_size=30))
    events = [
        UsageEvent("s", str(i), "acct", "m", first + timedelta(hours=h), value) for i, (h, value) in enumerate(hours)
    ]
    assert last > first
    days = [Period(on, on + timedelta(days=1)) for on in (period.start + timedelta(days=n) for n in range(period.days))]
    assert sum(metered(events, meter, day, zone) for day in days) == metered(events, meter, period, zone)
