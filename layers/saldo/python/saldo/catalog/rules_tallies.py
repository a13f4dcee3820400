"""What makes a plan's minimum, its maximum and its percents of other charges sound, by themselves and together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from saldo.catalog.model import MAXIMUM, MINIMUM, Component, Maximum, Minimum, PercentOf, PlanVersion
from saldo.kernel.errors import Problem, Problems
from saldo.kernel.exact import times
from saldo.kernel.numbers import check_number, fits


def problems_of_tallies(plan_version: PlanVersion) -> tuple[Problem, ...]:
    """Everything wrong with what follows from all that a plan charges."""
    found = Problems()
    known = {component.id for component in plan_version.components}
    for bound in (MINIMUM, MAXIMUM):
        if bound in known and getattr(plan_version, bound) is not None:
            found.add("components", "reserved_id", f"{bound!r} is what a plan's {bound} itself is called")
    if plan_version.minimum is not None:
        _check_minimum(plan_version, plan_version.minimum, found)
    if plan_version.maximum is not None:
        _check_maximum(plan_version, plan_version.maximum, found)
    for i, component in enumerate(plan_version.components):
        if isinstance(component.price, PercentOf):
            where = f"components[{i}].price.components"
            if component.id in (MINIMUM, MAXIMUM):
                found.add(f"components[{i}].id", "reserved_id", f"{component.id!r} is what a plan's own is called")
            _check_known(plan_version, component.price.components, where, found)
            counted = (c for c in plan_version.components if c is component or plan_version.counts(component.id, c))
            _check_alike(counted, where, "a percent and what it is of have", found)
            if circle := _circle(plan_version, [component.id]):
                found.add(where, "circular", f"a percent of itself: {' of '.join(circle)}; name `components`")
    return found.found


def _check_minimum(plan_version: PlanVersion, minimum: Minimum, found: Problems) -> None:
    if not minimum.amounts:
        found.add("minimum.amounts", "empty", "a minimum is of some amount")
    for i, amount in enumerate(minimum.amounts):
        check_number(found, f"minimum.amounts[{i}]" if len(minimum.amounts) > 1 else "minimum", amount)
    check_number(found, "minimum.overage_factor", minimum.overage_factor)
    if not plan_version.minimum_cycles:
        cycle = f"{plan_version.cycle_count} {plan_version.cycle_unit}"
        found.add("minimum.every", "not_whole_cycles", f"must be a whole number of cycles of {cycle}")
    _check_known(plan_version, minimum.components, "minimum.components", found)
    _check_alike(plan_version.bounded(MINIMUM), "minimum.components", "what counts towards a minimum has", found)


def _check_alike(counted: Iterable[Component], where: str, what: str, found: Problems) -> None:
    """Amounts with tax in them and amounts without it make no sum."""
    if len({component.tax_inclusive for component in counted}) > 1:
        found.add(where, "mixed_taxes", f"{what} its tax in the price, or none of it: name components that are alike")


def _check_maximum(plan_version: PlanVersion, maximum: Maximum, found: Problems) -> None:
    """What it gives back bears the taxes of what it bounds, so these must bear the same."""
    check_number(found, "maximum", maximum.amount)
    _check_known(plan_version, maximum.components, "maximum.components", found)
    bounded = plan_version.bounded(MAXIMUM)
    if not bounded and plan_version.components:
        found.add("maximum.components", "empty", "it bounds nothing: name what is charged once, if it is for that")
    if len({(c.tax_category, c.tax_inclusive) for c in bounded}) > 1:
        why = "what a maximum gives back bears one tax: name components of one tax category"
        found.add("maximum.components", "mixed_taxes", why)
    if plan_version.minimum is not None:
        _check_both(plan_version, plan_version.minimum, maximum, found)


def _check_both(plan_version: PlanVersion, minimum: Minimum, maximum: Maximum, found: Problems) -> None:
    """Both can only hold where the one is for some of what the other is for, or for none of it."""
    least, most = plan_version.bounded_by(MINIMUM), plan_version.bounded_by(MAXIMUM)
    if not (least.isdisjoint(most) or most <= least or (least < most and not plan_version.pools_minimum)):
        why = "a maximum is for the components of the minimum, for some of them, or for others"
        found.add("maximum.components", "overlaps_minimum", why)
    elif least <= most and fits(maximum.amount) and all(fits(amount) for amount in minimum.amounts):
        of_period = times(maximum.amount, Decimal(plan_version.minimum_cycles or 1))
        if any(amount > of_period for amount in minimum.amounts):
            found.add("maximum", "below_minimum", "must not be below the minimum for the same")


def _check_known(plan_version: PlanVersion, named: Sequence[str], where: str, found: Problems) -> None:
    known = {component.id for component in plan_version.components}
    for i, component_id in enumerate(named):
        if component_id not in known:
            found.add(f"{where}[{i}]", "unknown_component", f"the plan has no component {component_id!r}")


def _circle(plan_version: PlanVersion, path: list[str]) -> list[str]:
    """Percents of percents that lead from the first of a path to itself again; [] where there are none."""
    for after in _percents_in(plan_version, path[-1]):
        if after.id == path[0]:
            return [*path, after.id]
        if after.id not in path and (found := _circle(plan_version, [*path, after.id])):
            return found
    return []


def _percents_in(plan_version: PlanVersion, component_id: str) -> Iterable[Component]:
    """The percents of which a percent is one itself."""
    own = next(component for component in plan_version.components if component.id == component_id)
    for component in plan_version.components:
        if isinstance(component.price, PercentOf) and isinstance(own.price, PercentOf):
            named_itself = component is own and component_id in own.price.components
            if named_itself or plan_version.counts(component_id, component):
                yield component
