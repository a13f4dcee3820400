"""Visibility as what a store lets through: a record out of sight is as good as none, on whatever page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from saldo.access.model_visibility import USUAL, Document, SelfService, Visibility
from saldo.kernel.errors import Problems
from saldo.kernel.periods import add_months

MOST_MONTHS = 240
# Whoever pays sees what became of it, also where only open items are seen.
_OWN_PAYMENTS_FOR = timedelta(days=30)


def check_visibility(visibility: Visibility) -> None:
    """Refusal `invalid_visibility`."""
    problems = Problems()
    if not 0 <= visibility.months <= MOST_MONTHS:
        problems.add("months", "out_of_range", f"0 (all) to {MOST_MONTHS} months")
    if visibility.open_only and visibility.months:
        problems.add("months", "open_only", "where only open items are seen there is no history to limit")
    if SelfService.PAY_LINKS in visibility.actions and SelfService.PAY not in visibility.actions:
        problems.add("actions", "pay_links_without_pay", "pay links need that people may pay")
    problems.refuse_if_any("not rules of visibility", "invalid_visibility")


def seen_from(visibility: Visibility, today: date) -> date | None:
    """The first day of the history that is seen; None for all of it."""
    return add_months(today, -visibility.months) if visibility.months else None


def sees(visibility: Visibility, today: date) -> Callable[[Mapping[str, Any]], bool] | None:
    """Which records are in sight; None for all of them.

    Entries of the journal pass where months are limited: balances need them; whoever shows them begins at `seen_from`.
    """
    if not visibility.open_only and not visibility.months:
        return None
    since = (seen_from(visibility, today) or date.max).isoformat()
    paid_since = (today - _OWN_PAYMENTS_FOR).isoformat() if visibility.open_only else since

    def is_seen(item: Mapping[str, Any]) -> bool:
        kind = item.get("kind")
        if kind == "invoice":
            return bool(item["open_minor"] > 0 or item["issued_on"] >= since)
        if kind == "payment":
            return bool(item["started_at"] >= paid_since)
        return kind not in ("entry", "day_sums") or not visibility.open_only

    return is_seen


def visibility_text(visibility: Visibility) -> str | None:
    """As JSON text; None for the usual one, so that it is stored where it says something."""
    if visibility == USUAL:
        return None
    names = sorted(visibility.documents), sorted(visibility.actions)
    return json.dumps([visibility.open_only, visibility.months, *names])


def visibility_from(text: str | None) -> Visibility:
    if not text:
        return USUAL
    open_only, months, documents, actions = json.loads(text)
    return Visibility(open_only, months, frozenset(map(Document, documents)), frozenset(map(SelfService, actions)))
