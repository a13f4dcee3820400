"""Invariants that span owners: each owner gives its share, small and exchangeable, and the shares are held together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from saldo.insight.model import Owner, Violation
from saldo.ledger.model import LedgerAccount
from saldo.storage.items import Item

Numbers = list[tuple[int, str, str]]


@dataclass(slots=True)
class Share:
    """What one owner, or all of them, contribute. numbers: (sequence, day, document) by seller and series.

    under_way: what is not done yet, by name.
    """

    entity_sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    numbers: dict[tuple[str, str], Numbers] = field(default_factory=lambda: defaultdict(list))
    series: dict[tuple[str, str], int] = field(default_factory=dict)
    clearing: Counter[str] = field(default_factory=Counter)
    under_way: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: Share) -> None:
        self.entity_sums.update(other.entity_sums)
        self.series |= other.series
        self.clearing.update(other.clearing)
        self.under_way += other.under_way
        for key, numbers in other.numbers.items():
            self.numbers[key] += numbers


def share_of(owner: Owner) -> Share:
    share = Share()
    for entry in owner.entries:
        for p in entry.postings:
            share.entity_sums[entry.entity_id, entry.currency] += p.minor
            if p.account is LedgerAccount.GATEWAY_CLEARING:
                share.clearing[entry.currency] += p.minor
    for item in owner.of("invoice"):
        if item["number"] and item["run_id"]:
            series, sequence = _place_in_series(item)
            share.numbers[item["entity_id"], series].append((sequence, item["issued_on"], item["invoice_id"]))
    for item in owner.of("series"):
        share.series[owner.id, item["sk"].split("#", 1)[1]] = item["next"]
    share.under_way = [(owner.id, name) for name in _under_way(owner)]
    return share


def _under_way(owner: Owner) -> Iterator[str]:
    for item in owner.of("payment"):
        if "agenda_pk" in item or (item["status"] == "settled" and not item.get("paid_out_at")):
            yield f"{item['payment_id']} is {item['status']}"
    for item in owner.of("attempt"):
        if item["status"] != "closed" and not item["dry_run"]:
            yield f"{item['pk']} is {item['status']}"
    for item in owner.of("delivery"):
        if item["status"] in ("queued", "unknown"):
            yield f"{item['sk']} is {item['status']}"


def _place_in_series(item: Item) -> tuple[str, int]:
    """Series and rank of a number; those issued before these were kept beside it all looked like `RW-2026-000042`."""
    if "series" in item:
        return item["series"], item["sequence"]
    series, _, digits = item["number"].rpartition("-")
    return series, int(digits)


def violations_across(all_: Share) -> Iterator[Violation]:
    for (entity_id, currency), minor in all_.entity_sums.items():
        if minor:
            yield Violation(2, entity_id, f"entries sum to {minor} {currency}")
    if not any("pay_" in name or "run_" in name for _, name in all_.under_way):
        for currency, minor in all_.clearing.items():
            if minor:
                yield Violation(5, "gateway_clearing", f"{minor} {currency} lie in clearing with nothing under way")
    for series, numbers in sorted(all_.numbers.items()):
        yield from _series_violations(" ".join(series), sorted(numbers), all_.series.get(series))


def left_undone(all_: Share) -> Iterator[Violation]:
    """Work in progress, for a moment at which there should be none."""
    for owner_id, name in all_.under_way:
        yield Violation(25, owner_id, name)


def _series_violations(series: str, numbers: Numbers, following: int | None) -> Iterator[Violation]:
    for (n, on, invoice_id), (m, later_on, other_id) in pairwise(numbers):
        if n == m:
            yield Violation(7, series, f"{invoice_id} and {other_id} share number {n}")
        elif m != n + 1:
            yield Violation(8, series, f"numbers {n + 1} to {m - 1} are missing")
        if later_on < on:
            yield Violation(8, series, f"number {m} is dated {later_on}, before number {n} of {on}")
    if numbers[0][0] != 1:
        yield Violation(8, series, f"the first number is {numbers[0][0]}")
    if following is not None and numbers[-1][0] != following - 1:
        yield Violation(8, series, f"the last number is {numbers[-1][0]}, the next free one is {following}")
