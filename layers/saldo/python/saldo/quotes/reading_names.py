"""What a quote's document names must be there: a slip would leave usage unbilled, or a coupon without effect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from saldo.catalog.model import Component
from saldo.kernel.reading import Fields
from saldo.quotes.model import QuoteRequest, UsageTotal
from saldo.usage.rules import needs_of

_IDS_OF_PLANS = re.compile(r"plans(\[\d+\](\.(id|components(\[\d+\](\.(id|meter_id))?)?))?)?")
_NOT_BILLED = "is no component and no item"
_IDS_OF_SUBSCRIPTIONS = re.compile(r"subscriptions(\[\d+\](\.id)?)?")


def check_names(document: Fields, request: QuoteRequest) -> None:
    """A problem for every total or meter of usage that no plan prices, every total that does not tell what its price
    asks, and every coupon, credit and currency unknown here. Of what could not be read itself nothing is said."""
    if not _unread(document, _IDS_OF_PLANS):
        components = [c for version in request.versions.values() for c in version.components]
        _check_usage(document, request, components)
        billed = {c.id for c in components} | {dated.item.id for dated in request.items}
        for n, coupon in enumerate(request.wallet.coupons):
            _check(document, f"coupons[{n}].plans", coupon.plans, set(request.versions), "is not among the plans")
            _check(document, f"coupons[{n}].components", coupon.components, billed, _NOT_BILLED)
        for n, credit in enumerate(request.wallet.credits):
            _check(document, f"prepaid_credits[{n}].components", credit.components, billed, _NOT_BILLED)
    if not _unread(document, _IDS_OF_SUBSCRIPTIONS):
        sold = {subscription.id for subscription in request.subscriptions}
        for n, total in enumerate(request.usage.totals):
            where = f"usage.totals[{n}].subscription"
            _check(document, where, [total.subscription_id], sold, "is not among the subscriptions")
    _check_currencies(document, request)


def _check_usage(document: Fields, request: QuoteRequest, components: Sequence[Component]) -> None:
    priced, why = {c.meter_id for c in components if c.meter_id}, "no component of a plan has this meter"
    for n, total in enumerate(request.usage.totals):
        _check(document, f"usage.totals[{n}].meter_id", [total.meter_id], priced, why)
        _check_parts(document, f"usage.totals[{n}]", total, components)
    for n, meter_id in enumerate(request.usage.meters):
        _check(document, f"usage.meters[{n}].id", [meter_id], priced, why)


def _check_parts(document: Fields, where: str, total: UsageTotal, components: Iterable[Component]) -> None:
    """A price by event asks for more than how much it was."""
    asked = [needs_of(c.price) for c in components if c.meter_id == total.meter_id]
    if total.amounts is None and total.quantity and any(needs.amounts for needs in asked):
        document.problems.add(f"{where}.amounts", "missing", "a price per event needs the amounts one by one")


def _check_currencies(document: Fields, request: QuoteRequest) -> None:
    """What is priced in another currency needs rates to be converted at."""
    own = request.account.currency
    if document.has("prices") or document.is_faulty("currency"):
        return
    for where, currency in _priced_in(request):
        if currency not in ("", own) and all(p.field != where for p in document.problems.found):
            why = f"the document is in {own}, and `prices` tells no rate of {currency}"
            document.problems.add(where, "currency_mismatch", why)


def _priced_in(request: QuoteRequest) -> Iterator[tuple[str, str]]:
    for n, version in enumerate(request.versions.values()):
        yield f"plans[{n}].currency", version.currency
    for n, coupon in enumerate(request.wallet.coupons):
        yield f"coupons[{n}].currency", coupon.currency


def _unread(document: Fields, ids: re.Pattern[str]) -> bool:
    """Whether something is wrong with ids that others name."""
    return any(ids.fullmatch(problem.field) for problem in document.problems.found)


def _check(document: Fields, where: str, names: Iterable[str], known: set[str], why: str) -> None:
    for name in sorted(set(names) - known - {""}):
        there = ", ".join(sorted(known)) or "none"
        document.problems.add(where, "unknown_name", f"{name!r}: {why}; there are {there}")
