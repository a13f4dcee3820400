"""Plans of a quote's document: those of the catalog, with everything left out that a quote does not need."""

from __future__ import annotations

from saldo.catalog.codec import plan_version_from
from saldo.catalog.model import PlanVersion
from saldo.catalog.rules import problems_of
from saldo.kernel.reading import Fields


def plans_from(document: Fields, currency: str) -> dict[str, PlanVersion]:
    """Plan versions by id, each checked as the catalog checks it; currency: of plans that name none."""
    found: dict[str, PlanVersion] = {}
    for fields in document.maybe_children("plans"):
        before = len(document.problems.found)
        plan_version = plan_version_from(fields, currency)
        if plan_version.id in found:
            document.problems.add(fields.at("id"), "not_unique", f"{plan_version.id!r} is there twice")
        if len(document.problems.found) == before:
            document.problems.extend(problems_of(plan_version), fields.path)
        found[plan_version.id] = plan_version
    return found
