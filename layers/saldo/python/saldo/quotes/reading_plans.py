"""Plans of a quote's document: those of the catalog, with everything left out that a quote does not need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from saldo.catalog.codec import plan_version_from
from saldo.catalog.model import PlanVersion
from saldo.catalog.rules import problems_of
from saldo.kernel.errors import Problem
from saldo.kernel.reading import Fields

# What others of their object mean depends on these: where one cannot be read, nothing is said of the others.
_DECIDING = ("kind", "timing", "dimensions", "cycle_unit", "every")


def plans_from(document: Fields, currency: str) -> dict[str, PlanVersion]:
    """Plan versions by id, each checked as the catalog checks it; currency: of plans that name none."""
    found: dict[str, PlanVersion] = {}
    for fields in document.maybe_children("plans"):
        before = len(document.problems.found)
        plan_version = plan_version_from(fields, currency)
        if plan_version.id in found:
            document.problems.add(fields.at("id"), "not_unique", f"{plan_version.id!r} is there twice")
        unread = document.problems.found[before:]
        document.problems.extend(_not_told(fields, problems_of(plan_version), unread))
        found[plan_version.id] = plan_version
    return found


def _not_told(fields: Fields, problems: Iterable[Problem], unread: Iterable[Problem]) -> Iterator[Problem]:
    """What else is wrong with a plan of which some fields could not be read, and so have a value that means nothing."""
    silent = {problem.field for problem in unread}
    if fields.is_faulty("id"):
        silent.add(fields.at("plan_id"))  # which is the same where it is not told
    under = tuple(f"{parent}." for parent, _, name in (f.rpartition(".") for f in silent) if name in _DECIDING)
    for problem in problems:
        where = fields.at(problem.field)
        if where not in silent and not where.startswith(under):
            yield Problem(where, problem.code, problem.message)
