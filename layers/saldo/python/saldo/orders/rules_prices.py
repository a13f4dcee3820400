"""What a plan costs an order: the list price of a quantity, and versions with a price that one customer agreed on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from saldo.catalog.model import NEGOTIATED, ChargeKind, Component, Flat, Minimum, PerUnit, PlanVersion
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import minor_of_share, times
from saldo.rating.rules.registry import rate


def is_recurring(version: PlanVersion) -> bool:
    """Whether ordering it begins a subscription, or is done with once delivered."""
    return any(c.kind is not ChargeKind.ONE_TIME for c in version.components)


def priced_components(version: PlanVersion) -> tuple[Component, ...]:
    """What an order's unit price is the price of: what recurs by quantity; where nothing does, what is charged once."""
    fixed = tuple(c for c in version.components if c.kind is ChargeKind.FIXED and c.is_bought)
    return fixed or tuple(c for c in version.components if c.kind is ChargeKind.ONE_TIME)


def quantities_of(version: PlanVersion, quantity: Decimal) -> dict[str, Decimal]:
    """The quantity of each priced component; a flat price has none."""
    return {c.id: quantity for c in priced_components(version) if not isinstance(c.price, Flat)}


def list_minor(version: PlanVersion, quantity: Decimal) -> int:
    """The list price of a quantity in minor units, each component rounded once as the version says."""
    wanted = quantities_of(version, quantity)
    rated = [
        rate(c.price, wanted.get(c.id, Decimal(1)), version.currency, rounding=version.rounding)
        for c in priced_components(version)
    ]
    return sum(r.net_minor for r in rated)


def asked_minor(unit_price: Decimal, quantity: Decimal, currency: str) -> int:
    """Unit price × quantity in minor units, rounded half up once."""
    return minor_of_share(times(unit_price, quantity), (1, 1), currency)


def negotiated_version(
    version: PlanVersion, cause: str, unit_price: Decimal, component_id: str = "", minimum: Minimum | None = None
) -> PlanVersion:
    """The version with one component at another price per unit (and another `minimum`), under an id that follows from
    its cause.

    Refusal `price_of_several_components` when the plan has more than one priced component and none is named;
    `unknown_component` for one it does not have.
    """
    names = [c.id for c in priced_components(version)]
    if not component_id and len(names) != 1:
        raise Refusal(
            "price_of_several_components", f"{version.plan_id} is priced by {', '.join(names) or 'usage'}: name one"
        )
    wanted = component_id or names[0]
    if wanted not in names:
        raise Refusal("unknown_component", f"{version.plan_id} has no priced component {wanted}")
    components = tuple(replace(c, price=PerUnit(unit_price)) if c.id == wanted else c for c in version.components)
    own = replace(version, id=f"{NEGOTIATED}{version.id}{NEGOTIATED}{cause}", components=components)
    return own if minimum is None else replace(own, minimum=minimum)
