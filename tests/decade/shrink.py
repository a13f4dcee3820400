"""The shortest history found that still goes wrong: facts are left out as long as something is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from saldo.usage.model import UsageEvent
from tests.decade.history import Fact, History, Sale, Told

_MOST_TRIES = 600


def shrunk(history: History, fails: Callable[[History], bool]) -> History:
    """Leaves out facts in ever smaller groups (delta debugging, Zeller 1999), never a sale whose changes stay."""
    facts, size, tries = list(history.facts), max(len(history.facts) // 2, 1), 0
    late = is_late(facts)
    while size and tries < _MOST_TRIES:
        at, shorter = 0, False
        while at < len(facts) and tries < _MOST_TRIES:
            fewer = facts[:at] + facts[at + size :]
            tries += 1
            if _whole(fewer) and (late or not is_late(fewer)) and fails(replace(history, facts=tuple(fewer))):
                facts, shorter = fewer, True
            else:
                at += size
        size = size if shorter and size == 1 else size // 2
    return replace(history, facts=tuple(facts))


def _whole(facts: list[tuple[date, Fact]]) -> bool:
    sold: set[str] = set()
    for _, fact in facts:
        if isinstance(fact, Sale):
            sold.add(fact.id)
        elif isinstance(fact, Told) and fact.subscription_id not in sold:
            return False
    return True


def is_late(facts: Sequence[tuple[date, Fact]]) -> bool:
    """Whether usage is told of late; a repeat whose first was left out would be."""
    seen: set[str] = set()
    for on, fact in facts:
        if isinstance(fact, UsageEvent) and fact.id not in seen:
            if on > fact.at.date() + timedelta(days=1):
                return True
            seen.add(fact.id)
    return False


def told(history: History) -> list[str]:
    """A history in lines for people."""
    account, market = history.account, history.market
    lines = [f"{account.id} in {account.time_zone}, runs every {market.every} days, {account.tax_status}"]
    versions = set()
    for on, fact in history.facts:
        lines.append(f"{on}: {_short(fact)}")
        if isinstance(fact, Sale):
            versions.add(fact.plan_version_id)
        if isinstance(fact, Told) and fact.change.plan_version_id:
            versions.add(fact.change.plan_version_id)
    return lines + [_plan(history, name) for name in sorted(versions)]


def _short(fact: object) -> str:
    text = repr(fact)
    for word in ("datetime.", "Decimal", "frozenset()"):
        text = text.replace(word, "")
    return text


def _plan(history: History, name: str) -> str:
    version = history.market.versions[name]
    cycle = f"{version.cycle_count} {version.cycle_unit.value} {version.day_count.value} {version.rounding.value}"
    parts = [
        f"\n      {c.id}: {c.kind.value} {c.timing.value} {'prorated' if c.prorate else 'whole'} {c.tax_category}"
        f" {c.priced_per or ''} {c.cumulates or ''} {c.price!r}"
        for c in version.components
    ]
    return f"{name} ({cycle}, minimum {version.minimum}):" + "".join(parts)
