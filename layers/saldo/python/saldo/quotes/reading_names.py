"""What a quote's document names must be there: a slip would leave usage unbilled, or a coupon without effect."""

from __future__ import annotations

from collections.abc import Iterable

from saldo.kernel.reading import Fields
from saldo.quotes.model import QuoteRequest


def check_names(document: Fields, request: QuoteRequest) -> None:
    """A problem for every total of a meter or subscription, and every coupon of a plan or component, unknown here.

    Nothing where something else is wrong already: what is not read cannot be named.
    """
    if document.problems:
        return
    components = [c for version in request.versions.values() for c in version.components]
    meters = {c.meter_id for c in components if c.meter_id}
    sold = {subscription.id for subscription in request.subscriptions}
    for n, total in enumerate(request.usage.totals):
        where = f"usage.totals[{n}]"
        _check(document, f"{where}.meter_id", [total.meter_id], meters, "no component of a plan has this meter")
        named = [total.subscription_id] if total.subscription_id else []
        _check(document, f"{where}.subscription", named, sold, "is not among the subscriptions")
    billed = {c.id for c in components} | {dated.item.id for dated in request.items}
    for n, coupon in enumerate(request.wallet.coupons):
        _check(document, f"coupons[{n}].plans", coupon.plans, set(request.versions), "is not among the plans")
        _check(document, f"coupons[{n}].components", coupon.components, billed, "is no component and no item")


def _check(document: Fields, where: str, names: Iterable[str], known: set[str], why: str) -> None:
    for name in sorted(set(names) - known):
        there = ", ".join(sorted(known)) or "none"
        document.problems.add(where, "unknown_name", f"{name!r}: {why}; there are {there}")
