"""Short ways to write the documents of the table."""

from __future__ import annotations

from typing import Any

from tests.cases.more.model import Worked
from tests.cases.reading import fee, plan, rate, tiers

Json = dict[str, Any]

__all__ = ["Json", "Worked", "fee", "items", "monthly", "plan", "rate", "subscribed", "tiers", "used"]


def used(case_id: str, source: str, price: Json, quantity: Any, amount: Any, **more: Any) -> Worked:
    """A month of usage by a price; quantity: a number, or the total as the document has it. amount None: no invoice."""
    total = quantity if isinstance(quantity, dict) else {"quantity": str(quantity)}
    expected = {"invoices": []} if amount is None else {"invoices.*.net": [amount]}
    document = {
        "billing": {"on": "2026-02-01"},
        "plans": [plan("p", fee(price, "usage", meter_id="m"), **more.pop("plan", {}))],
        "subscriptions": [{"plan": "p", "started_on": "2026-01-01"}],
        "usage": {"totals": [{"meter_id": "m", **total}]},
    }
    option = more.pop("option", "")
    expected |= more.pop("expected", {})
    return Worked(case_id, source, {**document, **more}, expected, option)


def subscribed(
    components: Json | list[Json], subscription: Json, billing: Json, plans: list[Json] | None = None, **more: Any
) -> Json:
    """One subscription of the plan `p`; components: of it, or an amount each month."""
    listed = components if isinstance(components, list) else [components]
    kept = {
        name: more.pop(name)
        for name in ("cycle_unit", "cycle_count", "day_count", "minimum", "maximum")
        if name in more
    }
    return {
        "billing": billing,
        "plans": [plan("p", *listed, **kept), *(plans or [])],
        "subscriptions": [{"plan": "p", **subscription}],
        **more,
    }


def monthly(plans: dict[str, Any], started_on: str, through: str, *changes: Json, **more: Any) -> Json:
    """A subscription of the first of some monthly plans (amount by id, or a component), with its changes."""
    kept = {name: more.pop(name) for name in ("cycle_unit", "cycle_count", "day_count") if name in more}
    terms = more.pop("subscription", {})
    listed = [plan(name, c if isinstance(c, dict) else fee(c), **kept) for name, c in plans.items()]
    subscription = {"plan": next(iter(plans)), "started_on": started_on, "changes": list(changes), **terms}
    return {
        "billing": {"from": started_on, "through": through},
        "plans": listed,
        "subscriptions": [subscription],
        **more,
    }


def items(*amounts: Any, **more: Any) -> Json:
    """Items sold once on the last of January; amounts: of one each, or as the document has them."""
    listed = [a if isinstance(a, dict) else {"unit_price": str(a)} for a in amounts]
    return {"billing": {"on": "2026-01-31"}, "items": listed, **more}
