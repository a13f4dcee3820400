"""Caps over a plan and percents of other charges, whatever changes, whenever runs come and usage is told."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.catalog.model import PercentOf, PercentTier
from saldo.kernel.periods import Cycle, Unit
from saldo.kernel.rounding import rounded_ratio
from saldo.quotes.service import quote_document
from saldo.rating.rules.registry import price

DAYS = st.dates(date(2026, 1, 1), date(2026, 8, 31))
Json = dict[str, Any]


@st.composite
def percents(draw: st.DrawFn) -> Json:
    bounds = sorted(draw(st.sets(st.integers(1, 2_000), max_size=2)))
    tiers = [{"up_to": str(b), "percent": str(draw(st.integers(0, 100)))} for b in bounds]
    last = {"percent": draw(st.sampled_from(["3", "7.5", "10"]))}
    return {"kind": "percent_of", "tiers": [*tiers, last], "minimum": str(draw(st.integers(0, 60)))}


@st.composite
def plans(draw: st.DrawFn, name: str) -> Json:
    price_of_base = {"kind": "flat", "amount": str(draw(st.integers(0, 300)))}
    components: list[Json] = [
        {"id": "base", "price": price_of_base, "timing": draw(st.sampled_from(["advance", "arrears"]))},
        {"id": "used", "meter_id": "units", "price": {"kind": "per_unit", "unit_price": "0.335"}},
    ]
    if draw(st.booleans()):
        components.append({"id": "support", "price": draw(percents()) | draw(some("used", "base"))})
    if draw(st.booleans()):
        components.append({"id": "surcharge", "price": draw(percents()) | {"components": ["used"]}})
    found: Json = {"id": name, "components": components}
    if draw(st.booleans()):
        found["maximum"] = {"amount": str(draw(st.integers(0, 400))), **draw(some("used", "base"))}
    if draw(st.booleans()):
        most = Decimal(found["maximum"]["amount"]) if "maximum" in found else Decimal(200)
        found["minimum"] = str(draw(st.integers(0, int(most))))
    return found


def some(*names: str) -> st.SearchStrategy[Json]:
    return st.sampled_from([{}, *({"components": [name]} for name in names), {"components": list(names)}])


@st.composite
def documents(draw: st.DrawFn) -> Json:
    names = ["one", "two", "three"]
    kinds = st.sampled_from(["plan", "plan", "pause", "resume", "cancel"])
    changes: list[Json] = []
    for kind in draw(st.lists(kinds, max_size=3)):
        plan = {"plan": draw(st.sampled_from(names))} if kind == "plan" else {}
        changes.append({"kind": kind, "effective_on": draw(DAYS).isoformat(), **plan})
    events = draw(st.lists(st.tuples(DAYS, st.integers(1, 900), st.integers(0, 70)), max_size=5))
    return {
        "plans": [draw(plans(name)) for name in names],
        "subscriptions": [{"plan": "one", "started_on": "2026-01-01", "changes": changes}],
        "usage": {
            "meters": [{"id": "units"}],
            "events": [
                {"id": str(n), "meter_id": "units", "at": f"{on}T12:00:00Z", "value": str(value)}
                | ({"came_on": (on + timedelta(days=late)).isoformat()} if late else {})
                for n, (on, value, late) in enumerate(events)
            ],
        },
    }


MONTHS = [Cycle(Unit.MONTH, 1, date(2026, 1, 1)).boundary(k).isoformat() for k in range(14)]


def total(document: Json, days: list[str]) -> Decimal:
    answer = quote_document({**document, "billing": {"dates": days}})
    return Decimal(answer["totals"]["total"])


def in_time(document: Json) -> Json:
    events = [{k: v for k, v in e.items() if k != "came_on"} for e in document["usage"]["events"]]
    return {**document, "usage": {**document["usage"], "events": events}}


@settings(max_examples=60, deadline=None)
@given(documents(), st.lists(DAYS, max_size=5))
def test_runs_on_any_days_and_usage_told_late_come_to_the_same(document: Json, runs: list[date]) -> None:
    changed = [c["effective_on"] for c in document["subscriptions"][0]["changes"]]
    expected = total(in_time(document), sorted({*MONTHS, *changed}))
    some_days = sorted({*(on.isoformat() for on in runs), MONTHS[-1]})
    assert total(document, some_days) == expected
    assert total(document, sorted({*MONTHS, *some_days})) == expected


@settings(max_examples=60, deadline=None)
@given(plans("p"), st.lists(st.integers(0, 900), min_size=3, max_size=3))
def test_each_cycle_is_what_its_charges_make_within_its_bounds(plan: Json, used: list[int]) -> None:
    """Worked out from the lines of the charges alone, in plain fractions."""
    months = zip(MONTHS, MONTHS[1:4], used, strict=False)
    totals = [{"meter_id": "units", "quantity": str(n), "from": a, "until": b} for a, b, n in months]
    document = {"plans": [plan], "subscriptions": [{"plan": "p", "started_on": MONTHS[0]}], "usage": {"totals": totals}}
    answer = quote_document({**document, "billing": {"from": MONTHS[0], "through": MONTHS[3]}})
    lines = [line for invoice in answer["invoices"] for line in invoice["lines"]]
    for month in MONTHS[:3]:
        charged = {line["component"]: line["amount_minor"] for line in lines if line["from"] == month}
        plain = {name: charged.get(name, 0) for name in ("base", "used")}
        for name in ("surcharge", "support"):
            component = next((c for c in plan["components"] if c["id"] == name), None)
            if component is not None:
                of = component["price"].get("components") or ["base", "used", "surcharge"]
                plain[name] = percent(component["price"], sum(plain.get(one, 0) for one in of))
                assert charged.get(name, 0) == plain[name]
        asked = sum(plain.values())
        if "maximum" in plan:
            bounded = plan["maximum"].get("components") or list(plain)
            over = sum(plain[name] for name in bounded) - int(plan["maximum"]["amount"]) * 100
            assert charged.get("maximum", 0) == -max(over, 0)
            asked -= max(over, 0)
        if "minimum" in plan:
            assert charged.get("minimum", 0) == max(int(plan["minimum"]) * 100 - asked, 0)


def percent(price_of: Json, charged: int) -> int:
    floor, fee = 0, Fraction(0)
    for tier in price_of["tiers"]:
        upper = int(tier["up_to"]) * 100 if "up_to" in tier else charged
        part = max(min(charged, upper) - floor, 0)
        fee += part * Fraction(tier["percent"]) / 100
        floor = max(floor, upper)
    fee = max(fee, Fraction(price_of["minimum"]) * 100)
    return rounded_ratio(fee.numerator, fee.denominator)


tiers = st.lists(st.tuples(st.integers(1, 9_999), st.decimals(0, 100, places=2)), max_size=4)


@given(tiers, st.decimals(0, 100, places=3), st.decimals(0, 20_000, places=2), st.decimals(0, 500, places=2))
def test_a_percent_of_more_is_never_less_and_its_steps_add_up_to_it(
    bounded: list[tuple[int, Decimal]], last: Decimal, charged: Decimal, minimum: Decimal
) -> None:
    rising = sorted(dict(bounded).items())
    model = PercentOf((*(PercentTier(Decimal(b), p) for b, p in rising), PercentTier(None, last)), minimum=minimum)
    less, more = price(model, charged), price(model, charged + 1)
    assert minimum <= less.amount <= more.amount
    assert sum(step.amount for step in less.steps) == less.amount
    assert sum(step.units for step in less.steps if step.rule == "percentage") == charged
